"""Whom an address is counted with, wherever strangers are counted."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network


def network_of(address: str) -> str:
    """The network an address is counted by: /24 of IPv4, /64 of IPv6, which is what one subscriber has."""
    try:
        host = ip_address(address)
    except ValueError:
        return address  # a proxy's word
    if isinstance(host, IPv6Address) and host.ipv4_mapped is not None:
        host = host.ipv4_mapped
    return str(ip_network(f"{host}/{24 if host.version == 4 else 64}", strict=False).network_address)

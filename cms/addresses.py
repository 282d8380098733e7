"""Under which addresses stations reach this daemon: not the wildcard it listens on."""

from __future__ import annotations

import socket

from cms.ocpp import Endpoint
from cms.settings import Settings

ANYWHERE = ("", "0.0.0.0", "::")  # noqa: S104


def for_stations(settings: Settings, endpoint: Endpoint) -> str:
    """What a technician types into a station, with ``<station>`` for its identity; TLS where there is nothing else."""
    if settings.public_url is not None:
        return f"{settings.public_url.rstrip('/')}/<station>"
    if endpoint.port is None:
        return for_stations_with_tls(settings, endpoint)
    wildcard = settings.ocpp_host in ANYWHERE
    return f"{f'ws://{own_address()}:{endpoint.port}/ocpp' if wildcard else endpoint.url}/<station>"


def for_stations_with_tls(settings: Settings, endpoint: Endpoint) -> str:
    """The same for security profiles 2 and 3; empty when nobody listens there."""
    if endpoint.secure_url is None:
        return ""
    if settings.public_tls_url is not None:
        return f"{settings.public_tls_url.rstrip('/')}/<station>"
    wildcard = settings.ocpp_host in ANYWHERE
    own = f"wss://{own_address()}:{endpoint.secure_port}/ocpp"
    return f"{own if wildcard else endpoint.secure_url}/<station>"


def for_uploads(settings: Settings, port: int) -> str:
    """Where stations put their files."""
    if settings.upload_public_url:
        return settings.upload_public_url.rstrip("/")
    host = own_address() if settings.upload_host in ANYWHERE else settings.upload_host
    return f"http://{host}:{port}"


def pay_page(settings: Settings, port: int) -> str:
    """Where drivers reach the pay page, without a slash at its end."""
    if settings.pay_url is not None:
        return settings.pay_url.rstrip("/")
    scheme = "http" if settings.pay_tls_certificate is None else "https"
    host = own_address() if settings.pay_host in ANYWHERE else settings.pay_host
    return f"{scheme}://{host}:{port}"


def own_address() -> str:
    """This machine's address on its way out; nothing is sent. Loopback where there is no way out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # RFC 5737: an address of documentation
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])

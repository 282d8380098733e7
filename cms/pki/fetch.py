"""Fetching from addresses that stations name: to the public internet or to hosts the operator listed, never inward.

The name is resolved here and the connection goes to the address that was looked at, so that a second answer of
the name server leads nowhere else. No redirects, no proxy, a bounded answer, a deadline.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import ipaddress
import socket
import ssl
import threading
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from cms.contract.refusals import Denied, Invalid, Unreachable

_MAX_ANSWER = 1024 * 1024
_PORTS = {"http": 80, "https": 443}
_LOOKUPS = threading.BoundedSemaphore(16)


@dataclass(frozen=True, slots=True)
class Outward:
    """Where requests may go: ``hosts`` (``name`` or ``name:port``) wherever they are, all others if they are public."""

    hosts: Collection[str] = ()
    timeout_s: float = 3.0

    async def ask(self, method: str, url: str, content: bytes = b"", media: str = "") -> bytes:
        """The body of a 200 answer. Raises Invalid, Denied or Unreachable with a sentence."""
        scheme, host, port = _place(url)
        try:
            async with asyncio.timeout(self.timeout_s):
                address = await self._looked_up(host, port)
                return await _asked(method, url, (scheme, host, port, address), content, media)
        except (TimeoutError, httpx.HTTPError, OSError) as error:
            reason = "did not answer in time" if isinstance(error, TimeoutError) else "could not be asked"
            raise Unreachable(f"{host} {reason}") from error

    async def _looked_up(self, host: str, port: int) -> str:
        """An address of the host that may be asked."""
        found = await _resolved(host, port)
        listed = bool({host, f"{host}:{port}"} & set(self.hosts))
        if not listed and not all(is_public(address) for address in found):
            raise Denied(f"{host} is not a public address", "list it in the setting outward_hosts")
        return found[0]


#: IPv6 addresses that a gateway turns into the IPv4 address in their last bits (RFC 6052, RFC 4291 2.5.5.1).
_TRANSLATED = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))
#: What such a gateway of one's own network translates (RFC 8215); its prefix may end anywhere.
_TRANSLATED_HERE = ipaddress.IPv6Network("64:ff9b:1::/48")


def is_public(text: str) -> bool:
    """Whether the address is one host's on the public internet, also where it is another one in disguise."""
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address):
        if address.is_site_local or address.scope_id is not None or address in _TRANSLATED_HERE:
            return False
        inner = address.ipv4_mapped or address.sixtofour
        if any(address in network for network in _TRANSLATED):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return address.is_global and not address.is_multicast


async def _resolved(host: str, port: int) -> list[str]:
    """The addresses of a host, looked up in a thread of its own.

    Whoever names hosts whose name server is slow must hold up neither others' threads nor the end of the daemon.
    """
    if not _LOOKUPS.acquire(blocking=False):
        raise Unreachable(f"{host} was not looked up: too many names are being looked up")
    loop = asyncio.get_running_loop()
    told: asyncio.Future[list[str]] = loop.create_future()

    def settle(found: list[str], error: OSError | None) -> None:
        if told.done():
            return  # nobody waits any more
        if error is None:
            told.set_result(found)
        else:
            told.set_exception(error)

    def look() -> None:
        found, failure = list[str](), None
        try:
            found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        except (OSError, UnicodeError) as error:
            failure = OSError(str(error))
        finally:
            _LOOKUPS.release()
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, found, failure)

    threading.Thread(target=look, name="name lookup", daemon=True).start()
    return await told


async def _asked(
    method: str, url: str, place: tuple[str, str, int, str], content: bytes, media: str
) -> bytes:
    scheme, host, port, address = place
    parts = urlsplit(url)
    literal = f"[{address}]" if ":" in address else address
    target = f"{scheme}://{literal}:{port}{parts.path or '/'}" + (f"?{parts.query}" if parts.query else "")
    headers = {"Host": host if port == _PORTS[scheme] else f"{host}:{port}"}
    if media:
        headers["Content-Type"] = media
    async with httpx.AsyncClient(verify=verified(), trust_env=False, follow_redirects=False) as client:
        request = client.build_request(
            method, target, content=content, headers=headers, extensions={"sni_hostname": host}
        )
        answer = await client.send(request, stream=True)
        try:
            return await _body(answer, host)
        finally:
            await answer.aclose()


@functools.cache
def verified() -> ssl.SSLContext:
    """Made once: reading the roots of this machine takes tens of milliseconds."""
    return ssl.create_default_context()


async def _body(answer: httpx.Response, host: str) -> bytes:
    if answer.status_code != httpx.codes.OK:
        raise Unreachable(f"{host} answered with status {answer.status_code}")
    body = bytearray()
    async for part in answer.aiter_bytes():
        body += part
        if len(body) > _MAX_ANSWER:
            raise Unreachable(f"{host} answered with more than {_MAX_ANSWER} bytes")
    return bytes(body)


def _place(url: str) -> tuple[str, str, int]:
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
    except ValueError as error:
        raise Invalid("this is not an address") from error
    if scheme not in _PORTS or not host or parts.username is not None:
        raise Invalid("only http and https addresses without credentials are asked")
    return scheme, host, port or _PORTS[scheme]

"""Files over HTTP and FTP: firmware comes, logs go. Errors name no login that an address may hold."""

from __future__ import annotations

import asyncio
import io
from ftplib import FTP, FTP_TLS, all_errors
from urllib.parse import SplitResult, unquote, urlsplit

import httpx

TIMEOUT_S = 20.0
MOST_BYTES = 64_000_000


class TransferFailed(Exception):
    """One sentence without the address's login."""


async def fetch(url: str) -> bytes:
    """What is there, at most 64 MB. Raises TransferFailed."""
    place = _parsed(url)
    if place.scheme in ("ftp", "ftps"):
        return await asyncio.to_thread(_ftp_fetch, place)
    try:
        async with _client() as client, client.stream("GET", url, follow_redirects=True) as answer:
            if answer.status_code != httpx.codes.OK:
                raise TransferFailed(f"{place.hostname} answered {answer.status_code}")
            content = bytearray()
            async for chunk in answer.aiter_bytes():
                content += chunk
                if len(content) > MOST_BYTES:
                    raise TransferFailed("the file is too large")
            return bytes(content)
    except httpx.HTTPError as why:
        raise TransferFailed(f"{place.hostname}: {type(why).__name__}") from None


async def upload(url: str, name: str, content: bytes, *, multipart: bool = False) -> None:
    """PUT it; POST it as a form where the server wants no PUT, or when asked to. Raises TransferFailed."""
    place = _parsed(url)
    if place.scheme in ("ftp", "ftps"):
        await asyncio.to_thread(_ftp_store, place, name, content)
        return
    if place.path.endswith("/"):
        url = place._replace(path=place.path + name).geturl()
    try:
        async with _client() as client:
            if not multipart:
                answer = await client.put(url, content=content)
            if multipart or answer.status_code == httpx.codes.METHOD_NOT_ALLOWED:
                answer = await client.post(url, files={"file": (name, content, "text/plain")})
    except httpx.HTTPError as why:
        raise TransferFailed(f"{place.hostname}: {type(why).__name__}") from None
    if not answer.is_success:
        raise TransferFailed(f"{place.hostname} answered {answer.status_code}")


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False)


def _parsed(url: str) -> SplitResult:
    try:
        place = urlsplit(url)
        if place.scheme in ("http", "https", "ftp", "ftps") and place.hostname and place.port != 0:
            return place
    except ValueError:
        pass
    raise TransferFailed("this station reaches http, https and ftp addresses")


def _ftp(place: SplitResult) -> FTP:
    ftp = FTP_TLS(timeout=TIMEOUT_S) if place.scheme == "ftps" else FTP(timeout=TIMEOUT_S)  # noqa: S321
    ftp.connect(place.hostname or "", place.port or 21)
    ftp.login(unquote(place.username or "anonymous"), unquote(place.password or ""))
    return ftp


def _ftp_fetch(place: SplitResult) -> bytes:
    content = io.BytesIO()
    try:
        with _ftp(place) as ftp:
            ftp.retrbinary(f"RETR {unquote(place.path)}", content.write)
    except all_errors as why:
        raise TransferFailed(f"{place.hostname}: {type(why).__name__}") from None
    return content.getvalue()


def _ftp_store(place: SplitResult, name: str, content: bytes) -> None:
    path = unquote(place.path)
    target = path + name if path.endswith("/") or not path else path
    try:
        with _ftp(place) as ftp:
            ftp.storbinary(f"STOR {target}", io.BytesIO(content))
    except all_errors as why:
        raise TransferFailed(f"{place.hostname}: {type(why).__name__}") from None

"""Asking another system over HTTP whether a token may charge: the plug-in point for external authorisation.

``POST url`` with ``{"organisation", "token", "kind", "station", "evse", "purpose", "at"}`` is answered with
``{"status": "accepted", "cache_s": 300, "group": ..., "expires": ..., "reason": ...}``; statuses are ours
(docs/access.md). Whatever else comes, or comes too late, is no answer. When no answer comes several times in a row
nobody is asked for a while, so that drivers do not stand before stations that wait.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import structlog

from cms.contract.refusals import Invalid
from cms.domain.outside import SILENCE, Asked, Offline, Told, Whose
from cms.domain.tokens import Authorization

log = structlog.get_logger("cms")

_MAX_BYTES = 16_384
_MOST_AT_ONCE = 64
_REMEMBERED = 10_000
_LONGEST_S = 86_400
_FAILURES = 5
_PAUSE_S = (5.0, 60.0)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_STATUSES = {status.value: status for status in Authorization}


class _Answer(msgspec.Struct):
    """As it is said; fields that we do not know are somebody else's."""

    status: str
    cache_s: int = 0
    group: str | None = None
    expires: datetime | None = None
    reason: str | None = None


class Authorizer:
    """The other system. ``clock_s`` is a monotonic clock."""

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float = 1.5,
        whose: Whose = "unknown",
        offline: Offline = "accept-known",
        key_file: Path | None = None,
        clock_s: Callable[[], float] | None = None,
    ) -> None:
        _check(url)
        self.whose: Whose = whose
        self.offline: Offline = offline
        self._url, self._timeout_s = url, timeout_s
        self._headers = _headers(key_file)
        self._clock_s = clock_s or (lambda: asyncio.get_running_loop().time())
        self._client: httpx.AsyncClient | None = None
        self._asking = 0
        self._failures = 0
        self._paused_until = 0.0
        self._remembered: OrderedDict[tuple[Any, ...], tuple[float, Told]] = OrderedDict()

    async def ask(self, asked: Asked) -> Told:
        """What is said of a token; SILENCE where nothing is, in time."""
        key = (asked.organisation, asked.token.casefold(), asked.kind, asked.station, asked.evse)
        known = self._remembered.get(key)
        if known is not None and self._clock_s() < known[0]:
            return known[1]
        if self._asking >= _MOST_AT_ONCE or self._clock_s() < self._paused_until:
            return SILENCE
        told = await self._asked(asked)
        if told.holds_s > 0:
            self._remember(key, told)
        return told

    async def _asked(self, asked: Asked) -> Told:
        self._asking += 1
        try:
            async with asyncio.timeout(self._timeout_s):
                told = _told(await self._post(msgspec.json.encode(asked)))
        except (TimeoutError, httpx.HTTPError, OSError, msgspec.MsgspecError, ValueError) as error:
            self._failed(error)
            return SILENCE
        finally:
            self._asking -= 1
        if self._failures >= _FAILURES:
            log.info("the authorisation service answers again")
        self._failures = 0
        return told

    async def _post(self, question: bytes) -> bytes:
        if self._client is None:
            # No proxy of the environment, no redirects: the question goes where the operator said.
            limits = httpx.Limits(max_connections=_MOST_AT_ONCE, max_keepalive_connections=8)
            self._client = httpx.AsyncClient(limits=limits, trust_env=False, timeout=self._timeout_s)
        request = self._client.build_request("POST", self._url, content=question, headers=self._headers)
        answer = await self._client.send(request, stream=True)
        try:
            if answer.status_code != httpx.codes.OK:
                raise ValueError(f"status {answer.status_code}")
            body = bytearray()
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > _MAX_BYTES:
                    raise ValueError("too long an answer")
            return bytes(body)
        finally:
            await answer.aclose()

    def _failed(self, error: Exception) -> None:
        """After several failures in a row nobody is asked for a while; then one question tries again."""
        self._failures += 1
        if self._failures < _FAILURES:
            return
        least, most = _PAUSE_S
        self._paused_until = self._clock_s() + min(least * 2 ** (self._failures - _FAILURES), most)
        if self._failures == _FAILURES:
            log.warning(
                "the authorisation service does not answer", reason=str(error) or type(error).__name__
            )

    def _remember(self, key: tuple[Any, ...], told: Told) -> None:
        self._remembered[key] = self._clock_s() + told.holds_s, told
        self._remembered.move_to_end(key)
        while len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)

    async def close(self) -> None:
        """Close its connections."""
        if self._client is not None:
            await self._client.aclose()


def _check(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.username is not None:
        raise Invalid("authorize_url is an https address without credentials", "see authorize_key_file")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise Invalid(f"authorize_url: tokens are not sent to {parts.hostname} in the clear", "use https")


def _headers(key_file: Path | None) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if key_file is None:
        return headers
    try:
        key = key_file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"authorize_key_file {key_file} cannot be read: {error}") from None
    if not key or not key.isascii() or not key.isprintable():
        raise Invalid(f"authorize_key_file {key_file} holds no key: one line of printable characters")
    return {**headers, "Authorization": f"Bearer {key}"}


def _told(body: bytes) -> Told:
    """The answer in our words. Raises ValueError (or msgspec's) for what is none."""
    said = msgspec.json.decode(body, type=_Answer)
    status = _STATUSES.get(said.status.casefold())
    if status is None or (said.expires is not None and said.expires.tzinfo is None):
        raise ValueError("an answer without a status that we know, or a time without a zone")
    group = said.group if said.group and len(said.group) <= 255 and said.group.isprintable() else None
    return Told(
        status,
        holds_s=max(0, min(said.cache_s, _LONGEST_S)),
        group=group,
        expires=None if said.expires is None else said.expires.astimezone(UTC),
        reason="".join(sign for sign in (said.reason or "")[:200] if sign.isprintable()),
    )

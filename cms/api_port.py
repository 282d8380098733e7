"""Ports of HTTPS as the settings want them, the control API's and the pay page's: address, TLS, files that change."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from cms.contract.refusals import Invalid
from cms.ocpp import tls
from cms.pki import Trust
from cms.settings import Settings
from cms.tls_port import names

log = logging.getLogger(__name__)

#: Clients of ours know better than what stations need: forward secrecy always.
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


Pairs = Callable[[datetime], tuple[tls.Pair, ...]]
"""The chains and keys that a port shows, at an instant."""


class HttpsPort:
    """``address`` is None when the settings name none; ``context`` is None on a plain port of this machine."""

    def __init__(
        self, what: str, address: tuple[str, int] | None, pairs: Pairs | None, now: datetime
    ) -> None:
        self._what = what
        self._pairs = pairs
        self._stamps: dict[Path, int] = {}
        self.address = address
        self.context = None if address is None or pairs is None else self._made(pairs(now))

    def _made(self, pairs: tuple[tls.Pair, ...]) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        made.set_ciphers(_CIPHERS)
        made.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
        made.set_alpn_protocols(["http/1.1"])
        tls.load(made, pairs)
        self._stamps = _stamps(pairs)
        return made

    def refresh(self, now: datetime) -> None:
        """Take over files that were replaced, from the next handshake on; one that cannot be read changes nothing."""
        if self.context is None or self._pairs is None:
            return
        try:
            pairs = self._pairs(now)
            stamps = _stamps(pairs)
            if stamps != self._stamps:
                tls.load(self.context, pairs)
                self._stamps = stamps
                log.info("the certificate of %s was replaced", self._what)
        except Invalid as refused:
            log.error("the certificate of %s cannot be replaced: %s", self._what, refused.message)


def api_port(settings: Settings, trust: Trust, now: datetime) -> HttpsPort:
    """The control API over TCP; its certificate is made here when the settings name none."""

    def pairs(at: datetime) -> tuple[tls.Pair, ...]:
        if settings.api_tls_certificate is not None:
            return ((settings.api_tls_certificate, settings.api_tls_key),)
        return tuple((chain, None) for chain in trust.server_certificates(names(settings), at))

    host, port = settings.api_host, settings.api_port
    address = None if host is None or port is None else (host, port)
    return HttpsPort("the control API", address, None if settings.api_plain else pairs, now)


def pay_port(settings: Settings, now: datetime) -> HttpsPort:
    """The pay page. Phones know no authority of ours: without a certificate of the operator's it is behind a proxy."""
    certificate, key, port = settings.pay_tls_certificate, settings.pay_tls_key, settings.pay_port
    address = None if port is None else (settings.pay_host, port)
    return HttpsPort(
        "the pay page", address, None if certificate is None else lambda _: ((certificate, key),), now
    )


def _stamps(pairs: tuple[tls.Pair, ...]) -> dict[Path, int]:
    files = [file for pair in pairs for file in pair if file is not None]
    try:
        return {file: file.stat().st_mtime_ns for file in files}
    except OSError as error:
        raise Invalid(f"{error.filename} cannot be read: {error.strerror}") from error

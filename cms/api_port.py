"""The control API over TCP as the settings want it: its address, its TLS, and what is done when its files change."""

from __future__ import annotations

import logging
import ssl
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


class ApiPort:
    """``address`` is None when the settings name none; ``context`` is None on a plain port of this machine."""

    def __init__(self, settings: Settings, trust: Trust, now: datetime) -> None:
        self._settings = settings
        self._trust = trust
        host, port = settings.api_host, settings.api_port
        self.address = None if host is None or port is None else (host, port)
        self.context = None if self.address is None or settings.api_plain else self._made(now)

    def _made(self, now: datetime) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        made.set_ciphers(_CIPHERS)
        made.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
        made.set_alpn_protocols(["http/1.1"])
        pairs = self._pairs(now)
        tls.load(made, pairs)
        self._stamps = _stamps(pairs)
        return made

    def _pairs(self, now: datetime) -> tuple[tls.Pair, ...]:
        if self._settings.api_tls_certificate is not None:
            return ((self._settings.api_tls_certificate, self._settings.api_tls_key),)
        return tuple((chain, None) for chain in self._trust.server_certificates(names(self._settings), now))

    def refresh(self, now: datetime) -> None:
        """Take over files that were replaced, from the next handshake on; one that cannot be read changes nothing."""
        if self.context is None:
            return
        try:
            pairs = self._pairs(now)
            stamps = _stamps(pairs)
            if stamps != self._stamps:
                tls.load(self.context, pairs)
                self._stamps = stamps
                log.info("the certificate of the control API was replaced")
        except Invalid as refused:
            log.error("the certificate of the control API cannot be replaced: %s", refused.message)


def _stamps(pairs: tuple[tls.Pair, ...]) -> dict[Path, int]:
    files = [file for pair in pairs for file in pair if file is not None]
    try:
        return {file: file.stat().st_mtime_ns for file in files}
    except OSError as error:
        raise Invalid(f"{error.filename} cannot be read: {error.strerror}") from error

"""The port with TLS as the settings want it: its certificates, whom it trusts, and what is done when files change."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from cms.addresses import ANYWHERE, own_address
from cms.contract.refusals import Invalid
from cms.domain.certificates import Certificate, Use
from cms.ocpp import tls
from cms.ocpp.tls import SecureListener
from cms.pki import Trust
from cms.settings import Settings

log = logging.getLogger(__name__)


class TlsPort:
    """Security profiles 2 and 3. ``listener`` is None when the settings name no port."""

    def __init__(self, settings: Settings, trust: Trust, now: datetime) -> None:
        self._settings = settings
        self._trust = trust
        self._stamps: dict[Path, int] = {}
        self.listener = None if settings.ocpp_tls_port is None else self._made(settings.ocpp_tls_port, now)

    def _made(self, port: int, now: datetime) -> SecureListener:
        pairs = self._pairs(now)  # makes our authority, where there is none yet
        ours = self._trust.trusted(Use.STATION)
        self._stamps = _stamps(pairs, self._settings.tls_client_authorities)
        return SecureListener(
            port, tls.context(pairs, [*self._theirs(), *ours], legacy=self._settings.tls_legacy_suites)
        )

    def _theirs(self) -> list[str]:
        return [_text(path) for path in self._settings.tls_client_authorities]

    def _pairs(self, now: datetime) -> tuple[tls.Pair, ...]:
        """Chains and keys: the operator's, or else ours, which are made and renewed here."""
        chains, keys = self._settings.tls_certificates, self._settings.tls_keys
        if not chains:
            chains, keys = self._trust.server_certificates(names(self._settings), now), ()
        return tuple((chain, keys[number] if keys else None) for number, chain in enumerate(chains))

    def trust(self, authority: str) -> None:
        """Take what a new authority (PEM) signs."""
        if self.listener is not None:
            tls.trust(self.listener.context, (authority,))

    def refresh(self, now: datetime) -> None:
        """Renew our own certificates when they are about to end, and take over files that were replaced.

        A connection keeps what it shook hands with. A file that cannot be read leaves the old one in use. An
        authority that is no longer in its file is trusted until the next start.
        """
        if self.listener is None:
            return
        try:
            pairs = self._pairs(now)
            stamps = _stamps(pairs, self._settings.tls_client_authorities)
            if stamps != self._stamps:
                tls.load(self.listener.context, pairs)
                tls.trust(self.listener.context, self._theirs())
                self._stamps = stamps
                log.info("the certificates of the TLS port were replaced")
        except Invalid as refused:
            log.error("the certificates of the TLS port cannot be replaced: %s", refused.message)

    def shown(self, now: datetime) -> tuple[Certificate, ...]:
        """What stations are shown: the first certificate of each chain."""
        if self.listener is None:
            return ()
        return tuple(self._trust.read_chain(chain)[0] for chain in self._chains(now))

    def _chains(self, now: datetime) -> Iterator[str]:
        """The chains that can be read; of the others ``refresh`` has told."""
        for chain, _ in self._pairs(now):
            with contextlib.suppress(Invalid):
                yield _text(chain)


def names(settings: Settings) -> tuple[str, ...]:
    """How stations may call us: what is said in the certificates that are made here."""
    if settings.tls_names:
        return settings.tls_names
    public = urlsplit(settings.public_tls_url or settings.public_url or "").hostname
    own = own_address() if settings.ocpp_host in ANYWHERE else settings.ocpp_host
    return tuple(dict.fromkeys((*([public] if public else []), own, "localhost")))


def _stamps(pairs: tuple[tls.Pair, ...], authorities: Sequence[Path]) -> dict[Path, int]:
    """When each file was changed last."""
    files = [file for pair in pairs for file in pair if file is not None] + list(authorities)
    try:
        return {file: file.stat().st_mtime_ns for file in files}
    except OSError as error:
        raise Invalid(f"{error.filename} cannot be read: {error.strerror}") from error


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{path} cannot be read as certificates in PEM: {error}") from error

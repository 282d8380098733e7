"""What is done once a minute, or now and then, beside the messages of stations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

import structlog

from cms import systemd
from cms.core import Core, StoreDown
from cms.domain.changes import SeeStations
from cms.operations.admission import trim_inbox
from cms.operations.certificates import forget_revoked
from cms.operations.expiry import ExpiryWatch, renew_due
from cms.operations.sessions import doubt_stale
from cms.operations.stations import last_heard
from cms.settings import Settings
from cms.store.engine import SqlStore
from cms.tls_port import TlsPort

log = structlog.get_logger("cms")


class Housekeeping:
    """Looks after what grows old. ``own`` runs what may take its time as a task of the daemon, by name."""

    def __init__(
        self,
        core: Core,
        store: SqlStore,
        settings: Settings,
        tls_port: TlsPort,
        own: Callable[[Coroutine[Any, Any, None], str], None],
    ) -> None:
        self._core = core
        self._store = store
        self._settings = settings
        self._tls_port = tls_port
        self._own = own
        self._heard: dict[str, datetime] = {}
        self._expiry = ExpiryWatch()

    async def run(self) -> None:
        """Once a minute what need not be written per message; now and then what grows old."""
        minute = 0
        while True:
            await asyncio.sleep(60)
            minute += 1
            systemd.tell("WATCHDOG=1")
            try:
                await self.see_stations()
                if minute % 10 == 0:
                    await self._look_after_certificates()
                    await trim_inbox(self._core)
                    await doubt_stale(self._core, self._core.clock.now() - self._core.terms.suspect_after)
                if minute % 360 == 0:
                    await forget_revoked(self._core)
                    self._renew_certificates()
                    await self._forget_old()
            except StoreDown:
                continue
            except Exception:
                log.exception("housekeeping failed; it goes on in a minute")

    async def see_stations(self) -> None:
        """Write down when stations were heard of, once a minute rather than with each message."""
        seen = last_heard(self._core, self._heard)
        if seen:
            await self._store.commit((SeeStations(seen),), ())

    async def _look_after_certificates(self) -> None:
        """Files may have been replaced, our own renewed; what ends soon is told before it ends."""
        now = self._core.clock.now()
        self._tls_port.refresh(now)
        await self._expiry.tell(self._core, self._tls_port.shown(now))

    def _renew_certificates(self) -> None:
        """Beside everything else: one station after the other may take its time."""
        if days := self._settings.certificate_renew_days:
            self._own(renew_due(self._core, timedelta(days=days)), "certificate renewals")

    async def _forget_old(self) -> None:
        now, settings = self._core.clock.now(), self._settings
        await self._store.prune(
            events_before=now - timedelta(days=settings.events_retention_days),
            readings_before=now - timedelta(days=settings.readings_retention_days),
            streams_before=now - timedelta(days=settings.streams_retention_days),
        )

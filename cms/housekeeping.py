"""What is done once a minute, or now and then, beside the messages of stations."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine
from datetime import date, datetime, timedelta
from typing import Any

import structlog

from cms import systemd
from cms.core import Core, StoreDown
from cms.domain.changes import SeeStations
from cms.houses import Houses
from cms.operations import access_budgets, billingdays, heads
from cms.operations.admission import trim_inbox
from cms.operations.certificates import forget_revoked
from cms.operations.expiry import ExpiryWatch, renew_due
from cms.operations.privacy import retire
from cms.operations.secrets import rewrap
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
        houses: Houses,
        store: SqlStore,
        settings: Settings,
        tls_port: TlsPort,
        own: Callable[[Coroutine[Any, Any, None], str], None],
    ) -> None:
        self._houses = houses
        self._clock = houses.platform.clock
        self._store = store
        self._settings = settings
        self._tls_port = tls_port
        self.refreshed: list[Callable[[datetime], None]] = [tls_port.refresh]
        """Ports that take over certificates when their files are replaced."""
        self.kept_back: list[Callable[[datetime], Awaitable[None]]] = []
        """Those who keep something back for a minute: they are asked for it."""
        self._own = own
        self._heard: defaultdict[str, dict[str, datetime]] = defaultdict(dict)
        self._billed: dict[str, date] = {}
        self._expiry: defaultdict[str, ExpiryWatch] = defaultdict(ExpiryWatch)

    async def run(self) -> None:
        """Once a minute what need not be written per message; now and then what grows old."""
        minute = 0
        while True:
            await asyncio.sleep(60)
            minute += 1
            systemd.tell("WATCHDOG=1")
            try:
                await self.see_stations()
                await self.tell_audit()
                for core in self._houses.all():
                    await access_budgets.watch(core)
                if minute % 10 == 0:
                    for refresh in self.refreshed:
                        refresh(self._clock.now())
                    for core in self._houses.all():
                        await self._look_after(core)
                    for core in self._houses.platform.all_cores():
                        await rewrap(core)
                if minute % 60 == 0:
                    for core in self._houses.all():
                        self._bill(core)
                if minute % 360 == 0:
                    for core in self._houses.all():
                        await forget_revoked(core)
                        await access_budgets.forget_old(core)
                        self._renew_certificates(core)
                        self._forget_persons(core)
                    await self._forget_old()
            except StoreDown:
                continue
            except Exception:
                log.exception("housekeeping failed; it goes on in a minute")

    async def tell_audit(self) -> None:
        """Where the audit log ends, so that nobody can cut it off unseen."""
        for tell in self.kept_back:
            await tell(self._clock.now())
        for core in self._houses.platform.all_cores():
            await heads.tell(core)

    async def see_stations(self) -> None:
        """Write down when stations were heard of, once a minute rather than with each message."""
        for core in self._houses.all():
            seen = last_heard(core, self._heard[core.organisation])
            if seen:
                await core.store.commit((SeeStations(seen),), ())

    async def _look_after(self, core: Core) -> None:
        """Certificates that end soon are told of before they end; strangers and silent sessions grow old."""
        now = self._clock.now()
        await self._expiry[core.organisation].tell(core, self._tls_port.shown(now))
        await trim_inbox(core)
        await doubt_stale(core, now - core.terms.suspect_after)

    def _bill(self, core: Core) -> None:
        """Beside everything else: a month of many drivers takes its time."""
        today, day = self._clock.now().date(), self._settings.billing_day
        self._own(billingdays.bill(core, today, day, self._billed), "billing")

    def _renew_certificates(self, core: Core) -> None:
        """Beside everything else: one station after the other may take its time."""
        if days := self._settings.certificate_renew_days:
            self._own(renew_due(core, timedelta(days=days)), "certificate renewals")

    def _forget_persons(self, core: Core) -> None:
        """Beside everything else: it reads much of the record."""
        if days := self._settings.personal_retention_days:
            self._own(_retired(core, self._clock.now() - timedelta(days=days)), "old sessions")

    async def _forget_old(self) -> None:
        now, settings = self._clock.now(), self._settings
        await self._store.prune(
            events_before=now - timedelta(days=settings.events_retention_days),
            readings_before=now - timedelta(days=settings.readings_retention_days),
            streams_before=now - timedelta(days=settings.streams_retention_days),
        )


async def _retired(core: Core, before: datetime) -> None:
    if count := await retire(core, before):
        log.info("old sessions name their cards no more", tokens=count)

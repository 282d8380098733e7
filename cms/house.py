"""One organisation in this daemon: its core, what tells it of its stations, and what runs for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from cms import __version__, addresses, mail, vat
from cms.aside import Aside
from cms.authorizer import Authorizer
from cms.bus.local import LocalBus
from cms.contract.stations import Message
from cms.core import MAIN, PLATFORM, Clock, Core, Lane, Mint, Provider, Trust
from cms.documents import PaperMill
from cms.domain import organisations, qr
from cms.domain.verification import Mail
from cms.keys import LASTING, Keys, Roots
from cms.ocpp import Endpoint, Hooks
from cms.onlookers import ALL, Onlookers
from cms.operations import charges, datatransfer, lists, lowbalance, openingbalances, tokens, usagesums
from cms.operations.admission import connected, contested, disconnected
from cms.operations.attention import Watch
from cms.operations.deciding import index
from cms.operations.intents import Agenda, recover
from cms.operations.observe import observe
from cms.settings import Settings
from cms.store.engine import SqlStore
from cms.terms import Terms

Own = Callable[[Coroutine[Any, Any, None], str], None]
"""Run work as a task of the daemon, under a name."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """What all organisations of a daemon stand on."""

    settings: Settings
    store: SqlStore
    endpoint: Endpoint
    bus: LocalBus
    clock: Clock
    mint: Mint
    trust: Trust
    roots: Roots
    """Of all keys; where their master key was found, and what should be mended about it."""
    master_key: str
    notes: tuple[str, ...]
    own: Own
    count: Callable[[str, str, str], None]
    """Direction, action, OCPP version of every message."""
    aside: Aside
    """Does long calculations beside the loop."""
    started_at: datetime
    outside: Authorizer | None = None
    """Who is asked about tokens besides us."""
    provider: Provider | None = None
    """Who takes money from cards."""


class House:
    """An organisation that is served."""

    def __init__(self, grounds: Grounds, organisation: str) -> None:
        self._grounds = grounds
        self._agenda = Agenda()
        self._onlookers = Onlookers()
        settings = grounds.settings
        self.core = Core(
            store=grounds.store.of(organisation),
            stations=grounds.endpoint.of(organisation),
            bus=grounds.bus.of(organisation),
            clock=grounds.clock,
            mint=grounds.mint,
            secret=grounds.roots.root(LASTING),
            trust=grounds.trust,
            organisation=organisation,
            spawn=lambda work: grounds.own(work, "order"),
            wake=self._agenda.add,
            vendors=datatransfer.installed(),
            terms=_terms(grounds, organisation),
            mail=_mail(settings),
            papers=PaperMill(),
            vat=partial(vat.ask, settings.vat_url) if settings.vat_url else None,
            aside=grounds.aside,
            outside=grounds.outside,
            provider=grounds.provider,
        )
        self.core.keys = Keys(grounds.roots, organisation)
        Path(self.core.terms.data_dir).mkdir(parents=True, exist_ok=True, mode=0o700)
        self.hooks = Hooks(
            connected=partial(connected, self.core),
            disconnected=partial(disconnected, self.core),
            contested=partial(contested, self.core),
            observe=partial(observe, self.core),
            frame=self._onlookers.show,
            watched=self._onlookers.watch,
            count=grounds.count,
            aside=grounds.aside,
        )

    async def remember(self) -> None:
        """Read what the record knows, and end what a stop interrupted."""
        core = self.core
        picture = await core.store.load()
        core.lanes.update({state.station.id.casefold(): Lane(state) for state in picture.states})
        core.tokens.update({token.id.casefold(): token for token in picture.tokens})
        core.kept.update(picture.kept)
        for lane in core.lanes.values():
            for session in lane.state.sessions.values():
                index(core, session)
        await recover(core)
        await tokens.recover(core)
        await openingbalances.recover(core)

    def open(self) -> None:
        """Begin what runs for it; the endpoint listens by now."""
        self._grounds.own(self._agenda.run(self.core), "agenda")
        self._grounds.own(Watch(self.core).run(), "alerts")
        self._grounds.own(lowbalance.watch_all(self.core), "low balances")
        self._grounds.own(usagesums.follow(self.core), "usage")
        if self.core.provider is not None:
            self._grounds.own(charges.run(self.core), "charges")
        if self._grounds.settings.list_sync:
            self._grounds.own(lists.follow(self.core), "local lists")

    def tell(self) -> None:
        """Take over where stations reach us; a founded organisation's stations show certificates in its name."""
        grounds, core = self._grounds, self.core
        core.terms = replace(
            core.terms,
            ocpp_url=_below(addresses.for_stations(grounds.settings, grounds.endpoint), core.organisation),
            ocpp_tls_url=_below(
                addresses.for_stations_with_tls(grounds.settings, grounds.endpoint), core.organisation
            ),
        )
        own = organisations.own(core.kept)
        if own is not None and core.organisation != MAIN:
            core.terms = replace(core.terms, organisations=(own.name or own.id,))

    def take_uploads(self, url: str) -> None:
        """Stations put their files there."""
        below = "" if self.core.organisation == MAIN else f"/{self.core.organisation}"
        self.core.terms = replace(self.core.terms, upload_url=url + below)

    def take_pay_page(self, url: str) -> None:
        """Drivers pay there; QR codes lead there too, unless the settings have them say something else."""
        if not url:
            return
        settings, main = self._grounds.settings, self.core.organisation == MAIN
        url = url if main else f"{url}/{self.core.organisation}"
        leads = settings.pay_url is not None and settings.qr_url == qr.DEFAULT
        code = f"{url}/e/{qr.DEFAULT}" if leads else self.core.terms.qr_url
        self.core.terms = replace(self.core.terms, pay_url=url, qr_url=code)

    def frames(self, station_id: str) -> AbstractAsyncContextManager[asyncio.Queue[Message]]:
        """The frames of one of its stations, or (``*``) of all, as they cross the link."""
        if station_id == ALL:
            return self._onlookers.frames(ALL)
        return self._onlookers.frames(self.core.lane(station_id).state.station.id)


def _below(url: str, organisation: str) -> str:
    """The address of an organisation's stations: its id stands before theirs."""
    if not url or organisation == MAIN:
        return url
    return url.replace("/<station>", f"/{organisation}/<station>")


def folder(data_dir: Path, organisation: str) -> Path:
    """Where the files of an organisation lie."""
    return data_dir if organisation in (PLATFORM, MAIN) else data_dir / "organisations" / organisation


def _mail(settings: Settings) -> Callable[[Mail], Awaitable[None]] | None:
    """Who sends letters to drivers."""
    if settings.smtp_url is None or settings.mail_from is None:
        return None
    return mail.Post(settings.smtp_url, settings.mail_from).send


def _terms(grounds: Grounds, organisation: str) -> Terms:
    settings = grounds.settings
    ours = (settings.organisation,) if settings.organisation else ()
    return Terms(
        heartbeat_s=settings.heartbeat_interval_s,
        call_timeout_s=settings.call_timeout_s,
        boot_policy=settings.default_boot_policy,
        inventory=settings.inventory_after_boot,
        monitors=settings.monitors_after_boot,
        automatic_delay_s=settings.automatic_delay_s,
        insecure_lab=settings.insecure_lab,
        open_enrolment=settings.open_enrolment and organisation == MAIN,
        boot_trigger_s=settings.boot_trigger_s,
        probe=settings.probe_stations,
        organisations=(*ours, *settings.trusted_organisations),
        begins_within=timedelta(seconds=settings.start_timeout_s),
        suspect_after=timedelta(seconds=settings.suspect_after_s),
        socket=str(settings.socket),
        database=settings.database_url.partition("+")[0],
        data_dir=str(folder(settings.data_dir, organisation)),
        started_at=grounds.started_at,
        alert_offline_s=settings.alert_offline_s,
        master_key=grounds.master_key,
        notes=grounds.notes,
        version=__version__,
        receipt_url=settings.receipt_url,
        four_eyes=settings.four_eyes,
        qr_url=settings.qr_url,
        suspicious_speed_kmh=settings.suspicious_speed_kmh,
        suspicious_sessions_per_day=settings.suspicious_sessions_per_day,
        suspicious_blocks=settings.suspicious_blocks,
        adhoc_amount=settings.adhoc_amount,
    )

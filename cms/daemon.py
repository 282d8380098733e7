"""The composition root: the one place that knows every part, starts them in order and stops them in order."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

import structlog

from cms import __version__, addresses, hardening, systemd
from cms.api.app import create_app
from cms.api.metrics import Metrics
from cms.api.server import Running, RunningApi, serve_api, serve_public, serve_uploads
from cms.api.uploads import create_upload_app
from cms.api_port import api_port, pay_port
from cms.aside import Beside, at_once
from cms.authorizer import Authorizer
from cms.bus.local import LocalBus
from cms.clock import RandomMint, SystemClock
from cms.contract.events import Event
from cms.contract.refusals import Refusal
from cms.contract.stations import Message
from cms.core import MAIN, PLATFORM, Clock, Core, Mint, StoreDown
from cms.domain import organisations
from cms.domain.certificates import OwnAuthority, Use
from cms.domain.changes import Happened
from cms.house import Grounds, House
from cms.housekeeping import Housekeeping
from cms.houses import Houses
from cms.keys import Keys, Roots
from cms.keystore import Opened, open_roots
from cms.logs import Sparing, set_up
from cms.ocpp import Admitted, Endpoint, Knock, Limits, Turned
from cms.operations import OPERATIONS
from cms.operations.admission import Approach, Knocks, admit
from cms.pki import Trust, TrustSources
from cms.pki.fetch import Outward
from cms.provider import Stripe, StripeKeys
from cms.settings import Settings
from cms.store.engine import SqlStore, open_store
from cms.store.lock import lock
from cms.tls_port import TlsPort

log = structlog.get_logger("cms")

EXIT_POISONED = 74  # EX_IOERR: a disk that failed an fsync may have lied before; only a restart tells
EXIT_TOO_SLOW = 75  # EX_TEMPFAIL
STOP_WITHIN_S = 10.0
_DRAIN_S = 5.0
_LOGGED = frozenset(
    {
        "station.enrolled",
        "station.removed",
        "station.unknown",
        "station.refused",
        "station.identity_conflict",
        "station.connected",
        "station.disconnected",
        "station.security",
        "station.password",
        "station.secured",
        "secrets.rotated",
        "secrets.forgotten",
        "certificate.requested",
        "certificate.installed",
        "certificate.refused",
        "certificate.failed",
        "certificate.revoked",
        "quarantine.added",
    }
)


class Daemon:
    """A running system. ``clock``, ``mint`` and ``threaded=False`` are for simulated time."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        mint: Mint | None = None,
        threaded: bool = True,
        watch_s: float = 1.0,
    ) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self.mint: Mint = mint or RandomMint()
        self.metrics = Metrics()
        self.bus = LocalBus()
        self.fatal = asyncio.Event()
        self.core: Core
        """Of the main organisation."""
        self.houses: Houses
        self.store: SqlStore
        self.endpoint: Endpoint
        self.api: RunningApi
        self._threaded = threaded
        self._beside = Beside()
        self._watch_s = watch_s
        self._tasks: set[asyncio.Task[None]] = set()
        self._served: dict[str, House] = {}
        """By organisation."""
        self._upload_url = ""
        self._pay_url = ""
        self._listening = False
        self._sparing = Sparing()

    async def start(self) -> None:
        """Open the record, remember, listen. Raises a Refusal that says what is in the way."""
        settings = self.settings
        async with contextlib.AsyncExitStack() as undo:
            settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = lock(settings.data_dir / "cms.lock")
            undo.callback(self._lock.release)
            self.store = await open_store(
                settings.database_url, self.clock, self._published, threaded=self._threaded
            )
            undo.push_async_callback(self.store.close)
            self._opened = open_roots(settings.data_dir, settings.master_key_file)
            self.trust = Trust(_trust_sources(settings, self._opened.roots), self._authority_made)
            self.tls_port = TlsPort(settings, self.trust, self.clock.now())
            self._knocks = Knocks()
            self.endpoint = self._endpoint()
            self._outside = _authorizer(settings)
            self._provider = _provider(settings)
            self._grounds = self._founded()
            await self._remember()
            self._watch()
            self._housekeeping = Housekeeping(self.houses, self.store, settings, self.tls_port, self._own)
            undo.callback(self._beside.close)
            undo.push_async_callback(self.endpoint.close, 1001, "stopping")
            await self.endpoint.start()
            for house in self._served.values():
                house.tell()
            app = create_app(
                self.houses,
                OPERATIONS,
                self.metrics,
                frames=self._frames,
                ready=lambda: self._listening,
                orders_per_minute=settings.orders_per_minute,
            )
            self._housekeeping.kept_back.append(app.state.denials.tell)
            self.api_port = api_port(settings, self.trust, self.clock.now())
            self._housekeeping.refreshed.append(self.api_port.refresh)
            self.api = await serve_api(
                app, settings.socket, self.api_port.address, self.api_port.context, settings.socket_group
            )
            await self._take_uploads(undo)
            await self._open_pay_page(undo)
            for house in self._served.values():
                self._open(house)
            self._listening = True
            self._own(self._watch_store(), "store watch")
            self._own(self._housekeeping.run(), "housekeeping")
            await self.core.store.commit(
                (), (Happened("daemon.started", self.clock.now(), data={"version": __version__}),)
            )
            undo.pop_all()

    def _authority_made(self, authority: OwnAuthority) -> None:
        """What a new authority of ours signs is taken from the next handshake on."""
        if authority.use is Use.STATION:
            self.tls_port.trust(authority.pem)

    def _endpoint(self) -> Endpoint:
        settings = self.settings
        limits = Limits(
            max_frame_bytes=settings.max_frame_bytes,
            rate_per_s=settings.rate_per_s,
            burst=settings.burst,
            handshake_s=settings.handshake_timeout_s,
            handshakes=settings.max_pending_connections,
            files=hardening.open_files(),
            call_timeout_s=settings.call_timeout_s,
            ping_s=settings.ping_interval_s,
            pong_s=settings.ping_timeout_s,
        )
        port = settings.ocpp_port if settings.ocpp_plain else None
        return Endpoint(
            settings.ocpp_host,
            port,
            self._admit,
            lambda organisation: self._served[organisation].hooks,
            self.clock,
            limits,
            secure=self.tls_port.listener,
            proxies=settings.tls_proxies,
        )

    def _founded(self) -> Grounds:
        return Grounds(
            settings=self.settings,
            store=self.store,
            endpoint=self.endpoint,
            bus=self.bus,
            clock=self.clock,
            mint=self.mint,
            trust=self.trust,
            roots=self._opened.roots,
            master_key=self._opened.source,
            notes=_notes(self._opened),
            own=self._own,
            count=lambda direction, action, version: self.metrics.message(direction, version, action),
            aside=self._beside if self._threaded else at_once,
            started_at=self.clock.now(),
            outside=self._outside,
            provider=self._provider,
        )

    async def _remember(self) -> None:
        """The platform, the main organisation, and those that were founded."""
        platform, main = await self._furnish(PLATFORM), await self._furnish(MAIN)
        self.core = main.core
        self.houses = Houses(platform.core, main.core)
        for organisation in platform.core.kept.get(organisations.KIND, {}).values():
            if organisation.id not in self._served:
                self.houses.add(organisation.id, (await self._furnish(organisation.id)).core)

    async def _furnish(self, organisation: str) -> House:
        house = House(self._grounds, organisation)
        await house.remember()
        house.core.found = self._found
        house.core.all_cores = self._cores
        self._served[organisation] = house
        return house

    def _cores(self) -> list[Core]:
        return [house.core for house in self._served.values()]

    async def _found(self, organisation: str) -> Core:
        """Serve an organisation from now on that the platform has just come to know."""
        house = await self._furnish(organisation)
        self.houses.add(organisation, house.core)
        house.tell()
        self._open(house)
        return house.core

    def _open(self, house: House) -> None:
        house.take_uploads(self._upload_url)
        house.take_pay_page(self._pay_url)
        house.open()

    def _watch(self) -> None:
        self.store.on_batch = self.metrics.commit
        self.metrics.watch_stations(self.endpoint.connected)
        self.metrics.watch_sessions(self._sessions)
        self.metrics.watch_queue("commit", lambda: self.store.waiting)

    def _sessions(self) -> int:
        return sum(len(ids) for core in self.houses.all() for ids in core.active.values())

    async def _take_uploads(self, undo: contextlib.AsyncExitStack) -> None:
        """Listen for logs of stations where that is wanted."""
        settings = self.settings
        self.uploads: Running | None = None
        if settings.upload_port is None:
            return
        app = create_upload_app(self.houses, settings.upload_max_bytes)
        self.uploads = await serve_uploads(app, settings.upload_host, settings.upload_port)
        undo.push_async_callback(self.uploads.close)
        self._upload_url = addresses.for_uploads(settings, self.uploads.port)

    async def _open_pay_page(self, undo: contextlib.AsyncExitStack) -> None:
        """Listen for drivers without a contract where that is wanted."""
        port = pay_port(self.settings, self.clock.now())
        self.pay_page: Running | None = None
        if port.address is None:
            return
        from cms.payweb import create_pay_app

        url = addresses.pay_page(self.settings, port.address[1])
        app = create_pay_app(self.houses, OPERATIONS, url, self.settings.pay_links)
        self._housekeeping.refreshed.append(port.refresh)
        self.pay_page = await serve_public(app, port.address, port.context)
        undo.push_async_callback(self.pay_page.close)
        self._pay_url = addresses.pay_page(self.settings, self.pay_page.port)

    async def _admit(self, knock: Knock) -> Admitted | Turned:
        approach = Approach(
            knock.identity,
            knock.protocols,
            knock.password,
            knock.address,
            secure=knock.secure,
            certificate=knock.certificate,
            cipher=knock.cipher,
        )
        core = self.houses.named(knock.above) or self.core
        told = await admit(core, self._knocks, approach)
        if told.station is not None:
            return Admitted(told.station, told.subprotocol, told.lenient, core.organisation)
        return Turned(told.status, told.reason, told.retry_after_s, told.outcome, told.why, core.organisation)

    def _published(self, events: Sequence[Event]) -> None:
        self.bus.publish(events)
        self.metrics.events(events)
        for event in events:
            if event.type in _LOGGED:
                self._log(event)

    def _log(self, event: Event) -> None:
        kept_back = self._sparing.kept_back((event.type, event.station), event.at)
        if kept_back is not None:
            missed = {"kept_back": kept_back} if kept_back else {}
            log.info(event.type, **{**event.data, "station": event.station, **missed})

    def _frames(
        self, organisation: str, station_id: str
    ) -> AbstractAsyncContextManager[asyncio.Queue[Message]]:
        return self._served[organisation].frames(station_id)

    def _own(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("task failed", task=task.get_name(), exc_info=error)

    async def _watch_store(self) -> None:
        """A record that cannot be written keeps stations away, and lets them back when it can."""
        while True:
            await asyncio.sleep(self._watch_s)
            if self.store.healthy:
                continue
            log.error("the database cannot be written: stations are kept away until it can")
            self.endpoint.close_all(1013, "try again later")
            while not await self.store.probe():
                if self.store.poisoned:
                    self.fatal.set()
                    return
                await asyncio.sleep(self._watch_s)
            log.info("the database can be written again")

    async def stop(self) -> None:
        """Stop reading, finish what was received, answer, close stations with 1001, checkpoint."""
        self._listening = False
        systemd.tell("STOPPING=1")
        await asyncio.gather(self.endpoint.drain(_DRAIN_S), self.api.close())
        if self.uploads is not None:
            await self.uploads.close()
        if self.pay_page is not None:
            await self.pay_page.close()
        await self.endpoint.close(1001, "the central system is stopping")
        self._beside.close()
        if self._outside is not None:
            await self._outside.close()
        if self._provider is not None:
            await self._provider.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(StoreDown):
            await self._housekeeping.see_stations()
            await self._housekeeping.tell_audit()
            await self.store.commit((), (Happened("daemon.stopped", self.clock.now()),))
        await self.store.close()
        self._lock.release()


def _trust_sources(settings: Settings, roots: Roots) -> TrustSources:
    return TrustSources(
        settings.data_dir / "pki",
        organisation=settings.organisation,
        lasts=timedelta(days=settings.certificate_days),
        contract_roots=settings.contract_authorities,
        revocation_lists=settings.tls_revocation_lists,
        signer=settings.signing_url,
        provider=settings.contract_certificates_url,
        outward=Outward(settings.outward_hosts),
        keys=Keys(roots, PLATFORM),
    )


def _authorizer(settings: Settings) -> Authorizer | None:
    """Who is asked about tokens besides us."""
    if settings.authorize_url is None:
        return None
    return Authorizer(
        settings.authorize_url,
        timeout_s=settings.authorize_timeout_ms / 1000,
        whose=settings.authorize_tokens,
        offline=settings.authorize_offline,
        key_file=settings.authorize_key_file,
    )


def _provider(settings: Settings) -> Stripe | None:
    """Who takes money from cards."""
    if settings.stripe_key_file is None:
        return None
    keys = StripeKeys.read(
        settings.stripe_key_file, settings.stripe_webhook_secret_file, settings.stripe_publishable_key
    )
    return Stripe(keys, settings.stripe_url)


def _notes(opened: Opened) -> tuple[str, ...]:
    """What is wrong with where the master key lies, for whoever can mend it."""
    notes = []
    if opened.beside_data:
        notes.append(
            f"the master key {opened.source} lies beside the data: see master_key_file (docs/secrets.md)"
        )
    if opened.former is not None:
        notes.append(f"{opened.former} is needed no longer: keep it in a safe place, and delete it here")
    return tuple(notes)


def _calm_the_collector() -> None:
    """What a daemon loads stays, and records make no cycles: full collections only cost pauses of 30 ms and more."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it is installed, for 6 % less CPU per message; None is Python's own loop, which does as well."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def serve(daemon: Daemon) -> int:
    """Run until SIGTERM or SIGINT (a second one ends at once). Returns the exit status."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def asked() -> None:
        if stop.is_set():
            os._exit(EXIT_TOO_SLOW)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked)
    await daemon.start()
    settings = daemon.settings
    log.info(
        "ready",
        stations_connect_to=daemon.core.terms.ocpp_url,
        with_tls=daemon.core.terms.ocpp_tls_url or None,
        control_socket=str(settings.socket),
        database=daemon.core.terms.database,
        stations=len(daemon.core.lanes),
    )
    for note in daemon.core.terms.notes:
        log.warning(note)
    if settings.insecure_lab:
        log.warning("insecure lab: stations with security profile 0 are served without any proof")
    if settings.open_enrolment:
        log.warning("open enrolment: whoever connects is registered without a password")
    _calm_the_collector()
    systemd.tell("READY=1")
    waits = [asyncio.create_task(stop.wait()), asyncio.create_task(daemon.fatal.wait())]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    log.info("stopping")
    try:
        async with asyncio.timeout(STOP_WITHIN_S - 0.5):
            await daemon.stop()
    except TimeoutError:
        log.error("could not stop in time")
        return EXIT_TOO_SLOW
    return EXIT_POISONED if daemon.store.poisoned else 0


def run(settings: Settings) -> int:
    """``cms serve``: returns the exit status; a Refusal says what is in the way."""
    set_up(settings.log_level, settings.log_format)
    hardening.no_core_dumps()
    os.umask(0o077)  # what is kept here is about people and money

    async def main() -> int:
        return await serve(Daemon(settings))

    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(main())
    except Refusal as refused:
        hint = f": {refused.hint}" if refused.hint else ""
        print(f"cms: {refused.message}{hint}", file=sys.stderr)  # noqa: T201
        return refused.exit_code

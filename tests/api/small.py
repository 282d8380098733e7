"""A small real house behind the API: a record of events in memory, a bus, a handful of operations."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cms.bus.local import LocalBus, LocalSubscription
from cms.clock import RandomMint, SystemClock
from cms.contract import configuration, datatransfer, intents, monitoring, sessions, stations, status, tokens
from cms.contract.events import Event, ListEvents
from cms.contract.filters import keys_of, parse
from cms.contract.refusals import Conflict, Invalid, NotFound, NotSupported, TimedOut, Unreachable
from cms.core import Actor, Core, StoreDown
from cms.domain.audit import Audit, Entry
from cms.domain.changes import Change, Happened
from cms.operations import Operation

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOSTILE = "vendor [/]\x1b]0;owned\x07\x9b2J\u202egnp"


class SmallBus(LocalBus):
    """The bus of one process; ``limit`` is how much a listener may lag before it is dropped."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    def subscribe(self, limit: int = 10_000, organisation: str | None = None) -> LocalSubscription:
        return super().subscribe(min(limit, self.limit), organisation)


class SmallRecord:
    """The part of a store that the API leans on."""

    def __init__(self) -> None:
        self.healthy = True
        self.rows: list[Event] = []
        self.commits: list[list[Change]] = []

    @property
    def audit(self) -> list[Entry]:
        """The rows of the audit log."""
        return [change.entry for changes in self.commits for change in changes if isinstance(change, Audit)]

    async def commit(self, changes: Sequence[Change], events: Sequence[Happened]) -> None:
        if not self.healthy:
            raise StoreDown
        self.commits.append(list(changes))
        for event in events:
            self.add(event.type, station=event.station, actor=event.actor, data=event.data)

    def add(self, type: str, **more: Any) -> Event:
        event = Event(str(len(self.rows) + 1), NOON, type, **more)
        self.rows.append(event)
        return event

    async def cursor(self) -> str:
        if not self.healthy:
            raise StoreDown
        return str(len(self.rows))

    async def events_after(self, cursor: str | None, limit: int, **_: Any) -> list[Event]:
        if not self.healthy:
            raise StoreDown
        if cursor is None:
            return self.rows[-limit:]
        if not cursor.isdigit():
            raise Invalid(f"{cursor!r} is not a cursor of this record")
        return self.rows[int(cursor) :][:limit]


class House:
    """Two stations, a session, a token; orders are taken and confirmed when they are awaited."""

    def __init__(self, bus_limit: int = 10_000) -> None:
        self.record = SmallRecord()
        self.bus = SmallBus(bus_limit)
        self.core = Core(
            store=self.record,  # type: ignore[arg-type]
            stations=None,  # type: ignore[arg-type]
            bus=self.bus,
            clock=SystemClock(),
            mint=RandomMint(),
            secret=bytes(32),
            trust=None,  # type: ignore[arg-type]
        )
        self.stations = {station.id: station for station in (station("CP-1"), station("CP-2", online=False))}
        self.tokens = {"TAG1": token("TAG1")}
        self.intents: dict[str, intents.IntentView] = {}
        self.asked: list[Any] = []
        self.actors: list[Actor] = []
        self.waited_for = asyncio.Event()
        self.silent: asyncio.Event | None = None
        """Given: stations do not answer a reset, and it is set when one was asked."""
        self.frames: asyncio.Queue[stations.Message] = asyncio.Queue()

    def happen(self, type: str, **more: Any) -> Event:
        """Write an event and tell the bus."""
        event = self.record.add(type, **more)
        self.bus.publish([event])
        return event

    @contextlib.asynccontextmanager
    async def watch_frames(
        self, organisation: str, station: str
    ) -> AsyncIterator[asyncio.Queue[stations.Message]]:
        yield self.frames

    def station(self, name: str) -> stations.StationView:
        for known, view in self.stations.items():
            if known.casefold() == name.casefold():
                return view
        raise NotFound(f"There is no station {name}", "cms stations list")

    def order(self, station: str, order: str, request: Any, level: int = 1) -> Any:
        """Take an order: a preview when it is a dry run, else an accepted intent."""
        view = self.station(station)
        if request.dry_run:
            impact = "ends 1 session" if level > 1 else "nobody is charging"
            return intents.Preview(order, view.id, level, impact, f"cms stations {order} {view.id}")
        if not view.online and request.queue_s is None:
            raise Unreachable(f"{view.id} is offline since 11:00", "keep the order for it with --queue 2h")
        intent = intents.IntentView(
            id=f"i{len(self.intents) + 1}",
            station=view.id,
            order=order,
            status="accepted" if view.online else "queued",
            requested_by="root",
            reason=request.reason,
            created_at=NOON,
            answered_at=NOON if view.online else None,
            confirmed_at=None,
            answer={"status": "Accepted"} if view.online else None,
            detail=None,
            has_effect=True,
        )
        self.intents[intent.id] = intent
        return intent

    def operations(self) -> dict[type, Operation]:
        """The table, like the product's."""

        def answer(function: Any, permission: str = "anything") -> Operation:
            async def operate(core: Core, request: Any, actor: Actor) -> Any:
                self.asked.append(request)
                self.actors.append(actor)
                answered = function(request)
                return await answered if inspect.isawaitable(answered) else answered

            return Operation(operate, permission)

        def show(request: Any) -> Any:
            return self.station(request.station)

        def listed(request: stations.ListStations) -> Any:
            wanted = parse(request.filter or "", keys_of(stations.StationView))
            return [view for view in self.stations.values() if wanted(view)]

        def removed(request: stations.RemoveStation) -> None:
            del self.stations[self.station(request.station).id]

        def unlocked(request: stations.UnlockConnector) -> Any:
            raise NotSupported(f"{request.station} has no lock that it can open")

        async def outcome(request: intents.AwaitIntent) -> Any:
            intent = self.intents[request.intent]
            if intent.status == "queued":
                self.waited_for.set()
                try:
                    await asyncio.sleep(request.wait_s)
                finally:
                    self.waited_for.clear()
                raise TimedOut(f"{intent.station} did not come back in {request.wait_s:g} s")
            return replace(intent, status="confirmed", confirmed_at=NOON, detail="booted again")

        async def reset(request: stations.ResetStation) -> Any:
            if self.silent is not None and not request.dry_run:
                self.silent.set()
                await asyncio.Event().wait()
            return self.order(request.station, "reset", request, level=2 if request.kind == "hard" else 1)

        def broken(request: Any) -> Any:
            raise RuntimeError("a bug")

        def taken(request: tokens.AddToken) -> Any:
            if request.token in self.tokens:
                raise Conflict(f"Token {request.token} is registered already")
            self.tokens[request.token] = token(request.token, driver=request.driver)
            return self.tokens[request.token]

        return {
            status.ShowStatus: answer(lambda _: a_status()),
            ListEvents: answer(lambda r: self.record.rows[-r.limit :]),
            stations.ListStations: answer(listed),
            stations.ShowStation: answer(show),
            stations.RemoveStation: answer(removed),
            stations.AddStation: answer(
                lambda r: stations.StationCredential(
                    r.station, "ws://h/ocpp/" + r.station, r.station, "pw", 1
                )
            ),
            stations.ListUnknownStations: answer(lambda _: [unknown("CP\x1b[2J")]),
            stations.ListVariables: answer(broken),
            stations.ResetStation: answer(reset),
            stations.UnlockConnector: answer(unlocked),
            stations.SetConfiguration: answer(lambda r: self.order(r.station, "config-set", r)),
            stations.GetConfiguration: answer(lambda r: self.order(r.station, "config-get", r)),
            stations.ChangeAvailability: answer(lambda r: self.order(r.station, "availability", r)),
            stations.TriggerMessage: answer(lambda r: self.order(r.station, "trigger", r)),
            **{
                request: answer(lambda r: self.order(r.station, type(r).__name__, r))
                for request in (
                    configuration.ReportConfiguration,
                    datatransfer.SendData,
                    monitoring.SetMonitors,
                    monitoring.ClearMonitors,
                    monitoring.SetMonitoringBase,
                    monitoring.SetMonitoringLevel,
                    monitoring.ReportMonitors,
                    monitoring.AdjustStream,
                )
            },
            configuration.ShowBoot: answer(lambda r: configuration.BootView(r.station, "accepted", None)),
            configuration.SetBoot: answer(lambda r: configuration.BootView(r.station, "pending", None)),
            configuration.ListReports: answer(lambda _: [a_report()]),
            monitoring.ListProblems: answer(lambda _: [a_problem()]),
            sessions.ListSessions: answer(lambda _: [session("s1")]),
            sessions.StartSession: answer(lambda r: self.order(r.station, "start", r)),
            sessions.ShowSession: answer(lambda r: session(r.session)),
            tokens.ListTokens: answer(lambda _: list(self.tokens.values()), "tokens"),
            tokens.AddToken: answer(taken, "tokens"),
            intents.AwaitIntent: answer(outcome),
            intents.ShowIntent: answer(lambda r: self.intents[r.intent]),
            intents.ListIntents: answer(lambda _: list(self.intents.values())),
        }


def a_report() -> configuration.ReportView:
    return configuration.ReportView(7, "inventory", NOON, NOON, 2, 40, complete=False, holes=(1,))


def a_problem() -> monitoring.ProblemView:
    return monitoring.ProblemView("CP-1", "Fan.Hot", HOSTILE, NOON, severity=4, cause="EVSE@1.Power")


def a_status() -> status.StatusView:
    return status.StatusView(
        version="0.1.0",
        uptime_s=61.0,
        ocpp_url="ws://127.0.0.1:9000/ocpp",
        socket="/tmp/cms.sock",
        database="sqlite",
        bus="local",
        stations=status.StationCounts(2, 1),
        connectors={"charging": 1, "faulted": 1},
        sessions=status.SessionCounts(1),
        power_w=11_000,
        cursor="0",
    )


def station(id: str, *, online: bool = True) -> stations.StationView:
    return stations.StationView(
        id=id,
        ocpp_version="1.6",
        vendor=HOSTILE,
        model="Terra 184",
        firmware="=1+1",
        serial=None,
        online=online,
        last_seen=NOON,
        site="Berlin-Mitte" if online else "garage",
        connectors=(
            stations.ConnectorView(1, 1, "charging", "s1", 11_000, None),
            stations.ConnectorView(2, 1, "faulted", None, None, "GroundFailure"),
        ),
    )


def session(id: str) -> sessions.SessionView:
    return sessions.SessionView(
        id=id,
        station="CP-1",
        evse=1,
        connector=1,
        token="TAG1",
        status="charging",
        started_at=NOON - timedelta(hours=1),
        ended_at=None,
        energy_wh=11_400,
        meter_start_wh=100,
        meter_stop_wh=None,
        power_w=11_000,
        stop_reason=None,
        flags=("late-start",),
        cost=None,
    )


def token(id: str, driver: str | None = None) -> tokens.TokenView:
    return tokens.TokenView(id, "rfid", "accepted", driver, None, None, None, None)


def unknown(id: str) -> stations.UnknownStation:
    return stations.UnknownStation(id, NOON, NOON, 3, "10.0.0.9", ("ocpp1.6",), "not enrolled")

"""A daemon in memory: the interface that the console asks and follows, with real small behaviour behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from cms.client import Back, Followed, Lost
from cms.contract.alerts import (
    AcknowledgeAlert,
    AlertNote,
    AlertView,
    ClaimAlert,
    ListAlerts,
    MuteAlert,
    NoteAlert,
    ShowAlert,
    UnmuteAlert,
)
from cms.contract.drivers import ListDrivers
from cms.contract.events import Event, ListEvents
from cms.contract.evses import ListEvses
from cms.contract.intents import IntentView, ListIntents, Preview, ShowIntent
from cms.contract.ledger import ListAccounts
from cms.contract.operators import Identity, ShowIdentity
from cms.contract.refusals import NotFound, Refusal, Unreachable
from cms.contract.sessions import ListSamples, ListSessions, Sample, SessionView, ShowSession, StopSession
from cms.contract.sites import ListSites, ShowSite
from cms.contract.stations import (
    ConnectorView,
    EnrolStation,
    ForgetUnknownStation,
    ListMessages,
    ListStations,
    ListUnknownStations,
    ListVariables,
    Message,
    OrderTerms,
    ResetStation,
    SetConfiguration,
    ShowStation,
    StationCredential,
    StationView,
    UnknownStation,
    Variable,
)
from cms.contract.status import SessionCounts, ShowStatus, StationCounts, StatusView
from cms.contract.tokens import (
    AddToken,
    BlockToken,
    ListTokens,
    RemoveToken,
    ShowToken,
    TokenView,
    UnblockToken,
)
from tests.tui import troubles

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

#: What a station may call itself: markup, escapes, bidirectional overrides, wide and combining characters.
HOSTILE = (
    "vendor [/]",
    "[bold red]x[/]",
    "\x1b[2J\x1b]0;pwned\x07",
    "\u202etxet desrever\u202c",
    "a\u0301\u0301\u0301\u0301",
    "充電器充電器",
    "line\nbreak\r\ttab",
    "\x9b31mC1",
    "\ud800 lone",
    "👩‍👩‍👧 family",
)

ORDER_NAMES = {
    "ResetStation": "reset",
    "UnlockConnector": "unlock",
    "ChangeAvailability": "availability",
    "TriggerMessage": "trigger",
    "StartSession": "start",
    "StopSession": "stop",
    "GetConfiguration": "config-get",
    "SetConfiguration": "config-set",
}


def station(key: str, **news: Any) -> StationView:
    """An ordinary station with two connectors, online for two hours."""
    base = StationView(
        id=key,
        ocpp_version="1.6",
        vendor="ABB",
        model="Terra 184",
        firmware="2.1.3",
        serial=f"S-{key}",
        online=True,
        last_seen=NOON,
        site="Berlin-Mitte",
        connectors=(connector(1), connector(2)),
        boot_status="accepted",
        booted_at=NOON - timedelta(days=6),
        connected_at=NOON - timedelta(hours=2),
        address="10.0.0.7",
    )
    return replace(base, **news)


def connector(evse: int, status: str = "available", **news: Any) -> ConnectorView:
    base = ConnectorView(evse, 1, status, None, None, None, reported_at=NOON - timedelta(minutes=6))
    return replace(base, **news)


def session(key: str, of: str, evse: int = 1, **news: Any) -> SessionView:
    """A session that has charged for half an hour."""
    base = SessionView(
        id=key,
        station=of,
        evse=evse,
        connector=1,
        token="04A2BC9F",
        status="charging",
        started_at=NOON - timedelta(minutes=30),
        ended_at=None,
        energy_wh=11_400,
        meter_start_wh=1_000,
        meter_stop_wh=None,
        power_w=21_700,
        stop_reason=None,
        flags=(),
        cost=None,
        transaction_id="88140",
        soc_percent=62.0,
        last_sample_at=NOON - timedelta(minutes=1),
        energy_source="register",
        authorization="accepted",
        ocpp_version="1.6",
    )
    return replace(base, **news)


def frame(number: int, action: str = "Heartbeat", payload: str = "{}", **news: Any) -> Message:
    base = Message(
        at=NOON + timedelta(seconds=number),
        direction="in",
        kind="call",
        action=action,
        message_id=f"m{number}",
        payload=payload,
        latency_ms=12.0,
    )
    return replace(base, **news)


@dataclass
class FakeDaemon:
    """Answers requests from what it holds; what happens to it goes to its followers, in cursor order."""

    stations: dict[str, StationView] = field(default_factory=dict)
    sessions: dict[str, SessionView] = field(default_factory=dict)
    tokens: dict[str, TokenView] = field(default_factory=dict)
    intents: dict[str, IntentView] = field(default_factory=dict)
    strangers: list[UnknownStation] = field(default_factory=list)
    raised: dict[str, AlertView] = field(default_factory=dict)
    """Alerts beside those that its stations, sessions and strangers give rise to."""
    tended: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What people did about alerts, by id."""
    told: dict[str, AlertView] | None = None
    """The alerts that its followers know of."""
    shelf: dict[type, list[Any]] = field(default_factory=dict)
    """By request: the rows of a book."""
    shown: dict[type, Any] = field(default_factory=dict)
    """By request: one thing that is opened."""
    refusing: dict[type, Refusal] = field(default_factory=dict)
    """By request: why it is refused."""
    refusing_at: dict[str, Refusal] = field(default_factory=dict)
    """By station: why its orders are refused, once they are given."""
    frames: dict[str, list[Message]] = field(default_factory=dict)
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    variables: dict[str, list[Variable]] = field(default_factory=dict)
    log: list[Event] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    permissions: tuple[str, ...] = ("stations.read", "stations.command")
    energy_today_wh: int = 31_200
    level: int = 1
    impact: str = "nothing is interrupted; it reboots in about 70 s"
    now: datetime = NOON
    up: bool = True
    refuse: Exception | None = None
    _watchers: list[_Watcher] = field(default_factory=list)

    # ---- what the console asks

    async def ask(self, request: Any) -> Any:
        view, _ = await self.ask_with_cursor(request)
        return view

    async def ask_with_cursor(self, request: Any) -> tuple[Any, str | None]:
        self.asked.append(request)
        if not self.up:
            raise Unreachable("no daemon answers at /run/cms.sock", "start one with `cms serve`")
        if (refusal := self.refusing.get(type(request))) is not None:
            raise refusal
        return self._answer(request), self.cursor

    @property
    def cursor(self) -> str:
        return str(len(self.log))

    def _answer(self, request: Any) -> Any:
        match request:
            case ListStations():
                return list(self.stations.values())
            case ShowStation(station=key):
                return self._known(self.stations, key)
            case ListSessions(active=active):
                views = self.sessions.values()
                return [s for s in views if active is None or (s.ended_at is None) == active]
            case ShowSession(session=key):
                return self._known(self.sessions, key)
            case ListSamples(session=key):
                return self.samples.get(key, [])
            case ListTokens():
                return list(self.tokens.values())
            case ListIntents():
                return list(self.intents.values())
            case ShowIntent(intent=key):
                return self._known(self.intents, key)
            case ListEvses() if ListEvses not in self.shelf:
                return []
            case ListDrivers() | ListAccounts() if type(request) not in self.shelf:
                return []
            case ShowSite(site=key):
                return self._known({site.id: site for site in self.shelf.get(ListSites, ())}, key)
            case ListAlerts():
                self.told = self.alerts()
                return list(self.told.values())
            case ShowAlert(alert=key):
                return self._known(self.alerts(), key)
            case AcknowledgeAlert() | ClaimAlert() | NoteAlert() | MuteAlert() | UnmuteAlert():
                return self._tend(request)
            case ShowIdentity():
                return Identity("anna", "socket", "", ("operator",), self.permissions)
            case ListUnknownStations():
                return list(self.strangers)
            case ListMessages(station=key):
                return list(self.frames.get(key, []))
            case ListEvents(session=key, type=type_, limit=limit):
                told = (event for event in self.log if key is None or event.session == key)
                return [event for event in told if type_ is None or event.type == type_][-limit:]
            case ShowStatus():
                return self._status()
            case ListVariables(station=key):
                return list(self.variables.get(key, []))
            case ShowToken(token=key):
                return self._known(self.tokens, key)
            case EnrolStation(station=key):
                return self._enrol(key, request.site)
            case ForgetUnknownStation(station=key):
                self.strangers = [s for s in self.strangers if s.id != key]
                self.happen("station.forgotten", key)
                return None
            case AddToken() | BlockToken() | UnblockToken() | RemoveToken():
                return self._keep_token(request)
            case OrderTerms():
                return self._order(request)
            case _ if type(request) in self.shown:
                return self.shown[type(request)]
            case _ if type(request) in self.shelf:
                return list(self.shelf[type(request)])
        raise AssertionError(f"nobody taught the fake {request}")

    def alerts(self) -> dict[str, AlertView]:
        """What needs a person, as people left it."""
        found = troubles.all_of(self.stations, self.sessions.values(), self.strangers) | self.raised
        return {key: replace(one, **self.tended.get(key, {})) for key, one in found.items()}

    def _tend(self, request: Any) -> AlertView | None:
        key = request.mute if isinstance(request, UnmuteAlert) else request.alert
        one = self._known(self.alerts(), key)
        news: dict[str, Any]
        match request:
            case AcknowledgeAlert(undo=back):
                news = {"state": "new" if back else "acknowledged", "by": None if back else "anna"}
            case ClaimAlert(release=back):
                news = {"state": "new" if back else "claimed", "by": None if back else "anna"}
            case NoteAlert(note=text):
                news = {"notes": (*one.notes, AlertNote(self.now, "anna", text))}
            case MuteAlert():
                news = {"state": "muted", "by": "anna", "muted_until": self.now + timedelta(hours=1)}
            case _:
                news = {"state": "new", "by": None, "muted_until": None}
        self.tended[key] = {**self.tended.get(key, {}), **news}
        self.tell_alerts()
        return None if isinstance(request, MuteAlert | UnmuteAlert) else self.alerts()[key]

    def tell_alerts(self) -> None:
        """Tell the followers of alerts that came, changed or went since they heard of any."""
        if self.told is None:
            return
        before, self.told = self.told, self.alerts()
        for key in [*before, *(key for key in self.told if key not in before)]:
            now = self.told.get(key)
            if now != before.get(key):
                word = "ended" if now is None else "changed" if key in before else "raised"
                view = now or before[key]
                self.happen(f"alert.{word}", view.station, alert=msgspec.to_builtins(view))

    def _known(self, views: dict[str, Any], key: str) -> Any:
        if key not in views:
            raise NotFound(f"there is no {key}")
        return views[key]

    def _status(self) -> StatusView:
        online = sum(s.online for s in self.stations.values())
        return StatusView(
            version="1",
            uptime_s=60.0,
            ocpp_url="ws://127.0.0.1:9000/ocpp/",
            socket="/run/cms.sock",
            database="sqlite",
            bus="local",
            stations=StationCounts(len(self.stations), online),
            connectors={},
            sessions=SessionCounts(0, energy_today_wh=self.energy_today_wh),
            power_w=0,
            cursor=self.cursor,
        )

    def _enrol(self, key: str, site: str | None) -> StationCredential:
        self.stations[key] = station(key, online=False, site=site, connectors=())
        self.strangers = [s for s in self.strangers if s.id != key]
        self.happen("station.enrolled", key)
        return StationCredential(
            key, f"ws://127.0.0.1:9000/ocpp/{key}", key, "s3cret-and-27-characters-lo", 1
        )

    def _keep_token(self, request: Any) -> TokenView | None:
        key = request.token
        if isinstance(request, RemoveToken):
            del self.tokens[key]
            self.happen("token.removed", token=key)
            return None
        if isinstance(request, AddToken):
            view = TokenView(key, "rfid", "accepted", request.driver, None, None, None, None)
        else:
            blocked = isinstance(request, BlockToken)
            status, why = ("blocked", request.reason) if blocked else ("accepted", None)
            view = replace(self.tokens[key], status=status, blocked_reason=why)
        self.tokens[key] = view
        type_ = "token.added" if isinstance(request, AddToken) else "token.changed"
        self.happen(type_, token=key, status=view.status)
        return view

    def _order(self, request: Any) -> Any:
        if self.refuse is not None:
            raise self.refuse
        order = ORDER_NAMES.get(type(request).__name__, type(request).__name__)
        key = self.sessions[request.session].station if isinstance(request, StopSession) else request.station
        if request.dry_run:
            running = tuple(s.id for s in self.sessions.values() if s.station == key and s.ended_at is None)
            kind = f" --kind {request.kind}" if isinstance(request, ResetStation) else ""
            return Preview(order, key, self.level, self.impact, f"cms stations {order} {key}{kind}", running)
        if key in self.refusing_at:
            raise self.refusing_at[key]
        if isinstance(request, SetConfiguration):
            known = self.variables.get(key, [])
            self.variables[key] = [replace(v, value=request.values.get(v.name, v.value)) for v in known]
            self.happen("station.configuration", key, values=request.values)
        intent = IntentView(
            id=f"i{len(self.intents) + 1}",
            station=key,
            order=order,
            status="sent",
            requested_by="anna",
            reason=request.reason,
            created_at=self.now,
            answered_at=None,
            confirmed_at=None,
            answer=None,
            detail=None,
            has_effect=True,
        )
        self.intents[intent.id] = intent
        self.happen("intent.created", key, intent=msgspec.to_builtins(intent))
        return self.progress(intent.id, "accepted", answered_at=self.now, detail="waits for its boot")

    async def follow(
        self, after: str | None = None, *, frames: str | None = None, station: str | None = None
    ) -> AsyncIterator[Followed]:
        if not self.up:
            raise Unreachable("no daemon answers at /run/cms.sock")
        watcher = _Watcher(asyncio.Queue(), frames, station)
        place = len(self.log) if after is None else int(after)
        for event in self.log[place:]:
            watcher.offer(event)
        self._watchers.append(watcher)
        try:
            while True:
                item = await watcher.queue.get()
                if isinstance(item, Refusal):
                    raise item
                yield item
        finally:
            self._watchers.remove(watcher)

    # ---- what happens to it

    def happen(
        self, type_: str, station: str | None = None, session: str | None = None, /, **data: Any
    ) -> Event:
        """Record an event as it comes over the wire, and tell the followers while it is up."""
        event = Event(
            str(len(self.log) + 1), self.now, type_, station, session, None, msgspec.to_builtins(data)
        )
        self.log.append(event)
        for watcher in self._watchers:
            if self.up:
                watcher.offer(event)
            else:
                watcher.missed.append(event)
        if not type_.startswith("alert."):
            self.tell_alerts()
        return event

    def progress(self, intent: str, status: str, **news: Any) -> IntentView:
        """An order moves on."""
        self.intents[intent] = view = replace(self.intents[intent], status=status, **news)
        self.happen("intent.changed", view.station, intent=msgspec.to_builtins(view))
        return view

    def report(
        self, key: str, evse: int, status: str, error: str | None = None, info: str | None = None
    ) -> None:
        """A connector says what it is now."""
        before = self.stations[key]
        changed = tuple(
            replace(c, status=status, error_code=error, info=info, reported_at=self.now)
            if c.evse == evse
            else c
            for c in before.connectors
        )
        self.stations[key] = replace(before, connectors=changed)
        self.happen(
            "connector.status",
            key,
            evse=evse,
            connector=1,
            status=status,
            error_code=error,
            info=info,
            reported_at=self.now,
        )

    def drop(self, key: str) -> None:
        """A station loses its link."""
        self.stations[key] = replace(self.stations[key], online=False, last_seen=self.now, connected_at=None)
        self.happen("station.disconnected", key, reason="closed")

    def meter(self, key: str, energy_wh: int, power_w: int) -> None:
        """A session's meter values arrive."""
        view = self.sessions[key]
        self.sessions[key] = replace(view, energy_wh=energy_wh, power_w=power_w, last_sample_at=self.now)
        self.happen(
            "session.metered",
            view.station,
            key,
            evse=view.evse,
            connector=1,
            energy_wh=energy_wh,
            power_w=power_w,
            soc_percent=63.0,
            at=self.now,
        )

    def say(self, key: str, *frames: Message) -> None:
        """Frames cross a station's link."""
        self.frames.setdefault(key, []).extend(frames)
        for watcher in self._watchers:
            if watcher.frames == key and self.up:
                for each in frames:
                    watcher.queue.put_nowait(each)

    def die(self) -> None:
        """The daemon goes away; followers hear Lost once."""
        self.up = False
        for watcher in self._watchers:
            watcher.queue.put_nowait(Lost("no daemon answers at /run/cms.sock"))

    def end_streams(self, refusal: Refusal) -> None:
        """The streams end with a refusal."""
        for watcher in self._watchers:
            watcher.queue.put_nowait(refusal)

    def return_(self) -> None:
        """It is back; followers go on after their last cursor."""
        self.up = True
        for watcher in self._watchers:
            watcher.queue.put_nowait(Back(self.cursor))
            for event in watcher.missed:
                watcher.offer(event)
            watcher.missed.clear()


@dataclass
class _Watcher:
    queue: asyncio.Queue[Followed | Refusal]
    frames: str | None = None
    station: str | None = None
    missed: list[Event] = field(default_factory=list)

    def offer(self, event: Event) -> None:
        if self.station is None or event.station == self.station:
            self.queue.put_nowait(event)


def small_fleet() -> FakeDaemon:
    """Eight stations of every kind, four sessions, a stranger, some events and frames."""
    daemon = FakeDaemon()
    daemon.stations = {
        s.id: s
        for s in (
            station("CP-0018", site="Ulm-A8", connectors=(connector(1, "charging"), connector(2))),
            station("CP-0025", site="Hamburg-Port", model="UFC 200", vendor="Delta", ocpp_version="2.0.1"),
            station("CP-0039", site="Cologne-P3", online=False, connected_at=None,
                    last_seen=NOON - timedelta(minutes=38)),
            station("CP-0042", connectors=(
                connector(1, "charging"),
                connector(2, "faulted", error_code="GroundFailure", info="RCMU trip 31 mA"),
            )),
            station("CP-0060", site="Bremen-City", connectors=(connector(1, "suspended-ev"), connector(2))),
            station("CP-0067", site="Essen-Depot", connectors=(connector(1, "unavailable"),)),
            station("CP-0074", site="Ulm-A8", ocpp_version="2.1", connectors=(connector(1, "preparing"),)),
            station("CP-0081", boot_status="pending"),
        )
    }  # fmt: skip
    daemon.sessions = {
        s.id: s
        for s in (
            session("88140", "CP-0042"),
            session("88139", "CP-0018", power_w=43_100, energy_wh=18_402, flags=("register-went-back",)),
            session("88138", "CP-0060", status="suspended", power_w=0),
            session("88120", "CP-0025", status="ended", ended_at=NOON - timedelta(minutes=10), power_w=None,
                    meter_stop_wh=9_000, stop_reason="Local", started_at=NOON - timedelta(minutes=90)),
        )
    }  # fmt: skip
    daemon.tokens = {
        "04A2BC9F": TokenView("04A2BC9F", "rfid", "accepted", "Anna K.", None, None, None, None),
    }
    daemon.strangers = [
        UnknownStation(
            "CP-9999", NOON - timedelta(minutes=3), NOON, 4, "10.0.0.99", ("ocpp1.6",), "not enrolled"
        )
    ]
    daemon.variables["CP-0042"] = [
        Variable("HeartbeatInterval", "300", False, reported_at=NOON),
        Variable("NumberOfConnectors", "2", True, reported_at=NOON),
        Variable("AuthorizationKey", None, False, reported_at=NOON),
    ]
    daemon.samples["88140"] = [
        Sample(NOON - timedelta(minutes=30 - n), "Power.Active.Import", str(5000 + 900 * n), "W")
        for n in range(29)
    ]
    daemon.frames["CP-0042"] = [
        frame(1, "Heartbeat"),
        frame(2, "StatusNotification", '{"connectorId":2,"errorCode":"GroundFailure","status":"Faulted"}'),
        frame(3, "MeterValues", '{"connectorId":1,"meterValue":[]}'),
    ]
    daemon.happen("station.connected", "CP-0042", ocpp_version="1.6", address="10.0.0.7")
    daemon.happen("connector.status", "CP-0042", evse=2, connector=1, status="faulted",
                  error_code="GroundFailure", info="RCMU trip 31 mA", reported_at=NOON)  # fmt: skip
    daemon.happen("token.presented", "CP-0018", token="04A2BC9F", status="accepted")
    return daemon


def hostile_fleet() -> FakeDaemon:
    """Every text that a station supplies is an attack."""
    daemon = FakeDaemon()
    for number, text in enumerate(HOSTILE):
        key = f"H{number} {text}"
        daemon.stations[key] = station(
            key,
            vendor=text,
            model=text,
            firmware=text,
            serial=text,
            site=text,
            note=text,
            address=text,
            ocpp_version=text,
            connectors=(connector(1, "faulted", error_code=text, info=text, vendor_error_code=text),),
        )
        daemon.sessions[f"S{number}"] = session(
            f"S{number}",
            key,
            token=text,
            flags=(text,),
            stop_reason=text,
            status=text if number % 2 else "suspect",
        )
        daemon.strangers.append(UnknownStation(f"U{number}{text}", NOON, NOON, 1, text, (text,), text))
        daemon.variables[key] = [Variable(text, text, None, text), Variable("a", text, False)]
        daemon.tokens[text] = TokenView(text, text, text, text, text, None, None, text, blocked_reason=text)
        daemon.happen("token.presented", key, token=f"card {text}", status=text)
        daemon.frames[key] = [frame(number, text, text), frame(number + 50, "X", '{"a": "' + text + '"}')]
        daemon.happen(
            "connector.status", key, evse=1, connector=1, status="faulted", error_code=text, info=text
        )
        daemon.happen(text, key, f"S{number}", anything=text)
    return daemon

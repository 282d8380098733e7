"""The present picture: a snapshot and the events since, folded into stations, sessions, tokens and orders.

Events are absolute and come at least once, so applying one twice changes nothing. Where an event does not
carry the new state, what must be read again is put into ``wanted``.
"""

from __future__ import annotations

import heapq
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields, replace
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, cast

from cms.contract.events import Event
from cms.contract.intents import IntentView, ShowIntent
from cms.contract.sessions import SessionView, ShowSession
from cms.contract.stations import ConnectorView, ShowStation, StationView, UnknownStation
from cms.contract.status import StatusView
from cms.contract.tokens import ShowToken, TokenView
from tui import attention
from tui.attention import Concern
from tui.signs import FINAL
from tui.trend import Trend, recalled

Ref = tuple[str, str]
"""What changed: (kind, id), kind being station, session, token, intent, stranger, event or daemon."""

Wanted = ShowStation | ShowSession | ShowToken | ShowIntent
View = TypeVar("View")

EVENTS_KEPT = 2000
ENDED_KEPT = 1000
INTENTS_KEPT = 500
POWER_KEPT = 240

OCCUPIED_BY = {"charging": "charging", "suspended": "suspended-ev", "pending": "preparing"}


def view_of(kind: type[View], said: Mapping[str, Any]) -> View:
    """Build a flat view (session, intent, token) from an event's JSON object; raises KeyError on a hole."""
    values = {
        name: read(said[name]) for name, read, needed in _readers(cast("Any", kind)) if needed or name in said
    }
    return kind(**values)


def _same(value: Any) -> Any:
    return value


def _time(value: Any) -> Any:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _sequence(value: Any) -> Any:
    return tuple(value or ())


@cache
def _readers(kind: Any) -> tuple[tuple[str, Callable[[Any], Any], bool], ...]:
    def reader(annotation: str) -> Callable[[Any], Any]:
        if annotation.startswith("datetime"):
            return _time
        return _sequence if annotation.startswith("tuple") else _same

    return tuple(
        (f.name, reader(str(f.type)), f.default is MISSING and f.default_factory is MISSING)
        for f in fields(kind)
    )


class Mirror:
    """Stations, sessions, tokens, orders, strangers and events as they are now, and what needs a person."""

    def __init__(self) -> None:
        self.status: StatusView | None = None
        self.stations: dict[str, StationView] = {}
        self.sessions: dict[str, SessionView] = {}
        self.tokens: dict[str, TokenView] = {}
        self.intents: OrderedDict[str, IntentView] = OrderedDict()
        self.strangers: dict[str, UnknownStation] = {}
        self.events: OrderedDict[str, Event] = OrderedDict()
        """By cursor, oldest first."""
        self.latest_at: datetime | None = None
        """The daemon's time as last heard; ahead of ours when it runs a simulated clock."""
        self.active: set[str] = set()
        self.power: dict[str, deque[tuple[datetime, int]]] = {}
        """Power samples (time, W) of sessions, as far as they were heard of."""
        self.trend = Trend()
        """Power of the whole fleet over time."""
        self.concerns: dict[Ref, tuple[Concern, ...]] = {}
        self.wanted: set[Wanted] = set()
        self.stale = False
        """The daemon started anew: presence must be read again as a whole."""
        self.connectors: Counter[str] = Counter()
        """Connectors by status; those of a station that is offline count as offline."""
        self.online = 0
        self.power_w = 0
        self.energy_today_wh = 0
        self.quarantined = 0
        self._by_station: dict[str, set[str]] = {}
        self._by_token: dict[str, set[str]] = {}
        """Sessions that run, by the token in lower case."""
        self._reported: dict[str, StationView] = {}
        """Stations as the daemon tells of them; ``stations`` adds what their sessions know better."""

    # ---- snapshot

    def load(
        self,
        stations: Iterable[StationView],
        *,
        sessions: Iterable[SessionView] = (),
        tokens: Iterable[TokenView] = (),
        intents: Iterable[IntentView] = (),
        strangers: Iterable[UnknownStation] = (),
        events: Iterable[Event] = (),
        metered: Iterable[Event] = (),
        status: StatusView | None = None,
    ) -> set[Ref]:
        """Replace the picture by a fresh reading; answers only what differs from what was shown.

        ``metered`` are the latest meter values of the record: how power came to be what it is.
        """
        changed: set[Ref] = {("daemon", "")}
        self._replace_all("station", self._reported, {s.id: s for s in stations}, self._put_station, changed)
        fresh = {s.id: s for s in sorted(sessions, key=lambda s: s.started_at)}
        self._replace_all("session", self.sessions, fresh, self._put_session, changed)
        self._replace_all("token", self.tokens, {t.id: t for t in tokens}, self._put_token, changed)
        by_age = sorted(intents, key=lambda i: i.created_at)
        self._replace_all("intent", self.intents, {i.id: i for i in by_age}, self._put_intent, changed)
        unknown = {s.id: s for s in strangers}
        self._replace_all("stranger", self.strangers, unknown, self._put_stranger, changed)
        for event in events:
            if self._remember(event):
                changed.add(("event", event.cursor))
        self._recall(list(metered))
        if status is not None:
            self.status = status
            self.energy_today_wh = status.sessions.energy_today_wh
            self.quarantined = status.quarantined
        self.stale = False
        return changed

    def _recall(self, metered: list[Event]) -> None:
        """Power over time, of the fleet and of the sessions that run."""
        for at, power_w in recalled(metered, self.sessions):
            self.trend.add(at, power_w)
        if self.latest_at is not None:
            self.trend.add(self.latest_at, self.power_w)
        heard: dict[str, list[tuple[datetime, int]]] = {}
        for event in metered:
            watts = event.data.get("power_w")
            if event.session in self.active and watts is not None:
                at = _time(event.data.get("at")) or event.at
                heard.setdefault(event.session, []).append((at, int(watts)))
        for key, samples in heard.items():
            self.seed_power(key, samples)

    def _replace_all(
        self,
        kind: str,
        shown: Mapping[str, Any],
        fresh: Mapping[str, Any],
        put: Callable[[str, Any], None],
        changed: set[Ref],
    ) -> None:
        for key in [key for key in shown if key not in fresh]:
            changed |= _refs(kind, key, shown[key])
            put(key, None)
        for key, view in fresh.items():
            if shown.get(key) != view:
                changed |= _refs(kind, key, view)
                put(key, view)

    # ---- events

    def apply(self, event: Event) -> set[Ref]:
        """Fold one event in; answers what it changed."""
        changed: set[Ref] = set()
        power_w = self.power_w
        new = self._remember(event)
        if new:
            changed.add(("event", event.cursor))
        if (tell := _TELLS.get(event.type)) is not None:
            tell(self, event, changed)
        if event.type == "quarantine.added" and new:
            self.quarantined += 1
            changed.add(("daemon", ""))
        if self.power_w != power_w:
            self.trend.add(event.at, self.power_w)
        return changed

    def put(self, view: StationView | SessionView | TokenView | IntentView) -> set[Ref]:
        """Take in one view that was read again, or that came as an answer."""
        kind, place = _PLACES[type(view)]
        place(self, view.id, view)
        return _refs(kind, view.id, view)

    def gone(self, wanted: Wanted) -> set[Ref]:
        """What was to be read again does not exist any more."""
        match wanted:
            case ShowStation(station=key):
                self._put_station(key, None)
                return {("station", key)}
            case ShowToken(token=key):
                self._put_token(key, None)
                return {("token", key)}
            case ShowSession(session=key):
                self._put_session(key, None)
                return {("session", key)}
            case ShowIntent(intent=key):
                self._put_intent(key, None)
                return {("intent", key)}

    def _forgotten(self, event: Event, changed: set[Ref]) -> None:
        if event.station:
            self._put_stranger(event.station, None)
            changed.add(("stranger", event.station))

    def _remember(self, event: Event) -> bool:
        """Keep the event unless it is here already; its cursor is its identity."""
        if event.cursor in self.events:
            return False
        self.events[event.cursor] = event
        if len(self.events) > EVENTS_KEPT:
            self.events.popitem(last=False)
        if self.latest_at is None or event.at > self.latest_at:
            self.latest_at = event.at
        return True

    # ---- what the events tell

    def _want_station(self, event: Event, changed: set[Ref]) -> None:
        if event.station:
            self.strangers.pop(event.station, None)
            self.concerns.pop(("stranger", event.station), None)
            self.wanted.add(ShowStation(event.station))
            changed.add(("stranger", event.station))

    def _drop_station(self, event: Event, changed: set[Ref]) -> None:
        if event.station:
            self._put_station(event.station, None)
            changed.add(("station", event.station))

    def _connected(self, event: Event, changed: set[Ref]) -> None:
        self._change_station(
            event,
            changed,
            online=True,
            ocpp_version=event.data.get("ocpp_version"),
            address=event.data.get("address"),
            connected_at=event.at,
            last_seen=event.at,
        )

    def _disconnected(self, event: Event, changed: set[Ref]) -> None:
        self._change_station(event, changed, online=False, connected_at=None, last_seen=event.at)

    def _booted(self, event: Event, changed: set[Ref]) -> None:
        said = event.data
        self._change_station(
            event,
            changed,
            boot_status=said.get("status"),
            booted_at=event.at,
            vendor=said.get("vendor"),
            model=said.get("model"),
            firmware=said.get("firmware"),
            serial=said.get("serial"),
        )

    def _connector(self, event: Event, changed: set[Ref]) -> None:
        station = self._reported.get(event.station or "")
        if station is None:
            self._want_station(event, changed)
            return
        said = event.data
        if said.get("late"):
            return  # history: a newer report has been heard already
        place = (int(said.get("evse") or 0), int(said.get("connector") or 0))
        known = {(c.evse, c.connector): c for c in station.connectors}
        before = known.get(place) or ConnectorView(*place, "unknown", None, None, None)
        known[place] = replace(
            before,
            status=str(said.get("status")),
            error_code=said.get("error_code"),
            info=said.get("info"),
            vendor_error_code=said.get("vendor_error_code"),
            reported_at=_time(said.get("reported_at")) or event.at,
        )
        if place[0] == 0 and known[place].status == "available":
            del known[place]  # the station itself is only shown while it says something of its own
        connectors = tuple(known[key] for key in sorted(known))
        self._put_station(station.id, replace(station, connectors=connectors))
        changed.add(("station", station.id))

    def _change_station(self, event: Event, changed: set[Ref], **news: Any) -> None:
        station = self._reported.get(event.station or "")
        if station is None:
            self._want_station(event, changed)
            return
        self._put_station(station.id, replace(station, **news))
        changed.add(("station", station.id))

    def _stranger(self, event: Event, changed: set[Ref]) -> None:
        if not event.station:
            return
        before = self.strangers.get(event.station)
        if before is not None and event.at <= before.last_seen:
            return
        said = event.data
        self._put_stranger(
            event.station,
            UnknownStation(
                id=event.station,
                first_seen=before.first_seen if before else event.at,
                last_seen=event.at,
                knocks=before.knocks + 1 if before else 1,
                address=str(said.get("address") or ""),
                protocols=tuple(said.get("protocols") or ()),
                reason=str(said.get("reason") or ""),
            ),
        )
        changed.add(("stranger", event.station))

    def _session(self, event: Event, changed: set[Ref]) -> None:
        self._take(SessionView, event.data.get("session"), event.session, ShowSession, changed)

    def _intent(self, event: Event, changed: set[Ref]) -> None:
        said = event.data.get("intent")
        self._take(IntentView, said, said if isinstance(said, str) else None, ShowIntent, changed)

    def _token(self, event: Event, changed: set[Ref]) -> None:
        said = event.data.get("token")
        self._take(TokenView, said, said if isinstance(said, str) else None, ShowToken, changed)

    def _take(
        self,
        kind: type[SessionView] | type[IntentView] | type[TokenView],
        said: Any,
        key: str | None,
        read_again: Callable[[str], Wanted],
        changed: set[Ref],
    ) -> None:
        """Take the view that the event carries; where it carries only the id, ask for it."""
        if isinstance(said, Mapping):
            try:
                changed |= self.put(view_of(kind, said))
                return
            except (KeyError, TypeError, ValueError):
                key = said.get("id") or key
        elif isinstance(said, str):
            key = said
        if key:
            self.wanted.add(read_again(key))

    def _drop_token(self, event: Event, changed: set[Ref]) -> None:
        said = event.data.get("token")
        key = said.get("id") if isinstance(said, Mapping) else said
        self._put_token(str(key), None)
        changed.add(("token", str(key)))

    def _metered(self, event: Event, changed: set[Ref]) -> None:
        session = self.sessions.get(event.session or "")
        said = event.data
        if session is None:
            if event.session:
                self.wanted.add(ShowSession(event.session))
            return
        at = _time(said.get("at")) or event.at
        energy_wh = said.get("energy_wh")
        changed |= self.put(
            replace(
                session,
                energy_wh=session.energy_wh if energy_wh is None else int(energy_wh),
                power_w=said.get("power_w"),
                soc_percent=said.get("soc_percent", session.soc_percent),
                last_sample_at=at,
            )
        )

    def _flagged(self, event: Event, changed: set[Ref]) -> None:
        session = self.sessions.get(event.session or "")
        if session is None:
            if event.session:
                self.wanted.add(ShowSession(event.session))
            return
        changed |= self.put(replace(session, flags=tuple(event.data.get("flags") or ())))

    def _started_anew(self, event: Event, changed: set[Ref]) -> None:
        self.stale = True
        changed.add(("daemon", ""))

    # ---- the books: every view goes in and out through these, so that the sums stay right

    def _put_station(self, key: str, view: StationView | None) -> None:
        if (before := self.stations.get(key)) is not None:
            self.online -= before.online
            self.connectors.subtract(_statuses(before))
        if view is None:
            self.stations.pop(key, None)
            self._reported.pop(key, None)
            self.concerns.pop(("station", key), None)
            return
        self._reported[key] = view
        view = replace(view, connectors=tuple(self._with_session(view.id, c) for c in view.connectors))
        self.stations[key] = view
        self.online += view.online
        self.connectors.update(_statuses(view))
        self._judge(("station", key), attention.of_station(view))

    def _put_session(self, key: str, view: SessionView | None) -> None:
        if (before := self.sessions.get(key)) is not None and before.ended_at is None:
            self.power_w -= before.power_w or 0
        station = view.station if view else before.station if before else ""
        if before is not None and before.token:
            self._by_token.get(before.token.casefold(), set()).discard(key)
        if view is None:
            self.sessions.pop(key, None)
        else:
            self.sessions[key] = view
            self.energy_today_wh += max(0, view.energy_wh - before.energy_wh) if before else 0
        if view is not None and view.ended_at is None:
            self.active.add(key)
            if view.token:
                self._by_token.setdefault(view.token.casefold(), set()).add(key)
            self._by_station.setdefault(station, set()).add(key)
            self.power_w += view.power_w or 0
            self._sample(view)
        else:
            self.active.discard(key)
            self._by_station.get(station, set()).discard(key)
        self._judge(("session", key), attention.of_session(view) if view else ())
        if (place := self._reported.get(station)) is not None:
            self._put_station(station, place)
        self._forget_old_sessions()

    def _put_token(self, key: str, view: TokenView | None) -> None:
        if view is None:
            self.tokens.pop(key, None)
        else:
            self.tokens[key] = view

    def _put_intent(self, key: str, view: IntentView | None) -> None:
        if view is None:
            self.intents.pop(key, None)
            return
        before = self.intents.get(key)
        if before is not None and before.status in FINAL and view.status not in FINAL:
            return  # an answer that was overtaken by the event of the effect
        self.intents[key] = view
        while len(self.intents) > INTENTS_KEPT:
            self.intents.popitem(last=False)

    def _put_stranger(self, key: str, view: UnknownStation | None) -> None:
        if view is None:
            self.strangers.pop(key, None)
        else:
            self.strangers[key] = view
        self._judge(("stranger", key), attention.of_stranger(view) if view else ())

    def _judge(self, ref: Ref, concerns: tuple[Concern, ...]) -> None:
        if concerns:
            self.concerns[ref] = concerns
        else:
            self.concerns.pop(ref, None)

    def _sample(self, session: SessionView) -> None:
        at = session.last_sample_at
        if at is None or session.power_w is None:
            return
        samples = self.power.setdefault(session.id, deque(maxlen=POWER_KEPT))
        if not samples or at > samples[-1][0]:
            samples.append((at, session.power_w))

    def _with_session(self, station: str, connector: ConnectorView) -> ConnectorView:
        """The connector with the session that runs on it now; the books know better than an old report.

        OCPP 2.x says no more than Occupied (StatusNotification, G01): its session says what it does there.
        """
        for key in self._by_station.get(station, ()):
            session = self.sessions[key]
            if session.evse == connector.evse and (session.connector or 1) == connector.connector:
                known = OCCUPIED_BY.get(session.status) if connector.status == "occupied" else None
                status = known or connector.status
                return replace(connector, session=key, power_w=session.power_w, status=status)
        if connector.session is not None and connector.session not in self.sessions:
            return connector
        return replace(connector, session=None, power_w=None)

    def _forget_old_sessions(self) -> None:
        if len(self.sessions) - len(self.active) <= ENDED_KEPT:
            return
        oldest = next(key for key in self.sessions if key not in self.active)
        del self.sessions[oldest]
        self.power.pop(oldest, None)

    def seed_power(self, session: str, samples: Iterable[tuple[datetime, int]]) -> None:
        """Power samples from the record, beside those that were heard."""
        known = dict(self.power.get(session, ()))
        merged = sorted({**known, **dict(samples)}.items())
        self.power[session] = deque(merged, maxlen=POWER_KEPT)

    # ---- questions

    def sessions_of(self, station: str) -> list[SessionView]:
        """The station's sessions that are not over."""
        running = [self.sessions[key] for key in self._by_station.get(station, ())]
        return sorted(running, key=lambda s: s.started_at)

    def sessions_with(self, token: str) -> list[SessionView]:
        """The sessions that run for a token."""
        running = [self.sessions[key] for key in self._by_token.get(token.casefold(), ())]
        return sorted(running, key=lambda s: s.started_at)

    def intents_of(self, station: str) -> list[IntentView]:
        """The station's orders, the latest first."""
        return [i for i in reversed(self.intents.values()) if i.station == station]

    def pending_intents(self) -> list[IntentView]:
        """Orders whose end is not known yet, the latest first."""
        return [i for i in reversed(self.intents.values()) if i.status not in FINAL]

    def latest_sessions(self, count: int) -> list[SessionView]:
        """The sessions that run, the latest first."""
        running = (self.sessions[key] for key in self.active)
        return heapq.nlargest(count, running, key=lambda s: (s.started_at, s.id))

    def attention(self) -> list[Concern]:
        """Everything that needs a person, the most urgent first, the latest of a kind first."""
        found = [concern for concerns in self.concerns.values() for concern in concerns]
        return sorted(found, key=lambda c: (c.weight, -(c.since.timestamp() if c.since else 0), c.what))


def _refs(kind: str, key: str, view: Any) -> set[Ref]:
    """What changes with a view: a session also shows at its station."""
    also = {("station", view.station)} if isinstance(view, SessionView) else set()
    return {(kind, key), *also}


def _statuses(station: StationView) -> list[str]:
    return [c.status if station.online else "offline" for c in station.connectors if c.evse]


_PLACES: dict[type[Any], tuple[str, Callable[[Mirror, str, Any], None]]] = {
    StationView: ("station", Mirror._put_station),
    SessionView: ("session", Mirror._put_session),
    TokenView: ("token", Mirror._put_token),
    IntentView: ("intent", Mirror._put_intent),
}

_TELLS: dict[str, Callable[[Mirror, Event, set[Ref]], None]] = {
    "daemon.started": Mirror._started_anew,
    "station.enrolled": Mirror._want_station,
    "station.changed": Mirror._want_station,
    "station.removed": Mirror._drop_station,
    "station.unknown": Mirror._stranger,
    "station.forgotten": Mirror._forgotten,
    "station.connected": Mirror._connected,
    "station.disconnected": Mirror._disconnected,
    "station.booted": Mirror._booted,
    "connector.status": Mirror._connector,
    "token.added": Mirror._token,
    "token.changed": Mirror._token,
    "token.removed": Mirror._drop_token,
    "session.started": Mirror._session,
    "session.changed": Mirror._session,
    "session.ended": Mirror._session,
    "session.metered": Mirror._metered,
    "session.flagged": Mirror._flagged,
    "intent.created": Mirror._intent,
    "intent.changed": Mirror._intent,
}

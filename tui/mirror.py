"""The present picture: a snapshot and the events since, folded into stations, sessions, tokens and orders.

Events are absolute and come at least once, so applying one twice changes nothing. Where an event does not
carry the new state, what must be read again is put into ``wanted``.
"""

from __future__ import annotations

import heapq
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from cms.contract.alerts import AlertView, ShowAlert
from cms.contract.events import Event
from cms.contract.intents import IntentView, ShowIntent
from cms.contract.sessions import SessionView, ShowSession
from cms.contract.stations import ConnectorView, ShowStation, StationView, UnknownStation
from cms.contract.status import StatusView
from cms.contract.tokens import ShowToken, TokenView
from tui import attention
from tui.attention import Away
from tui.signs import FINAL
from tui.tellings import tell, time_of
from tui.trend import Trend, recalled

Ref = tuple[str, str]
"""What changed: (kind, id), kind being station, session, token, intent, stranger, alert, event or daemon."""

Wanted = ShowStation | ShowSession | ShowToken | ShowIntent | ShowAlert

EVENTS_KEPT = 2000
ENDED_KEPT = 1000
INTENTS_KEPT = 500
POWER_KEPT = 240

OCCUPIED_BY = {"charging": "charging", "suspended": "suspended-ev", "pending": "preparing"}


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
        self.alerts: dict[str, AlertView] = {}
        """What needs a person, as the daemon judges it; none where it tells us nothing of that."""
        self.severities: Counter[str] = Counter()
        """Alerts by severity; those that are muted are left out."""
        self.away = Away()
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
        self.reported: dict[str, StationView] = {}
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
        alerts: Iterable[AlertView] = (),
        events: Iterable[Event] = (),
        metered: Iterable[Event] = (),
        status: StatusView | None = None,
    ) -> set[Ref]:
        """Replace the picture by a fresh reading; answers only what differs from what was shown.

        ``metered`` are the latest meter values of the record: how power came to be what it is.
        """
        changed: set[Ref] = {("daemon", "")}
        self._replace_all("station", self.reported, {s.id: s for s in stations}, self.put_station, changed)
        fresh = {s.id: s for s in sorted(sessions, key=lambda s: s.started_at)}
        self._replace_all("session", self.sessions, fresh, self.put_session, changed)
        self._replace_all("token", self.tokens, {t.id: t for t in tokens}, self.put_token, changed)
        by_age = sorted(intents, key=lambda i: i.created_at)
        self._replace_all("intent", self.intents, {i.id: i for i in by_age}, self.put_intent, changed)
        unknown = {s.id: s for s in strangers}
        self._replace_all("stranger", self.strangers, unknown, self.put_stranger, changed)
        raised = {one.id: one for one in alerts}
        self._replace_all("alert", self.alerts, raised, self.put_alert, changed)
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
                at = time_of(event.data.get("at")) or event.at
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
        tell(self, event, changed)
        if event.type == "quarantine.added" and new:
            self.quarantined += 1
            changed.add(("daemon", ""))
        if self.power_w != power_w:
            self.trend.add(event.at, self.power_w)
        return changed

    def put(self, view: StationView | SessionView | TokenView | IntentView | AlertView) -> set[Ref]:
        """Take in one view that was read again, or that came as an answer."""
        kind, place = _PLACES[type(view)]
        place(self, view.id, view)
        return _refs(kind, view.id, view)

    def gone(self, wanted: Wanted) -> set[Ref]:
        """What was to be read again does not exist any more."""
        match wanted:
            case ShowStation(station=key):
                self.put_station(key, None)
                return {("station", key)}
            case ShowToken(token=key):
                self.put_token(key, None)
                return {("token", key)}
            case ShowSession(session=key):
                self.put_session(key, None)
                return {("session", key)}
            case ShowIntent(intent=key):
                self.put_intent(key, None)
                return {("intent", key)}
            case ShowAlert(alert=key):
                self.put_alert(key, None)
                return {("alert", key)}

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

    # ---- the books: every view goes in and out through these, so that the sums stay right

    def put_station(self, key: str, view: StationView | None) -> None:
        """The station as the daemon tells of it, with what its sessions know better; None: it is gone."""
        if (before := self.stations.get(key)) is not None:
            self.online -= before.online
            self.connectors.subtract(_statuses(before))
        if view is None:
            self.stations.pop(key, None)
            self.reported.pop(key, None)
            return
        self.reported[key] = view
        connectors = tuple(self._with_session(view.id, c) for c in view.connectors)
        if connectors != view.connectors:  # of ten thousand that come at the start few are otherwise
            view = replace(view, connectors=connectors)
        self.stations[key] = view
        self.online += view.online
        self.connectors.update(_statuses(view))

    def put_session(self, key: str, view: SessionView | None) -> None:
        """The session, its power and energy in the sums, and its station with it; None: it is gone."""
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
        if (place := self.reported.get(station)) is not None:
            self.put_station(station, place)
        self._forget_old_sessions()

    def put_token(self, key: str, view: TokenView | None) -> None:
        """The token; None: it is gone."""
        if view is None:
            self.tokens.pop(key, None)
        else:
            self.tokens[key] = view

    def put_intent(self, key: str, view: IntentView | None) -> None:
        """The order, unless its end is known already; None: it is gone."""
        if view is None:
            self.intents.pop(key, None)
            return
        before = self.intents.get(key)
        if before is not None and before.status in FINAL and view.status not in FINAL:
            return  # an answer that was overtaken by the event of the effect
        self.intents[key] = view
        while len(self.intents) > INTENTS_KEPT:
            self.intents.popitem(last=False)

    def put_stranger(self, key: str, view: UnknownStation | None) -> None:
        """The unknown station; None: it is forgotten, or enrolled."""
        if view is None:
            self.strangers.pop(key, None)
        else:
            self.strangers[key] = view

    def put_alert(self, key: str, view: AlertView | None) -> None:
        """The alert; None, or with an end: it is over."""
        before = self.alerts.pop(key, None)
        if before is not None and before.state != "muted":
            self.severities[before.severity] -= 1
        if view is not None and view.ended_at is None:
            self.alerts[key] = view
            if view.state != "muted":
                self.severities[view.severity] += 1

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
        if connector.session is None and connector.power_w is None:
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
        return sorted(running, key=lambda s: (s.started_at, s.id))

    def sessions_with(self, token: str) -> list[SessionView]:
        """The sessions that run for a token."""
        running = [self.sessions[key] for key in self._by_token.get(token.casefold(), ())]
        return sorted(running, key=lambda s: (s.started_at, s.id))

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

    def attention(self) -> list[AlertView]:
        """Everything that needs a person, the most urgent first; what is muted is left out."""
        return attention.urgent(self.alerts.values())


def _refs(kind: str, key: str, view: Any) -> set[Ref]:
    """What changes with a view: a session also shows at its station."""
    also = {("station", view.station)} if isinstance(view, SessionView) else set()
    return {(kind, key), *also}


def _statuses(station: StationView) -> list[str]:
    return [c.status if station.online else "offline" for c in station.connectors if c.evse]


_PLACES: dict[type[Any], tuple[str, Callable[[Mirror, str, Any], None]]] = {
    StationView: ("station", Mirror.put_station),
    SessionView: ("session", Mirror.put_session),
    TokenView: ("token", Mirror.put_token),
    AlertView: ("alert", Mirror.put_alert),
    IntentView: ("intent", Mirror.put_intent),
}

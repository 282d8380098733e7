"""What each kind of event tells: how it changes the stations, sessions, tokens and orders of a mirror.

Where an event does not carry the new state, what must be read again is put into ``wanted``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from cms.contract.alerts import AlertView, ShowAlert
from cms.contract.events import Event
from cms.contract.intents import IntentView, ShowIntent
from cms.contract.sessions import SessionView, ShowSession
from cms.contract.stations import ConnectorView, ShowStation, UnknownStation
from cms.contract.tokens import ShowToken, TokenView

if TYPE_CHECKING:
    from tui.mirror import Mirror, Ref, Wanted

View = TypeVar("View")


def view_of(kind: type[View], said: Mapping[str, Any]) -> View:
    """Build a view from an event's JSON object; raises ValueError on a hole or a wrong type."""
    try:
        return msgspec.convert(said, kind)
    except msgspec.ValidationError as wrong:
        raise ValueError(str(wrong)) from wrong


def time_of(value: Any) -> Any:
    """An event's time, which is text where it comes as JSON; raises ValueError where that is none."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def tell(mirror: Mirror, event: Event, changed: set[Ref]) -> None:
    """Fold the event in; what it tells in a form that is none of ours (a newer daemon's) is read again."""
    if (told := TELLS.get(event.type)) is None:
        return
    try:
        told(mirror, event, changed)
    except (ValueError, TypeError):
        if event.station:
            mirror.wanted.add(ShowStation(event.station))
        if event.session:
            mirror.wanted.add(ShowSession(event.session))


def _want_station(mirror: Mirror, event: Event, changed: set[Ref]) -> None:
    if event.station:
        mirror.strangers.pop(event.station, None)
        mirror.wanted.add(ShowStation(event.station))
        changed.add(("stranger", event.station))


def _drop_station(mirror: Mirror, event: Event, changed: set[Ref]) -> None:
    if event.station:
        mirror.put_station(event.station, None)
        changed.add(("station", event.station))


def _connected(mirror: Mirror, event: Event, changed: set[Ref]) -> None:
    _change_station(
        mirror,
        event,
        changed,
        online=True,
        ocpp_version=event.data.get("ocpp_version"),
        address=event.data.get("address"),
        connected_at=event.at,
        last_seen=event.at,
    )


def _disconnected(mirror: Mirror, event: Event, changed: set[Ref]) -> None:
    _change_station(mirror, event, changed, online=False, connected_at=None, last_seen=event.at)


def _booted(mirror: Mirror, event: Event, changed: set[Ref]) -> None:
    said = event.data
    _change_station(
        mirror,
        event,
        changed,
        boot_status=said.get("status"),
        booted_at=event.at,
        vendor=said.get("vendor"),
        model=said.get("model"),
        firmware=said.get("firmware"),
        serial=said.get("serial"),
    )


def _connector(mirror: Mirror, event: Event, changed: set[Ref]) -> None:
    station = mirror.reported.get(event.station or "")
    if station is None:
        _want_station(mirror, event, changed)
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
        reported_at=time_of(said.get("reported_at")) or event.at,
    )
    if place[0] == 0 and known[place].status == "available":
        del known[place]  # the station itself is only shown while it says something of its own
    connectors = tuple(known[key] for key in sorted(known))
    mirror.put_station(station.id, replace(station, connectors=connectors))
    changed.add(("station", station.id))


def _change_station(mirror: Mirror, event: Event, changed: set[Ref], **news: Any) -> None:
    station = mirror.reported.get(event.station or "")
    if station is None:
        _want_station(mirror, event, changed)
        return
    mirror.put_station(station.id, replace(station, **news))
    changed.add(("station", station.id))


def _stranger(mirror: Mirror, event: Event, changed: set[Ref]) -> None:
    if not event.station:
        return
    before = mirror.strangers.get(event.station)
    if before is not None and event.at <= before.last_seen:
        return
    said = event.data
    mirror.put_stranger(
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


def _session(mirror: Mirror, event: Event, changed: set[Ref]) -> None:
    _take(mirror, SessionView, event.data.get("session"), event.session, ShowSession, changed)


def _intent(mirror: Mirror, event: Event, changed: set[Ref]) -> None:
    said = event.data.get("intent")
    _take(mirror, IntentView, said, said if isinstance(said, str) else None, ShowIntent, changed)


def _token(mirror: Mirror, event: Event, changed: set[Ref]) -> None:
    said = event.data.get("token")
    _take(mirror, TokenView, said, said if isinstance(said, str) else None, ShowToken, changed)


def _take(
    mirror: Mirror,
    kind: type[SessionView] | type[IntentView] | type[TokenView] | type[AlertView],
    said: Any,
    key: str | None,
    read_again: Callable[[str], Wanted],
    changed: set[Ref],
) -> None:
    """Take the view that the event carries; where it carries only the id, ask for it."""
    if isinstance(said, Mapping):
        try:
            changed |= mirror.put(view_of(kind, said))
            return
        except ValueError:
            key = _id_of(said) or key
    elif isinstance(said, str):
        key = said
    if key:
        mirror.wanted.add(read_again(key))


def _drop_token(mirror: Mirror, event: Event, changed: set[Ref]) -> None:
    if (key := _id_of(event.data.get("token"))) is not None:
        mirror.put_token(key, None)
        changed.add(("token", key))


def _id_of(said: Any) -> str | None:
    """The id of what an event is about, whether it carries its view or the id alone."""
    key = said.get("id") if isinstance(said, Mapping) else said
    return key if isinstance(key, str) else None


def _metered(mirror: Mirror, event: Event, changed: set[Ref]) -> None:
    session = mirror.sessions.get(event.session or "")
    said = event.data
    if session is None:
        if event.session:
            mirror.wanted.add(ShowSession(event.session))
        return
    at = time_of(said.get("at")) or event.at
    energy_wh = said.get("energy_wh")
    changed |= mirror.put(
        replace(
            session,
            energy_wh=session.energy_wh if energy_wh is None else int(energy_wh),
            power_w=said.get("power_w"),
            soc_percent=said.get("soc_percent", session.soc_percent),
            cost=said.get("cost") or session.cost,
            last_sample_at=at,
        )
    )


def _flagged(mirror: Mirror, event: Event, changed: set[Ref]) -> None:
    session = mirror.sessions.get(event.session or "")
    if session is None:
        if event.session:
            mirror.wanted.add(ShowSession(event.session))
        return
    changed |= mirror.put(replace(session, flags=tuple(event.data.get("flags") or ())))


def _started_anew(mirror: Mirror, event: Event, changed: set[Ref]) -> None:
    mirror.stale = True
    changed.add(("daemon", ""))


def _forgotten(mirror: Mirror, event: Event, changed: set[Ref]) -> None:
    if event.station:
        mirror.put_stranger(event.station, None)
        changed.add(("stranger", event.station))


def _alert(mirror: Mirror, event: Event, changed: set[Ref]) -> None:
    said = event.data.get("alert")
    _take(mirror, AlertView, said, None, ShowAlert, changed)
    if (key := _id_of(said)) is not None:
        mirror.away.happened(event.at, event.type, key)


def _alert_ended(mirror: Mirror, event: Event, changed: set[Ref]) -> None:
    if (key := _id_of(event.data.get("alert"))) is not None:
        mirror.put_alert(key, None)
        mirror.away.happened(event.at, event.type, key)
        changed.add(("alert", key))


TELLS: dict[str, Callable[[Mirror, Event, set[Ref]], None]] = {
    "daemon.started": _started_anew,
    "station.enrolled": _want_station,
    "station.changed": _want_station,
    "station.noted": _want_station,
    "station.removed": _drop_station,
    "station.unknown": _stranger,
    "station.forgotten": _forgotten,
    "station.connected": _connected,
    "station.disconnected": _disconnected,
    "station.booted": _booted,
    "connector.status": _connector,
    "token.added": _token,
    "token.changed": _token,
    "token.removed": _drop_token,
    "session.started": _session,
    "session.changed": _session,
    "session.ended": _session,
    "session.metered": _metered,
    "session.flagged": _flagged,
    "intent.created": _intent,
    "intent.changed": _intent,
    "alert.raised": _alert,
    "alert.changed": _alert,
    "alert.ended": _alert_ended,
}

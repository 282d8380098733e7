"""What a daemon would say needs a person, judged from the views that a fake one holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from cms.contract.alerts import AlertMember, AlertView
from cms.contract.sessions import SessionView
from cms.contract.stations import StationView, UnknownStation

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def alert(
    kind: str, severity: str, what: str, why: str, since: datetime | None = None, **more: Any
) -> AlertView:
    """An alert about one thing, that nobody has seen yet."""
    begun = since or EPOCH
    about = {name: more.get(name) for name in ("station", "site", "session")}
    members = more.pop("members", (AlertMember(what, why, begun, **about),))
    state = more.pop("state", "new")
    count = more.pop("count", len(members))
    key = more.pop("id", f"{kind}|{what}")
    return AlertView(key, kind, severity, state, what, why, begun, count, members=members, **more)


def of_station(station: StationView) -> Iterator[AlertView]:
    about = {"station": station.id, "site": station.site}
    if not station.online:
        busy = sum(1 for c in station.connectors if c.session)
        why = "lost its link" if station.last_seen else "has never connected"
        why += f", {busy} session{'s' if busy > 1 else ''} running" if busy else ""
        severity = "critical" if busy else "warning"
        yield alert("station.offline", severity, station.id, why, station.last_seen, **about)
        return
    if station.boot_status in ("pending", "rejected"):
        why = f"its boot was answered {station.boot_status}"
        yield alert(f"boot.{station.boot_status}", "warning", station.id, why, station.booted_at, **about)
    for c in station.connectors:
        if c.status == "faulted":
            why = " ".join(
                ["faulted", *(part for part in (c.error_code, c.vendor_error_code, c.info) if part)]
            )
            what = f"{station.id} c{c.evse}"
            yield alert("connector.faulted", "critical", what, why, c.reported_at, evse=c.evse, **about)


def of_session(session: SessionView, stations: dict[str, StationView]) -> Iterator[AlertView]:
    station = stations.get(session.station)
    about = {"station": session.station, "site": station.site if station else None, "session": session.id}
    why = f"{', '.join(session.flags)} ({session.station} c{session.evse})"
    if session.status == "suspect":
        yield alert("session.suspect", "warning", f"session {session.id}", f"never got a stop, {why}",
                    session.last_sample_at, **about)  # fmt: skip
    elif session.status != "ended" and session.flags:
        yield alert("session.flagged", "info", f"session {session.id}", why, session.last_sample_at, **about)


def all_of(
    stations: dict[str, StationView], sessions: Iterable[SessionView], strangers: Iterable[UnknownStation]
) -> dict[str, AlertView]:
    """Everything that is wrong, by id."""
    found = [one for station in stations.values() for one in of_station(station)]
    found += [one for session in sessions for one in of_session(session, stations)]
    found += [
        alert("station.unknown", "warning", one.id, f"{one.reason}; knocked {one.knocks}x from {one.address}",
              one.first_seen)
        for one in strangers
    ]  # fmt: skip
    return {one.id: one for one in found}

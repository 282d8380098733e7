"""What needs a person, judged from one station, session or stranger at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from cms.contract.events import Event
from cms.contract.sessions import SessionView
from cms.contract.stations import StationView, UnknownStation
from tui import signs, words


@dataclass(frozen=True, slots=True)
class Concern:
    """One line of the needs-attention list. ``weight`` sorts: the smallest first.

    ``station`` or ``session`` is what the line opens; a ``stranger`` can be enrolled.
    """

    weight: int
    mark: str
    tone: str
    what: str
    where: str
    why: str
    since: datetime | None
    station: str | None = None
    session: str | None = None
    stranger: str | None = None


def of_station(station: StationView) -> tuple[Concern, ...]:
    """Faulted connectors of a station that is there; that it is gone; that its boot was not accepted."""
    return tuple(_station(station))


def _station(station: StationView) -> Iterator[Concern]:
    site = station.site or ""
    if not station.online:
        why = "lost its link" if station.last_seen else "has never connected"
        busy = sum(1 for c in station.connectors if c.session)
        if busy:
            why += f", {busy} session{'s' if busy > 1 else ''} running"
        yield Concern(20, "⊘", "bad", station.id, site, why, station.last_seen, station.id)
        return
    if station.boot_status in ("pending", "rejected"):
        why = f"its boot was answered {station.boot_status}"
        yield Concern(30, "▲", "warn", station.id, site, why, station.booted_at, station.id)
    for connector in station.connectors:
        if connector.status == "faulted":
            parts = (connector.error_code, connector.vendor_error_code, connector.info)
            why = " ".join(["faulted", *(part for part in parts if part)])
            what = f"{station.id} c{words.plug_of(connector)}"
            yield Concern(10, "✖", "bad", what, site, why, connector.reported_at, station.id)


#: What is done about a credential that two have; the conflict is no longer anybody's concern then.
_MENDED = frozenset({"station.password", "station.secured", "station.removed"})


def of_event(event: Event) -> tuple[Concern, ...] | None:
    """Two that prove to be one station: a stolen credential, until it is changed. None: nothing new about that."""
    station = event.station or ""
    if event.type in _MENDED:
        return ()
    if event.type != "station.identity_conflict":
        return None
    places = " and ".join(str(address) for address in event.data.get("addresses", ()))
    why = f"connects from {places} in turns: rotate its password"
    return (Concern(5, "✖", "bad", station, "", why, event.at, station),)


def of_session(session: SessionView) -> tuple[Concern, ...]:
    """A session that never got its stop, or that carries flags while it runs."""
    if session.status != "suspect" and (session.status == "ended" or not session.flags):
        return ()
    sign = signs.SESSION["suspect"]
    reasons = ["never got a stop"] if session.status == "suspect" else []
    why = ", ".join([*reasons, *session.flags])
    plug = words.plug(session.evse, session.connector)
    since = session.last_sample_at or session.started_at
    where = f"{session.station} c{plug}"
    weight = 40 if session.status == "suspect" else 50
    what = f"session {session.id}"
    return (Concern(weight, sign.mark, sign.tone, what, where, why, since, session.station, session.id),)


def of_stranger(stranger: UnknownStation) -> tuple[Concern, ...]:
    """A station that knocked and is not registered (or has the wrong password)."""
    why = f"{stranger.reason}; knocked {stranger.knocks}x · E enrols it, F forgets it"
    where = stranger.address
    return (Concern(60, "?", "warn", stranger.id, where, why, stranger.first_seen, stranger=stranger.id),)

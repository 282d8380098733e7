"""Sessions out of another system's file: every line of a part is judged, then all are written in one commit, or none.

Parts of a file are one import, found by the file's digest until its last part came. So an import that was broken off
goes on where it stood when the same file is given again: what is there already is a duplicate.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cms.contract.history import (
    MOST_POINTS,
    MOST_REMOVED,
    MOST_ROWS,
    HistoryRow,
    ImportedSessions,
    ImportSessions,
    JudgedLine,
    ListSessionImports,
    RemovedSessionImport,
    RemoveSessionImport,
    SessionImportView,
    ShowSessionImport,
    Unknown,
    second,
    transaction_of,
)
from cms.contract.refusals import Denied, Invalid, NotFound, Refusal
from cms.contract.stations import AddStation
from cms.core import Actor, Core, Lane
from cms.domain import drivers, history
from cms.domain.changes import Change, ForgetUnknown, Happened, Keep, OpenSession, SaveStation
from cms.domain.evolve import evolve
from cms.domain.history import DropSession, Repeats, SessionImport
from cms.domain.sessions import Session
from cms.domain.stations import Station, StationState
from cms.operations import stations
from cms.operations.drivers import tokens_of
from cms.operations.identifying import asked_for

#: After so many lines others have their turn.
_BREATH = 100
#: So many names of each kind are told; the count of the others is in the lines.
_MOST_UNKNOWN = 1_000

_BECOMES = {
    "evse": "its sessions are kept with it all the same",
    "token": "stays on its sessions: register it and they are its driver's",
    "driver": "stands in the token's place: give a token of this name to a driver and they are his",
}


@dataclass(slots=True)
class _Draft:
    """What the lines so far make: new sessions, stations to register (by identity without case), what is unknown."""

    core: Core
    request: ImportSessions
    now: datetime
    repeats: Repeats
    prefix: str
    numbered: int
    sessions: list[Session] = field(default_factory=list)
    readings: list[Change] = field(default_factory=list)
    stations: dict[str, Station] = field(default_factory=dict)
    unknown: Counter[tuple[str, str]] = field(default_factory=Counter)
    lines: list[JudgedLine] = field(default_factory=list)

    @property
    def bad(self) -> int:
        return sum(line.outcome == "bad" for line in self.lines)


async def import_(core: Core, request: ImportSessions, actor: Actor) -> ImportedSessions:
    _check(request)
    if request.add_stations and not {"stations.enrol"} <= actor.permissions:
        raise Denied("registering stations takes the permission stations.enrol", "leave --add-stations out")
    async with core.books:
        before = _unfinished(core, request.digest)
        begun = before or _begun(core, request, actor)
        draft = await _judged(core, request, begun)
        after = _grown(begun, draft, request.last)
        done = not request.dry_run and (not draft.bad or request.skip_bad)
        if done and (draft.sessions or (before is not None and after != before)):
            await _write(draft, after, actor)
    return _view(draft, done, after)


def _check(request: ImportSessions) -> None:
    if len(request.rows) > MOST_ROWS:
        raise Invalid(f"{len(request.rows)} lines are too many at once", f"at most {MOST_ROWS} in a part")
    if sum(len(row.points) for row in request.rows) > MOST_POINTS:
        raise Invalid("these are too many points at once", f"at most {MOST_POINTS} in a part")
    digest = request.digest
    if not (len(digest) == 64 and digest.isascii() and digest.isalnum()):
        raise Invalid("digest is the SHA-256 of the file, in 64 hexadecimal digits")
    if not request.file or len(request.file) > 255 or not request.file.isprintable():
        raise Invalid("file is its name: 1 to 255 printable characters")


def _imports(core: Core) -> Mapping[str, SessionImport]:
    return core.kept.get(history.KIND, {})


def _unfinished(core: Core, digest: str) -> SessionImport | None:
    """The import of this very file that was not brought to its end."""
    unfinished = (known for known in _imports(core).values() if known.status == history.UNFINISHED)
    return next((known for known in unfinished if known.digest == digest), None)


def _begun(core: Core, request: ImportSessions, actor: Actor) -> SessionImport:
    return SessionImport(
        history.next_id(_imports(core)), request.file, request.digest, actor.name, core.clock.now()
    )


async def _judged(core: Core, request: ImportSessions, begun: SessionImport) -> _Draft:
    """What becomes of each line; stations are heard in between."""
    repeats = Repeats(await _known(core, request.rows))
    draft = _Draft(core, request, core.clock.now(), repeats, f"{begun.id}-", begun.numbered)
    for n, row in enumerate(request.rows):
        if n % _BREATH == 0:
            await asyncio.sleep(0)
        try:
            _take(draft, row)
        except Refusal as refusal:
            draft.lines.append(JudgedLine(row.line, "bad", _sentence(refusal)))
    return draft


def _sentence(refusal: Refusal) -> str:
    return refusal.message if refusal.hint is None else f"{refusal.message}: {refusal.hint}"


async def _known(core: Core, rows: Iterable[HistoryRow]) -> list[history.Known]:
    """The sessions of the record, ended or running, that these lines may repeat."""
    named, begun = set(), set()
    for row in rows:
        key = row.station.strip().casefold()
        named.add((key, transaction_of(row)))
        begun.add((key, second(row.started_at)))
    return [*await core.store.history.named(named), *await core.store.history.begun(begun)]


def _take(draft: _Draft, row: HistoryRow) -> None:
    """A line among the new sessions or the duplicates. Raises a refusal where it is bad, and changes nothing."""
    if row.started_at.tzinfo is None or row.ended_at.tzinfo is None:
        raise Invalid("its times name no time zone")
    history.check(row, draft.now)
    station = _station(draft, row.station.strip())
    repeated = draft.repeats.of(row, station.id.casefold())
    if repeated is not None:
        draft.lines.append(JudgedLine(row.line, "duplicate", _repeat(row, repeated)))
        return
    _note_place(draft, station, row.evse)
    token = _token(draft, row)
    id = f"{draft.prefix}{draft.numbered + len(draft.sessions) + 1}"
    session = history.session_of(row, id, station.id, token, draft.now)
    draft.sessions.append(session)
    draft.readings += history.readings_of(row, session, draft.now)
    draft.repeats.add(history.known_as(session))


def _repeat(row: HistoryRow, known: history.Known) -> str:
    """Which session it is, and whether it says otherwise."""
    same = row.energy_wh == known.energy_wh
    return f"session {known.id}" if same else f"session {known.id}, which has {known.energy_wh} Wh"


def _station(draft: _Draft, name: str) -> Station:
    """The station of a line; one that nobody knows is to be registered, where that is wanted."""
    key = name.casefold()
    lane = draft.core.lanes.get(key)
    if lane is not None:
        return lane.state.station
    if key not in draft.stations:
        if not draft.request.add_stations:
            stations.check_identity(name)
            draft.unknown["station", name] += 1
            raise NotFound(f"there is no station {name}", "--add-stations registers it")
        draft.stations[key] = _history_only(draft, name)
    draft.unknown["station", draft.stations[key].id] += 1
    return draft.stations[key]


def _history_only(draft: _Draft, name: str) -> Station:
    """A station that is registered for its history: nobody has its password, so nobody can be it."""
    asked = AddStation(station=name, site=draft.request.site, note=f"from {draft.request.file}")
    return stations.made(draft.core, asked)[0]


def _note_place(draft: _Draft, station: Station, evse: int | None) -> None:
    lane = draft.core.lanes.get(station.id.casefold())
    if lane is None or evse is None:
        return
    evses = {place for place, _ in lane.state.connectors if place}
    if evses and evse not in evses:
        draft.unknown["evse", f"{station.id}:{evse}"] += 1


def _token(draft: _Draft, row: HistoryRow) -> str | None:
    """The token of a line as it is registered; a driver's only one where the line names him alone."""
    if row.token is not None:
        token = asked_for(draft.core, row.token)
        if token is None:
            draft.unknown["token", row.token] += 1
        return token.id if token else row.token
    if row.driver is None:
        return None
    owned = tokens_of(draft.core, row.driver)
    if len(owned) == 1:
        return owned[0].id
    if row.driver not in draft.core.kept.get(drivers.KIND, {}):
        draft.unknown["driver", row.driver] += 1
    return row.driver


def _grown(begun: SessionImport, draft: _Draft, last: bool) -> SessionImport:
    """The import with what this part brings."""
    new = draft.sessions
    starts = [session.started_at.astimezone(UTC) for session in new]
    return evolve(
        begun,
        status=history.COMPLETE if last else history.UNFINISHED,
        sessions=begun.sessions + len(new),
        numbered=begun.numbered + len(new),
        energy_wh=begun.energy_wh + sum(session.energy_wh for session in new),
        first=min([*starts, *([begun.first] if begun.first else [])], default=None),
        last=max([*starts, *([begun.last] if begun.last else [])], default=None),
        stations_added=(*begun.stations_added, *(station.id for station in draft.stations.values())),
    )


async def _write(draft: _Draft, after: SessionImport, actor: Actor) -> None:
    """The part in one commit. Stations are registered by the same commit; ``core.books`` is held."""
    core, now = draft.core, draft.now
    changes: list[Change] = [Keep("", history.KIND, after.id, after, now)]
    told = [Happened("sessions.imported", now, actor=actor.name, data=_data(draft, after))]
    for station in draft.stations.values():
        changes += (SaveStation(station), ForgetUnknown(station.id))
        told.append(Happened("station.enrolled", now, station.id, actor=actor.name))
    changes += (OpenSession(session) for session in draft.sessions)
    changes += draft.readings
    await core.store.commit(changes, told)
    core.kept.setdefault(history.KIND, {})[after.id] = after
    for key, station in draft.stations.items():
        core.lanes[key] = Lane(StationState(station))


def _data(draft: _Draft, after: SessionImport) -> dict[str, Any]:
    energy_wh = sum(session.energy_wh for session in draft.sessions)
    return {
        "import": after.id,
        "file": after.file,
        "sessions": len(draft.sessions),
        "energy_wh": energy_wh,
        "status": after.status,
    }


def _view(draft: _Draft, done: bool, after: SessionImport) -> ImportedSessions:
    new = draft.sessions
    starts = [session.started_at for session in new]
    return ImportedSessions(
        done=done,
        id=after.id if new else None,
        new=len(new),
        duplicates=sum(line.outcome == "duplicate" for line in draft.lines),
        bad=draft.bad,
        energy_wh=sum(session.energy_wh for session in new),
        stations=tuple(sorted({session.station for session in new})),
        first=min(starts, default=None),
        last=max(starts, default=None),
        unknown=tuple(
            Unknown(kind, name, rows, _becomes(draft, kind))
            for (kind, name), rows in draft.unknown.most_common(_MOST_UNKNOWN)
        ),
        lines=tuple(draft.lines),
    )


def _becomes(draft: _Draft, kind: str) -> str:
    if kind != "station":
        return _BECOMES[kind]
    if not draft.request.add_stations:
        return "its sessions are bad lines: --add-stations registers it"
    site = f" at {draft.request.site}" if draft.request.site else ""
    return f"registered{site} without a password that anybody knows: it cannot connect before it is given one"


async def list_(core: Core, request: ListSessionImports, actor: Actor) -> list[SessionImportView]:
    return [history.view(known) for known in sorted(_imports(core).values(), key=_age, reverse=True)]


def _age(known: SessionImport) -> int:
    return int(known.id[1:])


def _find(core: Core, id: str) -> SessionImport:
    known = _imports(core).get(id.strip().upper())
    if known is None:
        raise NotFound(f"there is no import {id}", "see `cms import list`")
    return known


async def show(core: Core, request: ShowSessionImport, actor: Actor) -> SessionImportView:
    return history.view(_find(core, request.id))


async def remove(core: Core, request: RemoveSessionImport, actor: Actor) -> RemovedSessionImport:
    """Some of its sessions in one commit. What the import was stays in the list, and its number is not used again."""
    async with core.books:
        known = _find(core, request.id)
        left = await core.store.history.count(known.id)
        if request.dry_run:
            return RemovedSessionImport(known.id, 0, left)
        some = await core.store.history.of_import(known.id, MOST_REMOVED)
        left -= len(some)
        gone_wh = sum(one.energy_wh for one in some)
        status = history.REMOVING if left else history.REMOVED
        after = evolve(known, status=status, sessions=left, energy_wh=known.energy_wh - gone_wh)
        now = core.clock.now()
        data = {"import": known.id, "sessions": len(some), "left": left}
        told = Happened("sessions.import-removed", now, actor=actor.name, data=data)
        drops = (DropSession(one.id, one.station, one.transaction_id) for one in some)
        await core.store.commit((*drops, Keep("", history.KIND, known.id, after, now)), (told,))
        core.kept.setdefault(history.KIND, {})[known.id] = after
    return RemovedSessionImport(known.id, len(some), left)

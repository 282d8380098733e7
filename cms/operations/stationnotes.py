"""Notes on stations: written by people, read when somebody looks at the station."""

from __future__ import annotations

from cms.contract.refusals import Invalid
from cms.contract.stationnotes import AddStationNote, ListStationNotes, StationNote
from cms.core import Actor, Core
from cms.domain.changes import Happened, Keep, SaveStation
from cms.domain.evolve import evolve
from cms.domain.stationnotes import KIND, Note, Notes
from cms.operations.deciding import settle

_LONGEST = 4_000
#: A station has one record of notes.
_KEY = "notes"


async def list_(core: Core, request: ListStationNotes, actor: Actor) -> list[StationNote]:
    return _told(await _notes_of(core, core.lane(request.station).state.station.id))


async def add(core: Core, request: AddStationNote, actor: Actor) -> list[StationNote]:
    text = request.text.strip()
    if not text or len(text) > _LONGEST or not all(line.isprintable() for line in text.splitlines()):
        raise Invalid(f"a note has 1 to {_LONGEST} characters, none of them for control")
    lane = core.lane(request.station)
    async with lane.lock:
        core.lane(request.station)  # it may have been removed while we waited
        now = core.clock.now()
        note = Note(now, actor.name, text)
        station = evolve(lane.state.station, note=note.heading)
        notes = (await _notes_of(core, station.id)).with_one(note)
        told = Happened("station.noted", now, station.id, actor=actor.name, data={"note": note.heading})
        changes = (Keep(station.id, KIND, _KEY, notes, now), SaveStation(station))
        await settle(core, lane, evolve(lane.state, station=station), changes, (told,))
    return _told(notes)


async def _notes_of(core: Core, station: str) -> Notes:
    return await core.store.kept_one(station, KIND, _KEY) or Notes()


def _told(notes: Notes) -> list[StationNote]:
    return [StationNote(note.at, note.by, note.text) for note in reversed(notes.entries)]

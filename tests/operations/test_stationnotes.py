from __future__ import annotations

import pytest

from cms.contract.refusals import Invalid, NotFound
from cms.contract.stationnotes import AddStationNote, ListStationNotes
from cms.contract.stations import ShowStation
from cms.domain.stationnotes import SHOWN
from cms.operations import stationnotes, stations
from tests.operations.small import ANA, Small


async def test_notes_stand_newest_first_with_their_author_also_after_a_restart(small: Small) -> None:
    await stationnotes.add(small.core, AddStationNote("CP1", "key is with the guard"), ANA)
    small.clock.pass_(hours=1)
    await stationnotes.add(small.core, AddStationNote("cp1", "the guard moved\nask at gate 2"), ANA)
    await small.restart()
    notes = await stationnotes.list_(small.core, ListStationNotes("CP1"), ANA)
    assert [note.text for note in notes] == ["the guard moved\nask at gate 2", "key is with the guard"]
    assert {note.by for note in notes} == {"ana"}
    assert notes[0].at > notes[1].at


async def test_the_first_line_of_the_newest_note_stands_in_lists(small: Small) -> None:
    await stationnotes.add(small.core, AddStationNote("CP1", "dog in the yard\nhe barks"), ANA)
    assert (await stations.show(small.core, ShowStation("CP1"), ANA)).note == "dog in the yard"
    await stationnotes.add(small.core, AddStationNote("CP1", "x" * 500), ANA)
    assert len((await stations.show(small.core, ShowStation("CP1"), ANA)).note or "") == SHOWN


@pytest.mark.parametrize("text", ["", "  \n ", "a\x1b[2Jb", "x" * 4_001])
async def test_what_is_no_note_is_refused(small: Small, text: str) -> None:
    with pytest.raises(Invalid):
        await stationnotes.add(small.core, AddStationNote("CP1", text), ANA)
    assert await stationnotes.list_(small.core, ListStationNotes("CP1"), ANA) == []


async def test_nothing_is_written_about_a_station_that_is_not_there(small: Small) -> None:
    with pytest.raises(NotFound):
        await stationnotes.add(small.core, AddStationNote("CP9", "where is it"), ANA)

from __future__ import annotations

from cms.domain.changes import DropStation, Keep, SaveStation
from cms.domain.reports import Report
from cms.domain.stations import Station
from tests.domain.build import NOON


async def test_what_is_kept_comes_back_as_it_was_and_what_is_forgotten_does_not(store):
    report = Report(7, "inventory", NOON, NOON, (0, 1), None, 3)
    await store.commit(
        (
            SaveStation(Station("CP1")),
            Keep("CP1", "report", "7", report, NOON),
            Keep("CP1", "report", "8", Report(8, "profiles"), NOON),
        ),
        (),
    )
    assert await store.kept("cp1", "report") == {"7": report, "8": Report(8, "profiles")}
    await store.commit((Keep("CP1", "report", "8", None, NOON),), ())
    assert await store.kept_everywhere("report") == [("cp1", "7", report)]
    picture = await store.load()
    assert picture.states[0].kept == {"report": {"7": report}}
    assert picture.kept == {}


async def test_what_belongs_to_no_station_is_apart_from_them(store):
    await store.commit((Keep("", "report", "7", Report(7, "x"), NOON),), ())
    assert (await store.load()).kept == {"report": {"7": Report(7, "x")}}


async def test_a_removed_station_takes_along_what_was_kept_about_it(store):
    await store.commit((SaveStation(Station("CP1")), Keep("CP1", "report", "7", Report(7, "x"), NOON)), ())
    await store.commit((DropStation("CP1"),), ())
    assert await store.kept("CP1", "report") == {}

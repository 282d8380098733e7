"""Sessions of another system: what lines become, what they repeat, and that nothing is half done."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cms.contract.cdrs import ListUnpriced, RerateSessions
from cms.contract.drivers import AddDriver
from cms.contract.history import (
    HistoryPoint,
    HistoryRow,
    ImportedSessions,
    ImportSessions,
    ListSessionImports,
    RemoveSessionImport,
    ShowSessionImport,
)
from cms.contract.refusals import Conflict, Denied, Invalid, NotFound
from cms.contract.sessions import ListSamples, ListSessions, ShowSession
from cms.contract.tokens import AddToken
from cms.operations import drivers, history, rerating, sessions, tokens
from tests.operations.small import ANA, Small

BEGAN = datetime(2023, 5, 1, 8, 0, tzinfo=UTC)
ROW = HistoryRow(2, "CP1", BEGAN, BEGAN + timedelta(hours=2), 11_250, evse=1, connector=1, token="OLD1")
DIGEST = "ab" * 32


def rows(count: int) -> list[HistoryRow]:
    """An hour after each other."""
    return [
        replace(
            ROW,
            line=2 + n,
            started_at=BEGAN + timedelta(hours=3 * n),
            ended_at=ROW.ended_at + timedelta(hours=3 * n),
        )
        for n in range(count)
    ]


async def take(small: Small, *rows: HistoryRow, **more: Any) -> ImportedSessions:
    request = ImportSessions(rows, **{"file": "old.csv", "digest": DIGEST, **more})
    return await history.import_(small.core, request, ANA)


async def there(small: Small) -> list[Any]:
    return await sessions.list_(small.core, ListSessions(), ANA)


async def test_a_line_becomes_an_ended_session_that_says_that_it_was_imported(small: Small) -> None:
    told = await take(small, replace(ROW, cost=Decimal("4.90"), currency="EUR", source="T-77"))
    assert (told.done, told.id, told.new, told.energy_wh) == (True, "I1", 1, 11_250)
    await small.restart()
    seen = await sessions.show(small.core, ShowSession("I1-1"), ANA)
    assert (seen.status, seen.energy_wh, seen.started_at, seen.ended_at) == (
        "ended",
        11_250,
        ROW.started_at,
        ROW.ended_at,
    )
    assert (seen.station, seen.evse, seen.connector, seen.token) == ("CP1", 1, 1, "OLD1")
    assert (seen.flags, seen.ocpp_version) == (("imported",), None)
    assert seen.cost == {"amount": "4.90", "currency": "EUR"}


async def test_the_same_file_again_brings_nothing_and_says_of_each_line_which_session_it_is(
    small: Small,
) -> None:
    await take(small, *rows(3))
    before = await small.core.store.cursor()
    again = await take(small, *rows(3))
    assert (again.new, again.duplicates, again.id) == (0, 3, None)
    assert [(line.outcome, line.why) for line in again.lines] == [
        ("duplicate", f"session I1-{n}") for n in (1, 2, 3)
    ]
    assert (await small.core.store.cursor(), len(await there(small))) == (before, 3)


REPEATS = {
    "the same in the same second": (ROW, replace(ROW, started_at=BEGAN + timedelta(milliseconds=400)), 1),
    "another EVSE": (ROW, replace(ROW, evse=2), 0),
    "another second": (ROW, replace(ROW, started_at=BEGAN + timedelta(seconds=1)), 0),
    "another spelling of the station": (ROW, replace(ROW, station="cp1"), 1),
    "the same name at another time": (
        replace(ROW, source="T1"),
        replace(ROW, source="T1", started_at=BEGAN + timedelta(hours=1)),
        1,
    ),
    "another name at the same place and time": (replace(ROW, source="T1"), replace(ROW, source="T2"), 1),
    "another name where no EVSE tells them apart": (
        replace(ROW, source="T1", evse=None),
        replace(ROW, source="T@2", evse=None),
        0,
    ),
    "no name and no EVSE": (replace(ROW, evse=None), ROW, 1),
}


async def test_a_line_repeats_what_the_source_calls_the_same_or_began_there_in_the_same_second(
    small: Small,
) -> None:
    for n, (one, other, repeats) in enumerate(REPEATS.values()):
        # Each case a year after the one before, in which nothing is known yet.
        later = timedelta(days=-365 * n)
        first, second = (
            replace(
                row,
                started_at=row.started_at + later,
                ended_at=row.ended_at + later,
                source=row.source and f"{row.source}{n}",
            )
            for row in (one, other)
        )
        within = await take(small, first, replace(second, line=3), dry_run=True)
        assert (within.new, within.duplicates) == (2 - repeats, repeats)
        await take(small, first)
        assert (await take(small, second, digest="cd" * 32)).duplicates == repeats


async def test_a_repeat_with_another_energy_is_told_and_changes_nothing(small: Small) -> None:
    await take(small, ROW)
    told = await take(small, replace(ROW, energy_wh=9_000))
    assert told.lines[0].why == "session I1-1, which has 11250 Wh"
    assert (await there(small))[0].energy_wh == 11_250


async def test_parts_of_a_file_are_one_import_and_one_that_broke_off_goes_on(small: Small) -> None:
    await take(small, *rows(4)[:2], last=False)
    [begun] = await history.list_(small.core, ListSessionImports(), ANA)
    assert (begun.status, begun.sessions) == ("unfinished", 2)
    await small.restart()  # and the file is given again from its beginning
    assert (await take(small, *rows(4)[:2], last=False)).duplicates == 2
    told = await take(small, *rows(4)[2:])
    assert (told.id, told.new) == ("I1", 2)
    [whole] = await history.list_(small.core, ListSessionImports(), ANA)
    assert (whole.status, whole.sessions, whole.energy_wh) == ("complete", 4, 45_000)
    assert {seen.id for seen in await there(small)} == {"I1-1", "I1-2", "I1-3", "I1-4"}


BAD: dict[str, dict[str, Any]] = {
    "it ends before it begins": {"ended_at": BEGAN - timedelta(seconds=1)},
    "it lasts longer than a year": {"ended_at": BEGAN + timedelta(days=400)},
    "its energy is negative: -1 Wh": {"energy_wh": -1},
    "it begins in 1970": {
        "started_at": datetime(1970, 1, 1, tzinfo=UTC),
        "ended_at": datetime(1970, 1, 1, 1, tzinfo=UTC),
    },
    "its cost has no currency: three capital letters, e.g. EUR": {"cost": Decimal(1)},
    "NaN is no cost": {"cost": Decimal("NaN"), "currency": "EUR"},
    "EVSEs and connectors count from 1, not 0": {"evse": 0},
    "token is no name: 1 to 255 printable characters": {"token": "a\x1b[31m"},
    "there is no station CP9: --add-stations registers it": {"station": "CP9"},
    "no meter stands at -5 Wh": {"meter_stop_wh": -5},
    "its times name no time zone": {"started_at": BEGAN.replace(tzinfo=None)},
    "a value of its time series at 2023-05-01 08:00:00 is no number": {
        "points": (HistoryPoint(BEGAN, power_w=Decimal("Infinity")),)
    },
}


async def test_a_bad_line_is_told_with_its_reason(small: Small) -> None:
    lines = [replace(ROW, line=n, **change) for n, change in enumerate(BAD.values(), 2)]
    told = await take(small, *lines)
    assert [(line.line, line.outcome) for line in told.lines] == [(row.line, "bad") for row in lines]
    assert [line.why for line in told.lines] == list(BAD)


async def test_what_is_more_than_anything_charges_is_bad_and_so_is_the_future(small: Small) -> None:
    late = replace(ROW, ended_at=small.clock.now() + timedelta(hours=1), started_at=small.clock.now())
    told = await take(small, replace(ROW, energy_wh=11_250_000), late)
    assert [line.why.split(":")[0].split(" is ")[-1] for line in told.lines] == [
        "more than anything charges",
        "it ends in the future",
    ]


async def test_one_bad_line_keeps_its_part_out_unless_bad_lines_are_skipped(small: Small) -> None:
    lines = (ROW, replace(ROW, line=3, evse=2, energy_wh=-1))
    told = await take(small, *lines)
    assert (told.done, told.new, told.bad) == (False, 1, 1)
    assert await there(small) == []
    assert (await take(small, *lines, skip_bad=True)).done
    assert len(await there(small)) == 1


async def test_a_dry_run_tells_the_same_and_changes_nothing(small: Small) -> None:
    before = await small.core.store.cursor()
    told = await take(small, *rows(2), dry_run=True)
    assert (told.done, told.new) == (False, 2)
    assert (await small.core.store.cursor(), await there(small)) == (before, [])
    assert await history.list_(small.core, ListSessionImports(), ANA) == []


async def test_a_station_that_nobody_knows_is_registered_when_that_is_wanted_and_nobody_can_be_it(
    small: Small,
) -> None:
    enroller = replace(ANA, permissions=frozenset({"stations.enrol"}))
    request = ImportSessions((replace(ROW, station="OLD-7"),), "old.csv", DIGEST, add_stations=True)
    with pytest.raises(Denied):
        await history.import_(small.core, request, ANA)
    told = await history.import_(small.core, request, enroller)
    assert (told.stations, told.unknown[0].kind, told.unknown[0].name) == (("OLD-7",), "station", "OLD-7")
    await small.restart()
    station = small.core.lane("old-7").state.station
    assert (station.note, station.security_profile) == ("from old.csv", 1)
    assert station.password_digest is not None
    assert (await history.show(small.core, ShowSessionImport("i1"), ANA)).stations_added == ("OLD-7",)


async def test_whose_a_session_is_comes_from_its_token_or_from_a_driver_with_one_token(small: Small) -> None:
    await drivers.add(small.core, AddDriver("ada"), ANA)
    await tokens.add(small.core, AddToken("AdA-1", driver="ada"), ANA)
    told = await take(
        small,
        replace(ROW, token="ada-1"),
        replace(ROW, token=None, driver="ada", evse=2),
        replace(ROW, token=None, driver="ben", evse=3),
        replace(ROW, token="STRANGE", evse=4),
    )
    assert [seen.token for seen in sorted(await there(small), key=lambda seen: seen.evse)] == [
        "AdA-1",
        "AdA-1",
        "ben",
        "STRANGE",
    ]
    assert {(u.kind, u.name) for u in told.unknown} == {("driver", "ben"), ("token", "STRANGE")}


async def test_a_time_series_becomes_readings_of_its_session(small: Small) -> None:
    points = (
        HistoryPoint(BEGAN, energy_wh=Decimal(0), power_w=Decimal(7_400)),
        HistoryPoint(BEGAN + timedelta(hours=1), energy_wh=Decimal("7400.5")),
    )
    await take(small, replace(ROW, points=points, meter_start_wh=1_000))
    told = await sessions.samples(small.core, ListSamples("I1-1"), ANA)
    assert [(sample.measurand, sample.value, sample.unit) for sample in told] == [
        ("Energy.Active.Import.Register", "1000", "Wh"),
        ("Power.Active.Import", "7400", "W"),
        ("Energy.Active.Import.Register", "8400.5", "Wh"),
    ]


async def test_history_is_neither_unpriced_nor_rated_again(small: Small) -> None:
    await take(small, *rows(2))
    assert await rerating.list_unpriced(small.core, ListUnpriced(), ANA) == []
    with pytest.raises(Conflict, match="was imported"):
        await rerating.rerate(small.core, RerateSessions("late", ("I1-1",)), ANA)
    since = RerateSessions("late", since=BEGAN - timedelta(days=1))
    assert await rerating.rerate(small.core, since, ANA) == []


async def test_an_import_can_be_taken_back_with_its_readings_and_nothing_else(small: Small) -> None:
    points = (HistoryPoint(BEGAN, power_w=Decimal(7_400)),)
    await take(small, replace(ROW, points=points), *rows(3)[1:])
    await take(small, replace(ROW, evse=2), digest="cd" * 32)
    would = await history.remove(small.core, RemoveSessionImport("I1", dry_run=True), ANA)
    assert (would.removed, would.left, len(await there(small))) == (0, 3, 4)
    gone = await history.remove(small.core, RemoveSessionImport("I1"), ANA)
    assert (gone.removed, gone.left) == (3, 0)
    assert [seen.id for seen in await there(small)] == ["I2-1"]
    await small.restart()
    listed = await history.list_(small.core, ListSessionImports(), ANA)
    assert [(known.id, known.status, known.sessions) for known in listed] == [
        ("I2", "complete", 1),
        ("I1", "removed", 0),
    ]
    assert (await take(small, replace(ROW, points=points), digest="ef" * 32)).id == "I3"
    assert len(await sessions.samples(small.core, ListSamples("I3-1"), ANA)) == 1


async def test_a_long_import_is_taken_back_in_parts(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_REMOVED", 2)
    await take(small, *rows(5))
    lefts = [(await history.remove(small.core, RemoveSessionImport("I1"), ANA)).left for _ in range(3)]
    assert lefts == [3, 1, 0]
    assert await there(small) == []


async def test_what_is_no_part_of_a_file_is_refused(small: Small) -> None:
    with pytest.raises(Invalid, match="too many"):
        await take(small, *[ROW] * 2_001)
    with pytest.raises(Invalid, match="SHA-256"):
        await take(small, ROW, digest="x")
    with pytest.raises(Invalid, match="its name"):
        await take(small, ROW, file="a\nb")
    with pytest.raises(NotFound):
        await history.show(small.core, ShowSessionImport("I9"), ANA)

"""``cms import``: files as other systems write them, through the command and a daemon's operations."""

from __future__ import annotations

import csv
import importlib
import json
import os
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cms.api.app import create_app
from cms.api.metrics import Metrics
from cms.api.server import serve_api
from cms.client import Address, ask
from cms.contract.history import MOST_ROWS, ImportSessions
from cms.contract.refusals import Unreachable
from cms.contract.sessions import ListSamples, ListSessions
from cms.contract.stations import AddStation
from cms.contract.usage import ShowUsage
from cms.operations import OPERATIONS, sessions, stations, usage
from tests.cli.conftest import Cms
from tests.operations.conftest import empty_record
from tests.operations.small import ANA, Small

__all__ = ["empty_record"]

#: A file of the public ACN-Data set, where somebody has one: its sessions as JSON.
ACN = Path(os.environ.get("ACN_DATA", "/nowhere"))
SHEET = """Transaction;Charge point;Connector;Start time;End time;Energy (kWh);RFID;Total cost
T1;CP1;1;28.02.2024 08:00;28.02.2024 10:30;12,5;04AABB;4,90 €
T2;CP1;2;28.02.2024 09:00:30;28.02.2024 11:00;1.003,25;04CCDD;
"""
BERLIN = ("--time-zone", "Europe/Berlin")


@pytest.fixture
async def small(tmp_path: Path, empty_record: Path) -> AsyncIterator[Small]:
    shutil.copy(empty_record, tmp_path)
    system = await Small(tmp_path).open()
    await stations.add(system.core, AddStation("CP1"), ANA)
    yield system
    await system.close()


@pytest.fixture
async def address(small: Small, folder: Path) -> AsyncIterator[Address]:
    running = await serve_api(create_app(small.core, OPERATIONS, Metrics()), folder / "cms.sock", None)
    yield Address(socket=str(running.socket_path))
    await running.close()


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    file = tmp_path / "old.csv"
    file.write_text(SHEET.replace("1.003,25", "13,25"))
    return file


async def there(small: Small) -> list[Any]:
    found = await sessions.list_(small.core, ListSessions(limit=100_000), ANA)
    return sorted(found, key=lambda seen: seen.started_at)


async def test_a_sheet_comes_in_by_its_headings_and_nothing_twice(
    cms: Cms, small: Small, sheet: Path
) -> None:
    dry = await cms("import", "sessions", str(sheet), *BERLIN, "--dry-run", "-o", "json")
    assert (dry.code, dry.told["new"], dry.told["done"], await there(small)) == (0, 2, False, [])
    assert "energy=Energy (kWh)" in dry.err
    done = await cms("import", "sessions", str(sheet), *BERLIN, "-o", "json")
    assert (done.code, done.told["import"], done.told["energy_wh"]) == (0, "I1", 25_750)
    first, second = await there(small)
    assert (first.started_at, first.ended_at) == (
        datetime(2024, 2, 28, 7, 0, tzinfo=UTC),
        datetime(2024, 2, 28, 9, 30, tzinfo=UTC),
    )
    assert (first.evse, first.connector, first.token, first.energy_wh) == (1, 1, "04AABB", 12_500)
    assert first.cost == {"amount": "4.90", "currency": "EUR"}
    assert (second.evse, second.cost) == (2, None)
    again = await cms("import", "sessions", str(sheet), *BERLIN, "-o", "json")
    assert (again.told["new"], again.told["duplicates"], again.told["done"]) == (0, 2, False)
    listed = await cms("import", "list", "-o", "json")
    assert [(row["id"], row["sessions"], row["status"]) for row in listed.told] == [("I1", 2, "complete")]
    assert (
        await cms("import", "remove", "i1", "--dry-run")
    ).err == "cms: would remove 2 sessions of import I1\n"
    assert (await cms("import", "remove", "I1")).code == 2  # nobody is there to ask
    removed = await cms("import", "remove", "I1", "--yes", "-o", "json")
    assert (removed.told["removed"], await there(small)) == (2, [])


async def test_one_bad_line_refuses_the_file_and_is_told_with_its_line(
    cms: Cms, small: Small, sheet: Path, tmp_path: Path
) -> None:
    with sheet.open("a") as file:
        file.write("T3;CP1;1;=1+1;28.02.2024 11:00;5;;\n\nT4;CP1;1;28.02.2024 12:00;;5;;\n")
        file.write(
            "T5;CP9;1;28.02.2024 12:00;28.02.2024 13:00;5;;\nT6;\x1b[31m;1;28.02.2024 12:00;28.02.2024 13:00;5;;\n"
        )
        file.write("T7;CP1;1;28.02.2024 12:00;28.02.2024 13:00;5;;;more\n")
    bad = tmp_path / "bad.csv"
    told = await cms("import", "sessions", str(sheet), *BERLIN, "--bad", str(bad))
    assert (told.code, await there(small)) == (2, [])
    assert "\x1b" not in told.out + told.err
    for said in (
        "line 4: '=1+1' is no time",
        "line 6: it has no end",
        "line 7: there is no station CP9: --add-stations registers it",
        "line 9: it has more cells than the first line",
        "nothing was written",
    ):
        assert said in told.err
    with bad.open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [(line["line"], line["Transaction"]) for line in lines] == [
        ("4", "T3"), ("6", "T4"), ("7", "T5"), ("8", "T6"), ("9", "T7"),
    ]  # fmt: skip
    assert lines[0]["Start time"] == "'=1+1"
    skipped = await cms("import", "sessions", str(sheet), *BERLIN, "--skip-bad", "-o", "json")
    assert (skipped.code, skipped.told["new"], skipped.told["bad"]) == (0, 2, 5)


async def test_what_a_guess_would_decide_is_asked_for(cms: Cms, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"

    async def refused(text: str, *more: str) -> str:
        file.write_text(text)
        told = await cms("import", "sessions", str(file), *more)
        assert told.code == 2
        return told.err

    head = "station,start,end,{}\nCP1,2024-02-28 08:00,2024-02-28 10:00,{}\n"
    assert "--time-zone" in await refused(head.format("energy_wh", 5))
    assert "--unit" in await refused(head.format("energy", 5), *BERLIN)
    assert "--decimal" in await refused(head.format("kWh", '"6,146"'), *BERLIN)
    assert "like energy" in await refused(head.format("price", 5), *BERLIN)
    assert "no column 'Begin'" in await refused(head.format("kWh", 5), "--map", "started_at=Begin")
    assert "nothing that a session has" in await refused(head.format("kWh", 5), "--map", "colour=kWh")
    assert "day or month first" in await refused(
        "station,start,end,kWh\nCP1,3/4/2024 08:00,3/4/2024 10:00,5\n", *BERLIN
    )
    assert "twice" in await refused("kWh,kWh\n1,2\n")
    assert "is empty" in await refused("")
    assert "no CSV" in await refused('station,start,end,kWh\n"CP1,2024\n', *BERLIN)


async def test_a_mapping_file_says_it_once_for_all(cms: Cms, small: Small, tmp_path: Path) -> None:
    file, mapping = tmp_path / "x.csv", tmp_path / "map.yaml"
    file.write_text("Day|From|Took|Box|Wert\n28.02.24|08:00|1:30|Left|2500\n")
    mapping.write_text(
        "map: {station: '=CP1', started_at: Day+From, duration: Took, energy: Wert, evse: '=3'}\n"
        "unit: Wh\ntime_zone: UTC\ndelimiter: '|'\n"
    )
    told = await cms(
        "import", "sessions", str(file), "--mapping", str(mapping), "--map", "id=Box", "-o", "json"
    )
    assert (told.code, told.told["columns"]["id"]) == (0, "Box")
    [seen] = await there(small)
    assert (seen.evse, seen.energy_wh, seen.transaction_id) == (3, 2_500, "imported/Left")
    assert seen.ended_at - seen.started_at == timedelta(minutes=90)
    mapping.write_text("colour: red\n")
    assert (await cms("import", "sessions", str(file), "--mapping", str(mapping))).code == 2


async def test_our_own_list_of_sessions_comes_in_again(
    cms: Cms, small: Small, sheet: Path, tmp_path: Path
) -> None:
    await cms("import", "sessions", str(sheet), *BERLIN)
    for format_ in ("csv", "json", "jsonl"):
        listed = await cms("sessions", "list", "-o", format_)
        file = tmp_path / f"ours.{format_}"
        file.write_text(listed.out)
        told = await cms("import", "sessions", str(file), "-o", "json")
        assert (told.told["new"], told.told["duplicates"]) == (0, 2), format_
    await cms("import", "remove", "I1", "--yes")
    await cms("import", "sessions", "-", "-o", "json", stdin="")  # an empty stdin is refused
    assert (await cms("import", "sessions", str(tmp_path / "ours.json"))).code == 0
    assert [seen.energy_wh for seen in await there(small)] == [12_500, 13_250]


def acn(items: Iterable[dict[str, Any]]) -> str:
    return json.dumps({"_meta": {"site": "office001"}, "_items": list(items)}, indent=2)


def acn_item(n: int, **more: Any) -> dict[str, Any]:
    began = datetime(2019, 3, 25, 16, 0, 42, tzinfo=UTC) + timedelta(hours=5 * n)
    form = "%a, %d %b %Y %H:%M:%S GMT"
    return {
        "_id": f"5cd1d47af9af8b68f0e9{n:04}",
        "connectionTime": f"{began:{form}}",
        "disconnectTime": f"{began + timedelta(hours=4):{form}}",
        "doneChargingTime": f"{began + timedelta(hours=3):{form}}",
        "kWhDelivered": 6.146 + n / 1000,
        "sessionID": f"19_102_{n}",
        "stationID": f"19-102-260-{1633 + n % 3}",
        "timezone": "America/Los_Angeles",
        "userID": "000000123" if n % 2 else None,
        "userInputs": None,
        **more,
    }


async def test_acn_data_comes_in_with_its_time_series(cms: Cms, small: Small, tmp_path: Path) -> None:
    series = {
        "timestamps": ["Mon, 25 Mar 2019 16:10:00 GMT", "Mon, 25 Mar 2019 16:20:00 GMT"],
        "current": [15.5, 16],
    }
    late = "Mon, 25 Mar 2019 20:01:00 GMT"
    file = tmp_path / "acn.json"
    file.write_text(
        acn([acn_item(0, chargingCurrent=series, doneChargingTime=late), *map(acn_item, range(1, 5))])
    )
    told = await cms("import", "sessions", str(file), "--add-stations", "-o", "json")
    assert (told.code, told.told["new"], told.told["energy_wh"]) == (0, 5, 5 * 6146 + 10)
    assert {each["name"] for each in told.told["unknown"]} == {
        "000000123", "19-102-260-1633", "19-102-260-1634", "19-102-260-1635",
    }  # fmt: skip
    first = (await there(small))[0]
    samples = await sessions.samples(small.core, ListSamples(first.id), ANA)
    assert [(sample.measurand, sample.value, sample.at) for sample in samples] == [
        ("Energy.Active.Import.Register", "0", first.started_at),
        ("Current.Import", "15.5", datetime(2019, 3, 25, 16, 10, tzinfo=UTC)),
        ("Current.Import", "16", datetime(2019, 3, 25, 16, 20, tzinfo=UTC)),
        ("Energy.Active.Import.Register", "6146", first.ended_at),
    ]


async def test_a_file_of_several_parts_is_one_import_and_knows_repeats_over_all_of_it(
    cms: Cms, small: Small, tmp_path: Path
) -> None:
    count = MOST_ROWS + 50
    began = datetime(2023, 1, 1, tzinfo=UTC)
    rows = [f"T{n},CP1,1,{began + timedelta(hours=n):%Y-%m-%dT%H:%M:%SZ},0:30:00,{n}" for n in range(count)]
    file = tmp_path / "long.csv"
    file.write_text("\n".join(["id,station,evse,start,duration,energy_wh", *rows, rows[0], rows[7]]) + "\n")
    dry = await cms("import", "sessions", str(file), "--dry-run", "-o", "json")
    total = sum(range(count))
    assert (dry.told["new"], dry.told["duplicates"], dry.told["energy_wh"]) == (count, 2, total)
    assert [line["why"] for line in dry.told["lines"]] == ["line 2", "line 9"]
    done = await cms("import", "sessions", str(file), "-o", "json")
    assert (done.told["new"], done.told["duplicates"], done.told["energy_wh"]) == (count, 2, total)
    assert [row["sessions"] for row in (await cms("import", "list", "-o", "json")).told] == [count]


async def test_an_import_that_broke_off_says_what_stands_and_the_same_command_goes_on(
    cms: Cms, small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cms.contract.history.MOST_ROWS", 2)
    file = tmp_path / "acn.json"
    file.write_text(acn(map(acn_item, range(6))))
    command = importlib.import_module("cli.import")
    writes = Counter[str]()

    def lost(request: Any, *more: Any) -> Any:
        writes["asked"] += isinstance(request, ImportSessions) and not request.dry_run
        if writes["asked"] == 2:
            raise Unreachable("the line broke")
        return ask(request, *more)

    monkeypatch.setattr(command, "ask", lost)
    first = await cms("import", "sessions", str(file), "--add-stations")
    assert first.code == 7
    assert "2 sessions are written as import I1, the rest is not: the same command goes on" in first.err
    assert len(await there(small)) == 2
    monkeypatch.setattr(command, "ask", ask)
    second = await cms("import", "sessions", str(file), "--add-stations", "-o", "json")
    assert (second.told["import"], second.told["new"], second.told["duplicates"]) == ("I1", 4, 2)
    [whole] = (await cms("import", "list", "-o", "json")).told
    assert (whole["sessions"], whole["status"]) == (6, "complete")


def independent(items: list[dict[str, Any]]) -> tuple[int, int, Counter[str]]:
    """Sessions, Wh, and Wh by station, of the file alone."""
    by_station = Counter[str]()
    for item in items:
        by_station[item["stationID"]] += int((Decimal(str(item["kWhDelivered"])) * 1000).to_integral_value())
    return len(items), sum(by_station.values()), by_station


async def _totals_agree(cms: Cms, small: Small, file: Path) -> None:
    items = json.loads(file.read_text())["_items"]
    count, energy_wh, by_station = independent(items)
    told = await cms("import", "sessions", str(file), "--add-stations", "-o", "json")
    assert (told.told["new"], told.told["energy_wh"]) == (count, energy_wh)
    span = {"since": datetime(2018, 1, 1, tzinfo=UTC), "until": datetime(2022, 1, 1, tzinfo=UTC)}
    report = await usage.show(small.core, ShowUsage(by="station", **span), ANA)  # type: ignore[arg-type]
    assert (report.total.sessions, report.total.energy_wh) == (count, energy_wh)
    assert {row.key: row.usage.energy_wh for row in report.rows} == dict(by_station)
    months = await usage.show(small.core, ShowUsage(by="month", **span), ANA)  # type: ignore[arg-type]
    assert sum(row.usage.energy_wh for row in months.rows) == energy_wh
    await cms("import", "remove", "I1", "--yes")
    gone = await usage.show(small.core, ShowUsage(by="station", **span), ANA)  # type: ignore[arg-type]
    assert (gone.total.sessions, gone.total.energy_wh) == (0, 0)


async def test_usage_counts_what_an_independent_sum_of_the_file_says(
    cms: Cms, small: Small, tmp_path: Path
) -> None:
    file = tmp_path / "acn.json"
    file.write_text(acn(map(acn_item, range(60))))
    await _totals_agree(cms, small, file)


@pytest.mark.long
@pytest.mark.skipif(not ACN.exists(), reason="ACN_DATA names no file of the public ACN-Data set")
async def test_usage_of_a_real_office_equals_the_sum_of_its_file(cms: Cms, small: Small) -> None:
    await _totals_agree(cms, small, ACN)

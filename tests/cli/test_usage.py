"""Usage as a script and as a person asks for it: numbers in every format, and pictures."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli import plots
from cli.curves import measured, power_curve
from cms.api.app import create_app
from cms.api.metrics import Metrics
from cms.api.server import serve_api
from cms.client import Address
from cms.contract.stations import AddStation
from cms.operations import OPERATIONS, stations
from tests.cli.conftest import Cms
from tests.domain.build import after, start, stop
from tests.operations.small import ANA, Small
from tests.operations.test_cdrs import kwh, sell

#: A day with a session of 5 kWh, and nothing the day before.
SPAN = ("--since", "2026-05-04", "--until", "2026-05-05")


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[Small]:
    """CP1 charged 5 kWh for 2.98 EUR from 12:00 to 13:00; CP2 tried and delivered nothing."""
    system = await Small(tmp_path).open()
    await sell(system, kwh("T1", "0.50"))
    for name, meter_stop in (("CP1", 6000), ("CP2", 1000)):
        await stations.add(system.core, AddStation(name), ANA)
        system.clock.time = after(0)
        answer = await system.hear(name, start(meter=1000, at=after(0)), "1.6")
        system.clock.time = after(60)
        await system.hear(name, stop(answer.transaction_id, meter=meter_stop, at=after(60)), "1.6")
    yield system
    await system.close()


@pytest.fixture
async def address(small: Small, folder: Path) -> AsyncIterator[Address]:
    running = await serve_api(create_app(small.core, OPERATIONS, Metrics()), folder / "cms.sock", None)
    yield Address(socket=str(running.socket_path))
    await running.close()


WRONG = {
    ("--by", "colour"): (2, "not counted by 'colour'"),
    ("--measure", "enrgy"): (2, "did you mean energy?"),
    ("--last", "soon"): (2, "no length of time"),
    ("--site", "nowhere"): (4, "no site nowhere"),
    ("--plot", "-o", "json"): (2, "--plot draws for people"),
}


async def test_usage_is_shown_in_every_format_and_drawn_and_wrong_questions_are_refused(
    cms: Cms, small: Small
) -> None:
    said = await cms("usage", "show", "--by", "station", *SPAN)
    assert said.code == 0, said.err
    assert said.lines[0].split() == ["GROUP", "SESSIONS", "KWH", "REVENUE", "USED", "FAILED", "SUCCESS"]
    assert [line.split()[0] for line in said.lines[1:]] == ["CP1", "CP2", "total"]
    assert said.lines[-1].split()[1:3] == ["2", "5.0"]

    told = (await cms("usage", "show", "--by", "station", *SPAN, "-o", "json")).told
    assert (told["total"]["energy_wh"], told["total"]["success"]) == (5000, 0.5)
    assert told["total"]["revenue"] == [{"amount": "2.98", "currency": "EUR"}]

    sheet = await cms(
        "usage", "show", "--by", "station", "--measure", "energy,revenue", "--compare", *SPAN, "-o", "csv"
    )
    rows = list(csv.DictReader(io.StringIO(sheet.out)))
    assert [(row["key"], row["energy_wh"], row["revenue"], row["currency"]) for row in rows] == [
        ("CP1", "5000", "2.98", "EUR"),
        ("CP2", "0", "0.00", "EUR"),
    ]
    assert rows[0]["before_energy_wh"] == "0" and rows[0]["change_energy"] == ""
    assert (await cms("usage", "show", "--by", "station", *SPAN, "-o", "name")).out == "CP1\nCP2\n"
    compared = (await cms("usage", "show", *SPAN, "--compare", "--measure", "energy")).lines
    assert compared[0].split() == ["GROUP", "KWH", "BEFORE", "CHANGE"]

    for by, drawn in (("station", "CP1"), ("hour", "2026-05-04T00:00"), ("hour-of-week", "Mon ")):
        picture = await cms("usage", "show", "--by", by, "--measure", "energy", *SPAN, "--plot")
        assert picture.code == 0 and drawn in picture.out, by
        assert "5 kWh" in picture.lines[0] and "\x1b" not in picture.out

    (session,) = (await cms("sessions", "list", "--station", "CP1", "-o", "name")).out.split()
    shown = await cms("sessions", "show", session, "--plot")
    assert (shown.code, shown.lines[-1]) == (0, "no sample tells its power")
    assert (await cms("sessions", "show", session, "--plot", "-o", "json")).code == 2

    for words, (code, why) in WRONG.items():
        answer = await cms("usage", "show", *words)
        assert answer.code == code and why in answer.err, words


def sample(
    minute: int, value: str, phase: str | None = None, measurand: str = "Power.Active.Import"
) -> dict[str, object]:
    at = (datetime(2026, 5, 4, 12, tzinfo=UTC) + timedelta(minutes=minute)).isoformat()
    return {
        "at": at,
        "measurand": measurand,
        "value": value,
        "phase": phase,
        "location": "Outlet",
        "format": "Raw",
    }


def test_power_is_the_total_else_the_sum_of_its_phases_else_what_the_register_tells() -> None:
    told = [sample(0, "7000"), sample(5, "1000", "L1"), sample(5, "2000", "L2"), sample(9, "broken")]
    assert [watts for _, watts in measured(told, "Power.Active.Import")] == [7000, 3000]
    session = {"started_at": "2026-05-04T12:00:00Z", "ended_at": "2026-05-04T13:00:00Z"}
    rising = [sample(n, str(1000 * n), measurand="Energy.Active.Import.Register") for n in range(0, 60, 5)]
    assert "60 kW" in "\n".join(power_curve(session, rising, 60))
    assert power_curve(session, [], 60) == ["no sample tells its power"]


def test_pictures_fit_the_width_and_say_when_there_is_nothing() -> None:
    values = [float(n % 7) for n in range(90)]
    lines = plots.over_time(values, [f"d{n}" for n in range(90)], lambda value: f"{value:g}", 60)
    assert max(map(len, lines)) <= 60 and "d45" in lines[-1]
    named = [(f"CP-{n}\x1b[31m", float(n)) for n in range(60)]
    drawn = plots.bars(named, lambda value: f"{value:g} kWh", 50)
    assert max(map(len, drawn)) <= 50 and drawn[-1] == "and 10 more" and "\x1b" not in "".join(drawn)
    week = [(f"{day}-{hour}", float(day * hour)) for day in range(7) for hour in range(24)]
    assert len(plots.heat_map(week, str, 100)) == 9
    assert plots.bars([("a", 0.0)], str, 50) == plots.heat_map([], str, 50) == ["nothing in this span"]

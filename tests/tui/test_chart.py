"""Pictures of figures: exact small data, drawn exactly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cms.contract.events import Event
from tests.tui.fake import NOON, session
from tui.charts.heat import extremes, grid_of, heat_map, shade
from tui.charts.looks import shifted
from tui.charts.measures import MEASURES, Scale, change
from tui.charts.power import site_power
from tui.charts.sheets import power_sheet, sheet
from tui.charts.uptime import LEGEND, strip_of, uptime, uptime_strip
from tui.widgets.chart import power_curve, spread, steps_chart
from tui.widgets.paint import Line, width_of


def drawn(lines: list[Line]) -> list[str]:
    return ["".join(span if isinstance(span, str) else span[0] for span in line) for line in lines]


def link(hours_ago: float, kind: str, station: str = "CP-1") -> Event:
    return Event(
        f"{station}-{hours_ago}", NOON - timedelta(hours=hours_ago), f"station.{kind}", station, data={}
    )


DAY = (NOON - timedelta(hours=24), NOON)


def test_a_station_that_was_gone_for_six_hours_was_connected_three_quarters_of_the_day() -> None:
    told = uptime([link(12, "disconnected"), link(6, "connected")], *DAY, 8)
    assert told.cells == (1, 1, 1, 1, 0, 0, 1, 1)
    assert (told.share, told.breaks, told.known_s, told.connected_s) == (0.75, 1, 86_400, 64_800)


def test_a_strip_of_a_link_shows_what_is_full_partly_and_not_at_all() -> None:
    events = [link(20, "disconnected"), link(13, "connected"), link(30, "connected")]
    assert uptime_strip(events, *DAY, 6) == (("█", "good"), ("▁", "bad"), ("▄", "warn"), ("███", "good"))
    assert all(sign in LEGEND for sign in "█▄▁·")


def test_events_before_the_span_tell_how_it_began_and_a_short_break_is_no_trouble() -> None:
    assert uptime([link(30, "connected")], *DAY, 2).cells == (1, 1)
    short = [link(30, "connected"), link(3, "disconnected"), link(2.99, "connected")]
    assert strip_of(uptime(short, *DAY, 4)) == (("████", "good"),)


def test_nobody_knows_of_a_station_before_it_came_first_unless_the_record_was_cut() -> None:
    first = [link(6, "connected")]
    assert uptime(first, *DAY, 4).cells == (None, None, None, 1)
    cut = uptime(first, *DAY, 4, known_from=NOON - timedelta(hours=12))
    assert cut.cells == (None, None, 0, 1)
    assert (cut.share, cut.known_s) == (0.5, 12 * 3600)


def test_without_events_a_link_was_what_it_is_or_nobody_knows() -> None:
    assert uptime([], *DAY, 2, online=True).share == 1.0
    assert uptime([], *DAY, 2, online=False).share == 0.0
    assert uptime([], *DAY, 2).share is None
    assert uptime_strip([], *DAY, 3) == (("···", "dim"),)
    assert uptime_strip([], *DAY, 0) == ()


def test_a_site_draws_what_its_own_sessions_draw() -> None:
    sessions = {
        "a": session("a", "CP-1", started_at=NOON - timedelta(hours=2), power_w=7_000),
        "b": session("b", "CP-2", started_at=NOON - timedelta(hours=2), power_w=4_000),
        "c": session("c", "CP-3", started_at=NOON - timedelta(hours=2), power_w=50_000),
    }
    metered = [
        Event(
            f"{key}{ago}", NOON - timedelta(minutes=ago), "session.metered", station, key, data={"power_w": w}
        )
        for key, station, ago, w in (
            ("a", "CP-1", 9, 7_000),
            ("b", "CP-2", 5, 4_000),
            ("c", "CP-3", 5, 50_000),
        )
    ]
    assert site_power(metered, sessions, {"CP-1", "CP-2"})[-1][1] == 11_000


def test_the_curve_of_a_session_fills_its_place_from_the_first_sample_to_the_last() -> None:
    samples = [(NOON + timedelta(minutes=minute), 40_000) for minute in range(80)]
    rows = drawn(power_curve(samples, 70, 9))
    assert len(rows) == 9
    assert rows[0].startswith("40 kW┤")
    assert rows[3].count("█") > 50
    assert rows[-1].split() == ["11:55", "12:36", "13:18"]
    assert power_curve([], 40, 3)[0] == ((" no power has been reported yet", "dim"),)


def test_days_stand_beside_each_other_each_as_wide_as_the_others() -> None:
    assert spread([1.0, 2.0], 6) == [1, 1, 1, 2, 2, 2]
    rows = drawn(steps_chart([10.0, 20.0, 0.0], ["Mon", "Tue", "Wed"], "kWh", 60, 8))
    assert rows[0].startswith("20 kWh┤")
    assert rows[-1].split() == ["Mon", "Tue", "Wed"]
    assert drawn(steps_chart([1.0, 2.0], ["a", "b"], "kWh", 12, 1)) == [" ▄▄▄▄▄█████"]
    assert drawn(steps_chart([0.0, None], ["a", "b"], "kWh", 80, 3))[0] == " nothing in this span"
    assert steps_chart([1.0], ["a"], "", 0, 4) == []


@pytest.mark.parametrize(
    ("value", "sign"), [(None, " "), (0, " "), (1, "░"), (25, "░"), (26, "▒"), (75, "▓"), (100, "█")]
)
def test_the_more_the_darker(value: float | None, sign: str) -> None:
    assert shade(value, 100) == sign


def test_a_week_is_seven_lines_of_hours_with_its_most_and_least_in_words() -> None:
    week = grid_of([("0-13", 5.0), ("4-17", 20.0), *((f"6-{hour}", 10.0) for hour in range(24))])
    assert extremes(week) == ("Fri 17-18", "Mon 14 to Tue 14")
    rows = drawn(heat_map(week, 80, "{:.0f}".format, "kWh"))
    assert rows[0].split() == ["0", "3", "6", "9", "12", "15", "18", "21"]
    assert rows[1] == " Mon " + " " * 39 + "░░░" + " " * 30
    assert rows[7] == " Sun " + "▒" * 72
    assert rows[8] == " up to ░ 5  ▒ 10  ▓ 15  █ 20 kWh"
    assert all(width_of((row,)) <= 44 for row in drawn(heat_map(week, 44, "{:.0f}".format, "kWh")))


def test_a_week_without_anything_and_a_place_without_room_say_so() -> None:
    assert drawn(heat_map(grid_of([]), 80, str)) == [" nothing in this span"]
    assert drawn(heat_map(grid_of([("0-0", 1.0)]), 20, str)) == [" too narrow for a week"]


@pytest.mark.parametrize(
    ("now", "before", "share", "told"),
    [
        (106, 100, False, "+6 %"),
        (94, 100, False, "-6 %"),
        (100, 100, False, "="),
        (5, 0, False, "new"),
        (0, 0, False, "="),
        (None, 3, False, "·"),
        (0.973, 0.979, True, "-0.6 pp"),
    ],
)
def test_a_change_reads_as_people_say_it(now: float, before: float, share: bool, told: str) -> None:
    assert change(now, before, share=share) == told


def test_the_unit_grows_with_the_figures() -> None:
    energy = MEASURES["energy"]
    assert energy.scale([12_300, None]).told(12_300) == "12.3 kWh"
    assert energy.scale([36_000_000]).told(36_000_000) == "36.0 MWh"
    assert MEASURES["success"].scale([0.973]).told(0.973) == "97.3 %"
    assert MEASURES["revenue"].scale([12.5], "EUR").told(1234.5) == "1,234.50 EUR"
    assert Scale().told(None) == "·"


def test_cells_of_a_sheet_are_no_formula_and_instants_are_utc() -> None:
    assert sheet(("a", "b"), [("=1+1", None), (-3, NOON)]) == "a,b\n'=1+1,\n-3,2026-11-22T12:00:00Z\n"
    assert power_sheet([(NOON, 7_000)]) == "at,power_w\n2026-11-22T12:00:00Z,7000\n"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "\x1b]52;c;x\x1b\\", "\x00", ""])
def test_a_time_zone_that_this_machine_does_not_know_is_told_in_utc(zone: str) -> None:
    until = datetime(2026, 11, 22, tzinfo=UTC)
    assert shifted(until - timedelta(days=1), until, zone, 1) == (until, until + timedelta(days=1))


def test_names_below_a_picture_are_obeyed_by_nobody() -> None:
    lines = drawn(steps_chart([1.0, 2.0], ["\x1b]52;c;x\x1b\\", "\x1b["], "\x1b[2J", 60, 8))
    assert len(lines) == 8
    assert "\x1b" not in "".join(lines)

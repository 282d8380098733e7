"""Power over time: what the record says, what is kept, and how it is drawn."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cms.contract.events import Event
from tests.tui.fake import NOON, session
from tui.trend import POINTS_KEPT, SPAN, Trend, recalled
from tui.widgets.chart import power_chart, round_up, sampled
from tui.widgets.paint import width_of


def metered(minutes_ago: float, key: str, power_w: int | None) -> Event:
    at = NOON - timedelta(minutes=minutes_ago)
    return Event(f"{key}-{minutes_ago}", at, "session.metered", "CP-1", key, data={"power_w": power_w})


def at(minutes_ago: float) -> object:
    return NOON - timedelta(minutes=minutes_ago)


def test_the_record_tells_how_power_came_to_be_what_it_is() -> None:
    sessions = {
        "a": session("a", "CP-1", started_at=at(60), power_w=9_000),
        "b": session("b", "CP-2", started_at=at(8), power_w=4_000),
        "c": session("c", "CP-3", started_at=at(60), ended_at=at(2), power_w=None),
    }
    events = [metered(10, "a", 7_000), metered(1, "a", 9_000), metered(5, "c", 1_000), metered(4, "c", None)]
    assert recalled(events, sessions)[-1][1] == 13_000
    steps = dict(recalled(events, sessions))
    assert steps == {at(10): 8_000, at(8): 12_000, at(5): 12_000, at(2): 11_000, at(1): 13_000}


def test_without_a_record_there_is_no_past() -> None:
    assert recalled([], {"a": session("a", "CP-1")}) == []


def test_a_session_that_nobody_knows_any_more_ends_with_its_last_value() -> None:
    assert recalled([metered(5, "x", 500), metered(3, "x", 700)], {})[-1] == (at(3), 0)


def test_a_long_day_is_kept_in_coarser_steps() -> None:
    trend = Trend()
    for second in range(0, 26 * 3600, 7):
        trend.add(NOON + timedelta(seconds=second), second)
    assert len(trend.samples) <= POINTS_KEPT
    assert trend.samples[-1][1] >= 26 * 3600 - trend.step_s - 7
    assert trend.samples[-1][0] - trend.samples[0][0] > SPAN / 2


def test_the_past_is_not_rewritten() -> None:
    trend = Trend()
    trend.add(NOON, 100)
    trend.add(NOON - timedelta(minutes=1), 900)
    assert trend.samples == [(NOON, 100)]


@pytest.mark.parametrize(("value", "most"), [(0, 1), (7, 8), (1_000, 1_000), (167_600, 200_000), (94, 100)])
def test_the_scale_ends_in_a_round_number(value: int, most: int) -> None:
    assert round_up(value) == most


def test_a_step_has_the_power_at_its_end_and_none_before_the_first_sample() -> None:
    samples = [(NOON, 500), (NOON + timedelta(seconds=4), 700)]
    values, start, step_s = sampled(samples, NOON + timedelta(seconds=10), 20)
    assert (values, step_s) == ([0] * 9 + [500] * 4 + [700] * 7, 1)
    assert start == NOON - timedelta(seconds=10)


@pytest.mark.parametrize("size", [(118, 14), (60, 8), (41, 6), (40, 3), (10, 1), (1, 1), (200, 40)])
def test_a_picture_fits_its_place(size: tuple[int, int]) -> None:
    samples = [(NOON + timedelta(minutes=n), 1_000 * n) for n in range(90)]
    lines = power_chart(samples, NOON + timedelta(hours=2), *size)
    assert len(lines) == size[1]
    assert all(width_of(line) <= size[0] for line in lines)


def test_axes_tell_the_scale_and_the_time() -> None:
    lines = power_chart([(NOON, 167_600)], NOON + timedelta(minutes=30), 80, 10)
    text = "\n".join("".join(s if isinstance(s, str) else s[0] for s in line) for line in lines)
    assert "200 kW┤" in text
    assert "12:29" in text


def test_nothing_to_draw_is_said() -> None:
    assert power_chart([], NOON, 80, 10)[0] == ((" no power has been reported yet", "dim"),)

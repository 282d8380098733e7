"""Figures in short: bars, curves, ages and amounts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.tui.fake import NOON
from tui import words
from tui.widgets.sparkline import bar, resample, spark


def test_a_curve_is_scaled_to_its_peak() -> None:
    assert spark([1, 2, 3, 4, 5, 6, 7, 8]) == ["▁▂▃▄▅▆▇█"]
    assert spark([8, 4], rows=2) == ["█ ", "██"]
    assert spark([0, 0]) == ["▁▁"]
    assert spark([]) == [""]
    assert spark([1, 2, 7], spaced=True) == ["▁▂▇"]


def test_a_span_without_a_sample_keeps_the_value_before_it() -> None:
    samples = [(NOON + timedelta(minutes=m), watts) for m, watts in [(0, 10), (1, 20), (9, 90), (10, 100)]]
    assert resample(samples, 4) == [15, 15, 15, 95]
    assert resample(samples[:1], 10) == [10]
    assert resample([], 10) == []


def test_a_bar_shows_anything_above_nothing() -> None:
    assert bar(0, 10, 8) == ""
    assert bar(1, 10_000, 8) == "▏"
    assert bar(10, 10, 8) == "█" * 8


@pytest.mark.parametrize(
    ("minutes", "told"), [(0, "<1m"), (1, "1m"), (59, "59m"), (60, "1h"), (47 * 60, "47h"), (48 * 60, "2d")]
)
def test_ages_are_coarse(minutes: int, told: str) -> None:
    assert words.ago(NOON - timedelta(minutes=minutes), NOON) == told


def test_amounts_choose_a_unit_that_fits() -> None:
    assert (words.power(840), words.power(21_700), words.power(3_420_000)) == ("840 W", "21.7 kW", "3.42 MW")
    assert (words.energy(840), words.energy(11_400)) == ("840 Wh", "11.4 kWh")
    assert words.kilowatts(None) == "·"

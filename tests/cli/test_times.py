"""Durations and instants as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cli.times import duration_s, earlier, later
from cms.contract.refusals import Invalid


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("5m", 300), ("2h", 7200), ("1h30m", 5400), ("7d", 604_800), ("0.5h", 1800)],
)
def test_durations(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "2x", "-5m", "5m later"])
def test_what_is_no_duration_is_invalid(text: str) -> None:
    with pytest.raises(Invalid, match="not a duration"):
        duration_s(text)


def test_a_duration_is_an_instant_from_now_or_before() -> None:
    now = datetime.now(UTC)
    assert abs(later("2h") - now - timedelta(hours=2)) < timedelta(minutes=1)
    assert abs(now - earlier("2h") - timedelta(hours=2)) < timedelta(minutes=1)


def test_a_clock_time_is_the_next_one() -> None:
    assert timedelta() < later("00:00") - datetime.now(UTC) <= timedelta(days=1, hours=1)


def test_a_date_with_a_zone_is_itself() -> None:
    assert later("2026-11-22T13:30Z") == datetime(2026, 11, 22, 13, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["25:00", "tomorrowish"])
def test_what_is_no_time_is_invalid(text: str) -> None:
    with pytest.raises(Invalid, match="not a time"):
        later(text)

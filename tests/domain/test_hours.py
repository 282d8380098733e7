from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cms.contract.refusals import Invalid
from cms.contract.sites import Daily, Hours
from cms.domain.hours import check, open_at, read, read_span, told

BERLIN = ZoneInfo("Europe/Berlin")


def week(text: str) -> Hours:
    always, regular = read(text)
    return Hours(always, regular)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "told_again"),
    [
        ("24/7", "24/7"),
        ("mon-fri 06:00-22:00, sat 8-20", "mon-fri 06:00-22:00, sat 08:00-20:00"),
        ("Monday-Friday 6-22; SUN 10:00 - 18:00", "mon-fri 06:00-22:00, sun 10:00-18:00"),
        ("mon,tue,wed,thu,fri 8-12, mon-fri 13-17", "mon-fri 08:00-12:00, mon-fri 13:00-17:00"),
        ("sat-mon 00:00-24:00", "mon 00:00-24:00, sat-sun 00:00-24:00"),
        ("sun 22:00-06:00", "mon 00:00-06:00, sun 22:00-24:00"),
        ("fri 22:00-00:00", "fri 22:00-24:00"),
    ],
)
def test_hours_are_read_as_people_write_them_and_told_so_that_they_can_be_read(
    said: str, told_again: str
) -> None:
    assert told(week(said)) == told_again
    assert week(told_again) == week(said)


@pytest.mark.parametrize(
    "said", ["always", "mon", "mon 8", "mon 25-26", "mon 8-8", "moo 8-9", "mon 08:60-09:00", "24:00"]
)
def test_what_are_no_hours_is_refused(said: str) -> None:
    with pytest.raises(Invalid):
        read(said)


@pytest.mark.parametrize(
    ("when", "is_open"),
    [
        ("2026-03-27T05:59", True),  # Friday 06:59 in winter time
        ("2026-03-27T20:59", True),
        ("2026-03-27T21:00", False),
        ("2026-03-30T04:00", True),  # Monday 06:00 in summer time: the wall counts
        ("2026-03-30T03:59", False),
        ("2026-03-30T20:00", False),
        ("2026-03-28T12:00", False),  # Saturday
    ],
)
def test_hours_hold_on_the_wall_before_and_after_the_clocks_change(when: str, is_open: bool) -> None:
    hours = week("mon-fri 06:00-22:00")
    assert open_at(hours, BERLIN, at(when)) is is_open


def test_an_hour_that_the_clocks_skip_is_not_waited_for_and_one_that_comes_twice_is_open_twice() -> None:
    night = week("sun 02:00-03:00")
    assert not open_at(night, BERLIN, at("2026-03-29T00:59"))  # 01:59
    assert not open_at(night, BERLIN, at("2026-03-29T01:00"))  # 03:00, a second later
    assert open_at(night, BERLIN, at("2026-10-25T00:30"))  # 02:30 summer time
    assert open_at(night, BERLIN, at("2026-10-25T01:30"))  # 02:30 winter time
    assert not open_at(night, BERLIN, at("2026-10-25T02:00"))


def test_exceptions_override_the_week_and_a_closing_overrides_an_opening() -> None:
    christmas = read_span("2026-12-25", BERLIN)
    assert (christmas.begin, christmas.end) == (at("2026-12-24T23:00"), at("2026-12-25T23:00"))
    sunday = read_span("2026-12-06T10:00/2026-12-06T16:00", BERLIN)
    fair = Hours(False, read("mon-fri 8-18")[1], (sunday, christmas), (christmas,))
    assert open_at(fair, BERLIN, at("2026-12-06T09:30"))
    assert not open_at(fair, BERLIN, at("2026-12-06T15:00"))
    assert not open_at(fair, BERLIN, at("2026-12-25T12:00"))


def test_a_day_without_an_hour_is_a_whole_day() -> None:
    short = read_span("2026-03-29", BERLIN)
    assert (short.end - short.begin).total_seconds() == 23 * 3600


def test_a_time_with_a_zone_is_meant_in_it() -> None:
    assert read_span("2026-12-24T14:00Z/2026-12-24T16:00+01:00", BERLIN).end == at("2026-12-24T15:00")


@pytest.mark.parametrize("said", ["christmas", "2026-12-25/2026-12-24", "2026-13-01", ""])
def test_what_is_no_span_is_refused(said: str) -> None:
    with pytest.raises(Invalid):
        read_span(said, BERLIN)


def test_nothing_said_is_open_and_fields_are_held_to_what_people_may_write() -> None:
    assert open_at(None, BERLIN, at("2026-01-01T00:00"))
    for bad in (Daily(0, "08:00", "09:00"), Daily(1, "8:00", "09:00"), Daily(1, "09:00", "08:00")):
        with pytest.raises(Invalid):
            check(Hours(regular=(bad,)))

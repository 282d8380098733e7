"""A session is shared out among local hours so that the parts are the whole, whatever the clock on the wall does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cms.domain import measures
from cms.domain.measures import NOTHING, Counted, Standing
from cms.domain.sessions import Session

ZONES = (
    "UTC",
    "Europe/Berlin",
    "Asia/Kathmandu",
    "Australia/Adelaide",
    "Australia/Lord_Howe",
    "America/Havana",
)
BERLIN = ZoneInfo("Europe/Berlin")


def session(begins: datetime, hours: float, energy_wh: int = 0, **known: Any) -> Session:
    fields: dict[str, Any] = {
        "id": "s1",
        "station": "CP1",
        "ocpp_version": "1.6",
        "transaction_id": "1",
        "number": 1,
        "status": "ended",
        "started_at": begins,
        "started_received_at": begins,
        "ended_at": begins + timedelta(hours=hours),
        "energy_wh": energy_wh,
        "evse": 1,
        "connector": 1,
    }
    return Session(**(fields | known))


def counted(each: Session, zone: str = "UTC", readings: Any = (), **standing: Any) -> Counted:
    now = (each.ended_at or each.started_at) + timedelta(hours=1)
    return measures.count(each, Standing(zone=zone, **standing), readings, now)


def hour(year: int, month: int, day: int, clock: int, fold: int = 0) -> int:
    return (measures.number(datetime(year, month, day).date()) * 24 + clock) * 2 + fold


def test_energy_without_readings_is_shared_in_proportion_to_time() -> None:
    begins = datetime(2026, 5, 4, 22, 30, tzinfo=UTC)
    assert counted(session(begins, 2, 4000)).shares == (
        (hour(2026, 5, 4, 22), 1000, 1800, 1800),
        (hour(2026, 5, 4, 23), 2000, 3600, 3600),
        (hour(2026, 5, 5, 0), 1000, 1800, 1800),
    )


def test_energy_with_readings_lies_where_they_tell_it() -> None:
    begins = datetime(2026, 5, 4, 23, 0, tzinfo=UTC)
    readings = [
        (begins + timedelta(minutes=30), 13_000, None),
        (begins + timedelta(minutes=90), 13_000, None),
    ]
    each = session(begins, 2, 4000, meter_start_wh=10_000)
    assert counted(each, readings=readings).shares == (
        (hour(2026, 5, 4, 23), 3000, 3600, 1800),  # nothing flowed from half past eleven on
        (hour(2026, 5, 5, 0), 1000, 3600, 1800),
    )


def test_a_register_that_falls_and_one_that_tells_too_much_never_exceed_the_session() -> None:
    begins = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
    told = (11_000, 0, 500, 90_000)
    readings = [(begins + timedelta(minutes=20 * n), wh, None) for n, wh in enumerate(told, 1)]
    shares = counted(session(begins, 2, 4000, meter_start_wh=10_000), readings=readings).shares
    assert sum(share[1] for share in shares) == 4000 and all(share[1] >= 0 for share in shares)


def test_the_hour_that_comes_twice_in_autumn_is_two_hours() -> None:
    begins = datetime(2026, 10, 25, 1, 30, tzinfo=BERLIN)
    each = counted(session(begins.astimezone(UTC), 3, 3000), "Europe/Berlin")
    assert [share[0] for share in each.shares] == [
        hour(2026, 10, 25, 1),
        hour(2026, 10, 25, 2),
        hour(2026, 10, 25, 2, fold=1),
        hour(2026, 10, 25, 3),
    ]
    assert sum(share[2] for share in each.shares) == 3 * 3600


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-05-04", 24)])
def test_a_day_has_as_many_hours_as_its_zone_gives_it(day: str, hours: int) -> None:
    begins = datetime.fromisoformat(day).replace(tzinfo=BERLIN)
    ends = (begins + timedelta(days=1)).astimezone(UTC)
    found = list(measures.pieces(begins.astimezone(UTC), ends, BERLIN))
    assert len(found) == hours == len({label for label, _, _ in found})


def test_where_clocks_are_put_by_half_an_hour_no_second_is_lost() -> None:
    where = ZoneInfo("Australia/Lord_Howe")
    since = datetime(2026, 4, 4, 10, tzinfo=UTC)
    found = list(measures.pieces(since, since + timedelta(hours=8), where))
    assert sum((end - begin for _, begin, end in found), timedelta()) == timedelta(hours=8)
    assert all(end <= begin + timedelta(hours=1) for _, begin, end in found)
    assert all(measures.hour_of(end - timedelta(microseconds=1), where) == label for label, _, end in found)


def test_midnight_of_a_zone_of_three_quarters_of_an_hour_divides_its_days() -> None:
    begins = datetime(2026, 5, 4, 18, 0, tzinfo=UTC)  # 23:45 in Kathmandu
    each = counted(session(begins, 0.5, 1000), "Asia/Kathmandu")
    assert [
        (measures.day_of(share[0]) - measures.number(datetime(2026, 5, 4).date()), share[1])
        for share in each.shares
    ] == [
        (0, 500),
        (1, 500),
    ]


def test_a_session_that_delivered_nothing_is_a_failed_start_once_it_is_over() -> None:
    begins = datetime(2026, 5, 4, 10, tzinfo=UTC)
    over = counted(session(begins, 1))
    waits = counted(session(begins, 1, status="pending", ended_at=None))
    assert (over.starts, over.failed) == (1, 1)
    assert (waits.starts, waits.failed) == (0, 0)


def test_a_session_of_months_counts_when_it_ended_and_occupied_nothing() -> None:
    begins = datetime(1970, 1, 1, tzinfo=UTC)
    each = counted(session(begins, 24 * 365 * 56, 7000))
    assert [share[1:] for share in each.shares] == [(7000, 0, 0)]
    assert set(measures.by_hour(each)) == {each.shares[0][0]}


def test_money_without_a_bill_is_none_and_is_said_to_be() -> None:
    begins = datetime(2026, 5, 4, 10, tzinfo=UTC)
    assert counted(session(begins, 1, 10)).unpriced == 1
    assert counted(session(begins, 1, 10), billed=(0, "EUR")).unpriced == 0
    assert counted(session(begins, 1, 10, status="charging", ended_at=None)).unpriced == 0


MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))


@given(MOMENTS, st.floats(0, 100), st.integers(0, 10**6), st.sampled_from(ZONES), st.data())
@settings(max_examples=60, deadline=None)
def test_the_parts_of_a_session_are_the_whole(
    begins: datetime, hours: float, energy_wh: int, zone: str, data: st.DataObject
) -> None:
    each = session(begins, hours, energy_wh, meter_start_wh=0)
    offsets = data.draw(st.lists(st.floats(0, 1), max_size=6))
    readings = [
        (begins + timedelta(hours=hours * part), data.draw(st.integers(0, 10**6)), None)
        for part in sorted(offsets)
    ]
    shares = counted(each, zone, readings).shares
    connected_s = int((each.ended_at - begins) / timedelta(seconds=1)) if each.ended_at else 0
    assert sum(share[1] for share in shares) == energy_wh
    assert sum(share[2] for share in shares) == connected_s
    assert all(0 <= share[3] <= share[2] + 1 and share[1] >= 0 for share in shares)
    assert len({share[0] for share in shares}) == len(shares)


@given(st.permutations(range(4)))
@settings(max_examples=24, deadline=None)
def test_sums_do_not_depend_on_the_order_in_which_sessions_are_counted(order: list[int]) -> None:
    begins = datetime(2026, 3, 28, 22, tzinfo=UTC)
    all_ = [
        counted(
            session(begins + timedelta(hours=7 * n), 5, 1000 * n, id=f"s{n}"),
            "Europe/Berlin",
            site=f"x{n % 2}",
        )
        for n in range(4)
    ]
    sums: dict[measures.Cell, measures.Sums] = {}
    for n in order:
        for cell, change in measures.difference([], [all_[n]]).items():
            sums[cell] = measures.plus(sums.get(cell, NOTHING), change)
    assert sums == measures.difference([], all_)
    assert measures.difference(all_, all_) == {}

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms.contract.access import PERIODS, Budget, Rule, Where
from cms.contract.tariffs import Money
from cms.domain.access import Facts, Rules
from cms.domain.usage import Ledger, Spent, left, period, used_up

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ANA = Facts("card", "ana", ("fleet",), "cp1", "garage", 1)


def budget(kind: str = "group", subject: str = "fleet", **more: Any) -> Rule:
    where, zone = more.pop("where", None), more.pop("time_zone", None)
    more.setdefault("period", "day")
    return Rule("b", "budget", kind, subject, where=where, budget=Budget(**more), time_zone=zone)


def spent(session: str, wh: int = 0, at: datetime = NOON, **more: Any) -> Spent:
    known: dict[str, Any] = {
        "token": "card",
        "driver": "ana",
        "groups": ("fleet",),
        "station": "cp1",
        "ended": True,
    }
    more = known | more
    return Spent(session, began_at=at, energy_wh=wh, **more)


def ledger(rule: Rule, *sessions: Spent) -> Ledger:
    return Ledger(Rules((rule,)), sessions)


def test_a_group_shares_its_budget() -> None:
    rule = budget(energy_wh=10_000)
    book = ledger(rule, spent("1", 4000), spent("2", 5000, token="other", driver="bob"))
    assert book.used(rule, ANA, NOON).energy_wh == 9000
    assert used_up(rule, book.used(rule, ANA, NOON)) is None
    book.put(spent("3", 1000))
    assert used_up(rule, book.used(rule, ANA, NOON)) == "the budget of 10 kWh a day is used up"


def test_each_has_a_budget_for_himself_and_all_his_cards_count() -> None:
    rule = budget("everyone", "", energy_wh=10_000, each=True)
    book = ledger(rule, spent("1", 4000), spent("2", 3000, token="second"), spent("3", 9000, driver="bob"))
    assert book.used(rule, ANA, NOON).energy_wh == 7000
    lone = Facts("lone")
    book.put(spent("4", 500, token="lone", driver=None, groups=()))
    assert book.used(rule, lone, NOON).energy_wh == 500


def test_a_session_counted_again_is_counted_once() -> None:
    rule = budget(energy_wh=10_000, sessions=3)
    book = ledger(rule)
    for wh in (0, 1000, 5000, 4000):
        book.put(spent("1", wh, ended=wh == 4000))
    used = book.used(rule, ANA, NOON)
    assert (used.energy_wh, used.sessions, used.running) == (4000, 1, 0)
    book.drop("1")
    assert book.used(rule, ANA, NOON).sessions == 0


def test_only_what_was_charged_at_its_places_counts() -> None:
    rule = budget(energy_wh=10_000, where=Where(stations=("CP1",)))
    book = ledger(rule, spent("1", 4000), spent("2", 5000, station="cp2"))
    assert book.used(rule, ANA, NOON).energy_wh == 4000


def test_only_money_of_its_own_currency_counts() -> None:
    rule = budget(cost=Money(Decimal(10), "EUR"))
    book = ledger(
        rule,
        spent("1", cost=Decimal("4.50"), currency="EUR"),
        spent("2", cost=Decimal(90), currency="SEK"),
        spent("3"),
    )
    assert book.used(rule, ANA, NOON).cost == Decimal("4.50")
    assert left(rule, book.used(rule, ANA, NOON)).cost == Money(Decimal("5.50"), "EUR")


def test_a_running_session_is_not_one_session_too_many() -> None:
    rule = budget(sessions=1)
    used = ledger(rule, spent("1", ended=False)).used(rule, ANA, NOON)
    assert used_up(rule, used) == "the budget of 1 sessions a day is used up"
    assert used_up(rule, used, running=True) is None


def test_a_session_belongs_to_the_period_in_which_it_began() -> None:
    rule = budget(energy_wh=10_000, time_zone="Europe/Berlin")
    late = datetime(2026, 11, 23, 22, 59, tzinfo=UTC)  # 23:59 in Berlin
    book = ledger(rule, spent("1", 9000, late))
    assert book.used(rule, ANA, late).energy_wh == 9000
    assert book.used(rule, ANA, late + timedelta(minutes=1)).energy_wh == 0


@pytest.mark.parametrize(
    ("span", "zone", "at", "since", "until"),
    [
        ("day", "UTC", "2026-11-23T12:00", "2026-11-23T00:00", "2026-11-24T00:00"),
        ("day", "Europe/Berlin", "2026-11-23T23:30", "2026-11-23T23:00", "2026-11-24T23:00"),
        # The day on which the clocks change has 25 hours, or 23.
        ("day", "Europe/Berlin", "2026-10-25T12:00", "2026-10-24T22:00", "2026-10-25T23:00"),
        ("day", "Europe/Berlin", "2026-03-29T12:00", "2026-03-28T23:00", "2026-03-29T22:00"),
        # Midnight is skipped: the day begins at 01:00.
        ("day", "Asia/Beirut", "2026-03-29T12:00", "2026-03-28T22:00", "2026-03-29T21:00"),
        # Midnight is there twice: the day begins with the first.
        ("day", "America/Havana", "2026-11-01T12:00", "2026-11-01T04:00", "2026-11-02T05:00"),
        ("week", "UTC", "2026-11-22T23:59", "2026-11-16T00:00", "2026-11-23T00:00"),
        ("month", "UTC", "2026-12-31T23:59", "2026-12-01T00:00", "2027-01-01T00:00"),
        ("month", "Europe/Berlin", "2026-12-31T23:59", "2026-12-31T23:00", "2027-01-31T23:00"),
    ],
)
def test_periods_are_those_of_the_calendar_on_the_wall(
    span: str, zone: str, at: str, since: str, until: str
) -> None:
    def utc(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)

    rule = budget(period=span, sessions=1, time_zone=zone)
    assert period(rule, utc(at))[1:] == (utc(since), utc(until))


ZONES = ["UTC", "Europe/Berlin", "America/St_Johns", "America/Havana", "Asia/Beirut", "Australia/Lord_Howe"]
INSTANTS = st.datetimes(datetime(1985, 1, 1), datetime(2040, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))


@given(st.sampled_from(PERIODS), st.sampled_from(ZONES), INSTANTS)
def test_every_instant_lies_in_its_period_and_periods_follow_each_other(
    span: str, zone: str, at: datetime
) -> None:
    rule = budget(period=span, sessions=1, time_zone=zone)
    first, since, until = period(rule, at)
    assert since <= at < until
    assert period(rule, until)[1] == until
    assert period(rule, since) == (first, since, until)
    assert since.astimezone(ZoneInfo(zone)).date() >= first


@given(
    st.lists(
        st.tuples(
            st.integers(0, 5),
            st.integers(0, 10_000),
            st.sampled_from(["card", "other"]),
            st.booleans(),
            st.integers(0, 96),
        ),
        max_size=30,
    )
)
def test_the_sums_are_those_of_what_was_said_last_of_each_session(
    told: list[tuple[int, int, str, bool, int]],
) -> None:
    rule = budget(energy_wh=1)
    book, last = ledger(rule), dict[str, Spent]()
    for number, wh, token, ended, hours in told:
        one = spent(str(number), wh, NOON + timedelta(hours=hours), token=token, ended=ended)
        book.put(one)
        last[one.session] = one
    for day in range(5):
        at = NOON + timedelta(days=day)
        since, until = period(rule, at)[1:]
        today = [one for one in last.values() if since <= one.began_at < until]
        used = book.used(rule, ANA, at)
        assert used.energy_wh == sum(one.energy_wh for one in today)
        assert (used.sessions, used.running) == (len(today), sum(not one.ended for one in today))

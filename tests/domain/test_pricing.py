"""``price(facts, tariffs)``: exact, indifferent to how a session was told of, and right in the nights of two hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cms.contract.tariffs import Bound, Component, Price, Tariff, Tax, When
from cms.domain import accounts, costs
from cms.domain.accounts import Account, News
from cms.domain.evolve import evolve
from cms.domain.meters import REGISTER
from cms.domain.observations import Reading, Sample
from cms.domain.pricing import Facts, Reached, calculated, price
from cms.domain.sessions import Session, SessionStatus
from tests.benchmarks.oracle import objections
from tests.domain import chance
from tests.domain.build import NOON, after

D = Decimal
#: The clocks of Berlin went forward at 01:00 UTC, and back at 01:00 UTC.
SPRING, AUTUMN = datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)


def of(*prices: Price, taxes: tuple[Tax, ...] = ()) -> Component:
    return Component(prices, taxes)


def each(amount: str, **when: Any) -> Price:
    return Price(D(amount), When(**when) if when else None)


def even(since: datetime, hours: float, wh: int, **more: Any) -> Facts:
    """A session that charges evenly."""
    return Facts(since, since + timedelta(hours=hours), wh, (), ((since, True),), **more)


@given(st.integers(0, 10**9))
@settings(max_examples=150, deadline=None)
def test_bills_agree_with_a_second_opinion_to_the_coin_also_with_more_readings(seed: int) -> None:
    assert list(objections(seed, split=True)) == []


NIGHT = Tariff("N", "EUR", energy=of(each("0.10", from_time="22:00", to_time="06:00"), each("0.40")))
SMALL_HOURS = Tariff("S", "EUR", charging_time=of(each("1", from_time="02:00", to_time="03:00"), each("0")))


@pytest.mark.parametrize(("night", "minutes"), [(SPRING, 0), (AUTUMN, 120), (SPRING + timedelta(days=9), 60)])
def test_the_hour_that_comes_never_or_twice_is_paid_as_the_clock_on_the_wall_shows(
    night: datetime, minutes: int
) -> None:
    bill = price(even(night - timedelta(hours=2), 8, 8000, zone="Europe/Berlin"), SMALL_HOURS)
    assert bill.gross == minutes


@pytest.mark.parametrize(("night", "hours"), [(SPRING, 7), (AUTUMN, 9)])
def test_a_night_is_an_hour_shorter_or_longer_when_the_clocks_change(night: datetime, hours: int) -> None:
    """From 18:00 to 10:00 by the clock on the wall, a kWh an hour."""
    begins = night.replace(hour=0) - timedelta(days=1) + timedelta(hours=17 if night == SPRING else 16)
    bill = price(even(begins, 16 + (hours - 8), 1000 * (16 + hours - 8), zone="Europe/Berlin"), NIGHT)
    by_price = {line.price: D(0) for line in bill.lines}
    for line in bill.lines:
        by_price[line.price] += line.quantity
    assert by_price == {D("0.10"): hours, D("0.40"): 8}


def test_the_zone_of_the_site_precedes_that_of_the_tariff() -> None:
    berlin = replace(NIGHT, time_zone="America/New_York")
    at_night = datetime(2026, 7, 1, 0, tzinfo=UTC)
    assert price(even(at_night, 1, 1000, zone="Europe/Berlin"), berlin).gross == D("0.10")
    assert price(even(at_night, 1, 1000), berlin).gross == D("0.40")


def test_from_a_time_of_day_without_another_one_ends_at_midnight() -> None:
    evening = Tariff("E", "EUR", energy=of(each("1", from_time="23:00"), each("2")))
    bill = price(even(datetime(2026, 7, 1, 22, tzinfo=UTC), 3, 3000), evening)
    assert [(line.quantity, line.price) for line in bill.lines] == [(D(1), D(2)), (D(1), D(1)), (D(1), D(2))]


def test_lines_say_from_when_to_when_a_price_held() -> None:
    bill = price(even(datetime(2026, 7, 1, 21, 30, tzinfo=UTC), 1, 1000), NIGHT)
    ten = datetime(2026, 7, 1, 22, tzinfo=UTC)
    assert [(line.since, line.until) for line in bill.lines] == [
        (ten - timedelta(minutes=30), ten),
        (ten, ten + timedelta(minutes=30)),
    ]


def test_what_is_paused_and_goes_on_at_the_same_price_is_one_line() -> None:
    facts = Facts(
        NOON,
        after(60),
        2000,
        (Reached(after(20), 1000), Reached(after(40), 1000)),
        ((NOON, True), (after(20), False), (after(40), True)),
    )
    timed = Tariff("T", "EUR", energy=of(each("0.30")), charging_time=of(each("0.05")))
    lines = price(facts, timed).lines
    assert [(line.what, line.quantity, line.since, line.until) for line in lines] == [
        ("energy", D(2), NOON, after(60)),
        ("charging-time", D(40), NOON, after(60)),
    ]


def test_gross_prices_are_paid_as_they_are_written_and_the_net_follows() -> None:
    vat = (Tax("VAT", D(19)),)
    shop = Tariff("G", "EUR", energy=of(each("0.49"), taxes=vat), tax_included=True)
    bill = price(even(NOON, 1, 10_000), shop)
    assert (bill.gross, bill.net, bill.vat[0].vat) == (D("4.90"), D("4.12"), D("0.78"))
    assert calculated(even(NOON, 1, 10_000), shop).excl_tax == Fraction(490, 119)


def test_a_price_may_have_taxes_of_its_own() -> None:
    mixed = Tariff(
        "M",
        "EUR",
        energy=Component(
            (Price(D(1), When(max_energy_wh=D(1000)), taxes=()), Price(D(1))), (Tax("VAT", D(20)),)
        ),
    )
    bill = price(even(NOON, 1, 2000), mixed)
    assert [(part.percent, part.gross) for part in bill.vat] == [(D(0), D("1.00")), (D(20), D("1.20"))]


@pytest.mark.parametrize(
    ("bounds", "kind", "gross", "rates"),
    [
        # A bound that says its taxes is the whole price.
        ({"max_cost": Bound(D("2.00"), D("2.20"))}, "maximum", "2.20", {D(10): D("2.20"), D(20): D("0.00")}),
        # Else each rate keeps its share: 3.60 of 5.80 with 20 %.
        ({"max_cost": Bound(incl_tax=D("2.90"))}, "maximum", "2.90", {D(10): D("1.10"), D(20): D("1.80")}),
        ({"min_cost": Bound(incl_tax=D("11.60"))}, "minimum", "11.60", {D(10): D("4.40"), D(20): D("7.20")}),
    ],
)
def test_a_bound_is_taxed_as_it_says_or_as_what_it_bounds(
    bounds: dict[str, Any], kind: str, gross: str, rates: dict[Decimal, Decimal]
) -> None:
    energy = of(each("1"), taxes=(Tax("VAT", D(10)),))
    fee = of(each("3"), taxes=(Tax("VAT", D(20)),))
    bill = price(even(NOON, 1, 2000), Tariff("B", "EUR", energy=energy, fixed_fee=fee, **bounds))
    assert (bill.kind, bill.gross) == (kind, D(gross))
    assert {part.percent: part.gross for part in bill.vat} == rates
    assert sum(line.gross for line in bill.lines) == bill.gross


@given(
    st.lists(st.tuples(st.integers(-500, 500), st.sampled_from(["0", "7", "19"])), max_size=5),
    st.integers(1, 9999),
)
@settings(max_examples=80, deadline=None)
def test_lines_sum_to_the_total_whatever_their_signs(parts: list[tuple[int, str]], wh: int) -> None:
    """Credits and free prices too: each price holds for a part of the session."""
    prices = tuple(
        Price(D(amount) / 1000, When(max_energy_wh=D(wh * (place + 1)) / 7), (Tax("VAT", D(percent)),))
        for place, (amount, percent) in enumerate(parts)
    )
    bill = price(even(NOON, 1, wh), Tariff("L", "EUR", energy=Component((*prices, Price(D("0.3333"))))))
    assert sum(line.gross for line in bill.lines) == bill.gross
    assert sum(line.net for line in bill.lines) == bill.net
    assert sum(part.vat for part in bill.vat) == bill.gross - bill.net
    assert all(line.net + line.vat == line.gross for line in bill.lines)
    for part in bill.vat:
        assert abs(part.net * (1 + part.percent / 100) - part.gross) <= D("0.006")


WAITING = Tariff(
    "W",
    "EUR",
    energy=of(each("0.20", to_time="12:30"), each("0.50")),
    idle_time=of(each("0.10", min_idle_s=600)),
)


def told(
    messages: Sequence[tuple[float, str | None, int | None]], end: float, wh: int
) -> tuple[Account, Session]:
    """A session as its messages tell it: minutes, a charging state, a register."""
    session = Session("s", "CP1", "1.6", "1", 1, SessionStatus.CHARGING, NOON, NOON, register_wh=0)
    tariffs = {"W": WAITING}
    account = accounts.opened(session, ((NOON, "W"),), costs.begin(NOON, WAITING))
    for minutes, state, register in messages:
        readings: tuple[Reading, ...] = ()
        if register is not None:
            session = evolve(session, energy_wh=register, register_wh=register)
            readings = (Reading(after(minutes), (Sample(REGISTER, D(register), "Wh"),)),)
        if state is not None:
            session = evolve(
                session, status=SessionStatus.CHARGING if state == "Charging" else SessionStatus.SUSPENDED
            )
        account = accounts.follow(account, session, News(after(minutes), readings, state), tariffs)
        account = accounts.valued(account, session, tariffs)
    session = evolve(session, energy_wh=wh, register_wh=wh, status=SessionStatus.ENDED, ended_at=after(end))
    account = accounts.follow(account, session, News(after(end)), tariffs)
    return accounts.valued(evolve(account, final=True), session, tariffs), session


def test_states_with_readings_and_without_make_the_same_bill() -> None:
    """1.6 tells of a car that waits in a StatusNotification, 2.x in a TransactionEvent with a reading."""
    apart = [
        (20.0, None, 4000),
        (25.0, "SuspendedEV", None),
        (50.0, "Charging", None),
        (55.0, None, 4000 + 3500),
    ]
    with_readings = [
        (20.0, None, 4000),
        (25.0, "SuspendedEV", 4500),
        (50.0, "Charging", 7000),
        (55.0, None, 7500),
    ]
    bills = []
    for messages in (apart, with_readings):
        account, session = told(messages, 60, 8000)
        bills.append(accounts.bill(account, session, {"W": WAITING}))
        again = accounts.recounted(
            account,
            session,
            [Reading(after(m), (Sample(REGISTER, D(wh), "Wh"),)) for m, _, wh in messages if wh is not None],
            {"W": WAITING},
        )
        assert accounts.bill(again, session, {"W": WAITING}) == bills[-1]
    assert bills[0] == bills[1]
    assert bills[0] is not None
    # 5 kWh until 12:30, 3 kWh after; 15 of 25 idle minutes.
    assert bills[0].gross == D("0.20") * 5 + D("0.50") * 3 + D("1.50")


def test_idle_time_runs_along_without_readings() -> None:
    session = Session("s", "CP1", "1.6", "1", 1, SessionStatus.SUSPENDED, NOON, NOON, register_wh=0)
    account = accounts.opened(session, ((NOON, "W"),), costs.begin(NOON, WAITING))
    for minutes, total in ((5, "0.00"), (30, "2.00"), (60, "5.00")):
        account = accounts.follow(account, session, News(after(minutes)), {"W": WAITING})
        account = accounts.valued(account, session, {"W": WAITING})
        assert account.total == D(total)


def test_a_session_that_flaps_for_ever_keeps_a_bounded_account_and_the_same_cost() -> None:
    flapping = Tariff("F", "EUR", energy=of(each("0.50", min_power_w=D(1000)), each("0.20")))
    timeline, known = [(NOON, "F")], {"F": flapping}
    progress = costs.begin(NOON, flapping)
    energy_wh, due = 0, D(0)
    for minute in range(1, 1001):
        fast = minute % 2 == 0
        energy_wh += 100 if fast else 10
        due += D(100 if fast else 10) * D("0.50" if fast else "0.20") / 1000
        progress = costs.advance(progress, costs.Stretch(after(minute), energy_wh, True), timeline, known)
    assert len(progress.volumes) == 200
    total = costs.total(progress, timeline, known)
    assert total is not None
    assert total.incl_tax == due
    together = costs.summed(costs.loaded(progress), timeline, known, apart=False)
    assert together is not None
    assert together.incl_tax == due
    assert len(together.lines) == 2


def test_a_tariff_that_changes_in_between_prices_what_comes_after() -> None:
    one, other = Tariff("A", "EUR", energy=of(each("0.10"))), Tariff("B", "EUR", energy=of(each("0.50")))
    bill = price(even(NOON, 1, 3000), [(NOON, one), (after(20), other)])
    assert [(line.tariff, line.quantity) for line in bill.lines] == [("A", D(1)), ("B", D(2))]


def test_what_ends_as_it_begins_is_billed_all_the_same() -> None:
    plain = Tariff("P", "EUR", energy=of(each("1")), fixed_fee=of(each("2")))
    assert price(Facts(NOON, NOON, 1500), plain).gross == D("3.50")
    assert price(Facts(NOON, after(-5), 0), plain).gross == D("2.00")


@pytest.mark.parametrize("seed", range(5))
def test_pricing_piece_by_piece_is_pricing_at_once(seed: int) -> None:
    dice = Random(seed)
    tariff, facts = chance.tariff(dice), chance.facts(dice)
    timeline, known = [(facts.since, "T")], {"T": tariff}
    progress = costs.begin(facts.since, tariff, facts.evse_kind, facts.zone)
    at, before = facts.since, Fraction(0)
    whole = Facts(
        facts.since, facts.until, facts.energy_wh, (), ((facts.since, True),), facts.evse_kind, facts.zone
    )
    for part in range(1, 8):
        at = facts.since + (facts.until - facts.since) * part / 7 if part < 7 else facts.until
        share = Fraction(
            (at - facts.since) // timedelta(microseconds=1),
            (facts.until - facts.since) // timedelta(microseconds=1),
        )
        before = share * Fraction(facts.energy_wh)
        progress = costs.advance(progress, costs.Stretch(at, before, True), timeline, known)
    total = costs.total(progress, timeline, known)
    assert total is not None
    assert total.incl_tax == calculated(whole, tariff).incl_tax

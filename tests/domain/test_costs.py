from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from cms.contract.tariffs import Bound, Component, Price, Tariff, Tax, When
from cms.domain import costs
from cms.domain.costs import Stretch

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)  # a Monday
D = Decimal


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def each(amount: str, **when: object) -> Price:
    return Price(D(amount), When(**when) if when else None)  # type: ignore[arg-type]


def per_kwh(*prices: Price, tax: str | None = None) -> Component:
    return Component(prices, (Tax("VAT", D(tax)),) if tax else ())


def tariff(id: str = "T1", currency: str = "EUR", **parts: object) -> Tariff:
    return Tariff(id, currency, **parts)  # type: ignore[arg-type]


def bill(priced: Tariff, *stretches: tuple[float, int, bool], since: datetime = NOON) -> costs.Total:
    steps = [Stretch(since + timedelta(minutes=m), D(wh), charging) for m, wh, charging in stretches]
    timeline, known = [(since, priced.id)], {priced.id: priced}
    progress = costs.recount(since, steps, timeline, known)
    found = costs.total(progress, timeline, known)
    assert found is not None
    return found


def test_energy_is_exact_and_rounded_once_at_the_end() -> None:
    simple = tariff(energy=per_kwh(each("0.25")))
    assert bill(simple, (60, 5000, True)).payable == D("1.25")
    # Three thirds of a cent each: nothing is lost between the stretches.
    assert bill(simple, (1, 13, True), (2, 26, True), (3, 40, True)).payable == D("0.01")


def test_taxes_of_a_higher_stack_are_levied_on_the_lower_ones() -> None:
    taxed = tariff(energy=Component((each("1"),), (Tax("federal", D(10)), Tax("city", D(10), stack=1))))
    assert bill(taxed, (60, 100_000, True)).payable == D("121.00")


def test_charging_and_idle_time_have_their_own_prices() -> None:
    timed = tariff(charging_time=per_kwh(each("0.10")), idle_time=per_kwh(each("0.20")))
    total = bill(timed, (30, 5000, True), (45, 5000, False))
    assert [(line.what, line.quantity) for line in total.lines] == [
        ("charging-time", Fraction(30)),
        ("idle-time", Fraction(15)),
    ]
    assert total.payable == D("6.00")


def test_a_fixed_fee_is_due_once_and_at_the_start() -> None:
    assert bill(tariff(fixed_fee=per_kwh(each("1.50"))), (1, 0, False), (2, 10, True)).payable == D("1.50")


def test_a_stretch_over_the_end_of_a_cheap_hour_is_cut_there() -> None:
    night = tariff(energy=per_kwh(each("0.10", to_time="12:30"), each("0.40")))
    total = bill(night, (60, 6000, True))
    assert [line.quantity for line in total.lines] == [D(3), D(3)]
    assert total.payable == D("1.50")


def test_times_of_day_are_those_of_the_tariffs_time_zone() -> None:
    berlin = tariff(energy=per_kwh(each("0.10", from_time="14:00"), each("0.40")), time_zone="Europe/Berlin")
    assert bill(berlin, (60, 1000, True)).payable == D("0.10")  # noon in UTC is 14:00 there


def test_a_time_span_may_run_over_midnight() -> None:
    late = tariff(energy=per_kwh(each("0.10", from_time="22:00", to_time="06:00"), each("0.40")))
    evening = datetime(2026, 5, 4, 21, 0, tzinfo=UTC)
    assert bill(late, (120, 2000, True), since=evening).payable == D("0.50")


def test_days_begin_at_local_midnight() -> None:
    tuesday = tariff(energy=per_kwh(each("0", days=("Tuesday",)), each("1")))
    monday_night = datetime(2026, 5, 4, 23, 0, tzinfo=UTC)
    assert bill(tuesday, (120, 2000, True), since=monday_night).payable == D("1.00")


def test_energy_beyond_a_threshold_has_the_next_price() -> None:
    stepped = tariff(energy=per_kwh(each("0.50", max_energy_wh=D(10_000)), each("0.25")))
    assert bill(stepped, (60, 30_000, True)).payable == D("10.00")


def test_idle_minutes_may_be_free_at_first() -> None:
    grace = tariff(idle_time=per_kwh(each("0", max_idle_s=600), each("0.10")))
    assert bill(grace, (30, 5000, True), (60, 5000, False)).payable == D("2.00")


def test_the_average_power_of_a_stretch_chooses_its_price() -> None:
    fast = tariff(energy=per_kwh(each("0.60", min_power_w=D(50_000)), each("0.30")))
    assert bill(fast, (60, 60_000, True), (120, 70_000, True)).payable == D("39.00")


def test_a_price_that_only_a_station_can_judge_is_passed_over() -> None:
    current = tariff(energy=per_kwh(each("9", min_current_a=D(16)), each("0.25")))
    assert bill(current, (60, 4000, True)).payable == D("1.00")


@pytest.mark.parametrize(
    ("bounds", "kind", "payable"),
    [
        ({"min_cost": Bound(incl_tax=D(3))}, "minimum", D("3.00")),
        ({"max_cost": Bound(excl_tax=D(1), taxes=(Tax("VAT", D(20)),))}, "maximum", D("1.20")),
        ({"min_cost": Bound(incl_tax=D(1)), "max_cost": Bound(incl_tax=D(5))}, "normal", D("2.50")),
    ],
)
def test_a_session_costs_no_less_and_no_more_than_its_bounds(
    bounds: dict[str, Any], kind: str, payable: Decimal
) -> None:
    total = bill(tariff("T1", energy=per_kwh(each("0.25")), **bounds), (60, 10_000, True))
    assert (total.kind, total.payable) == (kind, payable)
    assert sum(line.incl_tax for line in total.lines) == total.incl_tax


def test_another_tariff_from_an_instant_on_cuts_the_stretch() -> None:
    one, other = tariff("A", energy=per_kwh(each("0.10"))), tariff("B", energy=per_kwh(each("0.50")))
    timeline, known = [(NOON, "A"), (after(30), "B")], {"A": one, "B": other}
    progress = costs.recount(NOON, [Stretch(after(60), D(2000), True)], timeline, known)
    total = costs.total(progress, timeline, known)
    assert total is not None
    assert [(line.tariff, line.quantity) for line in total.lines] == [("A", Fraction(1)), ("B", Fraction(1))]
    assert total.payable == D("0.60")


def test_counting_piece_by_piece_is_counting_at_once() -> None:
    mixed = tariff(
        energy=per_kwh(each("0.10", to_time="12:20"), each("0.40", max_energy_wh=D(7000)), each("0.7")),
        idle_time=per_kwh(each("0.1", min_idle_s=300)),
    )
    pieces = [(m, 150 * m, True) for m in range(1, 61)]
    assert bill(mixed, *pieces).payable == bill(mixed, (60, 9000, True)).payable


def test_what_lies_before_what_was_counted_adds_nothing() -> None:
    simple = tariff(energy=per_kwh(each("1")))
    assert bill(simple, (60, 5000, True), (30, 6000, True), (61, 4000, True)).payable == D("5.00")


@pytest.mark.parametrize(("currency", "shown"), [("EUR", "0.13"), ("JPY", "0"), ("KWD", "0.125")])
def test_the_smallest_coin_is_the_currencys(currency: str, shown: str) -> None:
    assert str(costs.rounded(D("0.125"), currency)) == shown


def test_a_clock_that_jumps_by_years_costs_no_time() -> None:
    daily = tariff(energy=per_kwh(each("1", days=("Monday",)), each("2")))
    assert bill(daily, (60 * 24 * 365 * 50, 1000, True)).payable in (D("1.00"), D("2.00"))

"""T22: money is rounded once, last and half up: what is due is what exact rational arithmetic says, to the coin."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor

from hypothesis import example, given, settings
from hypothesis import strategies as st

from cms.contract.tariffs import Component, Price, Tariff, Tax
from cms.domain import costs
from cms.domain.costs import Stretch
from tests.domain.build import NOON

D = Decimal
AMOUNTS = st.decimals("0", "100", places=4)
TAXES = st.lists(st.sampled_from([D("19"), D("20"), D("7.7"), D("8.1"), D("5.5")]), max_size=2)
#: Seconds until the end of each stretch, its Wh, whether the car was charging.
STRETCHES = st.lists(
    st.tuples(st.integers(1, 20_000), st.integers(0, 90_000), st.booleans()), min_size=1, max_size=8
)


def priced(per_kwh: Decimal, per_minute: Decimal, fee: Decimal, taxes: Sequence[Decimal]) -> Tariff:
    levied = tuple(Tax(f"T{nth}", percent, stack=nth) for nth, percent in enumerate(taxes))
    energy, time, fixed = (Component((Price(amount),), levied) for amount in (per_kwh, per_minute, fee))
    return Tariff("T", "EUR", energy=energy, charging_time=time, idle_time=time, fixed_fee=fixed)


def bill(tariff: Tariff, stretches: Sequence[tuple[int, int, bool]]) -> costs.Total:
    at, energy_wh, steps = NOON, D(0), []
    for seconds, wh, charging in stretches:
        at, energy_wh = at + timedelta(seconds=seconds), energy_wh + wh
        steps.append(Stretch(at, energy_wh, charging))
    timeline, known = [(NOON, "T")], {"T": tariff}
    found = costs.total(costs.recount(NOON, steps, timeline, known), timeline, known)
    assert found is not None
    return found


def exactly(
    amounts: tuple[Decimal, Decimal, Decimal],
    taxes: Sequence[Decimal],
    stretches: Sequence[tuple[int, int, bool]],
) -> Fraction:
    per_kwh, per_minute, fee = map(Fraction, amounts)
    due = fee + sum(Fraction(wh, 1000) * per_kwh + Fraction(s, 60) * per_minute for s, wh, _ in stretches)
    for percent in taxes:
        due *= 1 + Fraction(percent) / 100
    return due


def half_up(due: Fraction) -> Decimal:
    return D(floor(due * 100 + Fraction(1, 2))) / 100


@given(st.tuples(AMOUNTS, AMOUNTS, AMOUNTS), TAXES, STRETCHES)
@settings(max_examples=50, deadline=None)
# Halves of a cent that thirds of a minute lead to; 28 digits alone make less than a half of them.
@example((D(0), D("0.33"), D(0)), [], [(170, 0, True)])
@example((D(0), D("1.142"), D(0)), [D(20)], [(125, 0, True)])
@example((D("0.005"), D(0), D(0)), [], [(60, 1000, True)])
@example((D(100), D(100), D(100)), [D(19), D("7.7")], [(20_000, 90_000, False)] * 8)
def test_what_is_due_is_what_exact_arithmetic_says(
    amounts: tuple[Decimal, Decimal, Decimal], taxes: list[Decimal], stretches: list[tuple[int, int, bool]]
) -> None:
    found = bill(priced(*amounts, taxes), stretches)
    assert found.payable == half_up(exactly(amounts, taxes, stretches))


@given(st.tuples(AMOUNTS, AMOUNTS, AMOUNTS), TAXES, STRETCHES)
@settings(max_examples=20, deadline=None)
def test_the_lines_add_up_in_any_order_and_a_credit_undoes_the_bill(
    amounts: tuple[Decimal, Decimal, Decimal], taxes: list[Decimal], stretches: list[tuple[int, int, bool]]
) -> None:
    found = bill(priced(*amounts, taxes), stretches)
    for lines in (found.lines, found.lines[::-1]):
        added = Fraction(sum(line.incl_tax for line in lines))
        assert costs.rounded(added, "EUR") == found.payable
    credit = bill(priced(-amounts[0], -amounts[1], -amounts[2], taxes), stretches)
    assert credit.incl_tax == -found.incl_tax
    assert costs.rounded(credit.incl_tax, "EUR") + found.payable == 0


def test_a_currency_without_hundredths_has_none() -> None:
    assert costs.rounded(D("1250.5"), "JPY") == D(1251)
    assert costs.rounded(D("1.0005"), "KWD") == D("1.001")

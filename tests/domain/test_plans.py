"""What a month of a plan comes to: its parts sum to the whole, and nothing is given back that was not charged."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms.contract.refusals import Invalid
from cms.domain import billing, plans
from cms.domain.evolve import evolve
from cms.domain.organisations import KIND, OWN, Organisation
from cms.domain.plans import Energy, Offer, Part, Plan, PlanStep, Subscription, cover, due, parts

D = Decimal
THEN = datetime(2026, 1, 1, tzinfo=UTC)
NOVEMBER = (date(2026, 11, 1), date(2026, 12, 1))


def plan(id: str = "flat", fee: str = "30.00", since: date = date(2026, 1, 1), wh: int = 0) -> Plan:
    return Plan(id, id.title(), D(fee), "EUR", D(19), wh, valid_from=since)


def offers(*versions: Plan) -> dict[str, Offer]:
    names = dict.fromkeys(version.id for version in versions)
    return {name: Offer(name, tuple(v for v in versions if v.id == name)) for name in names}


def subscribed(*steps: tuple[date, str | None]) -> Subscription:
    return Subscription("ana", tuple(PlanStep(day, name, THEN, "ben") for day, name in steps))


def day(number: int) -> date:
    return date(2026, 11, number)


@st.composite
def cut_months(draw: st.DrawFn) -> tuple[Plan, list[Part], tuple[date, date]]:
    """A month that one plan fills in parts: left and joined again the same day, under the same prices."""
    first = date(draw(st.integers(2024, 2030)), draw(st.integers(1, 12)), 1)
    month = plans.month_of(first)
    cuts = draw(st.lists(st.integers(1, (month[1] - month[0]).days - 1), unique=True))
    days = sorted({*month, *(first + timedelta(days=cut) for cut in cuts)})
    one = plan(fee=str(draw(st.decimals(0, 500, places=2))), wh=draw(st.integers(0, 1_000_000)))
    return one, [Part(one, since, until) for since, until in pairwise(days)], month


@given(cut_months())
def test_the_parts_of_a_month_come_to_its_fee_and_its_energy(cut: tuple[Plan, list[Part], object]) -> None:
    one, found, _ = cut
    assert sum(part.fee for part in found) == one.fee * 100
    assert sum(part.included_wh for part in found) == one.included_wh
    assert all(part.fee >= 0 and part.included_wh >= 0 for part in found)


@given(st.integers(0, 10**6), st.integers(28, 31), st.data())
def test_what_is_due_grows_by_the_day_and_is_never_a_coin_off(
    whole: int, of: int, data: st.DataObject
) -> None:
    days = data.draw(st.integers(0, of - 1))
    assert due(whole, 0, of) == 0
    assert due(whole, of, of) == whole
    assert due(whole, days, of) <= due(whole, days + 1, of)
    assert abs(D(whole) * days / of - due(whole, days, of)) <= D("0.5")


def test_a_plan_from_the_middle_of_a_month_costs_its_share_of_it() -> None:
    [part] = parts(subscribed((day(16), "flat")), offers(plan()), NOVEMBER)
    assert (part.fee, part.month) == (1500, "2026-11")
    assert plans.fee_source("ana", part) == "fee/ana/flat/2026-11"


def test_a_change_cuts_the_month_and_days_without_a_plan_cost_nothing() -> None:
    known = subscribed((day(1), "flat"), (day(11), "more"), (day(21), None), (day(26), "flat"))
    found = parts(known, offers(plan(), plan("more", "60.00")), NOVEMBER)
    assert [(part.plan.id, part.fee, part.number) for part in found] == [
        ("flat", 1000, 1),
        ("more", 2000, 1),
        ("flat", 500, 2),
    ]
    assert plans.fee_source("ana", found[2]) == "fee/ana/flat/2026-11/2"


def test_a_new_version_holds_for_members_from_its_day() -> None:
    versions = offers(plan(), plan(fee="60.00", since=day(16)))
    found = parts(subscribed((date(2026, 3, 1), "flat")), versions, NOVEMBER)
    assert [(part.since.day, part.fee) for part in found] == [(1, 1500), (16, 3000)]


def test_a_month_without_a_change_is_one_part() -> None:
    known = subscribed((date(2026, 3, 1), "flat"), (day(10), "flat"))
    assert [part.fee for part in parts(known, offers(plan()), NOVEMBER)] == [3000]
    assert parts(subscribed((date(2026, 12, 1), "flat")), offers(plan()), NOVEMBER) == []


_LINES = st.lists(
    st.builds(
        Energy,
        st.sampled_from(["S1", "S2", "S3"]),
        st.decimals(-10, 50_000, places=3),
        st.integers(-100, 5_000),
        st.integers(-100, 5_000),
    ),
    max_size=12,
)


@given(_LINES, st.integers(0, 200_000))
def test_what_is_included_is_never_negative_and_never_more_than_was_charged(
    lines: list[Energy], included_wh: int
) -> None:
    found = cover(lines, D(included_wh))
    assert sum(one.wh for one in found) <= included_wh
    for one in found:
        assert 0 < one.wh <= lines[one.line].wh
        assert 0 < one.gross <= lines[one.line].gross
    for session in {line.session for line in lines}:
        given_back = sum(one.gross for one in found if lines[one.line].session == session)
        room = next(line.room for line in lines if line.session == session)
        assert given_back <= max(room, 0)
    assert [one.line for one in found] == sorted({one.line for one in found})


def test_energy_is_covered_in_order_until_nothing_is_left() -> None:
    lines = [Energy("S1", D(6000), 300, 300), Energy("S2", D(8000), 400, 450), Energy("S3", D(1000), 50, 50)]
    first, second = cover(lines, D(10_000))
    assert (first.line, first.wh, first.gross) == (0, D(6000), 300)
    assert (second.line, second.wh, second.gross) == (1, D(4000), 200)


def test_who_leaves_stays_for_term_and_notice() -> None:
    bound = plans.months_later(date(2026, 1, 31), 1)
    assert bound == date(2026, 2, 28)
    assert plans.months_later(date(2026, 12, 15), 12) == date(2027, 12, 15)
    noticed = evolve(plan(), notice_days=14)
    assert plans.free_from(bound, noticed, date(2026, 2, 1)) == date(2026, 2, 28)
    assert plans.free_from(bound, noticed, date(2026, 2, 20)) == date(2026, 3, 6)
    assert plans.free_from(None, plan(), date(2026, 2, 20)) == date(2026, 2, 21)


def test_the_plan_of_an_instant_is_that_of_the_organisations_day() -> None:
    kept: billing.Kept = {
        KIND: {OWN: Organisation("o", time_zone="Europe/Berlin")},
        plans.SUBSCRIPTION: {"ana": subscribed((day(16), "flat"), (day(20), None))},
    }
    assert billing.plan_of(kept, "ana", datetime(2026, 11, 15, 22, 59, tzinfo=UTC)) is None
    assert billing.plan_of(kept, "ana", datetime(2026, 11, 15, 23, 0, tzinfo=UTC)) == "flat"
    assert billing.plan_of(kept, "ana", datetime(2026, 11, 19, 23, 0, tzinfo=UTC)) is None
    assert billing.plan_of(kept, "ben", THEN) is None
    assert billing.plan_of({}, None, THEN) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "A b"},
        {"name": ""},
        {"name": "a\x1b"},
        {"fee": D("9.999")},
        {"fee": D(-1)},
        {"fee": D("NaN")},
        {"currency": "eur"},
        {"vat_percent": D(101)},
        {"vat_percent": D("1E-999999")},
        {"valid_from": date.max},
        {"included_wh": -1},
        {"term_months": 121},
        {"notice_days": 367},
    ],
)
def test_a_plan_that_cannot_be_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        plans.check(evolve(plan(), **fields))
    plans.check(plan())

"""Charges: what an intention comes to by what the provider has, and what the ledger learns of it once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cms.domain import charges
from cms.domain.charges import ASKING, STATUSES, Charge, Disputed, Found, Refunded
from cms.domain.evolve import evolve

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
PAYMENT = "pi_1"


def a_charge(status: str, **known: Any) -> Charge:
    charge = Charge("c1", "ad-hoc", status, 5000, "EUR", "payment/R", NOW, NOW, provider_ref=PAYMENT)
    return evolve(charge, **{"step": 1, "attempts": 1, **known})


def found(status: str, **known: Any) -> Found:
    return evolve(Found(PAYMENT, status), **known)


@pytest.mark.parametrize(
    ("doing", "there", "becomes"),
    [
        ("authorizing", "unconfirmed", None),
        ("authorizing", "held", "authorized"),
        ("authorizing", "action-needed", "action-needed"),
        ("authorizing", "declined", "declined"),
        ("authorizing", "canceled", "canceled"),
        ("authorizing", "processing", "authorizing"),
        ("taking", "unconfirmed", None),
        ("taking", "taken", "captured"),
        ("taking", "declined", "waiting"),
        ("taking", "action-needed", "unpaid"),
        ("taking", "held", "failed"),
        ("capturing", "held", None),
        ("capturing", "taken", "captured"),
        ("capturing", "canceled", "expired"),
        ("voiding", "held", None),
        ("voiding", "action-needed", None),
        ("voiding", "canceled", "canceled"),
        ("voiding", "taken", "captured"),
        ("refunding", "taken", None),
    ],
)
def test_what_an_intention_comes_to(doing: str, there: str, becomes: str | None) -> None:
    after = charges.concluded(a_charge(doing, wanted=700), found(there), NOW)
    assert (after.status if after else None) == becomes


def test_a_refund_is_done_when_the_provider_has_one_with_our_key() -> None:
    charge = a_charge("refunding", captured=700, wanted=200, reason="plug")
    others = (Refunded("re_1", 100),)
    assert charges.concluded(charge, found("taken", taken=700, refunds=others), NOW) is None
    mine = (*others, Refunded("re_2", 200, charge.key))
    seen = found("taken", taken=700, refunds=mine)
    after = charges.concluded(charge, seen, NOW)
    assert after is not None and (after.status, after.refunded) == ("captured", 300)
    made = charges.entries(charge, after, seen, NOW)
    assert [(entry.debit, entry.credit, entry.amount, entry.reason) for entry in made] == [
        ("payment/R", "provider/stripe", 100, "refunded at the provider"),
        ("payment/R", "provider/stripe", 200, "plug"),
    ]


_STATES = st.sampled_from(
    ["unconfirmed", "action-needed", "processing", "held", "taken", "canceled", "declined"]
)


@example("authorizing", ["held", "action-needed"])
@given(st.sampled_from(sorted(ASKING)), st.lists(_STATES, max_size=6))
def test_whatever_is_looked_up_however_often_money_is_entered_once(doing: str, seen: list[str]) -> None:
    charge, entered, keys = a_charge(doing, wanted=700), 0, list[str]()
    for state in seen:
        there = found(state, taken=700 if state == "taken" else 0)
        asking = charge.status in ASKING
        after = charges.concluded(charge, there, NOW) if asking else charges.noticed(charge, there, NOW)
        if after is None:
            continue
        assert after.status == charge.status or after.status in STATUSES[charge.status]
        made = charges.entries(charge, after, there, NOW)
        entered += sum(entry.amount for entry in made)
        keys += [entry.key for entry in made]
        charge = after
    assert entered == charge.captured - charge.refunded
    assert len(keys) == len(set(keys))


def test_each_intention_has_a_key_of_its_own_and_keeps_it_while_nobody_answers() -> None:
    asked = charges.asked(a_charge("authorized"), "capturing", NOW, wanted=700)
    silent = charges.unanswered(asked, "silence", NOW)
    assert asked.key != a_charge("authorized").key
    assert silent.key == asked.key
    assert silent.next == NOW + timedelta(seconds=5)


def test_the_end_of_a_dispute_books_its_beginning_where_nobody_told_of_it() -> None:
    lost = Disputed("dp_1", PAYMENT, 700, "EUR", "lost", "fraudulent")
    begun = charges.disputed(a_charge("captured", captured=700), evolve(lost, status="open"), NOW)
    assert begun.status == "disputed"
    moved = [(entry.debit, entry.credit) for entry in charges.dispute_entries(begun, lost, NOW)]
    assert moved == [("written-off", "disputed")]
    whole = charges.dispute_entries(a_charge("captured", captured=700), lost, NOW)
    assert [(entry.debit, entry.credit) for entry in whole] == [
        ("disputed", "provider/stripe"),
        ("written-off", "disputed"),
    ]
    asked = charges.disputed(a_charge("captured", captured=700), evolve(lost, status="inquiry"), NOW)
    assert charges.dispute_entries(asked, evolve(lost, status="inquiry"), NOW) == []


def test_every_status_that_is_named_is_known() -> None:
    named = {status for after in STATUSES.values() for status in after}
    assert named <= set(STATUSES)
    assert set(charges.FOR_A_PERSON) | set(ASKING) <= set(STATUSES)

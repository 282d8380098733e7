"""Charge detail records as people handle them: lists, held and disputed ones, corrections, rating again."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cms.contract.cdrs import (
    CorrectCdr,
    DisputeCdr,
    ListCdrs,
    ListUnpriced,
    ReleaseCdr,
    RerateSessions,
    ResolveDispute,
    ShowCdr,
)
from cms.contract.drivers import AddDriver, EraseDriver
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.contract.status import ShowStatus
from cms.contract.tariffs import AddTariff, Component, Price, Tariff, Tax, UseTariff
from cms.contract.tokens import AddToken
from cms.operations import cdrs, drivers, privacy, rerating, status, tariffs, tokens
from tests.domain.build import after, start, stop
from tests.operations.small import ANA, Small

D = Decimal
OWES = "receivable/token/CARD1"


def kwh(name: str, price: str, percent: int = 19) -> Tariff:
    return Tariff(name, "EUR", energy=Component((Price(D(price)),), (Tax("VAT", D(percent)),)))


async def sell(small: Small, tariff: Tariff) -> None:
    await tariffs.add(small.core, AddTariff(tariff), ANA)
    await tariffs.use(small.core, UseTariff(tariff.id), ANA)


async def charged(small: Small, minute: int = 0, meter: int = 1000, stop_wh: int = 6000, **more: Any) -> str:
    """A session of an hour; its id."""
    small.clock.time = after(minute)
    answer = await small.hear("CP1", start(meter=meter, at=after(minute)), "1.6")
    small.clock.time = after(minute + 60)
    await small.hear("CP1", stop(answer.transaction_id, meter=stop_wh, at=after(minute + 60), **more), "1.6")
    found = await small.core.store.session_of("CP1", answer.transaction_id)
    assert found is not None
    return found.id


async def owes(small: Small, account: str = OWES) -> int:
    return (await small.core.store.accounting.balances(account)).get((account, "EUR"), 0)


async def balanced(small: Small) -> bool:
    return sum((await small.core.store.accounting.balances()).values()) == 0


async def test_a_bill_is_listed_and_shown_with_its_lines_and_taxes(small: Small) -> None:
    await sell(small, kwh("T1", "0.50"))
    session = await charged(small)
    [row] = await cdrs.list_(small.core, ListCdrs(), ANA)
    assert (row.session, row.status, row.gross, row.net, row.vat) == (
        session,
        "open",
        D("2.98"),
        D("2.50"),
        D("0.48"),
    )
    shown = await cdrs.show(small.core, ShowCdr(session), ANA)
    assert [(line.what, line.gross) for line in shown.lines] == [("energy", D("2.98"))]
    assert [(part.percent, part.vat) for part in shown.vat] == [(D(19), D("0.48"))]
    assert [revision.reason for revision in shown.revisions] == ["the session ended"]
    with pytest.raises(NotFound, match="no bill of session nothing"):
        await cdrs.show(small.core, ShowCdr("nothing"), ANA)
    with pytest.raises(NotFound, match="no revision 2"):
        await cdrs.show(small.core, ShowCdr(session, 2), ANA)


async def test_a_session_whose_meter_went_backwards_is_held_until_somebody_releases_it(small: Small) -> None:
    await sell(small, kwh("T1", "0.50"))
    session = await charged(small, meter=6000, stop_wh=1000)
    [row] = await cdrs.list_(small.core, ListCdrs(status="held"), ANA)
    assert row.holds == ("meter-stop-below-start",)
    assert await small.core.store.accounting.entries() == []
    with pytest.raises(Conflict, match="is held: nobody owes it yet"):
        await cdrs.dispute(small.core, DisputeCdr(session, "too much"), ANA)
    shown = await cdrs.release(small.core, ReleaseCdr(session, "the meter was changed"), ANA)
    assert (shown.cdr.status, shown.marks[0].reason) == ("open", "the meter was changed")
    with pytest.raises(Conflict, match="is not held"):
        await cdrs.release(small.core, ReleaseCdr(session, "again"), ANA)


async def test_more_energy_than_any_station_can_give_is_held_and_owed_once_it_is_released(
    small: Small,
) -> None:
    await sell(small, kwh("T1", "0.50", 0))
    session = await charged(small, meter=0, stop_wh=9_000_000)
    [row] = await cdrs.list_(small.core, ListCdrs(), ANA)
    assert row.status == "held"
    assert "implausible-energy" in row.holds
    assert await owes(small) == 0
    await cdrs.release(small.core, ReleaseCdr(session, "it is a ship"), ANA)
    assert await owes(small) == 450_000
    assert await balanced(small)


async def test_a_disputed_bill_is_put_aside_and_comes_back(small: Small) -> None:
    await sell(small, kwh("T1", "0.50"))
    session = await charged(small)
    shown = await cdrs.dispute(small.core, DisputeCdr(session, "the cable was loose"), ANA)
    assert shown.cdr.status == "disputed"
    assert (await owes(small), await owes(small, "disputed")) == (0, 298)
    with pytest.raises(Conflict, match="disputed already"):
        await cdrs.dispute(small.core, DisputeCdr(session, "again"), ANA)
    shown = await cdrs.resolve(small.core, ResolveDispute(session, "it was not"), ANA)
    assert (shown.cdr.status, shown.cdr.gross) == ("open", D("2.98"))
    assert (await owes(small), await owes(small, "disputed")) == (298, 0)
    # Once more, and this time he is right.
    small.clock.pass_(minutes=5)
    await cdrs.dispute(small.core, DisputeCdr(session, "it was"), ANA)
    shown = await cdrs.resolve(small.core, ResolveDispute(session, "it was loose", D("-2.98")), ANA)
    assert (shown.cdr.status, shown.cdr.gross, shown.cdr.revision) == ("open", D(0), 2)
    assert [mark.what for mark in shown.marks] == ["disputed", "resolved", "disputed", "resolved"]
    assert (await owes(small), await owes(small, "disputed")) == (0, 0)
    assert await owes(small, "revenue") == 0
    assert await balanced(small)


async def test_a_correction_is_a_revision_with_a_reason_and_moves_the_difference(small: Small) -> None:
    await sell(small, kwh("T1", "0.50"))
    session = await charged(small)
    shown = await cdrs.correct(small.core, CorrectCdr(session, D("-1.00"), "goodwill"), ANA)
    assert [(line.what, line.gross) for line in shown.lines] == [
        ("energy", D("2.98")),
        ("correction", D("-1.00")),
    ]
    assert sum(line.gross for line in shown.lines) == shown.cdr.gross == D("1.98")
    assert shown.cdr.net + sum(part.vat for part in shown.vat) == D("1.98")
    assert [(r.revision, r.reason, r.actor) for r in shown.revisions] == [
        (1, "the session ended", None),
        (2, "goodwill", "ana"),
    ]
    assert await owes(small) == 198
    assert await balanced(small)
    with pytest.raises(Invalid, match=r"the bill would be -0\.02 EUR"):
        await cdrs.correct(small.core, CorrectCdr(session, D("-2.00"), "more"), ANA)
    with pytest.raises(Invalid, match="no whole number of coins"):
        await cdrs.correct(small.core, CorrectCdr(session, D("0.001"), "less"), ANA)
    with pytest.raises(Invalid, match="give a reason"):
        await cdrs.correct(small.core, CorrectCdr(session, D("0.01"), "  "), ANA)


async def test_a_session_without_a_price_is_listed_with_why_and_gets_its_first_bill_later(
    small: Small,
) -> None:
    session = await charged(small)
    [lost] = await rerating.list_unpriced(small.core, ListUnpriced(), ANA)
    assert (lost.session, lost.why) == (session, "there is no tariff")
    await sell(small, kwh("T1", "0.50"))
    [lost] = await rerating.list_unpriced(small.core, ListUnpriced(), ANA)
    assert "no tariff holds for token CARD1, station CP1" in lost.why
    ask = RerateSessions("forgot the tariff", (session,), tariff="T1", dry_run=True)
    [foretold] = await rerating.rerate(small.core, ask, ANA)
    assert (foretold.outcome, foretold.before, foretold.after) == ("first", None, D("2.98"))
    with pytest.raises(NotFound):
        await cdrs.show(small.core, ShowCdr(session), ANA)
    [done] = await rerating.rerate(
        small.core, RerateSessions("forgot the tariff", (session,), tariff="T1"), ANA
    )
    assert (done.outcome, done.revision, done.difference) == ("first", 1, D("2.98"))
    shown = await cdrs.show(small.core, ShowCdr(session), ANA)
    assert (shown.cdr.reason, shown.cdr.actor) == ("forgot the tariff", "ana")
    assert await rerating.list_unpriced(small.core, ListUnpriced(), ANA) == []
    assert await owes(small) == 298


async def test_sessions_of_a_week_are_rated_again_by_another_tariff_and_owe_the_difference(
    small: Small,
) -> None:
    await sell(small, kwh("T1", "0.50"))
    first = await charged(small)
    second = await charged(small, minute=100, meter=6000, stop_wh=7000)
    await tariffs.add(small.core, AddTariff(kwh("T2", "0.40")), ANA)
    since = small.clock.time - timedelta(days=7)
    ask = RerateSessions("the sign said 0.40", since=since, tariff="T2", dry_run=True)
    foretold = await rerating.rerate(small.core, ask, ANA)
    assert {(one.session, one.difference) for one in foretold} == {(first, D("-0.60")), (second, D("-0.12"))}
    assert await owes(small) == 298 + 60
    await rerating.rerate(small.core, RerateSessions("the sign said 0.40", since=since, tariff="T2"), ANA)
    assert await owes(small) == 238 + 48
    assert await balanced(small)
    again = await rerating.rerate(small.core, RerateSessions("once more", since=since, tariff="T2"), ANA)
    assert {one.outcome for one in again} == {"unchanged"}
    shown = await cdrs.show(small.core, ShowCdr(first), ANA)
    assert [(r.revision, r.gross) for r in shown.revisions] == [(1, D("2.98")), (2, D("2.38"))]
    old = await cdrs.show(small.core, ShowCdr(first, 1), ANA)
    assert old.cdr.gross == D("2.98")
    session = await small.core.store.session(first)
    assert session is not None
    assert session.cost == D("2.38")


async def test_what_was_corrected_by_hand_stays_when_a_session_is_rated_again(small: Small) -> None:
    await sell(small, kwh("T1", "0.50"))
    session = await charged(small)
    await cdrs.correct(small.core, CorrectCdr(session, D("-1.00"), "goodwill"), ANA)
    await tariffs.add(small.core, AddTariff(kwh("T2", "0.40")), ANA)
    [done] = await rerating.rerate(small.core, RerateSessions("wrong sign", (session,), tariff="T2"), ANA)
    assert done.after == D("1.38")
    assert await owes(small) == 138


async def test_a_session_that_goes_on_is_not_rated_again(small: Small) -> None:
    await sell(small, kwh("T1", "0.50"))
    answer = await small.hear("CP1", start(), "1.6")
    found = await small.core.store.session_of("CP1", answer.transaction_id)
    assert found is not None
    with pytest.raises(Conflict, match="has not ended"):
        await rerating.rerate(small.core, RerateSessions("why not", (found.id,)), ANA)


async def test_the_status_tells_what_waits_for_a_person(small: Small) -> None:
    unpriced = await charged(small)
    assert (await status.show(small.core, ShowStatus(), ANA)).notes == ()
    await sell(small, kwh("T1", "0.50"))
    disputed = await charged(small, minute=100, meter=6000, stop_wh=7000)
    held = await charged(small, minute=200, meter=7000, stop_wh=1000)
    await cdrs.dispute(small.core, DisputeCdr(disputed, "no"), ANA)
    notes = (await status.show(small.core, ShowStatus(), ANA)).notes
    assert notes == (
        "1 bill waits for somebody (held, cms bills list --status held)",
        "1 bill waits for somebody (disputed, cms bills list --status disputed)",
        "1 session waits for somebody (without a price, of today: cms bills unpriced)",
    )
    small.clock.pass_(minutes=1)
    await cdrs.release(small.core, ReleaseCdr(held, "looked at it"), ANA)
    await cdrs.resolve(small.core, ResolveDispute(disputed, "yes"), ANA)
    await rerating.rerate(small.core, RerateSessions("late", (unpriced,), tariff="T1"), ANA)
    assert (await status.show(small.core, ShowStatus(), ANA)).notes == ()


async def test_the_end_of_a_session_and_its_record_are_there_together_or_not_at_all(small: Small) -> None:
    await sell(small, kwh("T1", "0.50"))
    answer = await small.hear("CP1", start(), "1.6")
    found = await small.core.store.session_of("CP1", answer.transaction_id)
    assert found is not None
    broken = small.folder / "cms.db"
    with sqlite3.connect(broken) as record:
        record.execute(
            "CREATE TRIGGER stumble BEFORE INSERT ON cdrs BEGIN SELECT RAISE(ABORT, 'no disk'); END"
        )
    small.clock.time = after(60)
    with pytest.raises(Exception, match="no disk"):
        await small.hear("CP1", stop(answer.transaction_id, at=after(60)), "1.6")
    kept = await small.core.store.session(found.id)
    assert kept is not None
    assert kept.status != "ended"
    assert await small.core.store.accounting.entries() == []
    with sqlite3.connect(broken) as record:
        record.execute("DROP TRIGGER stumble")
    await small.restart()
    await small.hear("CP1", stop(answer.transaction_id, at=after(60)), "1.6")
    kept = await small.core.store.session(found.id)
    assert kept is not None
    assert (kept.status, kept.cost) == ("ended", D("2.98"))
    assert [cdr.revision for cdr in await small.core.store.accounting.revisions(found.id)] == [1]
    assert await owes(small) == 298


async def test_readings_that_come_late_are_a_revision_and_a_suspect_session_is_billed_when_it_ends(
    small: Small,
) -> None:
    await sell(small, kwh("T1", "0.50"))
    small.clock.time = after(0)
    first = await small.hear("CP1", start(), "1.6")
    small.clock.time = after(30)
    await small.hear("CP1", start(meter=1500, at=after(30)), "1.6")  # the first is suspect now
    small.clock.time = after(300)
    await small.hear("CP1", stop(first.transaction_id, meter=1400, at=after(25)), "1.6")
    [cdr] = await small.core.store.accounting.cdrs()
    assert (cdr.energy_wh, cdr.ended_at, cdr.bill.gross) == (400, after(25), D("0.24"))


async def test_a_token_that_is_forgotten_stands_in_no_record(small: Small) -> None:
    await drivers.add(small.core, AddDriver("ada", name="Ada"), ANA)
    await tokens.add(small.core, AddToken("CANARY-04A1B2C3", driver="ada"), ANA)
    await sell(small, kwh("T1", "0.50"))
    answer = await small.hear("CP1", start(token="CANARY-04A1B2C3"), "1.6")
    small.clock.time = after(60)
    await small.hear("CP1", stop(answer.transaction_id, at=after(60)), "1.6")
    [row] = await cdrs.list_(small.core, ListCdrs(), ANA)
    assert (row.token, row.driver) == ("CANARY-04A1B2C3", "ada")
    await cdrs.correct(small.core, CorrectCdr(row.session, D("-1"), "Canary-04A1B2C3 was double"), ANA)
    await cdrs.dispute(small.core, DisputeCdr(row.session, "says CANARY-04A1B2C3"), ANA)
    await privacy.erase(small.core, EraseDriver("ada"), ANA)
    shown = [await cdrs.show(small.core, ShowCdr(row.session, number), ANA) for number in (1, 2)]
    assert "canary" not in repr(shown).casefold()
    assert shown[1].cdr.gross == D("1.98")

"""A session's charge detail record, and what it moves in the ledger."""

from __future__ import annotations

from decimal import Decimal

from cms.contract.tariffs import AddTariff, Component, Price, Tariff, Tax, UseTariff
from cms.operations import tariffs
from tests.domain.build import after, start, stop
from tests.operations.small import ANA, Small

D = Decimal


async def sell(small: Small, tariff: Tariff) -> None:
    await tariffs.add(small.core, AddTariff(tariff), ANA)
    await tariffs.use(small.core, UseTariff(tariff.id), ANA)


async def test_the_end_of_a_session_makes_its_record_and_enters_it_in_the_ledger(small: Small):
    await sell(small, Tariff("T1", "EUR", energy=Component((Price(D("0.50")),), (Tax("VAT", D(19)),))))
    small.clock.time = after(70)
    await small.hear("CP1", start(), "1.6")
    [session] = [s for lane in small.core.lanes.values() for s in lane.state.sessions.values()]
    await small.hear("CP1", stop(session.transaction_id, at=after(60)), "1.6")

    [cdr] = await small.core.store.accounting.revisions(session.id)
    assert cdr.revision == 1
    assert (cdr.bill.net, cdr.bill.gross) == (D("2.50"), D("2.98"))
    assert cdr.bill.gross == cdr.bill.net + sum(part.vat for part in cdr.bill.vat)
    balances = await small.core.store.accounting.balances()
    assert sum(balances.values()) == 0
    assert balances[cdr.payer.account, "EUR"] == int(cdr.bill.gross * 100)
    assert balances["revenue", "EUR"] == -250
    assert balances["tax/19", "EUR"] == -48

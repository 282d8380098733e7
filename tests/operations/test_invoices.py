"""Billing runs, credit notes, payments and reminders, on a real record in a temporary folder."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cms.contract.billingprofiles import SetBillingProfile
from cms.contract.drivers import AddDriver, EraseDriver, SetDriver
from cms.contract.invoices import (
    CreditInvoice,
    DisputeInvoice,
    ListInvoices,
    PayInvoice,
    RemindInvoices,
    RunBilling,
    SendInvoice,
    SetSeller,
    ShowInvoice,
)
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.contract.tariffs import Bill, BillLine, VatPart
from cms.domain import charges
from cms.domain.cdrs import Cdr, Payer
from cms.domain.charges import SaveCharge
from cms.domain.evolve import evolve
from cms.domain.invoices import Invoice
from cms.domain.ledger import Enter
from cms.domain.verification import Mail
from cms.operations import billingprofiles, billingruns, drivers, dunning, invoices, privacy, sellers
from cms.operations.rating import written
from tests.operations.small import ANA, Small
from tests.stripes import provider

D = Decimal
NOVEMBER = RunBilling(date(2026, 11, 1), date(2026, 11, 30))
SELLER = SetSeller(
    name="Volt GmbH",
    street="Am Markt 1",
    postcode="89073",
    city="Ulm",
    country="DE",
    vat_id="DE123456789",
    iban="DE89 3704 0044 0532 0130 00",
    reminder_fees=(D(0), D(5)),
)


def cdr(
    session: str,
    net: str,
    *,
    driver: str | None = "ana",
    percent: str = "19",
    day: int = 10,
    revision: int = 1,
    way: str = "invoice",
    **more: Any,
) -> Cdr:
    """A record of a session with one line of energy."""
    from cms.domain.costs import rounded

    amount, rate = D(net), D(percent)
    vat = rounded(amount * rate / 100, "EUR")
    gross = amount + vat
    kwh = amount / D("0.50")
    at = datetime(2026, 11, day, 8, tzinfo=UTC)
    line = BillLine("energy", "T1", at, at, kwh, "kWh", D("0.50"), rate, amount, vat, gross)
    account = {"invoice": f"receivable/{driver or 'token/CARD1'}", "free": "waived"}.get(
        way, f"{way}/{driver}"
    )
    fields: dict[str, Any] = {
        "session": session,
        "revision": revision,
        "reason": "the session ended",
        "rated_at": at,
        "station": "CP1",
        "evse": 1,
        "connector": 1,
        "evse_id": "DE*ABC*E1",
        "site": None,
        "token": "CARD1",
        "token_kind": None,
        "payer": Payer(way, account, driver),
        "started_at": at - timedelta(hours=1),
        "ended_at": at,
        "time_zone": "Europe/Berlin",
        "energy_wh": int(kwh * 1000),
        "meter_start_wh": 0,
        "meter_stop_wh": int(kwh * 1000),
        "charging_s": 3600,
        "idle_s": 0,
        "tariffs": ("T1",),
        "source": "central",
        "bill": Bill("EUR", (line,), (VatPart(rate, amount, vat, gross),), amount, gross),
    }
    return Cdr(**(fields | more))


async def rated(small: Small, *records: Cdr) -> None:
    """These records are in the record and in the ledger, revisions one after the other."""
    before: dict[str, Cdr] = {}
    for record in records:
        known = await small.core.store.accounting.revisions(record.session)
        changes, events = written(record, known[-1] if known else None)
        await small.core.store.commit(changes, events)
        before[record.session] = record


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Small]:
    """A house that sells, with a driver."""
    small = await Small(tmp_path).open()
    small.clock.time = datetime(2026, 12, 1, 9, tzinfo=UTC)
    await sellers.set_(small.core, SELLER, ANA)
    person = AddDriver(
        "ana", name="Ana Almeida", street="Hauptstr. 2", postcode="89073", city="Ulm", country="DE"
    )
    await drivers.add(small.core, person, ANA)
    yield small
    await small.close()


async def owed(small: Small, account: str = "receivable/ana") -> Decimal:
    held = await small.core.store.accounting.balances()
    assert sum(held.values()) == 0
    return D(held.get((account, "EUR"), 0)) / 100


async def test_a_run_bills_each_session_once_however_often_it_is_asked(shop: Small) -> None:
    await rated(shop, cdr("S1", "10.00"), cdr("S2", "3.33"), cdr("S3", "1.00", driver=None))
    first = await billingruns.run(shop.core, NOVEMBER, ANA)
    assert [(b.invoice, b.account, b.payable) for b in first.invoices] == [
        ("2026-0001", "receivable/ana", D("15.86")),
        ("2026-0002", "receivable/token/CARD1", D("1.19")),
    ]
    assert (await billingruns.run(shop.core, NOVEMBER, ANA)).invoices == ()
    await rated(shop, cdr("S4", "1.00"))
    again = await billingruns.run(shop.core, NOVEMBER, ANA)
    assert [b.invoice for b in again.invoices] == ["2026-0003"]
    assert await owed(shop) == D("15.86") + D("1.19")


async def test_without_a_seller_nothing_is_billed(tmp_path: Path) -> None:
    small = await Small(tmp_path).open()
    with pytest.raises(Conflict, match="who sells"):
        await billingruns.run(small.core, NOVEMBER, ANA)
    await small.close()


async def test_a_dry_run_makes_nothing(shop: Small) -> None:
    await rated(shop, cdr("S1", "10.00"))
    told = await billingruns.run(shop.core, evolve_run(dry_run=True), ANA)
    assert [(b.invoice, b.payable) for b in told.invoices] == [(None, D("11.90"))]
    assert await invoices.list_(shop.core, ListInvoices(), ANA) == []


def evolve_run(**more: Any) -> RunBilling:
    return RunBilling(NOVEMBER.since, NOVEMBER.until, **more)


async def test_taxes_are_reckoned_from_the_sums_and_the_sum_of_the_sessions_is_payable(shop: Small) -> None:
    await rated(shop, *(cdr(f"S{n}", "0.13") for n in range(7)), cdr("R1", "0.07", percent="7"))
    await billingruns.run(shop.core, NOVEMBER, ANA)
    shown = await invoices.show(shop.core, ShowInvoice("2026-0001"), ANA)
    # Each session: 0.13 + 0.02 (0.0247); all of them: 0.91 x 19 % = 0.1729 -> 0.17
    assert [(part.percent, part.net, part.vat) for part in shown.vat] == [
        (D(7), D("0.07"), D("0.00")),
        (D(19), D("0.91"), D("0.17")),
    ]
    assert (shown.gross, shown.rounding, shown.payable) == (D("1.15"), D("-0.03"), D("1.12"))
    assert shown.payable == await owed(shop)
    held = await shop.core.store.accounting.balances()
    assert held["tax/19", "EUR"] == -17


async def test_free_prepaid_held_and_unknown_sessions_are_left_out(shop: Small) -> None:
    nobody = evolve(cdr("N1", "1.00"), payer=Payer("nobody", "receivable/nobody"))
    held = evolve(cdr("H1", "1.00"), holds=("second-end",))
    await rated(shop, cdr("F1", "1.00", way="free"), cdr("P1", "1.00", way="prepaid"), nobody, held)
    told = await billingruns.run(shop.core, NOVEMBER, ANA)
    assert told.invoices == ()
    assert {(out.session, out.why) for out in told.left_out} == {
        ("H1", "held: second-end"),
        ("N1", "nobody knows who pays it"),
    }


async def test_a_later_record_that_is_more_is_billed_as_the_difference(shop: Small) -> None:
    await rated(shop, cdr("S1", "10.00"))
    await billingruns.run(shop.core, NOVEMBER, ANA)
    await rated(shop, cdr("S1", "12.00", revision=2, reason="the tariff was wrong"))
    [more] = (
        await billingruns.run(shop.core, RunBilling(date(2026, 12, 1), date(2026, 12, 1)), ANA)
    ).invoices
    assert (more.kind, more.payable) == ("invoice", D("2.38"))
    assert await owed(shop) == D("14.28")


async def test_a_later_record_that_is_less_becomes_a_credit_note_which_pays_its_invoice(shop: Small) -> None:
    await rated(shop, cdr("S1", "10.00"))
    await billingruns.run(shop.core, NOVEMBER, ANA)
    await rated(shop, cdr("S1", "4.00", revision=2, reason="readings came late"))
    [less] = (await billingruns.run(shop.core, NOVEMBER, ANA)).invoices
    assert (less.kind, less.payable, less.corrects) == ("credit-note", D("7.14"), "2026-0001")
    assert await owed(shop) == D("4.76")
    assert (await invoices.show(shop.core, ShowInvoice("2026-0001"), ANA)).open == D("4.76")


async def test_what_another_pays_now_is_credited_to_the_first(shop: Small) -> None:
    await rated(shop, cdr("S1", "10.00"))
    await billingruns.run(shop.core, NOVEMBER, ANA)
    await drivers.add(shop.core, AddDriver("bob", name="Bob"), ANA)
    await rated(shop, cdr("S1", "10.00", revision=2, driver="bob"))
    told = (await billingruns.run(shop.core, NOVEMBER, ANA)).invoices
    assert [(b.kind, b.driver, b.payable) for b in told] == [
        ("invoice", "bob", D("11.90")),
        ("credit-note", "ana", D("11.90")),
    ]
    assert (await owed(shop), await owed(shop, "receivable/bob")) == (D(0), D("11.90"))


async def test_credit_notes_take_items_back_once(shop: Small) -> None:
    await rated(shop, cdr("S1", "10.00"), cdr("S2", "5.55"))
    await billingruns.run(shop.core, NOVEMBER, ANA)
    note = await invoices.credit(shop.core, CreditInvoice("2026-0001", "a faulty cable", (1,)), ANA)
    assert (note.invoice, note.payable, note.corrects) == ("2026-0002", D("11.90"), "2026-0001")
    assert (await invoices.show(shop.core, ShowInvoice("2026-0001"), ANA)).open == D("6.60")
    with pytest.raises(Conflict, match="credited already"):
        await invoices.credit(shop.core, CreditInvoice("2026-0001", "again", (1,)), ANA)
    await invoices.credit(shop.core, CreditInvoice("2026-0001", "the rest"), ANA)
    shown = await invoices.show(shop.core, ShowInvoice("2026-0001"), ANA)
    assert (shown.status, shown.open) == ("credited", D(0))
    held = await shop.core.store.accounting.balances()
    assert set(held.values()) == {0}


async def test_a_payment_is_entered_once_and_pays_the_invoice(shop: Small) -> None:
    await rated(shop, cdr("S1", "10.00"))
    await billingruns.run(shop.core, NOVEMBER, ANA)
    part = await invoices.pay(shop.core, PayInvoice("2026-0001", "TX1", D("1.90")), ANA)
    assert (part.status, part.open) == ("part-paid", D("10.00"))
    with pytest.raises(Conflict, match="entered already"):
        await invoices.pay(shop.core, PayInvoice("2026-0001", "TX1"), ANA)
    paid = await invoices.pay(shop.core, PayInvoice("2026-0001", "TX2"), ANA)
    assert (paid.status, paid.open) == ("paid", D(0))


async def test_what_is_overdue_is_reminded_of_level_by_level(shop: Small) -> None:
    await rated(shop, cdr("S1", "10.00"))
    await billingruns.run(shop.core, NOVEMBER, ANA)
    ask = RemindInvoices()
    assert await dunning.remind(shop.core, ask, ANA) == []
    shop.clock.pass_(days=14 + 7)
    assert [r.done for r in await dunning.remind(shop.core, RemindInvoices(dry_run=True), ANA)] == [False]
    assert [(r.level, r.fee) for r in await dunning.remind(shop.core, ask, ANA)] == [(1, D(0))]
    assert await dunning.remind(shop.core, ask, ANA) == []
    shop.clock.pass_(days=14)
    assert [(r.level, r.open) for r in await dunning.remind(shop.core, ask, ANA)] == [(2, D("16.90"))]
    shown = await invoices.show(shop.core, ShowInvoice("2026-0001"), ANA)
    assert (shown.status, shown.open, shown.reminders) == ("overdue", D("16.90"), 2)
    await invoices.dispute(shop.core, DisputeInvoice("2026-0001", "never charged there"), ANA)
    shop.clock.pass_(days=30)
    assert await dunning.remind(shop.core, ask, ANA) == []


async def test_a_company_of_another_member_state_owes_the_tax_itself(shop: Small) -> None:
    await rated(shop, cdr("S1", "10.00"))
    wish = SetBillingProfile(driver="ana", company="Volt BV", vat_id="NL123456789B01")
    await billingprofiles.set_(shop.core, wish, ANA)
    [made] = (await billingruns.run(shop.core, NOVEMBER, ANA)).invoices
    assert made.payable == D("10.00") == await owed(shop)
    held = await shop.core.store.accounting.balances()
    assert held["tax/19", "EUR"] == 0
    shown = await invoices.show(shop.core, ShowInvoice("2026-0001"), ANA)
    assert shown.buyer == "Volt BV"


async def test_an_interrupted_run_goes_on_where_it_ended(shop: Small) -> None:
    for name in ("bea", "carl", "dora"):
        await drivers.add(shop.core, AddDriver(name), ANA)
        await rated(shop, cdr(f"S-{name}", "1.00", driver=name))
    told, numbers = await billingruns.run(shop.core, evolve_run(limit=2), ANA), []
    numbers += [b.invoice for b in told.invoices]
    told = await billingruns.run(shop.core, evolve_run(limit=2, after=told.next), ANA)
    numbers += [b.invoice for b in told.invoices]
    assert (numbers, told.next) == (["2026-0001", "2026-0002", "2026-0003"], None)


@given(
    amounts=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3000)), min_size=1, max_size=12),
    steps=st.lists(st.tuples(st.booleans(), st.integers(1, 60)), min_size=1, max_size=4),
)
@settings(max_examples=4, deadline=None)
def test_runs_that_are_cancelled_anywhere_or_race_bill_everything_once(
    tmp_path_factory: pytest.TempPathFactory, amounts: list[tuple[int, int]], steps: list[tuple[bool, int]]
) -> None:
    async def story() -> None:
        small = await Small(tmp_path_factory.mktemp("run")).open()
        small.clock.time = datetime(2026, 12, 1, 9, tzinfo=UTC)
        await sellers.set_(small.core, SELLER, ANA)
        records = [
            cdr(f"S{n}", str(D(cents) / 100), driver=f"d{who}") for n, (who, cents) in enumerate(amounts)
        ]
        await rated(small, *records)
        # Another daemon on the same record: it holds another lock.
        other = dataclasses.replace(small.core, books=asyncio.Lock())
        for race, turns in steps:
            runs = [asyncio.create_task(billingruns.run(small.core, NOVEMBER, ANA))]
            if race:
                runs.append(asyncio.create_task(billingruns.run(other, NOVEMBER, ANA)))
            for _ in range(turns):
                await asyncio.sleep(0)
            runs[0].cancel()
            await asyncio.gather(*runs, return_exceptions=True)
        await billingruns.run(small.core, NOVEMBER, ANA)
        made = await small.core.store.accounting.invoices()
        assert sorted(invoice.number for invoice in made) == list(range(1, len(made) + 1))
        sources = [item.source for invoice in made for item in invoice.items]
        assert sorted(sources) == sorted(record.ref for record in records)
        held = await small.core.store.accounting.balances()
        owing = {account for account, _ in held if account.startswith("receivable/")}
        for account in owing:
            billed = sum(invoice.payable for invoice in made if invoice.account == account)
            assert D(held[account, "EUR"]) / 100 == billed
        await small.close()

    asyncio.run(story())


async def test_bad_words_about_the_seller_are_refused(shop: Small) -> None:
    for wrong in (
        SetSeller(iban="DE89370400440532013001"),
        SetSeller(series="{year}/{month}"),
        SetSeller(country="XX"),
        SetSeller(vat_id="no id"),
    ):
        with pytest.raises(Invalid):
            await sellers.set_(shop.core, wrong, ANA)


async def test_an_invoice_goes_to_its_buyer_by_mail_with_its_document(shop: Small) -> None:
    sent: list[Mail] = []

    async def post(mail: Mail) -> None:
        sent.append(mail)

    class Papers:
        async def pdf(self, invoice: Invoice) -> bytes:
            return b"%PDF of " + invoice.id.encode()

        async def xml(self, invoice: Invoice) -> bytes:
            return b"<xml/>"

    shop.core.mail, shop.core.papers = post, Papers()
    await drivers.set_(shop.core, SetDriver("ana", email="ana@example.org", language="de"), ANA)
    await rated(shop, cdr("S1", "10.00"))
    await billingruns.run(shop.core, NOVEMBER, ANA)
    await invoices.send(shop.core, SendInvoice("2026-0001"), ANA)
    [letter] = sent
    assert (letter.to, letter.subject) == ("ana@example.org", "Rechnung 2026-0001")
    assert "11,90 EUR" in letter.text
    assert [(file.name, file.content) for file in letter.attachments] == [
        ("2026-0001.pdf", b"%PDF of 2026-0001")
    ]
    assert (await invoices.show(shop.core, ShowInvoice("2026-0001"), ANA)).status == "sent"
    shop.clock.pass_(days=21)
    [reminded] = await dunning.remind(shop.core, RemindInvoices(), ANA)
    assert reminded.mailed and sent[1].subject == "1. Mahnung: Rechnung 2026-0001"


async def test_odd_numbers_days_and_amounts_are_refused(shop: Small) -> None:
    await rated(shop, cdr("S1", "10.00"))
    await billingruns.run(shop.core, NOVEMBER, ANA)
    for day in (date.min, date.max):
        with pytest.raises(Invalid):
            await billingruns.run(shop.core, RunBilling(day, day), ANA)
    for number in ("2026-" + "9" * 40, "2026", "-", "2026-x", "2026-\u0661"):
        with pytest.raises(NotFound):
            await invoices.show(shop.core, ShowInvoice(number), ANA)
    for amount in (D("NaN"), D("1E+999999"), D(0), D("-1"), D("0.001")):
        with pytest.raises(Invalid):
            await invoices.pay(shop.core, PayInvoice("2026-0001", "T", amount), ANA)


async def test_a_card_is_charged_with_the_invoice_and_what_it_brings_pays_it(shop: Small) -> None:
    shop.core.provider = provider("http://127.0.0.1:9")
    try:
        await billingprofiles.save_card(shop.core, "ana", "cus_1", "pm_1", "visa 4242", ANA)
        await billingprofiles.set_(shop.core, SetBillingProfile("ana", way="card"), ANA)
        await rated(shop, cdr("S1", "10.00", way="invoice"))
        await billingruns.run(shop.core, NOVEMBER, ANA)
        charge = await shop.core.store.accounting.charge("invoice-2026-0001")
        assert charge is not None and (charge.amount, charge.owed_to) == (1190, "receivable/ana")
        assert (await invoices.show(shop.core, ShowInvoice("2026-0001"), ANA)).status == "open"
        captured = evolve(charge, captured=1190, status="captured")
        came = charges.entries(charge, captured, None, shop.clock.now())
        await shop.core.store.commit([SaveCharge(captured), *(Enter(entry) for entry in came)], ())
        paid = await invoices.show(shop.core, ShowInvoice("2026-0001"), ANA)
        assert (paid.status, paid.open) == ("paid", D(0))
    finally:
        await shop.core.provider.close()


async def test_invoices_keep_the_name_of_a_driver_who_is_erased(shop: Small) -> None:
    await rated(shop, cdr("S1", "10.00"))
    await billingruns.run(shop.core, NOVEMBER, ANA)
    assert (await privacy.erase(shop.core, EraseDriver("ana"), ANA)).done
    kept = await invoices.show(shop.core, ShowInvoice("2026-0001"), ANA)
    assert (kept.buyer, kept.driver, kept.open) == ("Ana Almeida", "ana", D("11.90"))
    assert (await billingruns.run(shop.core, NOVEMBER, ANA)).invoices == ()
    assert (await invoices.pay(shop.core, PayInvoice("2026-0001", "T1"), ANA)).status == "paid"

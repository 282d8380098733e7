"""Reminders: invoices that are overdue are reminded of, in up to three levels, as the seller's settings say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from cms.contract.invoices import InvoiceView, ReminderView, RemindInvoices
from cms.contract.refusals import Conflict, Refusal
from cms.core import Actor, Clash, Core
from cms.domain import invoices, invoicing, ledger, letters, plans
from cms.domain.changes import Change, Happened
from cms.domain.costs import rounded
from cms.domain.evolve import evolve
from cms.domain.invoices import AddMark, Invoice, Mark
from cms.domain.ledger import Enter, Entry
from cms.domain.sellers import Seller
from cms.operations.invoices import find, mail, marks_of, today, views_of
from cms.operations.sellers import ready


async def remind(core: Core, request: RemindInvoices, actor: Actor) -> list[ReminderView]:
    """What is due for a reminder, oldest first; each level of an invoice once, whoever asks again."""
    seller, day = ready(core), today(core)
    if request.invoices:
        found = [await find(core, id) for id in request.invoices]
    else:
        found = list(reversed(await core.store.accounting.invoices()))
    marks, told = await marks_of(core, found), []
    for invoice, view in zip(found, await views_of(core, found), strict=True):
        level = view.reminders + 1
        why = _why_not(core, seller, view, marks.get(invoice.id, ()), day)
        if why is not None:
            if request.invoices:
                raise Conflict(f"invoice {invoice.id} is not reminded of: {why}")
            continue
        fee = rounded(seller.fee(level), invoice.currency)
        outcome = ReminderView(
            invoice=invoice.id,
            driver=invoice.driver,
            level=level,
            fee=fee,
            open=view.open,
            currency=invoice.currency,
            overdue_days=view.overdue_days,
            done=False,
            mailed=False,
        )
        told.append(outcome if request.dry_run else await _reminded(core, invoice, outcome, actor))
    return told


def _why_not(core: Core, seller: Seller, view: InvoiceView, marks: Sequence[Mark], day: date) -> str | None:
    """What keeps an invoice from being reminded of today."""
    if view.status != invoices.OVERDUE:
        return f"it is {view.status}"
    if view.reminders >= len(seller.reminder_days):
        return f"it was reminded of {view.reminders} times, and there is no further level"
    since = _last(core, view, marks)
    due = since + timedelta(days=seller.reminder_days[view.reminders])
    return None if day >= due else f"the next reminder is due on {due}"


def _last(core: Core, view: InvoiceView, marks: Sequence[Mark]) -> date:
    """The day of its last reminder, or that it was due on."""
    zone = plans.zone(core.kept)
    days = [mark.at.astimezone(zone).date() for mark in marks if mark.key.startswith("reminded/")]
    return max(days, default=view.due_on)


async def _reminded(core: Core, invoice: Invoice, outcome: ReminderView, actor: Actor) -> ReminderView:
    """Written down first: a letter that is sent again costs no second fee."""
    now = core.clock.now()
    key = f"reminded/{outcome.level}"
    changes: list[Change] = [
        AddMark(Mark(invoice.series, invoice.number, key, now, f"fee {outcome.fee}", actor.name))
    ]
    if outcome.fee:
        changes.append(Enter(_fee(invoice, outcome, key, now, actor)))
    told = Happened("invoice.changed", now, actor=actor.name, data={"invoice": invoice.id, "what": key})
    try:
        await core.store.commit(changes, (told,))
    except Clash:
        return evolve(outcome, why="somebody else reminded of it at the same moment")
    owed = outcome.open + outcome.fee
    return await _mailed(core, invoice, evolve(outcome, done=True, open=owed))


def _fee(invoice: Invoice, outcome: ReminderView, key: str, now: datetime, actor: Actor) -> Entry:
    # Damages for delay are no supply: there is no tax on them.
    return Entry(
        key=f"invoice/{invoice.id}/{key}",
        at=now,
        debit=invoice.account,
        credit=ledger.REVENUE,
        amount=ledger.minor(outcome.fee, invoice.currency),
        currency=invoice.currency,
        kind=invoicing.REMINDED,
        ref=ledger.of_invoice(invoice.id),
        actor=actor.name,
    )


async def _mailed(core: Core, invoice: Invoice, outcome: ReminderView) -> ReminderView:
    if invoice.buyer.email is None:
        return evolve(outcome, why="it has no address for mail")
    letter = letters.reminder(invoice, invoice.buyer.email, outcome.level, outcome.open, outcome.fee)
    try:
        await mail(core, letter, invoice)
    except Refusal as refused:
        return evolve(outcome, why=refused.message)
    return evolve(outcome, mailed=True)

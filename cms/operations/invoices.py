"""Invoices: what became of them, documents of them, credit notes, and sending them."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from cms.contract.invoices import (
    CreditInvoice,
    DisputeInvoice,
    ExportInvoice,
    InvoiceFile,
    InvoiceView,
    ItemView,
    ListInvoices,
    MarkInvoiceSent,
    MarkView,
    PayInvoice,
    SendInvoice,
    SentView,
    ShowInvoice,
)
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.core import Actor, Clash, Core, Papers
from cms.domain import invoices, invoicing, letters, plans, sellers
from cms.domain.changes import Change, Happened
from cms.domain.evolve import evolve
from cms.domain.invoices import CREDIT_NOTE, AddInvoice, AddMark, Invoice, Mark
from cms.domain.ledger import BANK, CASH, TERMINAL, minor
from cms.operations import ledger
from cms.operations.sellers import ready

_MOST = 100_000
_LONGEST_REASON = 500
_LARGEST = Decimal(10**9)
_TRIES = 20
SOURCES = (BANK, CASH, TERMINAL)
FORMATS = {"pdf": "application/pdf", "xml": "application/xml"}

Marks = Mapping[str, Sequence[Mark]]


# Looking


async def list_(core: Core, request: ListInvoices, actor: Actor) -> list[InvoiceView]:
    if not 1 <= request.limit <= _MOST:
        raise Invalid(f"limit is 1 to {_MOST}, not {request.limit}")
    if request.status is not None and request.status not in invoices.STATUSES:
        raise Invalid(f"status must be one of {', '.join(invoices.STATUSES)}, not {request.status!r}")
    found = [
        invoice
        for invoice in await core.store.accounting.invoices(_account(request.driver), _first(request))
        if (request.since is None or invoice.issued_on >= request.since)
        and (request.until is None or invoice.issued_on <= request.until)
    ]
    views = await views_of(core, found)
    chosen = [view for view in views if request.status is None or view.status == request.status]
    return chosen[: request.limit]


def _account(driver: str | None) -> str | None:
    return f"receivable/{driver}" if driver is not None else None


def _first(request: ListInvoices) -> int | None:
    """How many are read at most: all where some of them are not wanted."""
    filters = (request.status, request.since, request.until)
    return request.limit if all(given is None for given in filters) else None


async def show(core: Core, request: ShowInvoice, actor: Actor) -> InvoiceView:
    return await shown(core, await find(core, request.invoice))


async def find(core: Core, id: str) -> Invoice:
    at = invoices.split_id(id)
    found = await core.store.accounting.invoice(*at) if at is not None else None
    if found is None:
        raise NotFound(f"there is no invoice {id}", "see `cms invoices list`")
    return found


async def shown(core: Core, invoice: Invoice) -> InvoiceView:
    """One with its items and what became of it."""
    [view] = await views_of(core, [invoice])
    marks = await core.store.accounting.marks(invoice.series, invoice.number)
    sources = [_back(invoice, number) for number in range(1, len(invoice.items) + 1)]
    by = await core.store.accounting.billed_by(sources)
    items = tuple(
        ItemView(
            number=number,
            source=item.source,
            kind=item.kind,
            text=item.text,
            quantity=item.quantity,
            unit=item.unit,
            price=item.price,
            vat_percent=item.vat_percent,
            net=item.net,
            vat=item.vat,
            gross=item.gross,
            since=item.since,
            until=item.until,
            session=item.session,
            energy_wh=item.energy_wh,
            place=item.place,
            credited_by=by.get(_back(invoice, number)),
        )
        for number, item in enumerate(invoice.items, 1)
    )
    became = tuple(MarkView(mark.key, mark.at, mark.detail, mark.actor) for mark in marks)
    return evolve(view, items=items, marks=became)


async def views_of(core: Core, found: Sequence[Invoice]) -> list[InvoiceView]:
    """How each of them stands now."""
    marks = await marks_of(core, found)
    owed = await ledger.open_amounts(core, [invoice for invoice in found if not invoice.credits])
    day = today(core)
    return [
        _view(invoice, owed.get(invoice.id, Decimal(0)), marks.get(invoice.id, ()), day) for invoice in found
    ]


async def marks_of(core: Core, found: Sequence[Invoice]) -> Marks:
    """What became of these invoices, by their ids."""
    accounting = core.store.accounting
    if len(found) == 1:
        return {found[0].id: await accounting.marks(found[0].series, found[0].number)}
    by: dict[str, list[Mark]] = {}
    for mark in await accounting.marks() if found else ():
        by.setdefault(Invoice.name(mark.series, mark.number), []).append(mark)
    return by


def today(core: Core) -> date:
    return core.clock.now().astimezone(plans.zone(core.kept)).date()


def _view(invoice: Invoice, owed: Decimal, marks: Sequence[Mark], day: date) -> InvoiceView:
    sessions = {item.session: item.energy_wh or 0 for item in invoice.items if item.session is not None}
    status = invoices.status(invoice, owed, marks, day)
    return InvoiceView(
        invoice=invoice.id,
        kind=invoice.kind,
        status=status,
        driver=invoice.driver,
        buyer=invoice.buyer.name,
        issued_on=invoice.issued_on,
        due_on=invoice.due_on,
        period_from=invoice.period_from,
        period_to=invoice.period_to,
        sessions=len(sessions),
        energy_wh=sum(sessions.values()),
        currency=invoice.currency,
        net=invoice.net,
        gross=invoice.gross,
        rounding=invoice.rounding,
        payable=invoice.payable,
        open=owed,
        overdue_days=(day - invoice.due_on).days if status == invoices.OVERDUE else 0,
        reminders=invoices.reminders(marks),
        sent_at=next((mark.at for mark in marks if mark.key == "sent"), None),
        corrects=invoice.corrects,
        note=invoice.note,
        vat=invoice.vat,
    )


# Documents


async def export(core: Core, request: ExportInvoice, actor: Actor) -> InvoiceFile:
    if request.format not in FORMATS:
        raise Invalid(f"a document is {' or '.join(FORMATS)}, not {request.format!r}")
    invoice = await find(core, request.invoice)
    return await document(core, invoice, request.format)


async def document(core: Core, invoice: Invoice, format: str) -> InvoiceFile:
    made = _papers(core)
    content = await (made.pdf(invoice) if format == "pdf" else made.xml(invoice))
    name = f"{invoice.id}.{format}"
    return InvoiceFile(name, FORMATS[format], base64.b64encode(content).decode())


def _papers(core: Core) -> Papers:
    if core.papers is None:
        raise Conflict("this daemon makes no documents", "it runs without the documents of invoices")
    return core.papers


# Credit notes


async def credit(core: Core, request: CreditInvoice, actor: Actor) -> InvoiceView:
    """What was taken back already cannot be again: each item is credited once."""
    reason = reason_of(request.reason)
    seller = ready(core)
    for _ in range(_TRIES):
        corrected = await find(core, request.invoice)
        if corrected.credits:
            raise Conflict(f"{corrected.id} is a credit note itself", f"it corrects {corrected.corrects}")
        numbers = await _creditable(core, corrected, request.items)
        try:
            async with core.books:
                note = await _credit_note(core, seller, corrected, numbers, reason)
                mark = Mark(
                    corrected.series,
                    corrected.number,
                    f"corrected/{note.id}",
                    note.made_at,
                    reason,
                    actor.name,
                )
                changes: list[Change] = [
                    AddInvoice(note),
                    *invoicing.credited(note, corrected),
                    AddMark(mark),
                ]
                await core.store.commit(changes, (_made(note, actor),))
        except Clash:
            continue  # another daemon took the number, or credits it too
        return await shown(core, note)
    raise Conflict(f"invoice {request.invoice} is being credited elsewhere", "look at it again")


async def _creditable(core: Core, invoice: Invoice, asked: Sequence[int]) -> list[int]:
    """The items meant; all that were not credited yet unless some are named."""
    count = len(invoice.items)
    for number in asked:
        if not 1 <= number <= count:
            raise Invalid(f"invoice {invoice.id} has items 1 to {count}, not {number}")
    wanted = sorted(set(asked)) or list(range(1, count + 1))
    by = await core.store.accounting.billed_by([_back(invoice, number) for number in wanted])
    gone = {number: by[_back(invoice, number)] for number in wanted if _back(invoice, number) in by}
    if asked and gone:
        number, note = next(iter(gone.items()))
        raise Conflict(f"item {number} of invoice {invoice.id} was credited already, by {note}")
    left = [number for number in wanted if number not in gone]
    if not left:
        raise Conflict(f"all of invoice {invoice.id} was credited already", f"cms invoices show {invoice.id}")
    return left


def _back(invoice: Invoice, number: int) -> str:
    """What a credit note bills when it takes an item back."""
    return f"back/{invoice.id}/{number}"


async def _credit_note(
    core: Core, seller: sellers.Seller, corrected: Invoice, numbers: Sequence[int], reason: str
) -> Invoice:
    now, day = core.clock.now(), today(core)
    series = sellers.series_on(seller, day)
    items = tuple(evolve(corrected.items[number - 1], source=_back(corrected, number)) for number in numbers)
    total = invoicing.sums(items, corrected.currency)
    return evolve(
        corrected,
        series=series,
        number=await core.store.accounting.last_number(series) + 1,
        kind=CREDIT_NOTE,
        issued_on=day,
        due_on=day,
        seller=sellers.party(seller),
        items=items,
        vat=total.vat,
        net=total.net,
        gross=total.gross,
        rounding=total.rounding,
        payable=total.payable,
        made_at=now,
        corrects=corrected.id,
        note=reason,
        card=None,
    )


def _made(invoice: Invoice, actor: Actor) -> Happened:
    data = {
        "invoice": invoice.id,
        "kind": invoice.kind,
        "driver": invoice.driver,
        "total": {"amount": str(invoice.payable), "currency": invoice.currency},
    }
    return Happened("invoice.made", invoice.made_at, actor=actor.name, data=data)


def reason_of(text: str) -> str:
    reason = text.strip()
    if not 0 < len(reason) <= _LONGEST_REASON or not reason.isprintable():
        raise Invalid(f"say why, in 1 to {_LONGEST_REASON} printable characters", "--reason")
    return reason


# Payment


async def pay(core: Core, request: PayInvoice, actor: Actor) -> InvoiceView:
    """What a person says was paid; a reference that was entered already is a Conflict."""
    if request.source not in SOURCES:
        raise Invalid(f"money comes from {', '.join(SOURCES)}, not {request.source!r}")
    reference = reason_of(request.reference)
    invoice = await find(core, request.invoice)
    if invoice.credits:
        raise Conflict(f"{invoice.id} is a credit note: nobody owes it", f"see invoice {invoice.corrects}")
    owed = await ledger.open_amount(core, invoice)
    paid = _paid(request.amount if request.amount is not None else owed, invoice)
    entered = ledger.settle(
        invoice,
        paid,
        request.source,
        f"paid/{request.source}/{reference}",
        core.clock.now(),
        still_open=minor(owed, invoice.currency),
        reason=request.reason or reference,
        actor=actor.name,
    )
    data = {"invoice": invoice.id, "what": "paid"}
    told = Happened("invoice.changed", core.clock.now(), actor=actor.name, data=data)
    try:
        await core.store.commit(entered, (told,))
    except Clash:
        raise Conflict(f"the payment {reference} was entered already", "name another --reference") from None
    return await shown(core, invoice)


def _paid(amount: Decimal, invoice: Invoice) -> int:
    """In minor units. Raises Invalid."""
    if not amount.is_finite() or not 0 < amount <= _LARGEST:
        raise Invalid(f"nothing is paid with {amount} {invoice.currency}", f"cms invoices show {invoice.id}")
    try:
        return minor(amount, invoice.currency)
    except ValueError as error:
        raise Invalid(str(error)) from None


# Sending


async def send(core: Core, request: SendInvoice, actor: Actor) -> SentView:
    invoice = await find(core, request.invoice)
    address = invoice.buyer.email
    if address is None:
        raise Conflict(
            f"invoice {invoice.id} has no address for mail", f"cms invoices mark-sent {invoice.id}"
        )
    await mail(core, letters.invoice(invoice, address), invoice)
    await _mark(core, invoice, "sent", "by mail", actor)
    return SentView(invoice.id, True)


async def mail(core: Core, letter: letters.Mail, invoice: Invoice) -> None:
    """Hand a letter with its invoice to the mail server. Raises Conflict where there is none, Unreachable."""
    if core.mail is None:
        raise Conflict("this daemon sends no mail", "settings smtp_url and mail_from")
    content = await _papers(core).pdf(invoice)
    attached = letters.Attachment(f"{invoice.id}.pdf", "application/pdf", content)
    await core.mail(evolve(letter, attachments=(attached,)))


async def mark_sent(core: Core, request: MarkInvoiceSent, actor: Actor) -> SentView:
    invoice = await find(core, request.invoice)
    how = reason_of(request.how) if request.how else None
    if not await _mark(core, invoice, "sent", how, actor):
        return SentView(invoice.id, False, "it was sent already")
    return SentView(invoice.id, True)


async def dispute(core: Core, request: DisputeInvoice, actor: Actor) -> InvoiceView:
    reason, invoice = reason_of(request.reason), await find(core, request.invoice)
    marks = await core.store.accounting.marks(invoice.series, invoice.number)
    if invoices.disputed(marks) is not request.resolved:
        state = "not disputed" if request.resolved else "disputed already"
        raise Conflict(f"invoice {invoice.id} is {state}")
    what = "resolved" if request.resolved else "disputed"
    number = 1 + sum(mark.key.startswith(f"{what}/") for mark in marks)
    await _mark(core, invoice, f"{what}/{number}", reason, actor)
    return await shown(core, invoice)


async def _mark(core: Core, invoice: Invoice, key: str, detail: str | None, actor: Actor) -> bool:
    """Write down what became of it; False where that is known already."""
    now = core.clock.now()
    mark = Mark(invoice.series, invoice.number, key, now, detail, actor.name)
    data = {"invoice": invoice.id, "what": key}
    try:
        await core.store.commit(
            (AddMark(mark),), (Happened("invoice.changed", now, actor=actor.name, data=data),)
        )
    except Clash:
        return False
    return True

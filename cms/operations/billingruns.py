"""Billing runs: what drivers owe becomes invoices, account by account, each in one commit.

A run may be killed and asked again at any moment. What an invoice bills is named by its sources, which are unique in
the record, and its number is the next in its series in the same commit: two runs at once, in two daemons even, make
neither a second invoice for a session nor a gap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from cms.aside import MANY
from cms.contract.invoices import BilledView, BillingRunView, LeftOutView, RunBilling
from cms.contract.refusals import Conflict, Invalid
from cms.core import Actor, Clash, Core
from cms.domain import billing, cdrs, invoices, invoicing, ledger, plans, sellers, sites
from cms.domain.cdrs import Cdr, CdrMark
from cms.domain.changes import Change, Happened
from cms.domain.charges import SaveCharge
from cms.domain.evolve import evolve
from cms.domain.invoices import CREDIT_NOTE, INVOICE, AddInvoice, AddMark, Invoice, Mark
from cms.domain.invoicing import Line, Sums
from cms.domain.sellers import Seller
from cms.domain.sites import Site
from cms.operations.buyers import Buyer, buyer_of
from cms.operations.collecting import intended
from cms.operations.drivers import find
from cms.operations.ledger import open_amount
from cms.operations.plans import fees, offers
from cms.operations.sellers import ready

Marks = Mapping[str, Sequence[CdrMark]]

_DAY = timedelta(days=1)
#: So often another daemon may have been faster; each time it has billed something.
_TRIES = 20
_MOST = 500
_LONGEST = timedelta(days=3 * 366)
#: Calendars and clocks have an end; billing has one sooner.
_FIRST_YEAR, _LAST_YEAR = 2000, 2999
_NOBODY = "receivable/nobody"


@dataclass(frozen=True, slots=True)
class Period:
    """Days of the organisation's calendar, both included, and the instants they begin and end at."""

    since: date
    until: date
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Draft:
    """An invoice without a number."""

    kind: str
    buyer: Buyer
    account: str
    currency: str
    lines: tuple[Line, ...]
    total: Sums
    corrects: str | None = None


@dataclass(frozen=True, slots=True)
class Owed:
    """A record to be billed, and the revision of it that was billed before, by which invoice."""

    cdr: Cdr
    before: Cdr | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What there is to bill of one account, and what is not billed now."""

    drafts: tuple[Draft, ...]
    left_out: tuple[LeftOutView, ...]


async def run(core: Core, request: RunBilling, actor: Actor) -> BillingRunView:
    if not 1 <= request.limit <= _MOST:
        raise Invalid(f"limit is 1 to {_MOST}, not {request.limit}")
    seller, period, marks = ready(core), _period(core, request), await _marks(core)
    accounts = await _accounts(core, request, period)
    left = [account for account in accounts if request.after is None or account > request.after]
    made: list[BilledView] = []
    left_out: list[LeftOutView] = []
    for account in left[: request.limit]:
        billed, kept_out = await _bill(core, seller, period, account, marks, actor, request.dry_run)
        made += billed
        left_out += kept_out
    following = left[request.limit - 1] if len(left) > request.limit else None
    return BillingRunView(
        request.dry_run, period.since, period.until, tuple(made), tuple(left_out), following
    )


def _period(core: Core, request: RunBilling) -> Period:
    zone, now = plans.zone(core.kept), core.clock.now()
    today = now.astimezone(zone).date()
    last = today.replace(day=1) - _DAY
    until = request.until or (last if request.since is None else today)
    since = request.since or until.replace(day=1)
    if until < since or until - since > _LONGEST or not _FIRST_YEAR <= since.year <= _LAST_YEAR:
        raise Invalid(f"a run bills days in their order, of three years at most, not {since} to {until}")
    begins, ends = (datetime.combine(day, time(), zone) for day in (since, until + _DAY))
    return Period(since, until, begins, min(ends, now))


async def _marks(core: Core) -> Marks:
    """What people said of records, by session. They are few."""
    found: dict[str, list[CdrMark]] = {}
    for mark in await core.store.accounting.cdr_marks():
        found.setdefault(mark.session, []).append(mark)
    return found


async def _accounts(core: Core, request: RunBilling, period: Period) -> list[str]:
    """Whose turn it is, in order: those who owe, and those who have a plan."""
    if request.drivers:
        return sorted({f"{ledger.RECEIVABLE}{find(core, driver).id}" for driver in request.drivers})
    owing = await core.store.accounting.unbilled_accounts(period.begins, period.ends)
    subscribed = (f"{ledger.RECEIVABLE}{driver}" for driver in core.kept.get(plans.SUBSCRIPTION, {}))
    return sorted({*owing, *subscribed})


async def _bill(
    core: Core, seller: Seller, period: Period, account: str, marks: Marks, actor: Actor, dry_run: bool
) -> tuple[list[BilledView], tuple[LeftOutView, ...]]:
    for _ in range(_TRIES):
        found = await collect(core, seller, period, account, marks)
        if dry_run or not found.drafts:
            return [_billed(draft, None) for draft in found.drafts], found.left_out
        try:
            made = await issue(core, seller, period, found.drafts, actor)
        except Clash:
            continue  # another daemon billed some of it, or took the number
        pairs = zip(found.drafts, made, strict=True)
        return [_billed(draft, invoice) for draft, invoice in pairs], found.left_out
    raise Conflict(f"another daemon is billing {account} at the same time", "run it again when that is done")


def _billed(draft: Draft, invoice: Invoice | None) -> BilledView:
    return BilledView(
        invoice=invoice.id if invoice is not None else None,
        kind=draft.kind,
        driver=draft.buyer.driver,
        account=draft.account,
        sessions=len({line.item.session for line in draft.lines if line.item.session is not None}),
        currency=draft.currency,
        net=draft.total.net,
        payable=draft.total.payable,
        corrects=draft.corrects,
    )


# What there is to bill


async def collect(core: Core, seller: Seller, period: Period, account: str, marks: Marks) -> Found:
    """The invoice of an account for a period, and the credit notes for what was billed before and is less now."""
    owed: list[Owed] = []
    left_out: list[LeftOutView] = []
    for cdr in await core.store.accounting.unbilled(account, period.begins, period.ends):
        one = await _before(core, cdr)
        if one.before is None and not _first_time(cdr, period):
            continue
        why = _kept_out(cdr, marks.get(cdr.session, ()))
        if why is None:
            owed.append(one)
        else:
            left_out.append(LeftOutView(cdr.session, account, cdr.bill.currency, cdr.bill.gross, why))
    accounts = {account, *(one.before.payer.account for one in owed if one.before is not None)}
    buyers = {name: await buyer_of(core, seller, name) for name in sorted(accounts)}
    known: dict[str, Site] = core.kept.get(sites.KIND, {})
    extra = await _fees(core, buyers[account], period, [one.cdr for one in owed])

    def work() -> tuple[Draft, ...]:
        return tuple(_drafts(account, owed, known, buyers, extra))

    drafts = await core.aside(work) if len(owed) > MANY else work()
    return Found(drafts, tuple(left_out))


async def _before(core: Core, cdr: Cdr) -> Owed:
    if cdr.revision == 1:
        return Owed(cdr)
    known = await core.store.accounting.revisions(cdr.session)
    by = await core.store.accounting.billed_by([revision.ref for revision in known])
    before = next((revision for revision in reversed(known) if revision.ref in by), None)
    return Owed(cdr, before, by[before.ref]) if before is not None else Owed(cdr)


def _first_time(cdr: Cdr, period: Period) -> bool:
    """Whether a record that was never billed is this run's business."""
    return cdr.payer.account.startswith(ledger.RECEIVABLE) and cdr.ended_at >= period.begins


def _kept_out(cdr: Cdr, marks: Sequence[CdrMark]) -> str | None:
    """Why a session is not billed now."""
    if cdr.payer.account == _NOBODY:
        return "nobody knows who pays it"
    status = cdrs.status(cdr, marks, invoiced=False)
    if status == cdrs.HELD:
        return f"held: {', '.join(cdr.holds)}"
    return "disputed" if status == cdrs.DISPUTED else None


async def _fees(core: Core, buyer: Buyer, period: Period, records: Sequence[Cdr]) -> dict[str, list[Line]]:
    """What his plan costs, and what it includes, by currency."""
    if buyer.driver is None or buyer.driver not in core.kept.get(plans.SUBSCRIPTION, {}):
        return {}
    versions = (plan for offer in offers(core).values() for plan in offer.versions)
    currencies = {plan.currency for plan in versions} | {cdr.bill.currency for cdr in records}
    days, zone = (period.since, period.until), plans.zone(core.kept).key
    found: dict[str, list[Line]] = {}
    for currency in sorted(currencies):
        mine = [cdr for cdr in records if cdr.bill.currency == currency]
        items = await fees(core, buyer.driver, days, mine, currency, buyer.language)
        found[currency] = [Line(evolve(item, kind="plan", time_zone=zone), booked=False) for item in items]
    return found


def _drafts(
    account: str,
    owed: Sequence[Owed],
    known: Mapping[str, Site],
    buyers: Mapping[str, Buyer],
    fees: Mapping[str, list[Line]],
) -> Iterator[Draft]:
    """One invoice for each currency; what goes back to somebody is a credit note for each invoice it was on."""
    new: dict[str, list[Line]] = {}
    notes: dict[tuple[str, str, str], list[Line]] = {}
    for one in owed:
        cdr, before = one.cdr, one.before
        place, currency = _place(cdr, known), cdr.bill.currency
        language = buyers[account].language
        if before is None:
            lines = [*invoicing.of_cdr(cdr, place, language)]
        elif (before.payer.account, before.bill.currency) == (account, currency):
            lines = [*invoicing.of_difference(cdr, before, place, language)]
        else:
            theirs = [*invoicing.back(before, f"{cdr.ref}/back", place, language)]
            notes.setdefault((one.by or "", before.payer.account, before.bill.currency), []).extend(theirs)
            lines = [*invoicing.of_cdr(cdr, place, language)] if account.startswith(ledger.RECEIVABLE) else []
        if one.by is not None and sum(line.item.gross for line in lines) < 0:
            notes.setdefault((one.by, account, currency), []).extend(lines)
        else:
            new.setdefault(currency, []).extend(lines)
    for currency, lines in fees.items():
        new.setdefault(currency, []).extend(lines)
    for currency, lines in sorted(new.items()):
        yield from _draft(buyers[account], account, currency, lines, None)
    for (corrects, theirs_of, currency), lines in sorted(notes.items()):
        yield from _draft(buyers[theirs_of], theirs_of, currency, lines, corrects)


def _draft(
    buyer: Buyer, account: str, currency: str, lines: list[Line], corrects: str | None
) -> Iterator[Draft]:
    if not any(line.item.gross or line.item.net for line in lines):
        return
    if buyer.untaxed == invoices.REVERSE_CHARGE:
        lines = invoicing.untaxed(lines)
    kind = INVOICE
    if sum(line.item.gross for line in lines) < 0:
        kind, lines = CREDIT_NOTE, invoicing.turned(lines)
    total = invoicing.sums([line.item for line in lines], currency)
    yield Draft(kind, buyer, account, currency, tuple(lines), total, corrects)


def _place(cdr: Cdr, known: Mapping[str, Site]) -> str:
    """``North garage, Ulm, DE*ABC*E1001``: as far as it is known."""
    site = known.get(sites.key(cdr.site)) if cdr.site is not None else None
    named = [site.name or site.id, site.city] if site is not None else []
    return ", ".join(dict.fromkeys(part for part in (*named, cdr.evse_id or cdr.station) if part))


# Making invoices


async def issue(
    core: Core, seller: Seller, period: Period, drafts: Sequence[Draft], actor: Actor
) -> list[Invoice]:
    """Give them the next numbers, and write them down with all that belongs to them; a Clash writes nothing."""
    async with core.books:
        now = core.clock.now()
        today = now.astimezone(plans.zone(core.kept)).date()
        series = sellers.series_on(seller, today)
        last = await core.store.accounting.last_number(series)
        made: list[Invoice] = []
        changes: list[Change] = []
        for number, draft in enumerate(drafts, last + 1):
            invoice = _numbered(draft, seller, period, series, number, today, now)
            made.append(invoice)
            changes += written(invoice, draft.lines, actor)
            changes += await _charge(core, invoice)
        await core.store.commit(changes, [told(invoice, actor) for invoice in made])
    core.collect.set()
    return made


async def _charge(core: Core, invoice: Invoice) -> list[Change]:
    """What is taken from the buyer's card: all but what was taken for single sessions already."""
    if invoice.card is None or invoice.driver is None:
        return []
    owed = ledger.minor(await open_amount(core, invoice), invoice.currency)
    profile = billing.profile(core.kept, invoice.driver)
    if owed <= 0 or profile is None or profile.every == "session":
        return []
    charge = intended(
        core,
        driver=invoice.driver,
        amount=owed,
        currency=invoice.currency,
        purpose="invoice",
        owed_to=invoice.account,
        invoice=invoice.id,
    )
    return [SaveCharge(charge)]


def _numbered(
    draft: Draft, seller: Seller, period: Period, series: str, number: int, today: date, now: datetime
) -> Invoice:
    total = draft.total
    due = today if draft.kind == CREDIT_NOTE else today + timedelta(days=seller.due_days)
    return Invoice(
        series=series,
        number=number,
        kind=draft.kind,
        issued_on=today,
        due_on=due,
        period_from=period.since,
        period_to=period.until,
        driver=draft.buyer.driver,
        account=draft.account,
        seller=sellers.party(seller),
        buyer=draft.buyer.party,
        currency=draft.currency,
        items=tuple(line.item for line in draft.lines),
        vat=total.vat,
        net=total.net,
        gross=total.gross,
        rounding=total.rounding,
        payable=total.payable,
        made_at=now,
        corrects=draft.corrects,
        card=draft.buyer.card if draft.kind == INVOICE and total.payable > 0 else None,
        untaxed=draft.buyer.untaxed,
        untaxed_why=draft.buyer.untaxed_why,
    )


def written(invoice: Invoice, lines: Sequence[Line], actor: Actor) -> Iterator[Change]:
    """An invoice, what the ledger learns by it, and (a credit note) what became of the one it corrects."""
    yield AddInvoice(invoice)
    yield from invoicing.entries(invoice, lines)
    at = invoices.split_id(invoice.corrects) if invoice.corrects is not None else None
    if at is not None and invoice.credits:
        yield from invoicing.assigned(invoice, lines)
        yield AddMark(Mark(*at, f"corrected/{invoice.id}", invoice.made_at, invoice.note, actor.name))


def told(invoice: Invoice, actor: Actor) -> Happened:
    data = {
        "invoice": invoice.id,
        "kind": invoice.kind,
        "driver": invoice.driver,
        "total": {"amount": str(invoice.payable), "currency": invoice.currency},
    }
    return Happened("invoice.made", invoice.made_at, actor=actor.name, data=data)

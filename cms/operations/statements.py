"""Bank statements: each line is booked once, to the invoice, driver or balance it is for; else somebody is asked."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from hashlib import sha256

import msgspec

from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.contract.statements import AssignStatementLine, ImportStatement, ListStatementLines, StatementLine
from cms.contract.tariffs import Money
from cms.core import Actor, Clash, Core
from cms.domain import balances, camt, drivers, ledger, matching, statements
from cms.domain.balances import Balance
from cms.domain.changes import Change, Happened, Keep
from cms.domain.evolve import evolve
from cms.domain.invoices import Invoice
from cms.domain.ledger import BANK, PREPAID, RECEIVABLE, UNASSIGNED, Enter, Entry
from cms.domain.record import record
from cms.domain.statements import Kept, Line, PaysFrom
from cms.keys import LASTING
from cms.operations.credits import kept
from cms.operations.drivers import find
from cms.operations.ledger import is_account, open_amounts, settle
from cms.operations.secrecy import opened, sealed

_LONGEST = 64 * 1024 * 1024
#: A parse of more than this is done beside the loop.
_MANY = 100_000
_MATCHED, _KNOWN, _UNMATCHED = "matched", "known", "unmatched"


@record
class _Found:
    """What a line is for: what is booked, and what is told of it. ``pays``: the ledger account of who pays."""

    status: str
    changes: tuple[Change, ...] = ()
    fit: str | None = None
    invoices: tuple[str, ...] = ()
    driver: str | None = None
    pays: str | None = None
    detail: str | None = None
    balance: Balance | None = None
    """A balance that is new with this."""
    confirms: str | None = None
    """The entry that somebody made of this line before it came, where nobody said so yet."""


# Importing


async def import_(core: Core, request: ImportStatement, actor: Actor) -> list[StatementLine]:
    lines = await _read(core, request)
    book = _Series(await core.store.accounting.series())
    return [await _placed(core, line, book, actor, dry=request.dry_run) for line in lines]


async def _read(core: Core, request: ImportStatement) -> list[Line]:
    text = request.text.lstrip("\ufeff \r\n\t")
    if not text or len(text) > _LONGEST:
        raise Invalid("there is nothing in this statement" if not text else "the statement is too large")
    mapping = statements.Sheet(request.columns, request.dates or "", request.currency.upper())

    def read() -> list[Line]:
        return camt.read(text) if text.startswith("<") else statements.read_csv(text, mapping)

    return await core.aside(read) if len(text) > _MANY else read()


async def _placed(core: Core, line: Line, book: _Series, actor: Actor, *, dry: bool) -> StatementLine:
    async with core.books:
        found = await _found(core, line, book, actor)
        if not dry and found.status != _KNOWN:
            found = await _booked(core, line, found, actor)
        elif not dry and found.confirms is not None:
            now = core.clock.now()
            confirmed = statements.Confirmed(line.key, now)
            await core.store.commit(
                (Keep("", statements.BY_HAND, _confirmed(found.confirms), confirmed, now),), ()
            )
    return _view(line, found)


async def _booked(core: Core, line: Line, found: _Found, actor: Actor) -> _Found:
    """Commit what was found; who was faster has booked the same."""
    now = core.clock.now()
    changes = [*found.changes, *_remembered(core, line, found.pays)]
    told = []
    if found.status == _UNMATCHED:
        body = sealed(core, statements.LINE, "", line.key, "body", msgspec.json.encode(line).decode())
        held = Kept(line.booked_on, line.amount, line.currency, now, body)
        changes.append(Keep("", statements.LINE, line.key, held, now))
    if found.balance is not None:
        changes.append(Keep("", balances.KIND, found.balance.key, found.balance, now))
    amount = {"amount": str(ledger.major(line.amount, line.currency)), "currency": line.currency}
    data = {"line": line.key, "status": found.status, "amount": amount, "driver": found.driver}
    told.append(Happened("bank.line", now, actor=actor.name, data=data))
    try:
        await core.store.commit(changes, told)
    except Clash:
        return evolve(found, status=_KNOWN, detail="it was booked at the same moment")
    if found.balance is not None:
        core.kept.setdefault(balances.KIND, {})[found.balance.key] = found.balance
    return found


# Matching


class _Series:
    """The series of invoices there are, by how they are written without signs."""

    def __init__(self, names: Sequence[str]) -> None:
        self._by_plain: dict[str, list[str]] = {}
        for name in names:
            self._by_plain.setdefault(matching.plain(name), []).append(name)

    async def invoices(self, core: Core, line: Line) -> list[Invoice]:
        """Those that a line names, in its currency."""
        found = {}
        for written, number in matching.invoice_numbers(line.text, line.structured):
            for series in self._by_plain.get(written, ()):
                invoice = await core.store.accounting.invoice(series, number)
                if invoice is not None and invoice.currency == line.currency:
                    found[invoice.id] = invoice
        return list(found.values())


async def _found(core: Core, line: Line, book: _Series, actor: Actor) -> _Found:
    """What a line is for: the first way to tell that tells it."""
    if await _is_known(core, line):
        return _Found(_KNOWN, detail="imported before")
    named = await book.invoices(core, line)
    by_hand = await _by_hand(core, line, named)
    if by_hand is not None:
        return _Found(_KNOWN, detail=f"entered by hand: {by_hand}", confirms=by_hand)
    if named:
        found = await _for_invoices(core, line, named, actor)
        return found or _unmatched(core, line, actor, f"names {', '.join(i.id for i in named)}")
    return (
        _for_balance(core, line, actor)
        or await _by_payer(core, line, actor)
        or _unmatched(core, line, actor, None)
    )


async def _is_known(core: Core, line: Line) -> bool:
    return bool(await core.store.accounting.entries_among([line.key, f"{line.key}/1"]))


async def _by_hand(core: Core, line: Line, named: Sequence[Invoice]) -> str | None:
    """What somebody entered over the bank before the statement came: by its reference, or for the invoice named."""
    accounting = core.store.accounting
    kinds = ("top-up/by", "paid/bank") if line.amount > 0 else ("refund/by",)
    words = filter(None, (line.reference, line.structured, *matching.words(line.text)))
    entries = await accounting.entries_among([f"{kind}/{word}" for word in words for kind in kinds])
    for invoice in named:
        entries += await accounting.entries(ref=ledger.of_invoice(invoice.id))
    moved = (BANK, abs(line.amount), line.currency)
    for entry in entries:
        if entry.key.startswith("bank/"):
            continue
        if (entry.debit if line.amount > 0 else entry.credit, entry.amount, entry.currency) != moved:
            continue
        known = await core.store.kept_one("", statements.BY_HAND, _confirmed(entry.key))
        if known is None or known.line == line.key:
            return entry.key
    return None


def _confirmed(entry: str) -> str:
    return sha256(entry.encode()).hexdigest()[:32]


async def _for_invoices(core: Core, line: Line, named: Sequence[Invoice], actor: Actor) -> _Found | None:
    """Paid in their order, what is left over on the last; of one account alone."""
    if len({invoice.account for invoice in named}) > 1:
        return None
    owed = await open_amounts(core, named)
    coins = {invoice.id: ledger.minor(owed[invoice.id], line.currency) for invoice in named}
    if line.amount < 0:
        return _returned(line, named, coins, actor, core)
    left, paid = line.amount, []
    changes: list[Change] = []
    for number, invoice in enumerate(named, 1):
        last = number == len(named)
        part = left if last else min(left, max(coins[invoice.id], 0))
        if part <= 0:
            continue
        key = line.key if len(named) == 1 else f"{line.key}/{number}"
        changes += settle(
            invoice,
            part,
            BANK,
            key,
            core.clock.now(),
            still_open=coins[invoice.id],
            actor=actor.name,
        )
        paid.append(invoice.id)
        left -= part
    due = sum(max(amount, 0) for amount in coins.values())
    fit = "exact" if line.amount == due else "under-paid" if line.amount < due else "over-paid"
    first = named[0]
    return _Found(_MATCHED, tuple(changes), fit, tuple(paid), first.driver, first.account, _left(line, due))


def _returned(
    line: Line, named: Sequence[Invoice], coins: dict[str, int], actor: Actor, core: Core
) -> _Found | None:
    """Money that a bank took back: the invoice is owed it again, if it was ever paid so much."""
    invoice = named[0]
    paid = ledger.minor(invoice.payable, line.currency) - coins[invoice.id]
    if len(named) > 1 or paid < -line.amount:
        return None
    changes = settle(invoice, line.amount, BANK, line.key, core.clock.now(), actor=actor.name)
    return _Found(_MATCHED, changes, "returned", (invoice.id,), invoice.driver)


def _left(line: Line, due: int) -> str | None:
    if line.amount == due:
        return None
    missing = Money(ledger.major(abs(due - line.amount), line.currency), line.currency)
    word = "are still open" if line.amount < due else "are more than was owed, and stay as credit"
    return f"{missing.amount} {missing.currency} {word}"


def _for_balance(core: Core, line: Line, actor: Actor) -> _Found | None:
    """``TOPUP-ana``: the driver's prepaid balance, or back from it."""
    name = matching.top_up_of(f"{line.structured} {line.text}")
    driver = _driver(core, name) if name else None
    if driver is None:
        return None
    known = kept(core).get(balances.key(driver))
    if known is not None and known.currency != line.currency:
        return None
    balance = known or Balance(driver, line.currency, core.clock.now())
    entry = _entry(
        core, line, line.key, balance.account, "top-up" if line.amount > 0 else "top-up-back", actor
    )
    new = balance if known is None else None
    fit = "top-up" if line.amount > 0 else "returned"
    return _Found(_MATCHED, (Enter(entry),), fit, driver=driver, balance=new)


def _driver(core: Core, name: str) -> str | None:
    folded = name.casefold()
    return next((id for id in core.kept.get(drivers.KIND, {}) if id.casefold() == folded), None)


async def _by_payer(core: Core, line: Line, actor: Actor) -> _Found | None:
    """From a bank account that paid before, exactly what one invoice of the same debtor is owed, or all of them."""
    if line.amount <= 0 or not line.iban:
        return None
    known: PaysFrom | None = await core.store.kept_one("", statements.PAYS_FROM, _digest(core, line.iban))
    if known is None:
        return None
    invoices = [
        invoice
        for invoice in await core.store.accounting.invoices(account=known.account)
        if invoice.currency == line.currency
    ]
    owed = await open_amounts(core, invoices)
    due = [invoice for invoice in reversed(invoices) if owed[invoice.id] > 0]
    wanted = ledger.major(line.amount, line.currency)
    fitting = [invoice for invoice in due if owed[invoice.id] == wanted]
    if len(fitting) == 1:
        return await _for_invoices(core, line, fitting, actor)
    if len(due) > 1 and sum(owed[invoice.id] for invoice in due) == wanted:
        return await _for_invoices(core, line, due, actor)
    return None


def _unmatched(core: Core, line: Line, actor: Actor, detail: str | None) -> _Found:
    entry = _entry(core, line, line.key, UNASSIGNED, "bank", actor)
    return _Found(_UNMATCHED, (Enter(entry),), detail=detail)


def _entry(core: Core, line: Line, key: str, account: str, kind: str, actor: Actor, ref: str = "") -> Entry:
    """Money came from the bank account, or went there."""
    debit, credit = (BANK, account) if line.amount > 0 else (account, BANK)
    return Entry(
        key,
        core.clock.now(),
        debit,
        credit,
        abs(line.amount),
        line.currency,
        kind,
        ref or line.key,
        None,
        actor.name,
    )


def _remembered(core: Core, line: Line, account: str | None) -> list[Change]:
    """From which bank account somebody pays: by a digest, so that the record tells no IBAN."""
    if account is None or not line.iban or not account.startswith(RECEIVABLE):
        return []
    now = core.clock.now()
    return [Keep("", statements.PAYS_FROM, _digest(core, line.iban), PaysFrom(account, now), now)]


def _digest(core: Core, iban: str) -> str:
    key = core.keys.key("pays-from", LASTING)
    return hmac.new(key, iban.encode(), sha256).hexdigest()[:32]


# Assigning


async def list_(core: Core, request: ListStatementLines, actor: Actor) -> list[StatementLine]:
    held: dict[str, Kept] = await core.store.kept("", statements.LINE)
    lines = [_opened(core, key, each) for key, each in held.items()]
    return [_view(line, _Found(_UNMATCHED)) for line in sorted(lines, key=lambda line: line.booked_on)]


def _opened(core: Core, key: str, held: Kept) -> Line:
    return msgspec.json.decode(opened(core, statements.LINE, "", key, "body", held.body), type=Line)


async def assign(core: Core, request: AssignStatementLine, actor: Actor) -> StatementLine:
    async with core.books:
        held: Kept | None = await core.store.kept_one("", statements.LINE, request.line)
        if held is None:
            raise NotFound(f"no line {request.line} waits to be assigned", "see `cms statements list`")
        line = _opened(core, request.line, held)
        found = await _said(core, request, line, actor)
        now = core.clock.now()
        changes: list[Change] = [*found.changes, *_remembered(core, line, found.pays)]
        changes.append(Keep("", statements.LINE, line.key, None, now))
        if found.balance is not None:
            changes.append(Keep("", balances.KIND, found.balance.key, found.balance, now))
        data = {"line": line.key, "status": "assigned", "driver": found.driver}
        try:
            await core.store.commit(changes, (Happened("bank.line", now, actor=actor.name, data=data),))
        except Clash:
            raise Conflict(f"line {request.line} was assigned already") from None
        if found.balance is not None:
            core.kept.setdefault(balances.KIND, {})[found.balance.key] = found.balance
    return _view(line, found)


async def _said(core: Core, request: AssignStatementLine, line: Line, actor: Actor) -> _Found:
    """What somebody said that a line is for: the money leaves ``unassigned``."""
    said = [request.invoice, request.driver, request.account]
    if sum(name is not None for name in said) != 1 or (request.top_up and request.driver is None):
        raise Invalid("a line is for an invoice, for a driver, or for another account: name one of them")
    if request.invoice is not None:
        return await _said_invoice(core, request.invoice, line, actor)
    if request.account is not None:
        if not is_account(request.account) or not (request.reason or "").strip():
            raise Invalid("another account needs a name like fees/bank, and a reason")
        return _Found(_MATCHED, _moved(core, line, request.account, "bank", actor, request.reason))
    driver = find(core, request.driver or "").id
    if not request.top_up:
        account = f"{RECEIVABLE}{driver}"
        changes = _moved(core, line, account, "payment", actor, request.reason, ref=account)
        return _Found(_MATCHED, changes, driver=driver, pays=account)
    known = kept(core).get(balances.key(driver))
    if known is not None and known.currency != line.currency:
        raise Conflict(f"the balance of {driver} is in {known.currency}", f"not {line.currency}")
    changes = _moved(core, line, f"{PREPAID}{driver}", "top-up", actor, request.reason)
    new = Balance(driver, line.currency, core.clock.now()) if known is None else None
    return _Found(_MATCHED, changes, "top-up", driver=driver, balance=new)


async def _said_invoice(core: Core, name: str, line: Line, actor: Actor) -> _Found:
    series, _, number = name.rpartition("-")
    if not number.isascii() or not number.isdigit() or len(number) > 9:
        raise Invalid(f"{name!r} is no number of an invoice")
    invoice = await core.store.accounting.invoice(series, int(number))
    if invoice is None:
        raise NotFound(f"there is no invoice {name}", "see `cms invoices list`")
    if invoice.currency != line.currency:
        raise Conflict(f"invoice {invoice.id} is in {invoice.currency}, the line in {line.currency}")
    due = ledger.minor((await open_amounts(core, [invoice]))[invoice.id], line.currency)
    changes = settle(
        invoice,
        line.amount,
        UNASSIGNED,
        f"{line.key}/assigned",
        core.clock.now(),
        still_open=due,
        actor=actor.name,
    )
    fit = "exact" if line.amount == due else "under-paid" if line.amount < due else "over-paid"
    if line.amount < 0:
        return _Found(_MATCHED, changes, "returned", (invoice.id,), invoice.driver)
    return _Found(_MATCHED, changes, fit, (invoice.id,), invoice.driver, invoice.account, _left(line, due))


def _moved(
    core: Core,
    line: Line,
    account: str,
    kind: str,
    actor: Actor,
    reason: str | None,
    ref: str | None = None,
) -> tuple[Enter, ...]:
    key, now = f"{line.key}/assigned", core.clock.now()
    moved = ledger.payment(
        key,
        now,
        account,
        UNASSIGNED,
        line.amount,
        line.currency,
        ref or line.key,
        kind=kind,
        reason=reason,
        actor=actor.name,
    )
    return (moved,)


def _view(line: Line, found: _Found) -> StatementLine:
    return StatementLine(
        line=line.key,
        booked_on=line.booked_on,
        amount=Money(ledger.major(line.amount, line.currency), line.currency),
        status=found.status,
        fit=found.fit,
        invoices=found.invoices,
        driver=found.driver,
        name=line.name,
        iban=line.iban,
        text=" ".join(filter(None, (line.structured, line.text))),
        detail=found.detail,
    )

"""Prepaid balances, the ledger, and lines of bank statements that nobody has assigned."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from cms.contract import balances, ledger, statements
from cms.contract.intents import Preview
from cms.contract.money import money
from cms.contract.refusals import Invalid
from tui.books.shape import Book, Cell, field, moment, order, split
from tui.orders import Draft
from tui.widgets.paint import Span

#: A second far away, so that what is later has the lower key.
_LAST = 10**10


def _money(name: str) -> Callable[[Any], Span]:
    def show(row: Any) -> Span:
        held = getattr(row, name)
        return money(held.amount, held.currency)

    return show


def _left(row: Any) -> Span:
    shown = money(row.balance.amount, row.balance.currency)
    if row.balance.amount <= 0:
        return shown, "bad"
    return (shown, "warn") if row.low else shown


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise Invalid(f"{text!r} is no amount: type it like 20.00") from None
    return amount


def _said(text: str) -> tuple[Decimal, str]:
    """``-5.00 paid twice``: an amount and why."""
    amount, *why = split(text, 2, "AMOUNT WHY")
    return _amount(amount), " ".join(why)


def _topped_up(draft: Draft) -> Preview:
    """What a top-up of the balance under the cursor would do."""
    holder, text = draft.target.row.holder, draft.text.strip()
    line = f"cms balances top-up {shlex.quote(holder)} {shlex.quote(text)} --by bank"
    return Preview(draft.act.name, "", 2, f"{text} {draft.target.row.balance.currency} more are there", line)


def _corrected(draft: Draft) -> Preview:
    amount, why = _said(draft.text)
    holder = draft.target.row.holder
    line = f"cms balances correct {shlex.quote(holder)} --reason {shlex.quote(why)} -- {amount}"
    return Preview(draft.act.name, "", 2, f"the balance changes by {amount}, for ever in the ledger", line)


BALANCES = Book(
    "balances",
    "Balances",
    "who pays before he charges, and what is left",
    balances.BalanceView,
    lambda station: balances.ListBalances(),
    lambda row: row.holder,
    (
        Cell("Whose", 16, field("holder")),
        Cell("Left", 14, _left, right=True),
        Cell("Available", 14, _money("available"), right=True, drop=1),
        Cell("Low", 6, lambda row: ("▲ low", "warn") if row.low else ""),
        Cell("Warned below", 12, field("warn_below"), right=True, drop=3),
        Cell("Changed", 16, moment("changed_at"), drop=2),
        Cell("Tokens", 12, lambda row: " ".join(row.tokens), grow=True, drop=4),
    ),
    "nobody is prepaid: cms balances top-up",
    ("balance.", "cdr.made", "charge.", "ledger."),
    (
        order("T", "top up", "money came in for the balance under the cursor, by bank", "Top up the balance of",
              lambda target, text: balances.TopUpBalance(target.row.holder, _amount(text.strip())),
              "amount:", at_row=True, foretell=_topped_up),
        order("C", "correct", "set the balance under the cursor right", "Correct the balance of",
              lambda target, text: balances.CorrectBalance(target.row.holder, *_said(text)),
              "amount and why:", at_row=True, foretell=_corrected),
        order("W", "warn", "tell the holder when less than this is left", "Warn of the balance of",
              lambda target, text: balances.SetBalance(target.row.holder, warn_below=_amount(text.strip())),
              "below:", at_row=True),
    ),
)  # fmt: skip


def _newest_first(row: ledger.EntryView) -> str:
    """Books stand in the order of their keys."""
    at: datetime = row.at
    return f"{_LAST - at.timestamp():018.6f} {row.key}"


LEDGER = Book(
    "ledger",
    "Ledger",
    "what was moved from which account to which",
    ledger.EntryView,
    lambda station: ledger.ListEntries(limit=1_000),
    _newest_first,
    (
        Cell("When", 16, moment("at"), drop=2),
        Cell("Debit", 14, field("debit"), grow=True),
        Cell("Credit", 14, field("credit"), grow=True),
        Cell("Amount", 12, _money("amount"), right=True),
        Cell("Kind", 12, field("kind"), drop=3),
        Cell("About", 20, field("ref"), drop=1),
        Cell("Reason", 12, field("reason"), grow=True, drop=4),
        Cell("Who", 10, field("actor"), drop=5),
    ),
    "nothing was moved yet",
    ("cdr.", "balance.", "charge.", "ledger.", "bank."),
    called=lambda row: str(row.key),
)

ACCOUNTS = Book(
    "accounts",
    "Accounts of the ledger",
    "what stands on each account: debits less credits",
    ledger.AccountView,
    lambda station: ledger.ListAccounts(),
    lambda row: f"{row.account} {row.balance.currency}",
    (
        Cell("Account", 18, field("account"), grow=True),
        Cell("Balance", 16, _money("balance"), right=True),
        Cell("Side", 7, field("side"), drop=1),
    ),
    "nothing was moved yet",
    ("cdr.", "balance.", "charge.", "ledger.", "bank."),
)


def _line_first(row: statements.StatementLine) -> str:
    day: date = row.booked_on
    return f"{day.isoformat()} {row.line}"


STATEMENTS = Book(
    "statements",
    "Unassigned bank lines",
    "money that came or went, and nobody knows yet for what",
    statements.StatementLine,
    lambda station: statements.ListStatementLines(),
    _line_first,
    (
        Cell("Booked", 10, field("booked_on")),
        Cell("Amount", 13, _money("amount"), right=True),
        Cell("Name", 12, field("name"), grow=True),
        Cell("Text", 24, field("text"), grow=True, drop=1),
        Cell("IBAN", 22, field("iban"), drop=2),
    ),
    "every line is assigned: cms statements import",
    ("bank.",),
    (
        order("I", "invoice", "say which invoice the line under the cursor pays", "Assign the bank line",
              lambda target, text: statements.AssignStatementLine(target.row.line, invoice=text.strip()),
              "invoice:", at_row=True),
        order("O", "driver", "say whose debt the line under the cursor pays", "Assign to a driver the bank line",
              lambda target, text: statements.AssignStatementLine(target.row.line, driver=text.strip()),
              "driver:", at_row=True),
        order("B", "balance", "say whose balance the line under the cursor tops up", "Top up with the bank line",
              lambda target, text: statements.AssignStatementLine(
                  target.row.line, driver=text.strip(), top_up=True), "driver:", at_row=True),
    ),
    called=lambda row: str(row.line),
)  # fmt: skip

BOOKS = (BALANCES, LEDGER, ACCOUNTS, STATEMENTS)

"""Prepaid balances of drivers, and of tokens that have none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from cms.contract.record import record
from cms.contract.tariffs import Money


@record
class BalanceView:
    """``holder`` is a driver or a token, as ``kind`` says. ``available``: less what running sessions may still take.

    ``low``: less is left than ``warn_below``. ``top_up`` is taken from the saved card then.
    """

    holder: str
    kind: str
    balance: Money
    available: Money
    low: bool
    warn_below: Decimal | None
    top_up: Decimal | None
    tokens: tuple[str, ...]
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class ListBalances:
    filter: str | None = None


@dataclass(frozen=True, slots=True)
class ShowBalance:
    """Of a driver, or of a token: then the one that pays for it."""

    holder: str


@dataclass(frozen=True, slots=True)
class TopUpBalance:
    """Somebody paid before; whoever had no balance is prepaid from now on. ``by``: bank, cash or card.

    ``reference`` is the payment's own: the same again changes nothing.
    """

    holder: str
    amount: Decimal
    currency: str | None = None
    by: str = "bank"
    reference: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RefundBalance:
    """Money was given back; null is all of it. What running sessions may still take stays."""

    holder: str
    amount: Decimal | None = None
    by: str = "bank"
    reference: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class CorrectBalance:
    """Set a balance right by this much, with its sign."""

    holder: str
    amount: Decimal
    reason: str


@dataclass(frozen=True, slots=True)
class SetBalance:
    """When its holder is told that little is left, and what is then taken from his saved card; 0 is never."""

    holder: str
    warn_below: Decimal | None = None
    top_up: Decimal | None = None


@dataclass(frozen=True, slots=True)
class CloseBalance:
    """Its holder pays afterwards again: what is left or missing goes to what he owes."""

    holder: str
    reason: str | None = None

"""Prepaid balances: of a driver, or of a token that has none. What is left is what the ledger holds for them.

A balance is the ledger account ``prepaid/HOLDER``, whose holder is ``DRIVER`` or ``token/TOKEN``. Here is what
decisions need of it in memory: which holders pay before they charge, what the ledger holds for each, and how much of
it their running sessions may still cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from cms.domain import ledger
from cms.domain.ledger import PREPAID, Entry
from cms.domain.record import record

KIND = "balance"
_TOKEN = "token/"  # noqa: S105 - the beginning of an account
#: A reservation that no committed account confirmed is worth nothing after this.
_UNCONFIRMED = timedelta(seconds=30)


@record
class Balance:
    """Somebody who pays before he charges, in one currency. ``warned``: he was told that little is left.

    ``top_up`` is taken from his saved card when less than ``warn_below`` is left.
    """

    holder: str
    currency: str
    changed_at: datetime
    warn_below: Decimal | None = None
    warned: bool = False
    top_up: Decimal | None = None

    @property
    def account(self) -> str:
        return f"{PREPAID}{self.holder}"

    @property
    def key(self) -> str:
        """Under which it is kept."""
        return key(self.holder)

    @property
    def driver(self) -> str | None:
        return None if self.holder.startswith(_TOKEN) else self.holder

    @property
    def token(self) -> str | None:
        return self.holder.removeprefix(_TOKEN) if self.holder.startswith(_TOKEN) else None


def key(holder: str) -> str:
    return holder.casefold()


def of_token(token: str) -> str:
    """The holder that a token without a driver is."""
    return f"{_TOKEN}{token}"


class Prepaid:
    """What the ledger holds on all prepaid accounts, and what running sessions may take of it."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], int] = {}
        self._reserved: dict[str, dict[str, tuple[Decimal, datetime | None]]] = {}
        self._account_of: dict[str, str] = {}
        self._moved_at: dict[str, datetime] = {}

    def load(self, balances: Mapping[tuple[str, str], int]) -> None:
        """Begin with what the ledger says: (account, currency) -> debits less credits."""
        self._held = {place: -amount for place, amount in balances.items() if amount}

    def enter(self, entries: Iterable[Entry]) -> list[str]:
        """Take over entries that were committed; the prepaid accounts that they moved."""
        moved = []
        for entry in entries:
            for account, amount in ((entry.credit, entry.amount), (entry.debit, -entry.amount)):
                if account.startswith(PREPAID):
                    place = (account, entry.currency)
                    self._held[place] = self._held.get(place, 0) + amount
                    self._moved_at[account] = entry.at
                    moved.append(account)
        return moved

    def moved_at(self, account: str, since: datetime) -> datetime:
        """When money last moved there; ``since`` where none did since the start."""
        return max(self._moved_at.get(account, since), since)

    def left(self, account: str, currency: str) -> Decimal:
        """What we owe the holder; below nothing where he owes us."""
        return ledger.major(self._held.get((account, currency), 0), currency)

    def all(self) -> dict[tuple[str, str], int]:
        """(Account, currency) -> what we owe, in minor units, where that is something."""
        return {place: amount for place, amount in self._held.items() if amount}

    def reserve(
        self, session: str, account: str | None, amount: Decimal, since: datetime | None = None
    ) -> None:
        """A running session may cost so much; with ``since`` it is not committed yet, with no account it is over."""
        before = self._account_of.pop(session, None)
        if before is not None:
            of_account = self._reserved[before]
            of_account.pop(session, None)
            if not of_account:
                del self._reserved[before]
        if account is not None:
            self._account_of[session] = account
            until = None if since is None else since + _UNCONFIRMED
            self._reserved.setdefault(account, {})[session] = (amount, until)

    def reserved(self, account: str, now: datetime, but: Iterable[str] = ()) -> Decimal:
        """What the sessions of an account may still take, those named in ``but`` apart."""
        of_account = self._reserved.get(account)
        if of_account is None:
            return Decimal(0)
        apart = frozenset(but)
        return sum(
            (
                amount
                for session, (amount, until) in of_account.items()
                if session not in apart and (until is None or now < until)
            ),
            Decimal(0),
        )

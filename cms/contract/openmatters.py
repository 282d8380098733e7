"""What of money is open: what waits for a run, for a payment, or for a person, at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from cms.contract.record import record
from cms.contract.tariffs import Money


@record
class OpenMatter:
    """One kind of open matter. ``waits_for``: a run (it goes on with the next one), a payment, or a person.

    ``count`` of them, 0 where nothing is open; ``amount`` with taxes where there is one, in each currency a matter of
    its own. ``oldest`` is since when; ``command`` shows them.
    """

    matter: str
    waits_for: str
    what: str
    count: int
    amount: Money | None
    oldest: date | None
    command: str


@dataclass(frozen=True, slots=True)
class ListOpenMatters:
    """All kinds, those that are open first. ``since``: sessions that ended then or later; without it in the last 62
    days. What is owed, invoiced or being charged counts whenever it began.
    """

    since: date | None = None

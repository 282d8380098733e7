"""Charge detail records: what a session came to, rated once a revision and never changed (OCPI 2.2.1 mod_cdrs).

A record is made in the commit that ends its session. What is learned later (readings that were late, a tariff that
was wrong) is another revision with a reason; the latest one counts.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from cms.contract.tariffs import Bill
from cms.domain.changes import Change
from cms.domain.record import record

ENDED = "the session ended"
LATE = "readings came late"


@record
class Payer:
    """Who pays a session: ``way`` (invoice, card, prepaid, free, ad-hoc, nobody) and the ledger account that owes."""

    way: str
    account: str
    driver: str | None = None


@record
class Cdr:
    """One revision of what a session came to. ``token`` and ``driver`` as they were when it began.

    ``source``: central, or station (2.1 costDetails). ``signature``: none, valid, invalid, unverified (a signed
    meter value came, and nobody said which key the meter has).
    """

    session: str
    revision: int
    reason: str
    rated_at: datetime
    station: str
    evse: int | None
    connector: int | None
    evse_id: str | None
    site: str | None
    token: str | None
    token_kind: str | None
    payer: Payer
    started_at: datetime
    ended_at: datetime
    time_zone: str
    energy_wh: int
    meter_start_wh: int | None
    meter_stop_wh: int | None
    charging_s: int
    idle_s: int
    tariffs: tuple[str, ...]
    source: str
    bill: Bill
    psp_ref: str | None = None
    signature: str = "none"
    remarks: tuple[str, ...] = ()
    actor: str | None = None

    @property
    def id(self) -> str:
        return f"{self.session}.{self.revision}"

    @property
    def gross(self) -> Decimal:
        return self.bill.gross


@record
class AddCdr(Change):
    """Write a revision. (session, revision) is unique: a second one is a Clash."""

    cdr: Cdr

"""Charge detail records: what a session came to, rated once a revision and never changed (OCPI 2.2.1 mod_cdrs).

A record is made in the commit that ends its session. What is learned later (readings that were late, a tariff that
was wrong) is another revision with a reason; the latest one counts. One that rests on doubtful figures is held: it
moves nothing in the ledger, and no invoice bills it, before a person has released it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from cms.contract.tariffs import Bill
from cms.domain.changes import Change
from cms.domain.meters import plausible
from cms.domain.record import record
from cms.domain.sessions import Session

ENDED = "the session ended"
LATE = "readings came late"

#: Flags of a session that say that what it is billed by may be wrong (docs/glossary.md). What is said of a card, of
#: a missing number or of the station's name for a connector changes no figure, and holds nothing.
HOLDS = frozenset(
    {
        "meter-stop-below-start",
        "register-decreased",
        "implausible-jump",
        "conflicting-report",
        "second-end",
        "stop-before-start",
        "station-clock",
    }
)
IMPLAUSIBLE, FORGED, DIFFERS = "implausible-energy", "signature-invalid", "signed-energy-differs"
CORRECTED = "corrected-before"
#: Marks of a session's record; the last one counts.
RELEASED, DISPUTED, RESOLVED = "released", "disputed", "resolved"
#: What a list of records says of one.
HELD, INVOICED, OPEN = "held", "invoiced", "open"


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
    meter value came, and nobody said which key the meter has); ``signed_*_wh`` are the registers it tells. ``holds``:
    why a person must release it. ``started_by``: station, remote, offline.
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
    holds: tuple[str, ...] = ()
    party: str | None = None
    started_by: str = "station"
    signed_start_wh: Decimal | None = None
    signed_stop_wh: Decimal | None = None

    @property
    def id(self) -> str:
        return f"{self.session}.{self.revision}"

    @property
    def ref(self) -> str:
        """What entries of the ledger and items of invoices call it."""
        return f"cdr/{self.id}"

    @property
    def gross(self) -> Decimal:
        return self.bill.gross


@record
class AddCdr(Change):
    """Write a revision. (session, revision) is unique: a second one is a Clash."""

    cdr: Cdr


@record
class CdrMark:
    """What a person said of a session's record. ``key`` makes it unique (``released/2``); ``what`` as above."""

    session: str
    key: str
    what: str
    revision: int
    at: datetime
    reason: str
    actor: str | None = None


@record
class AddCdrMark(Change):
    """Write a mark; one that is there already is a Clash."""

    mark: CdrMark


def held_by(session: Session, signature: str, differs: bool) -> tuple[str, ...]:
    """Why this session is not billed before a person has looked at it."""
    found = [flag for flag in session.flags if flag in HOLDS]
    span = (session.ended_at or session.started_at) - session.started_at
    if not plausible(session.energy_wh, max(span, timedelta())):
        found.append(IMPLAUSIBLE)
    if signature == "invalid":
        found.append(FORGED)
    if differs:
        found.append(DIFFERS)
    return tuple(found)


def in_force(cdr: Cdr, marks: Collection[CdrMark]) -> bool:
    """Whether the ledger has this revision: nothing held it, or somebody released it."""
    return not cdr.holds or any(mark.what == RELEASED and mark.revision == cdr.revision for mark in marks)


def entered(revisions: Sequence[Cdr], marks: Collection[CdrMark]) -> Cdr | None:
    """The latest revision that the ledger has."""
    return next((cdr for cdr in reversed(revisions) if in_force(cdr, marks)), None)


def disputed(marks: Collection[CdrMark]) -> bool:
    """Whether somebody says that it is wrong, and nobody has decided yet."""
    said = [mark.what for mark in marks]
    return said.count(DISPUTED) > said.count(RESOLVED)


def status(latest: Cdr, marks: Sequence[CdrMark], invoiced: bool) -> str:
    """held, disputed, invoiced or open (owed, and on no invoice yet)."""
    if disputed(marks):
        return DISPUTED
    if not in_force(latest, marks):
        return HELD
    return INVOICED if invoiced else OPEN

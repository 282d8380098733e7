"""Charge detail records, "bills" to people: what sessions came to, what was said of it, and which wait for a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from cms.contract.record import record
from cms.contract.tariffs import BillLine, VatPart


@record
class CdrView:
    """The latest revision of a session's record. Amounts in major units of ``currency``.

    ``status``: open (owed, on no invoice yet), invoiced, held (``holds`` say why; nobody owes it before it is
    released), disputed. ``way`` and ``account`` are who pays how. ``signature``: none, valid, invalid, unverified.
    """

    id: str
    session: str
    revision: int
    status: str
    station: str
    evse: int | None
    evse_id: str | None
    site: str | None
    token: str | None
    driver: str | None
    way: str
    account: str
    started_at: datetime
    ended_at: datetime
    energy_wh: int
    charging_s: int
    idle_s: int
    currency: str
    net: Decimal
    vat: Decimal
    gross: Decimal
    kind: str
    source: str
    signature: str
    tariffs: tuple[str, ...]
    holds: tuple[str, ...]
    remarks: tuple[str, ...]
    psp_ref: str | None
    rated_at: datetime
    reason: str
    actor: str | None = None
    invoice: str | None = None


@record
class RevisionView:
    """One revision of a record: why it was made, and what it came to."""

    revision: int
    rated_at: datetime
    reason: str
    actor: str | None
    gross: Decimal
    holds: tuple[str, ...]
    invoice: str | None


@record
class CdrMarkView:
    """What a person said of a record. ``what``: released, disputed, resolved."""

    what: str
    revision: int
    at: datetime
    reason: str
    actor: str | None


@record
class CdrDetail:
    """A record line by line, with its history. Instants of lines are UTC; ``time_zone`` is the site's."""

    cdr: CdrView
    time_zone: str
    meter_start_wh: int | None
    meter_stop_wh: int | None
    signed_start_wh: Decimal | None
    signed_stop_wh: Decimal | None
    lines: tuple[BillLine, ...]
    vat: tuple[VatPart, ...]
    revisions: tuple[RevisionView, ...]
    marks: tuple[CdrMarkView, ...]


@record
class UnpricedView:
    """A session that ended without a price, and why."""

    session: str
    station: str
    evse: int | None
    token: str | None
    started_at: datetime
    ended_at: datetime | None
    energy_wh: int
    why: str


@record
class RerateView:
    """What rating a session again comes to. ``outcome``: unchanged, revised, first (it had no record), unpriced."""

    session: str
    station: str
    outcome: str
    revision: int | None
    currency: str | None
    before: Decimal | None
    after: Decimal | None
    difference: Decimal | None
    holds: tuple[str, ...]
    why: str | None = None


@record
class CdrExport:
    """Records as OCPI 2.2.1 CDR objects, each as JSON text; of a session that was rated again the earlier ones with
    their credit."""

    lines: tuple[str, ...]


@record
class MeterKeyView:
    """A meter's public key. ``evse`` 0: of all of the station; not ``registered``: the one it sent first."""

    station: str
    evse: int
    curve: str
    key: str
    registered: bool
    at: datetime
    actor: str | None


@record
class SignedView:
    """One signed meter value: ``valid`` null where no key is known, or nobody can read it."""

    at: datetime | None
    context: str
    encoding: str
    valid: bool | None
    text: str


@record
class TransparencyView:
    """The signed meter values of a session, and as the transparency software (S.A.F.E.) reads them (``xml``)."""

    session: str
    signature: str
    start_wh: Decimal | None
    stop_wh: Decimal | None
    energy_wh: int
    remarks: tuple[str, ...]
    key: str | None
    values: tuple[SignedView, ...]
    xml: str


@dataclass(frozen=True, slots=True)
class ListCdrs:
    """Records of sessions that ended between two instants, latest first.

    Without ``since`` those of a site or driver, or by a filter, are of the last 92 days; held and disputed ones of all.
    """

    since: datetime | None = None
    until: datetime | None = None
    station: str | None = None
    site: str | None = None
    driver: str | None = None
    status: str | None = None
    filter: str | None = None
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class ShowCdr:
    """A session's record: its latest revision, or one of those before."""

    session: str
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class ExportCdrs:
    """Records of sessions that ended between two instants (without ``since`` in the last 92 days), oldest first.

    What is held is not among them.
    """

    since: datetime | None = None
    until: datetime | None = None
    station: str | None = None
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class ListUnpriced:
    """Sessions that ended without a price, begun between two instants, latest first."""

    since: datetime | None = None
    until: datetime | None = None
    station: str | None = None
    filter: str | None = None
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class RerateSessions:
    """Rate sessions again, from what was measured: those named, or those that ended between two instants.

    ``tariff`` instead of the one that holds for them. ``dry_run`` tells what would change.
    """

    reason: str
    sessions: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    station: str | None = None
    tariff: str | None = None
    dry_run: bool = False
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class CorrectCdr:
    """Change a bill by hand, by so much with taxes; ``vat_percent`` where its lines have several rates."""

    session: str
    amount: Decimal
    reason: str
    vat_percent: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ReleaseCdr:
    """A held record is right as it is: it is owed from now on."""

    session: str
    reason: str


@dataclass(frozen=True, slots=True)
class DisputeCdr:
    """Whoever is to pay says that the bill is wrong: nobody asks him for it until that is resolved."""

    session: str
    reason: str


@dataclass(frozen=True, slots=True)
class ResolveDispute:
    """A dispute is over; the bill stands, or changes by ``amount`` (with taxes)."""

    session: str
    reason: str
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ListMeterKeys:
    station: str | None = None


@dataclass(frozen=True, slots=True)
class SetMeterKey:
    """Register the public key of a meter: PEM, or hex digits of its DER form. EVSE 0: of all of the station."""

    station: str
    key: str
    evse: int = 0


@dataclass(frozen=True, slots=True)
class DropMeterKey:
    station: str
    evse: int = 0


@dataclass(frozen=True, slots=True)
class ShowTransparency:
    """The signed meter values of a session, verified now."""

    session: str

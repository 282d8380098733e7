"""What an operation may lean on: the ports, and Core, which holds one of each.

The daemon hands in real ones; tests hand in small real ones (SQLite in a folder, a clock they set).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Protocol
from weakref import WeakValueDictionary

from cms.aside import Aside, at_once
from cms.contract.events import Event
from cms.contract.intents import IntentView
from cms.contract.monitoring import StreamSample
from cms.contract.refusals import NotFound
from cms.contract.sessions import ListSessions, Sample
from cms.contract.stations import Message, UnknownStation, Variable
from cms.contract.status import QuarantinedMessage
from cms.domain import handshakes, outside
from cms.domain.accounts import Account
from cms.domain.alerts import Board
from cms.domain.audit import Head, Sealed, Wanted
from cms.domain.balances import Prepaid
from cms.domain.cdrs import Cdr, CdrMark
from cms.domain.certificates import (
    Certificate,
    Contract,
    HashData,
    OwnAuthority,
    Signed,
    SigningRequest,
    Standing,
    Use,
)
from cms.domain.changes import Change, Happened
from cms.domain.charges import Charge, Disputed, Found, Told
from cms.domain.datatransfer import Vendors
from cms.domain.history import Known
from cms.domain.invoices import Invoice, Mark
from cms.domain.iso15118 import ContractCertificate, ContractCertificateAsked
from cms.domain.ledger import Entry
from cms.domain.measures import Counted, InService, Read, Sums
from cms.domain.orders import Order, OrderAnswer
from cms.domain.pairing import Pairing
from cms.domain.payments import Payment, VatAnswer
from cms.domain.security import Proof
from cms.domain.sessions import Session
from cms.domain.signedvalues import SignedValue, Vouched
from cms.domain.stations import Delivered, StationState
from cms.domain.tokens import Token
from cms.domain.usage import Rulebook
from cms.domain.verification import Mail
from cms.keys import Keys, single
from cms.sightings import Sightings
from cms.terms import Terms

#: The organisation that is always there: stations whose address names no other belong to it.
MAIN = "main"
#: What belongs to no organisation: the organisations themselves, and those who run the platform.
PLATFORM = ""


class Clash(Exception):
    """A unique key of these changes is taken: somebody decided this already. Nothing of them was written."""


class StoreDown(Exception):
    """The store cannot commit now. Nothing was written; nothing may be acknowledged."""


class Clock(Protocol):
    """Wall time. Waiting is asyncio's business: a simulated loop brings its own time."""

    def now(self) -> datetime:
        """The present, aware, UTC."""
        ...


class Mint(Protocol):
    """Where new names come from: unique, unguessable where it matters."""

    def id(self, now: datetime) -> str:
        """A short sortable id for a session or an intent."""
        ...

    def number(self) -> int:
        """A random positive 31-bit number: 1.6 transaction ids, remote start ids."""
        ...


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything a daemon holds in memory when it starts: stations with what is open, and all tokens."""

    states: list[StationState]
    tokens: list[Token]
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What belongs to no station, by kind and key."""


Present = dict[tuple[str, int], tuple[datetime | None, str]]
"""(Station, EVSE) -> when the station was registered, and its site; empty where it has none."""


class History(Protocol):
    """What the record knows of sessions that lines of another system's file may repeat. Stations without case."""

    async def named(self, names: Collection[tuple[str, str]]) -> list[Known]:
        """Those with these transaction ids, by (station, transaction id)."""
        ...

    async def begun(self, starts: Collection[tuple[str, datetime]]) -> list[Known]:
        """Those that began in these seconds, at these stations among others."""
        ...

    async def of_import(self, id: str, limit: int) -> list[Known]:
        """Sessions that an import brought."""
        ...

    async def count(self, id: str) -> int:
        """How many an import brought that are still there."""
        ...


class Usage(Protocol):
    """How sessions were counted, and what that sums up to (domain.measures)."""

    async def marks(self, limit: int) -> list[tuple[str, int]]:
        """(Session, stamp) of those that are to be counted, or counted anew."""
        ...

    async def count_marks(self) -> int: ...

    async def sessions(self, ids: Sequence[str]) -> list[Session]:
        """These, as far as counting looks at them."""
        ...

    async def counted(self, ids: Sequence[str]) -> list[Counted]:
        """How these were counted, where they were."""
        ...

    async def cdrs(self, ids: Sequence[str]) -> dict[str, list[Cdr]]:
        """All revisions of these sessions' records, oldest first."""
        ...

    async def cdr_marks(self, ids: Sequence[str]) -> dict[str, list[CdrMark]]: ...

    async def readings(self, of: Sequence[Session]) -> dict[str, list[Read]]:
        """The energy that their readings tell, by session, oldest first."""
        ...

    async def overlapping(
        self,
        since: datetime,
        until: datetime,
        *,
        site: str | None = None,
        station: str | None = None,
        driver: str | None = None,
        tariff: str | None = None,
        after: tuple[datetime, str] | None = None,
        limit: int,
    ) -> list[Counted]:
        """Sessions that lie partly in this span, by their end; ``after`` the one with this end and id."""
        ...

    async def sums(
        self, scope: str, grain: str, since: int, until: int, *, key: str | None = None, by_key: bool = False
    ) -> list[tuple[int | str, str, Sums]]:
        """(Local time, or key, currency, sums) of one scope from one local time to before another."""
        ...

    async def in_service(self, stations: Sequence[str] | None = None) -> list[InService]:
        """When EVSEs (of these stations) were in service, by station, EVSE and number."""
        ...


class Accounting(Protocol):
    """What the record knows of money. All of it is only added to, but charges, which change their status."""

    async def revisions(self, session_id: str) -> list[Cdr]:
        """All revisions of a session's charge detail record, oldest first."""
        ...

    async def cdrs(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        station: str | None = None,
        account: str | None = None,
        limit: int | None = None,
        every: bool = False,
    ) -> list[Cdr]:
        """The latest revision (or every one) of records of sessions that ended then, newest first."""
        ...

    async def cdr_marks(self, session_id: str | None = None, since: datetime | None = None) -> list[CdrMark]:
        """What people said of a session's record, or of all since then, oldest first."""
        ...

    async def held(self) -> list[str]:
        """Sessions whose latest charge detail record is held: it waits for a person."""
        ...

    async def disputed(self) -> list[str]:
        """Sessions whose charge detail record somebody disputes."""
        ...

    async def unpriced(
        self, since: datetime | None, until: datetime | None, station: str | None, limit: int
    ) -> list[Session]:
        """Sessions that began then and ended without a price, newest first."""
        ...

    async def unpriced_since(self, since: datetime) -> int:
        """How many sessions that began since then ended without a price."""
        ...

    async def entries(
        self,
        *,
        account: str | None = None,
        ref: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> list[Entry]:
        """Entries of the ledger, newest first."""
        ...

    async def entry(self, key: str) -> Entry | None: ...

    async def entries_among(self, keys: Sequence[str]) -> list[Entry]:
        """Those of these keys that there are."""
        ...

    async def count_entries(self) -> int: ...

    async def first_cdr(self) -> datetime | None:
        """When the first session ended of which there is a record."""
        ...

    async def balances(
        self, account: str | None = None, prefix: str | None = None
    ) -> dict[tuple[str, str], int]:
        """(Account, currency) -> debits less credits in minor units; of one, of those that begin so, or of all."""
        ...

    async def moved(self, refs: Sequence[str], kinds: Sequence[str]) -> dict[str, dict[tuple[str, str], int]]:
        """Ref -> (account, currency) -> debits less credits, of entries of these kinds about these refs."""
        ...

    async def last_number(self, series: str) -> int:
        """The last invoice number given in a series; 0 before the first."""
        ...

    async def series(self) -> list[str]:
        """All series in which an invoice has a number."""
        ...

    async def invoice(self, series: str, number: int) -> Invoice | None: ...

    async def invoices(self, account: str | None = None, limit: int | None = None) -> list[Invoice]:
        """Newest first."""
        ...

    async def billed_among(self, sources: Sequence[str]) -> set[str]:
        """Those of these sources that an invoice bills already."""
        ...

    async def billed_by(self, sources: Sequence[str]) -> dict[str, str]:
        """Which invoice (by its id) bills which of these sources."""
        ...

    async def unbilled_accounts(self, since: datetime, until: datetime) -> list[str]:
        """Whose sessions that ended then have a record that no invoice bills, in order."""
        ...

    async def unbilled(self, account: str, since: datetime, until: datetime) -> list[Cdr]:
        """Those records: the latest revisions, also of earlier sessions that were rated again."""
        ...

    async def marks(self, series: str | None = None, number: int | None = None) -> list[Mark]:
        """What became of an invoice, or of all, oldest first."""
        ...

    async def charge(self, charge_id: str) -> Charge | None: ...

    async def charges(
        self,
        *,
        statuses: Sequence[str] = (),
        provider_ref: str | None = None,
        session: str | None = None,
        owed_to: str | None = None,
        limit: int | None = None,
    ) -> list[Charge]:
        """Newest first."""
        ...


class Store(Protocol):
    """The record. Commits are grouped; a commit returns only when its changes are durable."""

    healthy: bool
    entered: Callable[[Sequence[Entry]], None] | None
    """Told of entries of the ledger when they are durable, before anybody else hears of the commit."""

    @property
    def accounting(self) -> Accounting: ...

    @property
    def history(self) -> History: ...

    @property
    def usage(self) -> Usage: ...

    async def load(self) -> Picture: ...

    async def commit(self, changes: Sequence[Change], events: Sequence[Happened]) -> None:
        """Write all or nothing, durably. Raises Clash or StoreDown. Events go to the bus in cursor order."""
        ...

    async def session(self, session_id: str) -> Session | None: ...

    async def session_of(self, station_id: str, transaction_id: str) -> Session | None: ...

    async def station_of_number(self, number: int) -> str | None:
        """Which station the 1.6 transaction with this number belongs to."""
        ...

    async def sessions(self, query: ListSessions) -> list[Session]:
        """Newest first. ``query.filter`` is not the store's business."""
        ...

    async def stale_sessions(self, before: datetime) -> list[Session]:
        """Open, not yet suspect, and not heard of since ``before``."""
        ...

    async def samples(self, session_id: str) -> list[Sample]: ...

    async def station_samples(self, station_id: str, readings: int) -> list[Sample]:
        """Samples of the latest readings outside sessions, oldest first."""
        ...

    async def delivered(self, station_id: str, kind: str, key: str) -> Delivered | None: ...

    async def events_after(
        self,
        cursor: str | None,
        limit: int,
        *,
        station: str | None = None,
        session: str | None = None,
        type: str | None = None,
    ) -> list[Event]:
        """Events after the cursor, oldest first; with None the latest ones, oldest first. Bad cursor: Invalid."""
        ...

    async def cursor(self) -> str:
        """The cursor of the last event there is."""
        ...

    async def intent(self, intent_id: str) -> IntentView | None: ...

    async def intents(self, station: str | None, status: str | None, limit: int) -> list[IntentView]: ...

    async def variables(self, station_id: str) -> list[Variable]: ...

    async def stream_samples(self, station_id: str, monitor: int, limit: int) -> list[StreamSample]:
        """The latest values of a periodic event stream, oldest first."""
        ...

    async def kept(self, station_id: str, kind: str) -> dict[str, Any]:
        """What is kept of this kind about a station, by key, oldest first."""
        ...

    async def kept_one(self, station_id: str, kind: str, key: str) -> Any | None:
        """The record of this kind under this key; of no station with ""."""
        ...

    async def kept_everywhere(self, kind: str) -> list[tuple[str, str, Any]]:
        """(Station without case, key, record) of this kind, of all stations."""
        ...

    async def mentions(self, words: Sequence[str], limit: int) -> list[tuple[str, dict[str, Any]]]:
        """(Table, row) of what may name one of these words; at most so many rows of each table."""
        ...

    async def rewrite(
        self, words: Sequence[str], change: Callable[[str, str], str], before: datetime | None = None
    ) -> dict[str, int]:
        """Change texts that may name one of these words, in rows that are older; how many rows, by table."""
        ...

    async def old_tokens(self, before: datetime, but: str, limit: int) -> list[str]:
        """Tokens of sessions that ended before this instant, except those that begin with ``but``."""
        ...

    async def leave_no_traces(self, words: Sequence[str]) -> None:
        """Nothing of what was rewritten or removed stays in the files of the database."""
        ...

    async def bill(self, session_id: str) -> Account | None:
        """The account of a session that is over, where it had one."""
        ...

    async def payment(self, psp_ref: str) -> Payment | None: ...

    async def payments(self, status: str | None, station: str | None, limit: int) -> list[Payment]:
        """Newest first."""
        ...

    async def unknown_stations(self) -> list[UnknownStation]: ...

    async def quarantine(self, station: str | None, limit: int) -> list[QuarantinedMessage]: ...

    async def audit_rows(self, organisation: str, wanted: Wanted) -> list[Sealed]:
        """Rows of the audit log, oldest first."""
        ...

    async def audit_head(self, organisation: str) -> Head:
        """Where the chain of audit rows ends, as the record has it."""
        ...

    async def count_quarantine(self) -> int: ...

    async def energy_since(self, since: datetime) -> int:
        """Wh of all sessions that were started since then."""
        ...

    async def probe(self) -> bool:
        """Try a durable write now; sets and returns ``healthy``."""
        ...

    async def close(self) -> None:
        """Write what waits, checkpoint, close."""
        ...


@dataclass(frozen=True, slots=True)
class LinkInfo:
    """A station's live conversation."""

    ocpp_version: str
    address: str
    since: datetime
    last_seen_at: datetime


class Stations(Protocol):
    """The stations that are connected now."""

    def link(self, station_id: str) -> LinkInfo | None:
        """Its live conversation; None when it is offline."""
        ...

    def online(self) -> int: ...

    async def give(self, station_id: str, order: Order, timeout_s: float) -> OrderAnswer:
        """Send an order and wait for the answer.

        Raises Unreachable (offline, silent, or the link broke), NotSupported (its version has no such thing,
        or the station says so), Rejected (it answered with a CALLERROR or an invalid answer).
        """
        ...

    def messages(self, station_id: str) -> list[Message]:
        """The last frames of its link, oldest first."""
        ...

    def forget(self, words: Sequence[str]) -> None:
        """Keep no frame of any link in which one of these words stands."""
        ...

    def disconnect(self, station_id: str, code: int, reason: str) -> None: ...

    def attempts(self) -> list[handshakes.Attempt]:
        """Handshakes that failed lately, the newest last."""
        ...


class Bus(Protocol):
    """Tells whoever listens what was committed. Never waits for a listener."""

    def publish(self, events: Sequence[Event]) -> None: ...

    def subscribe(self, limit: int = 10_000) -> Subscription: ...


class Subscription(Protocol):
    """A bounded queue of events. When it overflows it ends with ``overflowed``: resume from your cursor."""

    overflowed: bool

    def __aiter__(self) -> AsyncIterator[Event]: ...

    def close(self) -> None: ...


class Trust(Protocol):
    """Certificates: reads them, signs with our own authorities, asks others whether theirs still hold.

    What cannot be read raises Invalid, who cannot be asked Unreachable (or Denied: not on the public internet).
    """

    def read(self, der: bytes) -> Certificate: ...

    def read_chain(self, pem: str) -> tuple[Certificate, ...]: ...

    def named(self, pem: str) -> HashData:
        """How a station will name the first certificate of this PEM text."""
        ...

    def revoked(self, certificate: Certificate) -> bool:
        """Whether a list of the settings names it."""
        ...

    def meter_key(self, key: str) -> str:
        """Which curve a meter's public key (DER, hex digits) is of."""
        ...

    def vouched(self, signed: SignedValue, key: str | None) -> Vouched:
        """What a signed meter value tells, and whether it was signed with this key. It takes 1 ms; refuses nothing."""
        ...

    def authority(self, use: Use) -> OwnAuthority | None: ...

    def key_versions(self) -> Sequence[int]:
        """With which versions of our keys the key files of our authorities are encrypted."""
        ...

    def renew_keys(self) -> None:
        """Encrypt those with the key in force."""
        ...

    def create_authority(
        self, use: Use, kind: str, now: datetime, *, replace: bool = False
    ) -> OwnAuthority: ...

    def read_request(self, csr: str) -> SigningRequest: ...

    def signs(self, use: Use) -> bool:
        """Whether there is anybody who signs certificates for this use."""
        ...

    async def sign(self, use: Use, csr: str, now: datetime) -> Signed:
        """Have a request signed that was found worthy, here or by another's authority. Raises a Refusal."""
        ...

    async def standing(self, named: HashData, url: str, now: datetime) -> Standing:
        """What an OCSP responder says, its whole answer with it."""
        ...

    async def listed(self, named: HashData, url: str, now: datetime) -> Standing:
        """What a list of revoked certificates says."""
        ...

    async def contract_named(
        self, named: Sequence[tuple[HashData, str | None]], now: datetime
    ) -> Contract: ...

    async def contract_chain(self, pem: str, now: datetime) -> Contract: ...

    async def contract_certificate(self, asked: ContractCertificateAsked) -> ContractCertificate:
        """Ask the provider of contract certificates for a car."""
        ...


class Papers(Protocol):
    """Makes documents of invoices, beside the loop. The same invoice always gives the same bytes."""

    async def pdf(self, invoice: Invoice) -> bytes:
        """To read, with the XML in it (ZUGFeRD, PDF/A-3)."""
        ...

    async def xml(self, invoice: Invoice) -> bytes:
        """EN 16931 as Cross Industry Invoice."""
        ...


class Outside(Protocol):
    """Another system that decides on tokens. Answers within its deadline, with SILENCE at worst."""

    whose: outside.Whose
    offline: outside.Offline

    async def ask(self, asked: outside.Asked) -> outside.Told: ...


class Provider(Protocol):
    """A payment provider. ``key`` is an idempotency key: what was asked with it is done once.

    Raises Unreachable where nobody knows whether it was done (silence, a broken line, the provider's own trouble), and
    Conflict where the provider said that it will not do it. A card that is declined is an answer, no error.
    """

    name: str
    publishable_key: str | None
    script_url: str | None

    async def customer(self, organisation: str, driver: str, key: str) -> str:
        """The provider's name for a driver: he is told nothing of him but our id."""
        ...

    async def save(self, customer: str, method: str, key: str) -> tuple[str, str]:
        """Keep a card for charges without its driver: its name, and what people call it. Raises Conflict where it is
        declined."""
        ...

    async def ask_for_card(self, customer: str, key: str) -> tuple[str, str]:
        """(The provider's name for the wish, the secret for the driver's browser) to save a card there."""
        ...

    async def card_given(self, wish: str) -> tuple[str, str] | None:
        """(Customer, method) of a wish that the driver fulfilled; None before that."""
        ...

    async def begin(self, charge: Charge, organisation: str) -> Found:
        """Make known what will be held; nothing is held before ``confirm``."""
        ...

    async def confirm(self, charge: Charge) -> Found: ...

    async def take(self, charge: Charge, organisation: str) -> Found:
        """Take an amount from a saved card, without its driver."""
        ...

    async def find(self, charge: Charge) -> Found | None:
        """How it stands; by our id where the provider's name for it was lost. None: it knows of none."""
        ...

    async def capture(self, charge: Charge) -> Found:
        """``charge.wanted`` of what is held; the rest is given back."""
        ...

    async def void(self, charge: Charge) -> Found: ...

    async def refund(self, charge: Charge) -> Found: ...

    async def dispute(self, ref: str) -> Disputed: ...

    def told(self, body: bytes, signature: str) -> Told:
        """What an event says that the provider sent us. Raises Denied where it is not from the provider."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: an operating system user on the socket, later a token. ``name`` goes into events."""

    name: str
    role: str
    permissions: frozenset[str]
    via: str = ""
    """How he came: ``uid:1000 login:1000``, ``token:AbC 192.0.2.1``; for the audit."""
    key: str = ""
    """The same for the same one: ``uid:1000``, ``token:AbC``."""
    proposes: frozenset[str] = frozenset()
    """What he may ask for and somebody else must agree to."""
    approved_by: str | None = None
    made_by: tuple[str, ...] = ()
    """Who else knows the secret that he showed (as in ``persons``)."""

    @property
    def persons(self) -> frozenset[str]:
        """Whoever this may be: his key, his name, and those who made his token."""
        # The same person may come as a user of the machine, and with a token in his name.
        return frozenset({self.key, f"name:{self.name.casefold()}", *self.made_by})


@dataclass(frozen=True, slots=True)
class Admission:
    """What a knocking station is told: its registered name, or an HTTP status and why."""

    station: str | None
    status: int = 101
    reason: str = ""
    retry_after_s: int | None = None
    subprotocol: str = ""
    """What is spoken with a station that offers nothing; empty: nothing."""
    lenient: bool = False
    """Whether its words may be longer than the specification allows."""
    outcome: str = handshakes.TURNED
    why: str = ""
    """The same for the journal: what a stranger at the door is not told."""


@dataclass(slots=True)
class Lane:
    """One station's state and the lock under which it is decided upon, one thing at a time."""

    state: StationState
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    proof: Proof | None = None
    """What it proved when it last came in; None before that."""


def _not_started(work: Coroutine[Any, Any, None]) -> None:
    work.close()
    raise RuntimeError("the daemon has not started")


async def _not_founded(organisation: str) -> Core:
    raise RuntimeError("the daemon has not started")


def _no_agenda(when: datetime, station: str, intent: str) -> None:
    """Without an agenda nothing is looked at again: enough for a test of one operation."""


@dataclass(slots=True)
class Core:
    """The system: its ports, and the present picture in memory."""

    store: Store
    stations: Stations
    bus: Bus
    clock: Clock
    mint: Mint
    secret: bytes
    """The lasting key (keys.LASTING)."""
    keys: Keys = field(init=False)
    """Keys by purpose: digests of passwords, secrets at rest (docs/secrets.md)."""
    all_cores: Callable[[], Iterable[Core]] = field(init=False)
    """Those of all organisations, the platform's included: for what the whole daemon shares, its keys."""
    trust: Trust
    organisation: str = MAIN
    """Whose world this is: its store, its lanes and its events are of nobody else."""
    lanes: dict[str, Lane] = field(default_factory=dict)
    """By identity without case."""
    tokens: dict[str, Token] = field(default_factory=dict)
    """By id without case."""
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What is kept that belongs to no station: by kind (domain.kept.KINDS) and key."""
    books: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a station or a token is registered or removed, or ``kept`` changes: not two at once."""
    pairings: dict[str, Pairing] = field(default_factory=dict)
    """Those who wait for a token (``cms login``), by code; in memory alone."""
    access: Rulebook | None = None
    """Its access rules, made ready (operations.access_rulings); None: to be made from ``kept``."""
    sightings: Sightings = field(default_factory=Sightings)
    """Where cards were seen lately, in memory alone."""
    alerts: Board = field(default_factory=Board)
    """What needs a person now (operations.attention)."""
    in_service: Present | None = None
    """The EVSEs that usage knows to be in service (operations.usagesums); None: to be read from the record."""
    turns: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    """Who waits for another's end before his own turn, by name: the taps of one driver on his phone."""
    active: dict[str, set[str]] = field(default_factory=dict)
    """Token (without case) -> ids of its sessions that are not over."""
    prepaid: Prepaid = field(default_factory=Prepaid)
    """What the ledger holds on prepaid accounts (operations.credits, operations.balances)."""
    spawn: Callable[[Coroutine[Any, Any, None]], None] = _not_started
    """Run something in the daemon's task group: owned, logged when it fails, cancelled at the end."""
    wake: Callable[[datetime, str, str], None] = _no_agenda
    """Look at a station's intent again at an instant (operations.intents.Agenda)."""
    found: Callable[[str], Awaitable[Core]] = _not_founded
    """Begin to serve an organisation that the platform has come to know; its core."""
    terms: Terms = field(default_factory=Terms)
    outside: Outside | None = None
    """Who is asked about tokens besides us; None: nobody."""
    vat: Callable[[str], Awaitable[VatAnswer]] | None = None
    """Asks somebody about a VAT number, within a few seconds; None: nobody is named."""
    aside: Aside = at_once
    """Does a long calculation beside the loop; what it works on is held by a lock."""
    mail: Callable[[Mail], Awaitable[None]] | None = None
    """Sends a letter to a driver; None: this daemon sends none."""
    papers: Papers | None = None
    """Who makes documents of invoices; None: nobody does."""
    provider: Provider | None = None
    """Takes money from cards; None: nobody does, and everything but cards works."""
    collect: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when there may be something to take, or to give back (operations.charges.run)."""
    vendors: Vendors = field(default_factory=dict)
    """Who answers DataTransfer: by vendor and message (domain.datatransfer)."""

    def __post_init__(self) -> None:
        self.keys = single(self.secret, self.organisation)
        self.all_cores = lambda: (self,)

    def lane(self, station_id: str) -> Lane:
        """The lane of a registered station, by its identity without case; NotFound otherwise."""
        lane = self.lanes.get(station_id.casefold())
        if lane is None:
            near = get_close_matches(station_id.casefold(), self.lanes, n=1)
            hint = (
                f"did you mean {self.lanes[near[0]].state.station.id}?" if near else "see `cms stations list`"
            )
            raise NotFound(f"there is no station {station_id}", hint)
        return lane

    def lanes_of(self, station_id: str | None) -> list[Lane]:
        """The lane of this station; where none is named every lane, by identity."""
        return [self.lane(station_id)] if station_id else [lane for _, lane in sorted(self.lanes.items())]

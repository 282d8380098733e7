"""What a decision changes in the record, as values: the store turns each kind into one bulk statement."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cms.domain.accounts import Account
from cms.domain.connectors import Connector
from cms.domain.observations import Answer, Reading, TransactionAnswer, VariableReported
from cms.domain.payments import Payment
from cms.domain.record import record
from cms.domain.sessions import Session
from cms.domain.stations import Station, StationState
from cms.domain.tokens import Token

if TYPE_CHECKING:  # effects read blocks, blocks read this: only the name is needed here
    from cms.domain.intents import Intent


class Change:
    """One change of the record; its statement is a row of cms/store/changes.py."""

    __slots__ = ()


@record
class SaveStation(Change):
    station: Station


@record
class DropStation(Change):
    """Remove the registration, connectors, open intents and variables; sessions and history stay."""

    station: str


@record
class SaveConnector(Change):
    station: str
    connector: Connector


@record
class OpenSession(Change):
    """Insert. (station, transaction_id) and number are unique: a second one is a Clash."""

    session: Session


@record
class UpdateSession(Change):
    session: Session


@record
class MeterSession(Change):
    """Update a session of which only what moves with its meter has changed (sessions.MOVING): most updates."""

    session: Session


@record
class AddReading(Change):
    """One instant's samples. (station, evse, transaction, instant, samples) is unique: a repeat is ignored."""

    station: str
    evse: int
    transaction_id: str | None
    session: str | None
    received_at: datetime
    reading: Reading


@record
class Deliver(Change):
    """Remember that this message was decided. (station, kind, key) is unique: a second one is a Clash."""

    station: str
    kind: str
    key: str
    digest: bytes
    answer: TransactionAnswer | None
    at: datetime


@record
class SaveIntent(Change):
    intent: Intent


@record
class SaveVariables(Change):
    station: str
    variables: tuple[VariableReported, ...]
    at: datetime


@record
class Rebooted(Change):
    """The station booted: what waited for that holds now."""

    station: str


@record
class ForgetVariables(Change):
    """Variables that the station last told of before this instant are no more: its inventory is whole."""

    station: str
    before: datetime


@record
class AddStreamSamples(Change):
    """Values of a periodic event stream, each with the station's time."""

    station: str
    monitor: int
    name: str
    samples: tuple[tuple[datetime, str], ...]
    received_at: datetime


@record
class Quarantine(Change):
    """Keep a message that could not be placed, word for word."""

    station: str
    kind: str
    reason: str
    raw: str
    at: datetime


@record
class SaveToken(Change):
    token: Token


@record
class DropToken(Change):
    token: str


@record
class NoteUnknown(Change):
    """A station knocked: insert, or count one knock more."""

    station: str
    address: str
    protocols: tuple[str, ...]
    reason: str
    at: datetime


@record
class ForgetUnknown(Change):
    station: str


@record
class SeeStations(Change):
    """When stations were last heard of: flushed now and then, never per message."""

    seen: tuple[tuple[str, datetime], ...]


@record
class Keep(Change):
    """Keep a record of a kind (domain.kept.KINDS) under its key; None forgets it. ``station`` "" is nobody's."""

    station: str
    kind: str
    key: str
    value: Any
    at: datetime


@record
class SaveBill(Change):
    """The account of a session that is over; again when something came late."""

    station: str
    account: Account
    at: datetime


@record
class SavePayment(Change):
    payment: Payment


@record
class Happened:
    """An event before it has a cursor (contract.events names the types and their data)."""

    type: str
    at: datetime
    station: str | None = None
    session: str | None = None
    actor: str | None = None
    data: dict[str, Any] = field(default_factory=dict)


@record
class Decision:
    """What to answer, what becomes of the state, what to write and what to tell."""

    answer: Answer
    state: StationState
    changes: tuple[Change, ...] = ()
    events: tuple[Happened, ...] = ()

"""What stations tell us, in one language whatever OCPP they speak.

Instants are aware UTC datetimes as the station claimed them; ``None`` where it sent none, or one that cannot
be a time (year 1). Energy is whole Wh. ``evse`` is the 2.x EVSE id or the 1.6 connector id (a 1.6 connector
is an EVSE with connector 1); 0 is the whole station. Text is raw as the station sent it: hostile until shown.
"""

from __future__ import annotations

from dataclasses import field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from cms.contract.payments import Limit
from cms.contract.tariffs import Tariff, TariffText
from cms.domain.devicemodel import Characteristics
from cms.domain.record import record

#: A transaction that is told of later than this is history.
_HISTORY = timedelta(minutes=5)


class Observation:
    """What a station said: a record of its own for each kind, beside the decisions about it."""

    __slots__ = ()


class Answer:
    """What a station is told in return."""

    __slots__ = ()


class TransactionPhase(StrEnum):
    STARTED = "started"
    UPDATED = "updated"
    ENDED = "ended"


@record
class TokenRef:
    """An identification as presented. ``kind`` as in contract.tokens; 1.6 does not say: None."""

    id: str
    kind: str | None = None


@record
class Sample:
    """One sampled value. ``value`` is exact in ``unit`` (kWh, kW and multipliers already applied: Wh, W ...).

    A value that is not a number has ``value`` None and its text in ``raw`` (signed data, blanks).
    """

    measurand: str
    value: Decimal | None
    unit: str | None
    context: str = "Sample.Periodic"
    location: str = "Outlet"
    phase: str | None = None
    format: str = "Raw"
    raw: str | None = None
    signed: dict[str, Any] | None = None


@record
class Reading:
    """Samples taken at one instant. ``at`` None: the station's time was missing or absurd."""

    at: datetime | None
    samples: tuple[Sample, ...]


@record
class Booted(Observation):
    """BootNotification. ``reason`` is the 2.x BootReason; 1.6 does not say."""

    vendor: str
    model: str
    serial: str | None = None
    firmware: str | None = None
    reason: str | None = None
    iccid: str | None = None
    imsi: str | None = None
    meter_type: str | None = None
    meter_serial: str | None = None


@record
class Alive(Observation):
    """Heartbeat."""


@record
class ConnectorReported(Observation):
    """StatusNotification, or a NotifyEvent about AvailabilityState. ``status`` as in domain.connectors."""

    evse: int
    connector: int
    status: str
    at: datetime | None
    error_code: str | None = None
    info: str | None = None
    vendor_id: str | None = None
    vendor_error_code: str | None = None


@record
class TokenPresented(Observation):
    """Authorize."""

    token: TokenRef
    evses: tuple[int, ...] = ()


@record
class StationCosts:
    """2.1 costDetails: the station's own calculation. ``failure`` says why there is none (I12, I08.FR.34)."""

    currency: str
    excl_tax: Decimal
    incl_tax: Decimal
    kind: str = "normal"
    energy_wh: Decimal = Decimal(0)
    charging_s: int = 0
    idle_s: int = 0
    parts: tuple[tuple[str, Decimal, Decimal], ...] = ()
    """(What, before taxes, with taxes)."""
    tariffs: tuple[str, ...] = ()
    failure: str | None = None


@record
class TransactionMore:
    """What only 2.1 tells of a transaction, and seldom. ``limit`` is the one the station keeps (E16)."""

    costs: StationCosts | None = None
    limit: Limit | None = None
    tariff: str | None = None
    preconditioning: str | None = None
    evse_sleep: bool | None = None
    operation_mode: str | None = None


@record
class TransactionReported(Observation):
    """A transaction started, went on or ended: 1.6 StartTransaction and StopTransaction, 2.x TransactionEvent.

    1.6 has no ``seq_no``, and no ``transaction_id`` when it starts: our answer gives it. ``key`` is the
    natural key of the message (reliability contract, section 3.4), ``digest`` of its whole payload: the same
    key and digest is a retransmission.
    """

    phase: TransactionPhase
    key: str
    digest: bytes
    at: datetime | None
    transaction_id: str | None = None
    seq_no: int | None = None
    evse: int | None = None
    connector: int | None = None
    token: TokenRef | None = None
    meter_wh: int | None = None
    readings: tuple[Reading, ...] = ()
    offline: bool = False
    trigger: str | None = None
    charging_state: str | None = None
    stop_reason: str | None = None
    reservation_id: int | None = None
    remote_start_id: int | None = None
    flags: tuple[str, ...] = ()
    """What the border noticed while translating, e.g. ``time-without-zone``."""
    more: TransactionMore | None = None

    @property
    def stops(self) -> bool:
        """Whether its token, if any, was presented to end the transaction."""
        return self.phase is TransactionPhase.ENDED or self.trigger == "StopAuthorized"

    def is_history(self, heard_at: datetime) -> bool:
        """Whether it is told of after the fact: then it says nothing about who charges now."""
        return self.offline or (self.at is not None and heard_at - self.at > _HISTORY)


@record
class Metered(Observation):
    """MeterValues, with or without a transaction; EVSE 0 is the main meter."""

    evse: int
    readings: tuple[Reading, ...]
    transaction_id: str | None = None
    flags: tuple[str, ...] = ()


@record
class ComponentEvent:
    """One entry of a NotifyEvent."""

    event_id: int
    at: datetime | None
    component: str
    variable: str
    value: str
    trigger: str
    evse: int | None = None
    connector: int | None = None
    cause: int | None = None
    cleared: bool = False
    tech_code: str | None = None
    tech_info: str | None = None
    name: str = ""
    """The variable as the device model names it."""
    origin: str | None = None
    """hard-wired-notification, hard-wired, preconfigured, custom."""
    monitor: int | None = None
    severity: int | None = None
    transaction: str | None = None


@record
class EventsNotified(Observation):
    """NotifyEvent. ``statuses`` are those entries that speak of a connector's AvailabilityState."""

    key: str
    digest: bytes
    events: tuple[ComponentEvent, ...]
    statuses: tuple[ConnectorReported, ...] = ()
    more: bool = False


@record
class VariableReported:
    """One variable attribute; a secret one has no value here."""

    name: str
    value: str | None
    attribute: str = "Actual"
    readonly: bool | None = None
    reboot_required: bool = False
    """The value was taken and holds after the next boot."""
    mutability: str | None = None
    """ReadOnly, WriteOnly, ReadWrite."""
    persistent: bool | None = None
    constant: bool | None = None
    characteristics: Characteristics | None = None


@record
class ReportReceived(Observation):
    """One part of a NotifyReport."""

    key: str
    digest: bytes
    request_id: int
    seq_no: int
    variables: tuple[VariableReported, ...]
    more: bool = False


@record
class DataTransferred(Observation):
    """DataTransfer from the station; ``answer`` is what its vendor's handler said, None before it was asked."""

    vendor: str
    message: str | None
    data: str | None
    digest: bytes
    answer: DataAnswer | None = None


@record
class FirmwareProgressed(Observation):
    status: str
    digest: bytes
    request_id: int | None = None


@record
class LogProgressed(Observation):
    """LogStatusNotification, or DiagnosticsStatusNotification of 1.6 (then ``diagnostics``)."""

    status: str
    digest: bytes
    request_id: int | None = None
    diagnostics: bool = False


@record
class SecurityEventRaised(Observation):
    kind: str
    at: datetime | None
    detail: str | None
    digest: bytes


@record
class BootAnswer(Answer):
    """``status``: accepted, pending, rejected. ``interval_s``: heartbeat interval, or wait before the next boot."""

    status: str
    now: datetime
    interval_s: int


@record
class AliveAnswer(Answer):
    now: datetime


@record
class TokenAnswer(Answer):
    """``status`` as in domain.tokens.Authorization; each version has its own word for it."""

    status: str
    group: str | None = None
    expires: datetime | None = None
    kind: str | None = None
    evses: tuple[int, ...] = ()
    """Good for these EVSEs alone; none: for all."""
    priced: Priced | None = None
    energy_transfer: tuple[str, ...] = ()
    """What the driver's cars may do (2.1 Q01.FR.01); none: nobody has said."""


@record
class Priced:
    """What a driver is told of prices: a text (I01), and the own tariff for a 2.1 station (I08)."""

    text: TariffText | None = None
    tariff: Tariff | None = None


@record
class Accounted:
    """What a station is told of a session's account: cost with taxes (I02, I03), limit (E16), a new text (I06)."""

    total: Decimal | None = None
    limit: Limit | None = None
    text: TariffText | None = None


@record
class TransactionAnswer(Answer):
    """``transaction_id`` is the id we gave (1.6 start). ``token`` is None when no token was sent."""

    transaction_id: str | None = None
    token: TokenAnswer | None = None
    account: Accounted | None = None


@record
class DataAnswer(Answer):
    """``status``: accepted, rejected, unknown-message-id, unknown-vendor-id."""

    status: str
    data: str | None = None


@record
class Noted(Answer):
    """The empty answer."""


@record
class NotYet(Answer):
    """The station is not accepted yet: CALLERROR SecurityError (1.6 J errata 3.10, 2.x B02.FR.09)."""

    message: str = "the station is not accepted yet"


@record
class Received:
    """An observation with what the border knows about its arrival."""

    observation: Observation
    at: datetime
    """When we received it, our clock."""
    ocpp_version: str
    action: str
    raw: str
    """The frame as text, kept when it must go to quarantine."""
    remarks: tuple[str, ...] = field(default_factory=tuple)
    station: str = ""
    """Filled in for those who ask others before anything is decided (operations.observe)."""
    outside: Any = None
    """What somebody else said of the token in it (domain.outside.Told), where somebody was asked."""

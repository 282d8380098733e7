"""Stations as clients see them, and what may be asked of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from cms.contract.quirks import Quirk


@dataclass(frozen=True, slots=True)
class ConnectorView:
    """One connector; ``status`` is one of domain.connectors.ConnectorStatus, ``power_w`` of its session."""

    evse: int
    connector: int
    status: str
    session: str | None
    power_w: int | None
    error_code: str | None
    info: str | None = None
    vendor_error_code: str | None = None
    reported_at: datetime | None = None
    requested_availability: str | None = None


@dataclass(frozen=True, slots=True)
class StationView:
    """One station. ``online`` is the live socket, never a stored column."""

    id: str
    ocpp_version: str | None
    vendor: str | None
    model: str | None
    firmware: str | None
    serial: str | None
    online: bool
    last_seen: datetime | None
    site: str | None
    connectors: tuple[ConnectorView, ...] = ()
    boot_policy: str = "accepted"
    boot_status: str | None = None
    booted_at: datetime | None = None
    connected_at: datetime | None = None
    address: str | None = None
    security_profile: int = 1
    enrolled_at: datetime | None = None
    note: str | None = None
    quirks: tuple[Quirk, ...] = ()
    """Switches that stand otherwise than the specification has it (``cms stations quirks``)."""
    site_name: str | None = None
    city: str | None = None


@dataclass(frozen=True, slots=True)
class UnknownStation:
    """A station that knocked without being enrolled (or with a wrong password): the inbox."""

    id: str
    first_seen: datetime
    last_seen: datetime
    knocks: int
    address: str
    protocols: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class StationCredential:
    """What a newly registered station is configured with. The password is shown this once."""

    id: str
    url: str
    username: str
    password: str | None
    security_profile: int
    ocpp_version: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One OCPP frame that crossed a station's link lately. Secrets are masked before they come here.

    ``direction`` is ``in`` (the station said it) or ``out``; ``kind`` is call, result or error. ``verdict`` is what
    the schema of its version says: ``valid``, or the first thing that is wrong; null where there is no schema for it
    or too little of it was kept.
    """

    at: datetime
    direction: str
    kind: str
    action: str
    message_id: str
    payload: str
    latency_ms: float | None = None
    station: str = ""
    verdict: str | None = None


@dataclass(frozen=True, slots=True)
class Variable:
    """One configuration key (1.6) or variable attribute (2.x) as last reported; secrets have no value.

    ``mutability``: ReadOnly, WriteOnly, ReadWrite. ``data_type`` and what follows are its characteristics as the
    station told them; for standard 1.6 keys as the specification does.
    """

    name: str
    value: str | None
    readonly: bool | None = None
    attribute: str = "Actual"
    reported_at: datetime | None = None
    reboot_required: bool = False
    mutability: str | None = None
    persistent: bool | None = None
    constant: bool | None = None
    data_type: str | None = None
    unit: str | None = None
    min_limit: float | None = None
    max_limit: float | None = None
    max_elements: int | None = None
    values: tuple[str, ...] = ()
    monitored: bool | None = None
    """Whether monitors can be set on it; None: the station did not say."""
    same_as: str | None = None
    """The 2.x variable that this 1.6 key is the same thing as."""


@dataclass(frozen=True, slots=True)
class ListStations:
    """All stations; ``filter`` as in docs/filters.md, e.g. ``online=false and site~garage``."""

    filter: str | None = None


@dataclass(frozen=True, slots=True)
class ShowStation:
    station: str


@dataclass(frozen=True, slots=True)
class AddStation:
    """Register a station; without a password one is generated (27 random characters).

    ``serial``: its serial number, where it is known before its first boot: the name in its certificate.
    """

    station: str
    site: str | None = None
    security_profile: int = 1
    password: str | None = None
    boot_policy: str = "accepted"
    note: str | None = None
    serial: str | None = None


@dataclass(frozen=True, slots=True)
class SetStation:
    """Change what we keep about a station; what is null stays. ``boot_policy``: accepted, pending, rejected.

    ``site`` is one that is registered; an empty one takes the station away from where it was.
    """

    station: str
    site: str | None = None
    boot_policy: str | None = None
    note: str | None = None
    new_password: bool = False
    reason: str | None = None
    serial: str | None = None


@dataclass(frozen=True, slots=True)
class RemoveStation:
    station: str


@dataclass(frozen=True, slots=True)
class ListUnknownStations:
    pass


@dataclass(frozen=True, slots=True)
class EnrolStation:
    """Register a station from the inbox of those that knocked."""

    station: str
    site: str | None = None
    password: str | None = None


@dataclass(frozen=True, slots=True)
class ForgetUnknownStation:
    station: str


@dataclass(frozen=True, slots=True)
class ListMessages:
    """The last frames of a connected station's link, oldest first."""

    station: str


@dataclass(frozen=True, slots=True)
class ListVariables:
    """What we last learned of the station's configuration, without asking it."""

    station: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTerms:
    """What every order takes. Times are seconds; ``queue_s`` keeps the order for an offline station.

    ``timeout_s``: patience with the station's answer; without it the daemon's own (call_timeout_s).
    """

    reason: str | None = None
    queue_s: float | None = None
    when_idle: bool = False
    at: datetime | None = None
    timeout_s: float | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetStation(OrderTerms):
    """``kind``: soft, hard (1.6 words), immediate, on-idle (2.x words); each version gets its own word."""

    station: str
    kind: str = "soft"
    evse: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockConnector(OrderTerms):
    """1.6 counts connectors from 1 for the station; 2.x within an EVSE (``evse`` defaults to the connector)."""

    station: str
    connector: int = 1
    evse: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeAvailability(OrderTerms):
    """``availability``: operative or inoperative; without ``evse`` the whole station."""

    station: str
    availability: str
    evse: int | None = None
    connector: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerMessage(OrderTerms):
    """Ask the station to send ``message`` (e.g. StatusNotification) now; ``force`` where the rule says no.

    ``custom``: ``message`` is one of its own (2.1, CustomizationCtrlr.CustomTriggers), whatever it is called.
    """

    station: str
    message: str
    evse: int | None = None
    connector: int | None = None
    force: bool = False
    custom: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GetConfiguration(OrderTerms):
    """Ask the station for keys (1.6) or ``Component.Variable[:Attribute]`` names (2.x); none = all that 1.6 has."""

    station: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetConfiguration(OrderTerms):
    """Set keys (1.6) or ``Component.Variable[:Attribute]`` names (2.x) to values, one order for all of them.

    ``force``: also what the station said to be read-only, or out of its limits.
    """

    station: str
    values: dict[str, str] = field(default_factory=dict)
    force: bool = False

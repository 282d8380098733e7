"""How a station differs from what the specification says, and what it was found to be capable of."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Quirk:
    """One switch of a station. ``origin``: default, table (known of its make), operator.

    ``about`` says what the switch does; ``why`` and ``source`` why it stands as it does, where that is known.
    """

    name: str
    value: str
    default: str
    origin: str
    about: str
    why: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a make of station (vendor, model, firmware) really takes, as one of them told. Null: not told.

    Limits count entries of one message or list; ``unread`` are the names that could not be read: nothing may be
    concluded about them.
    """

    vendor: str
    model: str
    firmware: str
    ocpp_version: str
    probed_at: datetime
    station: str
    """Which of them was asked."""
    profiles: tuple[str, ...] | None = None
    """Feature profiles (1.6) or controllers that are available (2.x)."""
    stack_levels: int | None = None
    """How many levels a charging profile may have: 0 to one less."""
    rate_units: tuple[str, ...] | None = None
    """A, W or both."""
    periods: int | None = None
    charging_profiles: int | None = None
    list_entries: int | None = None
    list_message: int | None = None
    read_message: int | None = None
    write_message: int | None = None
    measurands: tuple[str, ...] | None = None
    """Those that are sampled in a session now."""
    max_measurands: int | None = None
    connectors: int | None = None
    shows_costs: bool | None = None
    """Whether a 1.6 station shows prices and costs (CustomDisplayCostAndPrice)."""
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListQuirks:
    """Every switch of a station, as it stands."""

    station: str


@dataclass(frozen=True, slots=True)
class SetQuirks:
    """Set switches of one station, or go back to what is known of its make. A flag is ``yes`` or ``no``."""

    station: str
    values: dict[str, str] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ProbeStation:
    """Read what the station takes from its configuration, and remember it for its make and firmware."""

    station: str
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True)
class ShowCapabilities:
    """What is known of the make and firmware of this station, without asking it."""

    station: str

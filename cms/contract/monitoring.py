"""What a station watches by itself, what it found, and the streams of values it sends (OCPP 2.x)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cms.contract.stations import OrderTerms


@dataclass(frozen=True, slots=True)
class MonitorView:
    """One monitor of a station's register.

    ``type``: upper-threshold, lower-threshold, delta, periodic, periodic-clock-aligned, target-delta,
    target-delta-relative. ``severity``: 0 (danger) to 9 (debug). ``origin``: hard-wired, preconfigured, custom.
    """

    id: int
    name: str
    type: str
    value: float | None
    severity: int
    transaction: bool
    origin: str | None
    interval_s: int | None = None
    values: int | None = None
    """With both, it sends its values as a stream: so many, or after so many seconds (2.1)."""
    heard_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MonitoringView:
    """A station's monitoring as a whole: the base and the level that it took last."""

    station: str
    base: str | None
    level: int | None
    monitors: int
    streams: int
    problems: int


@dataclass(frozen=True, slots=True)
class ShowMonitoring:
    station: str


@dataclass(frozen=True, slots=True)
class ListMonitors:
    """The register: what we set and what the station reported, without asking it."""

    station: str


@dataclass(frozen=True, slots=True)
class MonitorWish:
    """A monitor to be set. ``id`` replaces the one with this number."""

    name: str
    type: str
    severity: int
    value: float | None = None
    """The threshold, the difference, or the seconds; a difference of what is no number is 1 (N04.FR.17)."""
    transaction: bool = False
    id: int | None = None
    interval_s: int | None = None
    values: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMonitors(OrderTerms):
    station: str
    monitors: tuple[MonitorWish, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearMonitors(OrderTerms):
    station: str
    ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMonitoringBase(OrderTerms):
    """``base``: all, factory-default or hard-wired-only."""

    station: str
    base: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMonitoringLevel(OrderTerms):
    """The station tells of events up to this severity (0 to 9; a higher number is less severe)."""

    station: str
    severity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportMonitors(OrderTerms):
    """Have the station report its monitors; ``criteria``: threshold, delta, periodic; none and no names: all."""

    station: str
    criteria: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    within_s: float = 300.0


@dataclass(frozen=True, slots=True)
class ListProblems:
    """What stations said is wrong and did not take back; ``cleared``: also what was cleared lately."""

    station: str | None = None
    cleared: bool = False


@dataclass(frozen=True, slots=True)
class DismissProblem:
    """Take a problem off the list that the station did not clear (it was mended, the station forgot)."""

    station: str
    name: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ProblemView:
    """One alert, or a connector that reports an error.

    ``severity`` is the event's own or its monitor's; ``cause`` names the problem that this one follows from.
    """

    station: str
    name: str
    value: str
    since: datetime
    evse: int | None = None
    connector: int | None = None
    severity: int | None = None
    monitor: int | None = None
    event_id: int | None = None
    cause: str | None = None
    tech_code: str | None = None
    tech_info: str | None = None
    cleared_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StreamView:
    """A periodic event stream that the station opened (2.1). ``pending``: values it still has to send."""

    id: int
    monitor: int
    name: str
    interval_s: int | None
    values: int | None
    opened_at: datetime | None
    heard_at: datetime | None = None
    received: int = 0
    pending: int = 0
    last: str | None = None


@dataclass(frozen=True, slots=True)
class ListStreams:
    station: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStreams(OrderTerms):
    """Ask the station which streams it has open."""

    station: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustStream(OrderTerms):
    """Change how often a stream sends: after ``interval_s`` seconds or ``values`` values."""

    station: str
    stream: int
    interval_s: int | None = None
    values: int | None = None


@dataclass(frozen=True, slots=True)
class ListStreamSamples:
    """The latest values of a monitor's stream, oldest first."""

    station: str
    monitor: int
    limit: int = 200


@dataclass(frozen=True, slots=True)
class StreamSample:
    at: datetime
    name: str
    monitor: int
    value: str

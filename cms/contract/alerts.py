"""What needs a person, as clients see it: alerts, who looks after them, and which are muted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cms.contract.record import record

#: The gravest first.
SEVERITIES = ("critical", "warning", "info")
#: In the order in which an alert is shown: muted hides, claimed names somebody, acknowledged was seen.
STATES = ("new", "acknowledged", "claimed", "muted")


@record
class AlertNote:
    """What somebody wrote about an alert."""

    at: datetime
    by: str
    note: str


@record
class AlertMember:
    """One thing that has the trouble: a station, a connector of it, a session, a stranger."""

    what: str
    why: str
    since: datetime
    station: str | None = None
    site: str | None = None
    session: str | None = None


@record
class AlertView:
    """One trouble, of one thing or of several that share its cause.

    ``id`` stays the same as long as the trouble lasts. ``count`` is how many things have it (or how often it came),
    ``members`` names them: in lists and events the first ten. ``station``, ``evse``, ``connector`` and ``session``
    where it is about one. ``by``: who acknowledged, claimed or muted it (``maintenance``: its stations are out of
    operation on purpose). ``command`` shows more. ``shared`` and ``before_*`` are told by ShowAlert alone: what all
    members have in common, and when the same trouble was there last and how long (s).
    """

    id: str
    kind: str
    severity: str
    state: str
    what: str
    why: str
    since: datetime
    count: int
    site: str | None = None
    station: str | None = None
    evse: int | None = None
    connector: int | None = None
    session: str | None = None
    by: str | None = None
    muted_until: datetime | None = None
    changed_at: datetime | None = None
    ended_at: datetime | None = None
    notes: tuple[AlertNote, ...] = ()
    members: tuple[AlertMember, ...] = ()
    command: str | None = None
    sessions: int = 0
    """Sessions that run at its stations."""
    shared: tuple[str, ...] = ()
    before_at: datetime | None = None
    before_lasted_s: float | None = None


@record
class MuteView:
    """What is kept quiet: one alert, or all of a kind, at a station or site (each that is named must fit)."""

    id: str
    until: datetime
    by: str
    at: datetime
    alert: str | None = None
    kind: str | None = None
    station: str | None = None
    site: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ListAlerts:
    """What needs a person now, the gravest first; ``ended``: instead the latest that are over, the newest first."""

    filter: str | None = None
    ended: bool = False


@dataclass(frozen=True, slots=True)
class ShowAlert:
    """One alert with all its members, also one that is over."""

    alert: str


@dataclass(frozen=True, slots=True)
class AcknowledgeAlert:
    """Say that it was seen; ``undo`` makes it new again. A further member makes it new again too."""

    alert: str
    undo: bool = False


@dataclass(frozen=True, slots=True)
class ClaimAlert:
    """Say that one looks after it, so that others need not; ``release`` gives it back."""

    alert: str
    release: bool = False


@dataclass(frozen=True, slots=True)
class NoteAlert:
    """Write something about it, for whoever looks next."""

    alert: str
    note: str


@dataclass(frozen=True, slots=True)
class MuteAlert:
    """Keep one alert quiet for ``for_s`` seconds; or all of a ``kind``, at a ``station`` or ``site``."""

    alert: str | None = None
    kind: str | None = None
    station: str | None = None
    site: str | None = None
    for_s: float = 3600.0
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class UnmuteAlert:
    """End a mute, by its id or by that of the alert."""

    mute: str


@dataclass(frozen=True, slots=True)
class ListMutes:
    """What is kept quiet now."""

    filter: str | None = None

"""A station's device model beside its single values (contract.stations): reports, and what happens at its boots."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from cms.contract.stations import OrderTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportConfiguration(OrderTerms):
    """Have the station report its device model (2.x).

    ``base``: full, configuration or summary; or else a report of ``criteria`` (active, available, enabled, problem)
    and ``names`` (``Component`` or ``Component.Variable``). All parts must come ``within_s`` seconds.
    """

    station: str
    base: str | None = None
    criteria: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    within_s: float = 300.0


@dataclass(frozen=True, slots=True)
class ListReports:
    """Reports in parts that the station gave lately, also those that nobody asked for, oldest first."""

    station: str


@dataclass(frozen=True, slots=True)
class ReportView:
    """One report. ``holes`` are the numbers of parts that are missing so far; ``asked_at`` null: nobody asked."""

    request_id: int
    subject: str
    asked_at: datetime | None
    heard_at: datetime | None
    parts: int
    items: int
    complete: bool
    holes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ShowBoot:
    """What happens when the station boots."""

    station: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetBoot:
    """Change what happens when the station boots; what is null stays.

    ``values``: variables that are set first: its next boot is answered pending, they are set, and the station is
    asked to boot again, now accepted. An empty object takes waiting ones back. ``inventory`` (after the first
    boot with a firmware) and ``monitors`` (read again after every boot): on, off, or default (the daemon's).
    """

    station: str
    policy: str | None = None
    values: dict[str, str] | None = None
    inventory: str | None = None
    monitors: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class BootView:
    """``policy`` is what the next boot is answered, ``status`` what the last one was.

    ``progress`` of ``values``: waiting (for a boot), setting, set (waiting for the next boot), done, failed;
    ``detail`` says why.
    """

    station: str
    policy: str
    status: str | None
    values: dict[str, str] = field(default_factory=dict)
    progress: str | None = None
    detail: str | None = None
    inventory: bool = False
    monitors: bool = False
    inventory_set: str = "default"
    monitors_set: str = "default"
    inventory_of: str | None = None
    """The firmware whose inventory was taken last."""
    inventory_at: datetime | None = None

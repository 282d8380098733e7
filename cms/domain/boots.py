"""What happens when a station boots: variables that are set before it is accepted, and what is read again then.

Automatic commands are switched for all stations by the daemon's settings, and for each by itself: test tools and
some stations take no unasked command after a boot.
"""

from __future__ import annotations

from dataclasses import field
from datetime import datetime

from cms.domain.changes import Change, Keep
from cms.domain.evolve import evolve
from cms.domain.record import record
from cms.domain.stations import StationState

KIND = "boot"

WAITING, SETTING, SET, DONE, FAILED = "waiting", "setting", "set", "done", "failed"
#: What is still to be done before the station is accepted.
OPEN = (WAITING, SETTING, FAILED)


@record
class AtBoot:
    """``values`` are set while it is pending. ``inventory``, ``monitors``: None is as the daemon's settings say.

    ``inventory_of`` is the (vendor, model, firmware) whose inventory was asked for last.
    """

    values: dict[str, str] = field(default_factory=dict)
    progress: str | None = None
    detail: str | None = None
    inventory: bool | None = None
    monitors: bool | None = None
    inventory_of: tuple[str | None, str | None, str | None] | None = None
    inventory_at: datetime | None = None


def at_boot(state: StationState) -> AtBoot:
    found: AtBoot | None = state.kept_of(KIND).get("")
    return found or AtBoot()


def identity(state: StationState) -> tuple[str | None, str | None, str | None]:
    station = state.station
    return station.vendor, station.model, station.firmware


def policy(state: StationState) -> str:
    """What a boot is answered: pending while variables are to be set first."""
    own = state.station.boot_policy
    return "pending" if own == "accepted" and at_boot(state).progress in OPEN else own


def keeping(state: StationState, terms: AtBoot, now: datetime) -> tuple[StationState, Keep]:
    return state.keeping(KIND, "", terms), Keep(state.station.id, KIND, "", terms, now)


def booted(state: StationState, status: str, now: datetime) -> tuple[StationState, tuple[Change, ...]]:
    """A boot that is accepted after its variables were set is what they were set for."""
    terms = at_boot(state)
    if status != "accepted" or terms.progress != SET:
        return state, ()
    state, kept = keeping(state, progressed(terms, DONE), now)
    return state, (kept,)


def progressed(terms: AtBoot, progress: str, detail: str | None = None) -> AtBoot:
    return evolve(terms, progress=progress, detail=detail)

"""A charging session: its states as one table, and how reports move it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from operator import attrgetter
from typing import Any

from cms.contract.sessions import SessionView
from cms.domain.record import record


class SessionStatus(StrEnum):
    """``suspect``: it never got a stop, though something says it is over; a late stop still ends it."""

    PENDING = "pending"
    CHARGING = "charging"
    SUSPENDED = "suspended"
    SUSPECT = "suspect"
    ENDED = "ended"


@record
class Session:
    """One session. Energy is whole Wh; times are UTC as the station said, ``*_received_at`` are ours.

    ``transaction_id`` is the station's word for it (1.6: ``number`` as text). ``epoch_*`` follow a register
    that restarts (domain.meters). ``seq_*`` tell whether all 2.x events have come.
    """

    id: str
    station: str
    ocpp_version: str
    transaction_id: str
    number: int | None
    status: str
    started_at: datetime
    started_received_at: datetime
    evse: int | None = None
    connector: int | None = None
    token: str | None = None
    token_kind: str | None = None
    group: str | None = None
    authorization: str | None = None
    ended_at: datetime | None = None
    ended_received_at: datetime | None = None
    stop_reason: str | None = None
    stop_token: str | None = None
    meter_start_wh: int | None = None
    meter_stop_wh: int | None = None
    energy_wh: int = 0
    energy_source: str = "none"
    register_wh: int | None = None
    register_at: datetime | None = None
    epoch_start_wh: int | None = None
    epoch_peak_wh: int | None = None
    epoch_wh: int = 0
    interval_wh: int = 0
    interval_at: datetime | None = None
    power_w: int | None = None
    soc_percent: float | None = None
    last_sample_at: datetime | None = None
    charging_state: str | None = None
    offline: bool = False
    remote_start_id: int | None = None
    reservation_id: int | None = None
    seq_start: int | None = None
    seq_end: int | None = None
    seq_last: int | None = None
    seq_count: int = 0
    flags: tuple[str, ...] = ()
    cost: Decimal | None = None
    """So far, or in the end, with taxes, in ``currency``; None: not priced, which is not free."""
    currency: str | None = None


#: What moves with every meter value; nothing is found by it, so that a record writes it without touching an index.
MOVING = (
    "energy_wh",
    "register_wh",
    "register_at",
    "interval_wh",
    "interval_at",
    "power_w",
    "soc_percent",
    "last_sample_at",
    "charging_state",
    "seq_last",
    "seq_count",
)


def only_moved(before: Session, after: Session, changed: Iterable[str]) -> bool:
    """Whether nothing lasting differs; only ``changed`` fields can."""
    lasting = _lasting(tuple(changed))
    return bool(lasting(before) == lasting(after))


@cache
def _lasting(changed: tuple[str, ...]) -> Callable[[Session], Any]:
    """The values of those among these fields that last."""
    names = [name for name in changed if name not in MOVING]
    return attrgetter(*names) if names else lambda _: ()


class Fact(StrEnum):
    """What a report says about a session, whatever words its OCPP version has."""

    FLOW = "energy flows"
    PAUSE = "car or station suspended it"
    WAIT = "plugged in, no energy yet"
    DOUBT = "something says it is over, but no stop came"
    END = "it was stopped"


_P, _C, _S, _D, _E = (
    SessionStatus.PENDING,
    SessionStatus.CHARGING,
    SessionStatus.SUSPENDED,
    SessionStatus.SUSPECT,
    SessionStatus.ENDED,
)

#: status -> fact -> status. A suspect session that moves again is alive; an ended one stays ended.
NEXT: dict[str, dict[Fact, SessionStatus]] = {
    _P: {Fact.FLOW: _C, Fact.PAUSE: _S, Fact.WAIT: _P, Fact.DOUBT: _D, Fact.END: _E},
    _C: {Fact.FLOW: _C, Fact.PAUSE: _S, Fact.WAIT: _S, Fact.DOUBT: _D, Fact.END: _E},
    _S: {Fact.FLOW: _C, Fact.PAUSE: _S, Fact.WAIT: _S, Fact.DOUBT: _D, Fact.END: _E},
    _D: {Fact.FLOW: _C, Fact.PAUSE: _S, Fact.WAIT: _S, Fact.DOUBT: _D, Fact.END: _E},
    _E: {Fact.FLOW: _E, Fact.PAUSE: _E, Fact.WAIT: _E, Fact.DOUBT: _E, Fact.END: _E},
}

#: Faster than to ask the enumeration.
_STATUS = {str(status): status for status in SessionStatus}

#: 2.x chargingState and 1.6 connector status words -> what they say about the running session.
FACTS: dict[str, Fact] = {
    "Charging": Fact.FLOW,
    "SuspendedEV": Fact.PAUSE,
    "SuspendedEVSE": Fact.PAUSE,
    "EVConnected": Fact.WAIT,
    "Idle": Fact.WAIT,
    "charging": Fact.FLOW,
    "suspended-ev": Fact.PAUSE,
    "suspended-evse": Fact.PAUSE,
}

OPEN = frozenset({_P, _C, _S, _D})
#: Sessions that count against a token's limit and as running: a suspect one is most likely over.
RUNNING = frozenset({_P, _C, _S})


def moved(status: str, fact: Fact | None) -> SessionStatus:
    """The status after a fact; None says nothing new."""
    return _STATUS[status] if fact is None else NEXT[status][fact]


def trusted(flags: tuple[str, ...], before: str, now: str) -> tuple[str, ...]:
    """The flags of a session that moved: one that is alive again is suspect of nothing any more."""
    alive = before == SessionStatus.SUSPECT and now in RUNNING
    return unflagged(flags, *_DOUBTS) if alive else flags


#: Why a session is suspect.
_DOUBTS = ("no-stop", "silent")


def flagged(flags: tuple[str, ...], *more: str) -> tuple[str, ...]:
    """Flags with some more, each once, sorted."""
    return flags if set(more) <= set(flags) else tuple(sorted({*flags, *more}))


def unflagged(flags: tuple[str, ...], *less: str) -> tuple[str, ...]:
    """Flags without some."""
    return tuple(flag for flag in flags if flag not in less)


def view(session: Session) -> SessionView:
    """The session as clients see it."""
    return SessionView(
        id=session.id,
        station=session.station,
        evse=session.evse,
        connector=session.connector,
        token=session.token,
        status=session.status,
        started_at=session.started_at,
        ended_at=session.ended_at,
        energy_wh=session.energy_wh,
        meter_start_wh=session.meter_start_wh,
        meter_stop_wh=session.meter_stop_wh,
        power_w=session.power_w,
        stop_reason=session.stop_reason,
        flags=session.flags,
        cost=None if session.cost is None else {"amount": str(session.cost), "currency": session.currency},
        transaction_id=session.transaction_id,
        energy_source=session.energy_source,
        soc_percent=session.soc_percent,
        last_sample_at=session.last_sample_at,
        authorization=session.authorization,
        stop_token=session.stop_token,
        offline=session.offline,
        remote_start_id=session.remote_start_id,
        ocpp_version=session.ocpp_version or None,
    )

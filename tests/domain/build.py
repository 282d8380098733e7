"""Values for tests of decisions: a station, reports and the facts around them."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from cms.domain import metering
from cms.domain.meters import REGISTER
from cms.domain.observations import (
    Metered,
    Observation,
    Reading,
    Received,
    Sample,
    TokenRef,
    TransactionPhase,
    TransactionReported,
)
from cms.domain.stations import Station, StationState
from cms.domain.tokens import Token, rule
from cms.domain.transactions import Facts

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
TOKEN = Token("CARD1", group="GRP1")


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def station(**known: Any) -> StationState:
    return StationState(Station("CP1", **known))


def received(
    observation: Observation, at: datetime | None = None, version: str = "1.6", action: str = ""
) -> Received:
    when = at or getattr(observation, "at", None) or NOON
    return Received(observation, when, version, action or type(observation).__name__, "[raw]")


def register(wh: float, at: datetime, context: str = "Sample.Periodic", **more: Any) -> Reading:
    return Reading(at, (Sample(REGISTER, Decimal(str(wh)), "Wh", context=context, **more),))


class Desk:
    """Decides one report after the other, as operations.observe would, without a record behind it."""

    def __init__(self, state: StationState | None = None, tokens: tuple[Token, ...] = (TOKEN,)) -> None:
        from cms.domain import transactions

        self._decide = transactions
        self.state = state or station()
        self.tokens = {token.id.casefold(): token for token in tokens}
        self.past: dict[str, Any] = {}
        self.foreign: dict[str, str] = {}
        self._ids = itertools.count(1)

    def facts(self, report: Any, running: int | None = None) -> Facts:
        tid = report.transaction_id
        token = getattr(report, "token", None)
        ruling = None
        if token is not None:
            ruling = rule(self.tokens.get(token.id.casefold()), token, NOON, running)
        return Facts(
            new_id=lambda: f"s{next(self._ids)}",
            new_number=lambda: 1000 + next(self._ids),
            ruling=ruling,
            past=None if tid is None or self.state.session_of(tid) else self.past.get(tid),
            foreign=self.foreign.get(tid),
        )

    def tell(
        self, report: Any, at: datetime | None = None, version: str = "1.6", running: int | None = None
    ) -> Any:
        seen = received(report, at, version)
        if isinstance(report, Metered):
            decision = metering.meter(self.state, seen, report, self.facts(report).past)
        else:
            decision = self._decide.decide(self.state, seen, report, self.facts(report, running))
        self.state = decision.state
        for change in decision.changes:
            session = getattr(change, "session", None)
            if session is not None and getattr(session, "status", None) == "ended":
                self.past[session.transaction_id] = session
        return decision


def start(
    token: str = "CARD1", meter: int = 1000, at: datetime = NOON, evse: int = 1, **more: Any
) -> TransactionReported:
    key = f"start|{evse}|{token.casefold()}|{at.isoformat()}|{meter}|"
    report = TransactionReported(
        TransactionPhase.STARTED,
        key,
        b"d" * 16,
        at,
        evse=evse,
        connector=1,
        token=TokenRef(token),
        meter_wh=meter,
    )
    return _with(report, more)


def stop(
    transaction_id: str, meter: int = 6000, at: datetime = NOON, digest: bytes = b"e" * 16, **more: Any
) -> TransactionReported:
    report = TransactionReported(
        TransactionPhase.ENDED,
        f"stop|{transaction_id}",
        digest,
        at,
        transaction_id=transaction_id,
        meter_wh=meter,
    )
    return _with(report, more)


def event(phase: str, seq: int, at: datetime, tx: str = "tx-1", **more: Any) -> TransactionReported:
    report = TransactionReported(
        TransactionPhase(phase),
        f"tx|{tx}|{seq}",
        f"{phase}{seq}{at.timestamp()}".encode(),
        at,
        transaction_id=tx,
        seq_no=seq,
    )
    return _with(report, more)


def _with(report: TransactionReported, more: dict[str, Any]) -> TransactionReported:
    from cms.domain.evolve import evolve

    return evolve(report, **more)

"""Values for store tests: a station, a session, a token, a reading, an intent, with what a test does not care for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from cms.contract.events import Event
from cms.domain.changes import AddReading, Deliver, Happened
from cms.domain.intents import Intent
from cms.domain.observations import Reading, Sample
from cms.domain.sessions import Session
from cms.domain.stations import Station
from cms.domain.tokens import Token

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class SetClock:
    """A clock that stands still until it is moved."""

    at: datetime = NOON

    def now(self) -> datetime:
        return self.at

    def pass_(self, **time: float) -> None:
        self.at += timedelta(**time)


@dataclass
class Heard:
    """What the store published, batch by batch."""

    batches: list[Sequence[Event]] = field(default_factory=list)

    def __call__(self, events: Sequence[Event]) -> None:
        self.batches.append(list(events))

    @property
    def events(self) -> list[Event]:
        return [event for batch in self.batches for event in batch]


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def station(id: str = "CP-1", **known: Any) -> Station:
    return Station(id, **{"enrolled_at": NOON, **known})


def session(id: str = "s1", **known: Any) -> Session:
    fields: dict[str, Any] = {
        "station": "CP-1",
        "ocpp_version": "2.0.1",
        "transaction_id": f"tx-{id}",
        "number": None,
        "status": "charging",
        "started_at": NOON,
        "started_received_at": NOON,
    }
    return Session(id, **{**fields, **known})


def token(id: str = "Tag-1", **known: Any) -> Token:
    return Token(id, **known)


def intent(id: str = "i1", **known: Any) -> Intent:
    return Intent(
        id, **{"station": "CP-1", "order": "reset", "created_at": NOON, "requested_by": "ada", **known}
    )


def energy(wh: str, **known: Any) -> Sample:
    return Sample("Energy.Active.Import.Register", Decimal(wh), "Wh", **known)


def reading(*samples: Sample, session: str | None = "s1", **known: Any) -> AddReading:
    fields = {"station": "CP-1", "evse": 1, "transaction_id": "tx-s1", "received_at": NOON, **known}
    at = fields.pop("at", NOON)
    return AddReading(**fields, session=session, reading=Reading(at, samples))


def delivery(key: str = "tx-1/0", station: str = "CP-1", **known: Any) -> Deliver:
    return Deliver(station, "transaction", key, known.get("digest", b"d" * 8), known.get("answer"), NOON)


def happened(type: str = "station.changed", station: str | None = "CP-1", **known: Any) -> Happened:
    return Happened(type, NOON, station, **known)

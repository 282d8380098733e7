"""Settling accounts: what stations know and were told is acknowledged, against what the daemon tells."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from cms.client import AsyncClient
from cms.contract.sessions import ListSamples, ListSessions, SessionView
from cms.contract.status import ListQuarantine
from cms.simulator.evse import Transaction
from cms.simulator.station import Station

Key = tuple[str, str]
Facts = dict[str, Any]

MOST = 100_000


class Ledger:
    """What the daemon has acknowledged: kept by stations, after the CALLRESULT has arrived.

    ``sampled`` holds the instants of meter values by station and transaction.
    """

    def __init__(self) -> None:
        self.sampled: defaultdict[Key, set[datetime]] = defaultdict(set)
        self.started: set[Key] = set()
        self.ended: set[Key] = set()
        self.messages: Counter[str] = Counter()

    def acknowledged(self, station: Station, action: str, payload: Facts, answer: Facts) -> None:
        self.messages[action] += 1
        key = station.id, str(_transaction(payload) or answer.get("transactionId"))
        match action, payload.get("eventType"):
            case ("StartTransaction", _) | (_, "Started"):
                self.started.add(key)
            case ("StopTransaction", _) | (_, "Ended"):
                self.ended.add(key)
        for value in payload.get("meterValue", payload.get("transactionData", ())):
            self.sampled[key].add(datetime.fromisoformat(value["timestamp"]))


def _transaction(payload: Facts) -> Any:
    return payload.get("transactionId") or payload.get("transactionInfo", {}).get("transactionId")


def as_the_station_knows(transaction: Transaction) -> Facts:
    over = transaction.ended_at is not None
    return {
        "evse": transaction.evse,
        "token": transaction.token,
        "started_at": as_sent(transaction.started_at),
        "ended_at": as_sent(transaction.ended_at) if transaction.ended_at else None,
        "meter_start_wh": transaction.meter_start_wh,
        "meter_stop_wh": transaction.meter_stop_wh,
        "energy_wh": transaction.energy_wh if over else None,
    }


def as_the_daemon_tells(session: SessionView) -> Facts:
    over = session.ended_at is not None
    return {
        "evse": session.evse,
        "token": session.token,
        "started_at": session.started_at,
        "ended_at": session.ended_at,
        "meter_start_wh": session.meter_start_wh,
        "meter_stop_wh": session.meter_stop_wh if over else None,
        "energy_wh": session.energy_wh if over else None,
    }


def as_sent(at: datetime) -> datetime:
    """Timestamps carry milliseconds."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


async def settle(client: AsyncClient, stations: Iterable[Station], ledger: Ledger) -> list[Transaction]:
    """Assert that the daemon tells every session and meter value, each once, and nothing else; the sessions.

    No message of any station may be waiting.
    """
    known = {
        (station.id, str(transaction.id)): transaction
        for station in stations
        for transaction in station.transactions
    }
    sessions = await client.ask(ListSessions(limit=MOST))
    assert len(sessions) < MOST
    told = {(session.station, str(session.transaction_id)): session for session in sessions}
    assert len(told) == len(sessions), "there are two sessions for one transaction"
    assert not ledger.started - told.keys(), "acknowledged sessions are lost"
    assert not {key for key in ledger.ended if told[key].ended_at is None}, "acknowledged ends are lost"
    assert not told.keys() - known.keys(), "there are sessions that no station knows"
    for key, transaction in known.items():
        assert key in told, f"{key} was delivered and is lost"
        _compare(key, as_the_daemon_tells(told[key]), as_the_station_knows(transaction))
    assert all(transaction.lost == 0 for transaction in known.values()), "a station gave a message up"
    for key, session in told.items():
        await _settle_samples(client, session, ledger.sampled[key])
    assert await client.ask(ListQuarantine()) == []
    return [*known.values()]


def _compare(key: Key, told: Facts, known: Facts) -> None:
    differences = {name: (told[name], known[name]) for name in known if told[name] != known[name]}
    assert not differences, f"{key}: the daemon tells, and the station knows: {differences}"


async def _settle_samples(client: AsyncClient, session: SessionView, acknowledged: set[datetime]) -> None:
    samples = await client.ask(ListSamples(session.id))
    name = f"{session.station} {session.transaction_id}"
    missing = acknowledged - {sample.at for sample in samples}
    assert not missing, f"{name}: acknowledged samples of {sorted(missing)} are lost"
    kinds = Counter((s.at, s.measurand, s.phase, s.context, s.location) for s in samples)
    twice = [kind for kind, times in kinds.items() if times > 1]
    assert not twice, f"{name}: these samples are there twice: {twice}"

"""The store as the core knows it: migrations, one writer, many readers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from cms.contract.events import Event
from cms.contract.intents import IntentView
from cms.contract.monitoring import StreamSample
from cms.contract.refusals import Invalid
from cms.contract.sessions import ListSessions, Sample
from cms.contract.stations import UnknownStation, Variable
from cms.contract.status import QuarantinedMessage
from cms.core import MAIN, Clock, Picture, StoreDown
from cms.domain.accounts import Account
from cms.domain.audit import Head, Sealed, Wanted
from cms.domain.changes import Change, Happened
from cms.domain.intents import Intent
from cms.domain.ledger import Enter, Entry
from cms.domain.payments import Payment
from cms.domain.sessions import Session
from cms.domain.stations import Delivered, StationState
from cms.store import (
    audit,
    bills,
    connectors,
    deliveries,
    events,
    intents,
    kept,
    meters,
    payments,
    privacy,
    quarantine,
    sessions,
    stations,
    streams,
    tokens,
    unknown,
    variables,
)
from cms.store.accounting import SqlAccounting
from cms.store.changes import Item, drops, rows_of
from cms.store.history import SqlHistory
from cms.store.migrate import migrate
from cms.store.postgresql import PostgresPen
from cms.store.reader import Reader, ScopedReader, reader
from cms.store.schema import fold, micros
from cms.store.sqlite import SqlitePen
from cms.store.statements import Statement
from cms.store.usage import SqlUsage
from cms.store.writer import Pen, Writer

_PRUNED_AT_ONCE = 1000
_PROBE_BYTES = 64 * 1024


async def open_store(
    url: str, clock: Clock, published: Callable[[Sequence[Event]], None], *, threaded: bool = True
) -> SqlStore:
    """Bring the database up to date and open it.

    ``url``: ``sqlite+aiosqlite:///PATH`` or ``postgresql+asyncpg://...``. ``published`` is called on the loop
    with every batch's events in cursor order, before those who committed them return. ``threaded=False``
    commits to SQLite and reads it within the loop's thread, for a loop whose time is simulated.
    """
    kind = make_url(url)
    if kind.drivername not in ("sqlite+aiosqlite", "postgresql+asyncpg"):
        raise Invalid(
            f"{kind.drivername} is no database we keep",
            "give sqlite+aiosqlite:///PATH or postgresql+asyncpg://USER@HOST/NAME",
        )
    await migrate(url)
    pen: Pen
    file: Path | None = None
    if kind.drivername == "sqlite+aiosqlite":
        file = Path(kind.database or "")
        pen = SqlitePen(file, threaded=threaded)
    else:
        pen = PostgresPen(url)
    # On a simulated loop idle seconds pass in no time: putting the house in order at each would be all it does.
    writer = Writer(pen, published, rest_after_s=1.0 if threaded else 600.0)
    return SqlStore(reader(url, threaded=threaded), writer, clock, MAIN, file)


class SqlStore:
    """core.Store on SQLite or PostgreSQL: what one organisation has there, and nothing else."""

    def __init__(
        self, reader: Reader, writer: Writer, clock: Clock, organisation: str, file: Path | None = None
    ) -> None:
        self.file = file
        """Where SQLite keeps it."""
        self.organisation = organisation
        self._unscoped = reader
        self._reader: Reader = ScopedReader(reader, organisation)
        self._writer = writer
        self._clock = clock
        self.entered: Callable[[Sequence[Entry]], None] | None = None

    def of(self, organisation: str) -> SqlStore:
        """The same record as another organisation sees it."""
        return SqlStore(self._unscoped, self._writer, self._clock, organisation, self.file)

    @property
    def accounting(self) -> SqlAccounting:
        """What it knows of money."""
        return SqlAccounting(self._reader)

    @property
    def history(self) -> SqlHistory:
        """What it knows of sessions that other systems knew."""
        return SqlHistory(self._reader)

    @property
    def usage(self) -> SqlUsage:
        """How it counted sessions."""
        return SqlUsage(self._reader)

    @property
    def healthy(self) -> bool:
        """Whether the last commits could be written; ``probe`` heals it."""
        return self._writer.healthy

    @healthy.setter
    def healthy(self, healthy: bool) -> None:
        self._writer.healthy = healthy

    @property
    def poisoned(self) -> bool:
        """Nothing may be written until a restart: the daemon exits 74."""
        return self._writer.poisoned

    @property
    def waiting(self) -> int:
        """How many commits wait for their turn."""
        return self._writer.waiting

    @property
    def on_batch(self) -> Callable[[int, float], None] | None:
        """Told the size and the seconds of every batch that was written."""
        return self._writer.on_batch

    @on_batch.setter
    def on_batch(self, told: Callable[[int, float], None] | None) -> None:
        self._writer.on_batch = told

    async def commit(self, changes: Sequence[Change], events_: Sequence[Happened]) -> None:
        entries = [change.entry for change in changes if type(change) is Enter]
        item = Item(
            rows_of(changes, self.organisation, self._now_us),
            [events.row(happened, self.organisation) for happened in events_],
            self.organisation,
            alone=drops(changes),
            done=partial(self.entered, entries) if entries and self.entered is not None else None,
        )
        await self._writer.write(item, events_)

    def _now_us(self) -> int:
        return micros(self._clock.now())

    async def probe(self) -> bool:
        try:
            await self._run((events.PROBE, (b"\0" * _PROBE_BYTES,)))
        except StoreDown:
            return False
        self._writer.healthy = not self._writer.poisoned
        return self._writer.healthy

    async def prune(
        self,
        *,
        events_before: datetime | None = None,
        readings_before: datetime | None = None,
        streams_before: datetime | None = None,
    ) -> int:
        """Forget what is older than these instants, of all organisations, a thousand at a time; how many went."""
        gone = 0
        while events_before and (
            upto := _prefix(await events.oldest(self._unscoped, _PRUNED_AT_ONCE), events_before)
        ):
            await self._run((events.MARK_PRUNED, (upto[-1],)), (events.PRUNE, (upto[-1],)))
            gone += len(upto)
        while readings_before and (
            upto := _prefix(await meters.oldest(self._unscoped, _PRUNED_AT_ONCE), readings_before)
        ):
            await self._run((meters.PRUNE, (upto[-1],)))
            gone += len(upto)
        while streams_before and (
            upto := _prefix(await streams.oldest(self._unscoped, _PRUNED_AT_ONCE), streams_before)
        ):
            await self._run((streams.PRUNE, (upto[-1],)))
            gone += len(upto)
        await self._run((kept.PRUNE, ()))
        return gone

    async def mentions(self, words: Sequence[str], limit: int) -> list[tuple[str, dict[str, Any]]]:
        return [found async for found in privacy.mentions(self._reader, words, limit)]

    async def rewrite(
        self, words: Sequence[str], change: privacy.Change, before: datetime | None = None
    ) -> dict[str, int]:
        done: dict[str, int] = {}
        await self._run(
            (kept.PRUNE, ())
        )  # what is forgotten has a key still, which may be taken under its alias
        for place in privacy.PLACES:
            if before is not None and place.at is None:
                continue
            for some in privacy.parts(words):
                async for rows in privacy.rewrites(self._reader, place, some, change, before):
                    await self._run(*rows)
                    done[place.name] = done.get(place.name, 0) + len(rows)
        return done

    async def old_tokens(self, before: datetime, but: str, limit: int) -> list[str]:
        return await privacy.old_tokens(self._reader, before, but, limit)

    async def leave_no_traces(self, words: Sequence[str]) -> None:
        await self._tidied("fold")
        if self.file is not None and await asyncio.to_thread(privacy.leaves_traces, self.file, words):
            await self._tidied("vacuum")

    async def _tidied(self, how: str) -> None:
        await self._writer.write(Item([], [], alone=True, tidies=how), ())

    async def close(self) -> None:
        await self._reader.close()
        await self._writer.close()

    async def load(self) -> Picture:
        places = await connectors.all_connectors(self._reader)
        running: dict[str, dict[str, Session]] = {}
        for session in await sessions.open_sessions(self._reader):
            running.setdefault(fold(session.station), {})[session.id] = session
        waiting: dict[str, dict[str, Intent]] = {}
        for intent in await intents.waiting_intents(self._reader):
            waiting.setdefault(fold(intent.station), {})[intent.id] = intent
        held = await kept.present(self._reader)
        states = [
            StationState(
                station,
                connectors=places.get(fold(station.id), {}),
                sessions=running.get(fold(station.id), {}),
                intents=waiting.get(fold(station.id), {}),
                kept=held.get(fold(station.id), {}),
            )
            for station in await stations.all_stations(self._reader)
        ]
        return Picture(states, await tokens.all_tokens(self._reader), held.get("", {}))

    async def session(self, session_id: str) -> Session | None:
        return await sessions.session(self._reader, session_id)

    async def session_of(self, station_id: str, transaction_id: str) -> Session | None:
        return await sessions.session_of(self._reader, station_id, transaction_id)

    async def station_of_number(self, number: int) -> str | None:
        return await sessions.station_of_number(self._reader, number)

    async def sessions(self, query: ListSessions) -> list[Session]:
        return await sessions.sessions(self._reader, query)

    async def stale_sessions(self, before: datetime) -> list[Session]:
        return await sessions.stale_sessions(self._reader, before)

    async def energy_since(self, since: datetime) -> int:
        return await sessions.energy_since(self._reader, since)

    async def samples(self, session_id: str) -> list[Sample]:
        return await meters.samples(self._reader, session_id)

    async def station_samples(self, station_id: str, readings: int) -> list[Sample]:
        return await meters.station_samples(self._reader, station_id, readings)

    async def delivered(self, station_id: str, kind: str, key: str) -> Delivered | None:
        return await deliveries.delivered(self._reader, station_id, kind, key)

    async def events_after(
        self,
        cursor: str | None,
        limit: int,
        *,
        station: str | None = None,
        session: str | None = None,
        type: str | None = None,
    ) -> list[Event]:
        return await events.events_after(
            self._reader, cursor, limit, station=station, session=session, type=type
        )

    async def cursor(self) -> str:
        last, _ = await events.head(self._reader)
        return str(last)

    async def intent(self, intent_id: str) -> IntentView | None:
        return await intents.intent(self._reader, intent_id)

    async def intents(self, station: str | None, status: str | None, limit: int) -> list[IntentView]:
        return await intents.intents(self._reader, station, status, limit)

    async def variables(self, station_id: str) -> list[Variable]:
        return await variables.variables(self._reader, station_id)

    async def stream_samples(self, station_id: str, monitor: int, limit: int) -> list[StreamSample]:
        return await streams.samples(self._reader, station_id, monitor, limit)

    async def kept(self, station_id: str, kind: str) -> dict[str, Any]:
        return await kept.kept(self._reader, station_id, kind)

    async def kept_one(self, station_id: str, kind: str, key: str) -> Any | None:
        return await kept.one(self._reader, station_id, kind, key)

    async def kept_everywhere(self, kind: str) -> list[tuple[str, str, Any]]:
        return await kept.everywhere(self._reader, kind)

    async def bill(self, session_id: str) -> Account | None:
        return await bills.bill(self._reader, session_id)

    async def payment(self, psp_ref: str) -> Payment | None:
        return await payments.payment(self._reader, psp_ref)

    async def payments(self, status: str | None, station: str | None, limit: int) -> list[Payment]:
        return await payments.payments(self._reader, status, station, limit)

    async def unknown_stations(self) -> list[UnknownStation]:
        return await unknown.unknown_stations(self._reader)

    async def quarantine(self, station: str | None, limit: int) -> list[QuarantinedMessage]:
        return await quarantine.quarantine(self._reader, station, limit)

    async def audit_rows(self, organisation: str, wanted: Wanted) -> list[Sealed]:
        return await audit.rows(self._reader, organisation, wanted)

    async def audit_head(self, organisation: str) -> Head:
        return await audit.head(self._reader, organisation)

    async def count_quarantine(self) -> int:
        return await quarantine.count_quarantine(self._reader)

    async def _run(self, *rows: tuple[Statement, tuple[object, ...]]) -> None:
        """Our own housekeeping, through the same writer."""
        await self._writer.write(Item(list(rows), [], alone=True), ())


def _prefix(oldest: list[tuple[int, datetime]], before: datetime) -> list[int]:
    """The numbers that come before the first one that is young enough to stay."""
    numbers = []
    for number, at in oldest:
        if at >= before:
            break
        numbers.append(number)
    return numbers

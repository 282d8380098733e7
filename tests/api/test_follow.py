"""The event stream: no gap, no repeat, and nobody waits for a slow reader."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest

from cms.api.app import create_app
from cms.api.follow import Wanted, events_after
from cms.api.metrics import Metrics
from cms.api.server import RunningApi, serve_api
from cms.client import AsyncClient, Back, Lost
from cms.contract.events import Event
from cms.contract.refusals import Invalid, Unreachable
from cms.contract.stations import Message
from tests.api.small import NOON, House


async def take(stream: Any, count: int) -> list[Any]:
    async with asyncio.timeout(10):
        return [await anext(stream) for _ in range(count)]


async def listening(house: House) -> None:
    while not house.bus.listeners:
        await asyncio.sleep(0)


def cursors(events: list[Any]) -> list[int]:
    return [int(event.cursor) for event in events]


async def test_it_resumes_after_the_cursor(client: AsyncClient, house: House) -> None:
    for _ in range(1200):
        house.happen("station.changed")
    async with aclosing(client.follow("3")) as stream:  # type: ignore[type-var]
        assert cursors(await take(stream, 1197)) == list(range(4, 1201))
        house.happen("station.changed")
        assert cursors(await take(stream, 1)) == [1201]


async def test_without_a_cursor_it_begins_now(client: AsyncClient, house: House) -> None:
    house.happen("station.changed")
    async with aclosing(client.follow()) as stream:  # type: ignore[type-var]
        first = asyncio.ensure_future(anext(stream))
        await listening(house)
        house.happen("station.booted", station="CP-1", data={"status": "accepted"})
        assert await first == Event("2", NOON, "station.booted", "CP-1", data={"status": "accepted"})


async def test_an_event_that_is_recorded_while_we_catch_up_comes_once() -> None:
    house = House()
    for _ in range(3):
        house.happen("station.changed")
    async with aclosing(events_after(house.core, "0", Wanted())) as stream:
        assert cursors(await take(stream, 1)) == [1]
        house.happen("station.changed")
        assert cursors(await take(stream, 3)) == [2, 3, 4]
        house.happen("station.changed")
        assert cursors(await take(stream, 1)) == [5]


async def test_a_listener_that_lags_is_dropped_and_goes_on_from_the_record_without_a_gap() -> None:
    house = House(bus_limit=10)
    async with aclosing(events_after(house.core, "0", Wanted())) as stream:
        house.happen("station.changed")
        assert cursors(await take(stream, 1)) == [1]
        for _ in range(50):
            house.happen("station.changed")
        assert cursors(await take(stream, 50)) == list(range(2, 52))


async def test_a_reader_that_reads_nothing_holds_up_no_one(
    api: RunningApi, house: House, client: AsyncClient
) -> None:
    reader, writer = await asyncio.open_unix_connection(str(api.socket_path))
    writer.write(b"GET /v1/events?after=0 HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.readuntil(b"id: 0")
    for _ in range(20_000):
        house.happen("station.notified", data={"value": "x" * 100})
    async with aclosing(client.follow("19990")) as stream:  # type: ignore[type-var]
        assert cursors(await take(stream, 10)) == list(range(19_991, 20_001))
    writer.close()


async def test_events_can_be_narrowed_to_a_station_and_to_types(client: AsyncClient, house: House) -> None:
    for type in ("session.started", "session.ended", "connector.status"):
        for station in ("CP-1", "CP-2"):
            house.happen(type, station=station)
    async with aclosing(client.follow("0", station="cp-1", type="session.*")) as stream:  # type: ignore[type-var]
        told = await take(stream, 2)
    assert [event.type for event in told] == ["session.started", "session.ended"]


async def test_the_frames_of_one_station_come_along(client: AsyncClient, house: House) -> None:
    frame = Message(NOON, "in", "call", "Heartbeat", "1", "{}")
    async with aclosing(client.follow(frames="CP-1")) as stream:  # type: ignore[type-var]
        house.frames.put_nowait(frame)
        assert await take(stream, 1) == [frame]


async def test_a_client_comes_back_after_a_restart_and_misses_nothing(house: House, folder: Path) -> None:
    def app() -> Any:
        return create_app(house.core, house.operations(), Metrics())

    path = folder / "cms.sock"
    running = await serve_api(app(), path)
    from cms.client import Address

    async with (
        AsyncClient(Address(socket=str(path)), backoff_s=(0.01,)) as client,
        aclosing(client.follow("0")) as stream,  # type: ignore[type-var]
    ):
        house.happen("station.changed")
        assert cursors(await take(stream, 1)) == [1]
        await running.close()
        assert isinstance((await take(stream, 1))[0], Lost)
        house.happen("station.changed")
        running = await serve_api(app(), path)
        house.happen("station.changed")
        back, *rest = await take(stream, 3)
        assert isinstance(back, Back)
        assert cursors(rest) == [2, 3]
    await running.close()


async def test_the_first_connection_fails_loudly(folder: Path) -> None:
    from cms.client import Address

    async with AsyncClient(Address(socket=str(folder / "none.sock"))) as client:
        with pytest.raises(Unreachable, match="no daemon answers"):
            await anext(client.follow())  # type: ignore[arg-type]


async def test_a_cursor_that_the_record_does_not_know_is_refused(client: AsyncClient) -> None:
    with pytest.raises(Invalid, match="not a cursor"):
        await anext(client.follow("x"))  # type: ignore[arg-type]


async def test_the_stream_reads_as_server_sent_events(http: httpx.AsyncClient, house: House) -> None:
    house.happen("station.changed", station="CP-1")
    async with http.stream("GET", "/v1/events", headers={"Last-Event-ID": "0"}) as answer:
        lines = answer.aiter_lines()
        told = [await anext(lines) for _ in islice(range(9), 5)]
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert told[:4] == ["id: 0", "", "id: 1", "event: station.changed"]
    assert told[4].startswith('data: {"cursor":"1","at":"2026-11-22T12:00:00Z","type":"station.changed"')

"""The socket file: private, never stolen, gone at the end."""

from __future__ import annotations

import asyncio
import socket
import stat
from pathlib import Path

import pytest

from cms.api.app import create_app
from cms.api.metrics import Metrics
from cms.api.server import RunningApi, serve_api
from cms.client import AsyncClient
from cms.contract.intents import AwaitIntent
from cms.contract.refusals import Conflict, Invalid, Unreachable
from cms.contract.stations import ResetStation
from tests.api.small import House


def app_of(house: House):  # type: ignore[no-untyped-def]
    return create_app(house.core, house.operations(), Metrics())


def test_only_the_owner_may_use_the_socket(api: RunningApi) -> None:
    assert stat.S_IMODE(api.socket_path.stat().st_mode) == 0o600


async def test_a_living_socket_is_not_taken(api: RunningApi, house: House) -> None:
    with pytest.raises(Conflict, match="answers at"):
        await serve_api(app_of(house), api.socket_path)
    assert api.socket_path.exists()


async def test_a_stale_socket_is_replaced_and_the_file_is_gone_at_the_end(folder: Path, house: House) -> None:
    path = folder / "cms.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    running = await serve_api(app_of(house), path)
    await running.close()
    assert not path.exists()


async def test_a_file_that_is_no_socket_is_left_alone(folder: Path, house: House) -> None:
    path = folder / "cms.sock"
    path.write_text("mine")
    with pytest.raises(Conflict, match="not a socket"):
        await serve_api(app_of(house), path)
    assert path.read_text() == "mine"


async def test_a_taken_tcp_port_is_said_and_leaves_no_socket(folder: Path, house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Invalid, match=str(port)):
            await serve_api(app_of(house), folder / "cms.sock", ("127.0.0.1", port))
    assert not (folder / "cms.sock").exists()


async def test_closing_ends_the_event_streams(api: RunningApi, client: AsyncClient, house: House) -> None:
    follow = client.follow()
    first = asyncio.ensure_future(anext(follow))  # type: ignore[arg-type]
    while not house.bus.listeners:
        await asyncio.sleep(0)
    house.happen("station.changed")
    await first
    async with asyncio.timeout(5):
        await api.close()
    await follow.aclose()  # type: ignore[attr-defined]
    assert house.bus.listeners == 0


async def test_a_reader_that_is_stuck_does_not_hold_up_the_end(api: RunningApi, house: House) -> None:
    reader, writer = await asyncio.open_unix_connection(str(api.socket_path))
    writer.write(b"GET /v1/events?after=0 HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.readuntil(b"id: 0")
    for _ in range(20_000):
        house.happen("station.notified", data={"value": "x" * 100})
    for _ in range(5_000):  # turns of the loop: enough to fill every buffer between us
        await asyncio.sleep(0)
    async with asyncio.timeout(8):
        await api.close()
    assert house.bus.listeners == 0
    writer.close()


async def queued(client: AsyncClient, house: House) -> asyncio.Task[object]:
    """Somebody waits for the effect of an order that will not come soon."""
    order = await client.ask(ResetStation(station="CP-2", queue_s=600))
    waiting = asyncio.ensure_future(client.ask(AwaitIntent(order.id, 60)))
    await house.waited_for.wait()
    return waiting


async def test_closing_sends_those_away_who_wait_for_an_effect(
    api: RunningApi, client: AsyncClient, house: House
) -> None:
    waiting = await queued(client, house)
    await api.close()
    with pytest.raises(Unreachable, match="stopping"):
        await waiting


async def test_nobody_is_waited_for_who_has_gone(api: RunningApi, client: AsyncClient, house: House) -> None:
    waiting = await queued(client, house)
    waiting.cancel()
    async with asyncio.timeout(5):
        while house.waited_for.is_set():
            await asyncio.sleep(0)

"""A small house with its API on a real Unix socket."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from cms.api.app import create_app
from cms.api.metrics import Metrics
from cms.api.server import RunningApi, serve_api
from cms.client import Address, AsyncClient
from tests.api.small import House


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: pytest's own are too long for a socket."""
    with tempfile.TemporaryDirectory(prefix="cms-") as name:
        yield Path(name)


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
async def api(house: House, metrics: Metrics, folder: Path) -> AsyncIterator[RunningApi]:
    app = create_app(house.core, house.operations(), metrics, frames=house.watch_frames)
    running = await serve_api(app, folder / "cms.sock", ("127.0.0.1", 0))
    yield running
    await running.close()


@pytest.fixture
def address(api: RunningApi) -> Address:
    return Address(socket=str(api.socket_path))


@pytest.fixture
async def client(address: Address) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(address, backoff_s=(0.01,)) as client:
        yield client


@pytest.fixture
async def http(address: Address) -> AsyncIterator[httpx.AsyncClient]:
    """The API as anybody sees it."""
    transport = httpx.AsyncHTTPTransport(uds=address.socket)
    async with httpx.AsyncClient(transport=transport, base_url="http://cms") as http:
        yield http

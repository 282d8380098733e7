"""The whole daemon on PostgreSQL: a session, a kill, a restart."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import websockets

from cms.client import Address, ask
from cms.contract.sessions import ListSessions
from cms.contract.stations import AddStation
from tests.fleet import serving
from tests.postgres import postgres_server, postgres_url  # noqa: F401 - fixtures


@contextlib.asynccontextmanager
async def station(url: str, name: str, password: str) -> Any:
    """A minimal 1.6 station: ``await call(action, payload)`` gives the answer's payload."""
    key = base64.b64encode(f"{name}:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {key}"}
    async with websockets.connect(
        f"{url}/{name}", subprotocols=["ocpp1.6"], additional_headers=headers
    ) as socket:
        numbers = iter(range(1, 1000))

        async def call(action: str, payload: dict[str, Any]) -> Any:
            await socket.send(json.dumps([2, str(next(numbers)), action, payload]))
            kind, _, answer = json.loads(await socket.recv())
            assert kind == 3
            return answer

        yield call


async def test_a_session_survives_a_kill_of_a_daemon_on_postgresql(
    tmp_path: Path,
    postgres_url: str,  # noqa: F811
) -> None:
    now = datetime.now(UTC).isoformat()
    begin = {"connectorId": 1, "idTag": "CARD", "meterStart": 100, "timestamp": now}

    def told(address: Address, asked: Any) -> Any:
        return asyncio.to_thread(ask, asked, address)

    with serving(tmp_path, "--database", postgres_url) as (process, status):
        address = Address(socket=status["socket"])
        assert status["database"] == "postgresql"
        password = (await told(address, AddStation("PG-1")))["password"]
        url = status["ocpp_url"].removesuffix("/<station>")
        async with station(url, "PG-1", password) as call:
            number = (await call("StartTransaction", begin))["transactionId"]
            psutil.Process(process.pid).kill()
    with serving(tmp_path, "--database", postgres_url) as (process, status):
        address = Address(socket=status["socket"])
        url = status["ocpp_url"].removesuffix("/<station>")
        async with station(url, "PG-1", password) as call:
            assert (await call("StartTransaction", begin))["transactionId"] == number
            await call("StopTransaction", {"transactionId": number, "meterStop": 700, "timestamp": now})
        (session,) = await told(address, ListSessions())
        assert (session["status"], session["energy_wh"]) == ("ended", 600)

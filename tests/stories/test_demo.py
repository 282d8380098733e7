"""The demonstration as a newcomer meets it: it starts, shows sessions, ends cleanly, and goes on where it was."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

from cms.client import Address, AsyncClient
from cms.contract.events import Event
from cms.contract.stations import ListStations
from cms.contract.tokens import ListTokens


async def a_demo(folder: Path, until: str) -> list[str]:
    """Run the demonstration until such an event; its stations' ids. It must end with status 0."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cms.demo", f"--dir={folder}", "--stations=4", "--speed=60", "--seed=3"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert child.stdout is not None and child.stderr is not None
    try:
        async with asyncio.timeout(60):
            told = json.loads(await child.stdout.readline())
            assert told["ocpp_url"].startswith("ws://127.0.0.1:")
            async with AsyncClient(Address(socket=told["socket"])) as client:
                stations = [station.id for station in await client.ask(ListStations())]
                await seen(client, until)
                assert len(await client.ask(ListTokens())) == 40
    finally:
        child.send_signal(signal.SIGINT)
        said = await child.stderr.read()
        status = await asyncio.wait_for(child.wait(), 20)
    assert status == 0, said.decode()
    assert said == b""
    return stations


async def seen(client: AsyncClient, kind: str) -> None:
    """Wait until it has happened since the demonstration was ready."""
    async for event in client.follow():
        if isinstance(event, Event) and event.type == kind:
            return


async def test_a_demonstration_starts_lives_ends_and_goes_on(tmp_path: Path) -> None:
    first = await a_demo(tmp_path, "session.metered")
    again = await a_demo(tmp_path, "session.started")
    assert first == again == ["CP-001", "CP-002", "CP-003", "CP-004"]

"""T23 and T24: a station that floods, or answers what nobody asked, harms itself alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cms.contract.stations import AddStation, ResetStation
from tests.quirks.raw import BOOT_16, PASSWORD, Raw, Site, a_site

GOOD = [f"GOOD-{number}" for number in range(8)]
FLOOD = 2000


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with a_site(tmp_path) as made:
        yield made


async def booted(site: Site, identity: str) -> Raw:
    await site.client.ask(AddStation(identity, password=PASSWORD))
    raw = await site.station(identity, "ocpp1.6")
    assert (await raw.call("BootNotification", BOOT_16))["status"] == "Accepted"
    return raw


async def asked_to_reset(raw: Raw) -> asyncio.Queue[str]:
    """The ids of the resets that the station reads from now on and does not answer."""
    ids: asyncio.Queue[str] = asyncio.Queue()
    answer = raw._answer

    async def silent(message_id: str, action: str, payload: Any) -> None:
        if action == "Reset":
            ids.put_nowait(message_id)
        else:
            await answer(message_id, action, payload)

    raw._answer = silent  # type: ignore[method-assign]
    return ids


async def test_good_stations_are_served_while_one_floods(site: Site) -> None:
    bad = await site.booted()
    good = [await booted(site, identity) for identity in GOOD]

    async def flood() -> None:
        for number in range(FLOOD):
            await bad.socket.send(json.dumps([2, f"f{number}", "Heartbeat", {}]))

    async with asyncio.TaskGroup() as group:
        flooding = group.create_task(flood())
        calls = [group.create_task(raw.call("Heartbeat", {})) for raw in good for _ in range(20)]
        said = await asyncio.gather(*calls)
        assert all("currentTime" in answer for answer in said)
        flooding.cancel()
    assert bad.socket.close_code is None, "it is slowed, not cut off: nothing of it is lost"
    bad.socket.transport.abort()


async def test_answers_that_nobody_asked_settle_nothing(site: Site) -> None:
    """Neither a guess, nor another station that has read the id, nor an answer given twice."""
    mine, thief = await site.booted(), await booted(site, "THIEF")
    ids = await asked_to_reset(mine)
    order = asyncio.create_task(site.client.ask(ResetStation(station="CP-7")))
    asked = await asyncio.wait_for(ids.get(), 10)
    accepted = {"status": "Accepted"}
    for stray in ([3, "1", accepted], [3, asked + "0", accepted], [4, "x", "InternalError", "", {}], [3]):
        await mine.send(stray)
    for stray in ([3, asked, {"status": "Rejected"}], [4, asked, "InternalError", "", {}]):
        await thief.send(stray)
    assert "currentTime" in await mine.call("Heartbeat", {})
    assert "currentTime" in await thief.call("Heartbeat", {})
    assert not order.done()
    await mine.send([3, asked, accepted])
    await mine.send([3, asked, {"status": "Rejected"}])
    assert (await asyncio.wait_for(order, 10)).status == "accepted"
    assert "currentTime" in await mine.call("Heartbeat", {})


async def test_a_flood_of_answers_ends_that_conversation_alone(site: Site) -> None:
    bad, good = await site.booted(), await booted(site, "GOOD")
    for number in range(250):
        try:
            await bad.send([3, f"stray{number}", {}])
        except Exception:
            break
    assert await bad.closed() == 1008
    assert "currentTime" in await good.call("Heartbeat", {})
    again = await site.station("CP-7", "ocpp1.6")
    assert "currentTime" in await again.call("Heartbeat", {})

"""What needs a person, as a script asks for it: listed, claimed, muted, in every format and with honest exit codes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cms.api.app import create_app
from cms.api.metrics import Metrics
from cms.api.server import serve_api
from cms.client import Address
from cms.contract.stations import AddStation
from cms.domain.observations import ConnectorReported
from cms.operations import OPERATIONS, stations
from cms.operations.attention import Watch
from tests.cli.conftest import Cms
from tests.operations.small import ANA, Small


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[Small]:
    """CP1 and CP2 have a fault each, of its own."""
    system = await Small(tmp_path).open()
    system.clock.time = datetime.now(UTC)
    for name in ("CP1", "CP2"):
        await stations.add(system.core, AddStation(name), ANA)
        system.stations.connect(name)
        await system.hear(
            name, ConnectorReported(1, 1, "faulted", system.clock.now(), error_code="GroundFailure")
        )
    watch = Watch(system.core)
    watch.touch_all()
    await watch.look()
    yield system
    await system.close()


@pytest.fixture
async def address(small: Small, folder: Path) -> AsyncIterator[Address]:
    running = await serve_api(create_app(small.core, OPERATIONS, Metrics()), folder / "cms.sock", None)
    yield Address(socket=str(running.socket_path))
    await running.close()


async def ids(cms: Cms) -> tuple[str, str]:
    """The alerts of CP1 and of CP2."""
    told = (await cms("alerts", "list", "-o", "json")).told
    known = {row["station"]: row["id"] for row in told}
    return known["CP1"], known["CP2"]


async def test_alerts_are_listed_filtered_and_looked_after_many_at_once(cms: Cms) -> None:
    first, second = await ids(cms)
    [one] = (await cms("alerts", "list", "--filter", "station=CP2", "-o", "json")).told
    assert (one["id"], one["severity"], one["state"], one["count"]) == (second, "critical", "new", 1)
    seen = await cms("alerts", "ack", "-", "-o", "json", stdin=f"{first}\n{second}\n")
    assert [row["state"] for row in seen.told] == ["acknowledged", "acknowledged"]
    assert (await cms("alerts", "claim", first)).code == 0
    noted = await cms("alerts", "note", first, "called the site", "-o", "json")
    assert noted.told["notes"][0]["note"] == "called the site"
    shown = await cms("alerts", "show", first)
    assert "claimed" in shown.out and "called the site" in shown.out
    assert (await cms("alerts", "list", "--filter", "state=claimed", "-o", "name")).lines == [first]
    assert (await cms("alerts", "claim", first, "--release", "-o", "json")).told["state"] == "acknowledged"
    assert (await cms("alerts", "ack", first, "--undo", "-o", "json")).told["state"] == "new"


async def test_mutes_say_what_they_keep_quiet_and_until_when(cms: Cms) -> None:
    first, second = await ids(cms)
    made = (await cms("alerts", "mute", first, "--for", "2h", "--reason", "electrician", "-o", "json")).told
    assert (made["alert"], made["reason"]) == (first, "electrician")
    wide = (await cms("alerts", "mute", "--kind", "connector.faulted", "--station", "CP2", "-o", "json")).told
    assert {row["id"] for row in (await cms("alerts", "mutes", "-o", "json")).told} == {
        made["id"],
        wide["id"],
    }
    states = {row["id"]: row["state"] for row in (await cms("alerts", "list", "-o", "json")).told}
    assert states == {first: "muted", second: "muted"}
    assert (await cms("alerts", "unmute", first, wide["id"])).code == 0
    assert {row["state"] for row in (await cms("alerts", "list", "-o", "json")).told} == {"new"}


async def test_what_is_not_there_or_said_wrong_has_its_exit_code(cms: Cms) -> None:
    assert (await cms("alerts", "show", "nothing", "-o", "json")).error["refusal"] == "NotFound"
    assert (await cms("alerts", "ack", "nothing")).code == 4
    assert (await cms("alerts", "mute")).code == 2
    assert (await cms("alerts", "mute", "x", "--kind", "y")).code == 2
    assert (await cms("alerts", "list", "--filter", "severty=critical")).code == 2
    assert (await cms("alerts", "list", "--ended", "-o", "json")).told == []

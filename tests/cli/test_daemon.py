"""The command line against a whole daemon: SQLite, real operations, real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from cms.client import Address
from cms.daemon import Daemon
from cms.settings import Settings
from tests.cli.conftest import Cms


@pytest.fixture
async def daemon(folder: Path) -> AsyncIterator[Daemon]:
    daemon = Daemon(Settings(data_dir=folder, ocpp_host="127.0.0.1", ocpp_port=0))
    with capture_logs():  # a daemon of its own process logs on its own stderr
        await daemon.start()
        yield daemon
        await daemon.stop()


@pytest.fixture
def address(daemon: Daemon) -> Address:
    """In place of the small house: ``cms`` asks this daemon."""
    return Address(socket=str(daemon.settings.socket))


async def test_a_station_is_registered_seen_and_removed(cms: Cms) -> None:
    added = await cms("stations", "add", "CP-1", "--site", "garage", "-o", "json")
    assert added.told["url"].endswith("/CP-1")
    assert len(added.told["password"]) == 27
    assert (await cms("stations", "add", "cp-1")).code == 5
    assert (await cms("stations", "list", "--filter", "site=garage", "-o", "name")).out == "CP-1\n"
    assert (await cms("stations", "set", "CP-1", "--note", "in the yard", "-o", "json")).told["note"]
    assert (await cms("stations", "reset", "CP-1")).code == 7
    assert (await cms("stations", "remove", "CP-1", "--yes")).code == 0
    assert (await cms("stations", "show", "CP-1")).code == 4


async def test_an_order_waits_for_an_offline_station_and_can_be_taken_back(cms: Cms) -> None:
    await cms("stations", "add", "CP-1")
    queued = (await cms("stations", "reset", "CP-1", "--queue", "2h", "-o", "json")).told
    assert queued["status"] == "queued"
    assert [row["id"] for row in (await cms("intents", "list", "-o", "json")).told] == [queued["id"]]
    waited = await cms("intents", "wait", queued["id"], "--timeout", "0.1")
    assert waited.code == 9
    assert (await cms("intents", "cancel", queued["id"], "-o", "json")).told["status"] == "cancelled"
    assert (await cms("intents", "wait", queued["id"])).code == 5
    assert (await cms("intents", "cancel", queued["id"])).code == 5


async def test_a_token_lives_is_blocked_and_goes(cms: Cms) -> None:
    await cms("tokens", "add", "TAG1", "--driver", "Ada", "--expires", "30d")
    blocked = await cms("tokens", "block", "TAG1", "--reason", "lost", "-o", "json")
    assert (blocked.told["status"], blocked.told["blocked_reason"]) == ("blocked", "lost")
    assert (await cms("tokens", "unblock", "TAG1", "-o", "json")).told["status"] == "accepted"
    assert (await cms("tokens", "remove", "TAG1")).code == 0
    assert (await cms("tokens", "show", "TAG1")).code == 4


async def test_what_happened_is_told_from_a_cursor_on(cms: Cms) -> None:
    cursor = (await cms("status", "-o", "json")).told["cursor"]
    await cms("stations", "add", "CP-1")
    said = await cms("events", "-f", "--after", cursor, "--limit", "1", "-o", "jsonl")
    assert (said.told["type"], said.told["station"]) == ("station.enrolled", "CP-1")
    listed = await cms("events", "--after", cursor, "--type", "station.enrolled", "-o", "json")
    assert listed.told == [said.told]


async def test_empty_lists_are_empty_lists(cms: Cms) -> None:
    for noun in ("stations", "sessions", "tokens", "intents"):
        assert (await cms(noun, "list", "-o", "json")).told == []
        assert (await cms(noun, "list", "-o", "name")).out == ""
    assert (await cms("stations", "unknown", "-o", "json")).told == []

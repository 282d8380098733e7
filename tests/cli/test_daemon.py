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
    assert (await cms("sites", "set", "garage", "--city", "Ulm")).code == 0
    assert (await cms("stations", "list", "--filter", "city=ulm", "-o", "name")).out == "CP-1\n"
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


async def test_the_root_of_an_authority_that_is_not_there_is_exit_4_and_how_to_make_it(cms: Cms) -> None:
    missing = await cms("certificates", "ca", "root", "--use", "v2g")
    assert (missing.code, "cms certificates ca create --use v2g" in missing.err) == (4, True)


async def test_a_token_lives_is_blocked_and_goes(cms: Cms) -> None:
    await cms("tokens", "add", "TAG1", "--driver", "Ada", "--expires", "30d")
    blocked = await cms("tokens", "block", "TAG1", "--reason", "lost", "-o", "json")
    assert (blocked.told["status"], blocked.told["blocked_reason"]) == ("blocked", "lost")
    assert (await cms("tokens", "unblock", "TAG1", "-o", "json")).told["status"] == "accepted"
    refused = await cms("tokens", "remove", "TAG1")
    assert (refused.code, "--yes" in refused.err) == (2, True)
    assert (await cms("tokens", "remove", "TAG1", types="n\n")).code == 130
    assert (await cms("tokens", "remove", "TAG1", types="y\n")).code == 0
    assert (await cms("tokens", "show", "TAG1")).code == 4


async def test_tokens_are_named_on_stdin(cms: Cms) -> None:
    await cms("tokens", "add", "-", stdin="TAG1\nTAG2\n")
    for verb, status in (("block", "blocked"), ("unblock", "accepted")):
        said = await cms("tokens", verb, "-", "-o", "json", stdin="TAG1\nTAG2\n")
        assert [(row["id"], row["status"]) for row in said.told] == [("TAG1", status), ("TAG2", status)]
    assert (await cms("tokens", "remove", "-", "--yes", stdin="TAG1\nTAG2\n")).code == 0
    assert (await cms("tokens", "list", "-o", "json")).told == []


async def test_orders_to_take_back_are_named_on_stdin(cms: Cms) -> None:
    await cms("stations", "add", "CP-1")
    await cms("stations", "reset", "CP-1", "--queue", "2h")
    await cms("stations", "reset", "CP-1", "--queue", "3h")
    queued = (await cms("intents", "list", "--status", "queued", "-o", "name")).out
    assert len(queued.splitlines()) == 2
    dry = await cms("intents", "cancel", "-", "--dry-run", stdin=queued)
    assert (dry.code, dry.err.count("would cancel order")) == (0, 2)
    said = await cms("intents", "cancel", "-", "nope", "-o", "json", stdin=queued)
    assert [row["status"] for row in said.told] == ["cancelled", "cancelled"]
    assert said.code == 4
    assert (await cms("intents", "cancel")).code == 2


async def test_who_did_not_knock_is_told_what_registers_him_all_the_same(cms: Cms) -> None:
    said = await cms("stations", "enrol", "NOBODY")
    assert said.err == (
        "cms: no station NOBODY has knocked: cms stations add NOBODY registers it all the same\n"
    )


async def test_forgetting_who_knocked_is_harmless_and_asks_nothing(cms: Cms) -> None:
    said = await cms("stations", "forget", "NOBODY")
    assert said.code != 2
    assert "--yes" not in said.err


async def test_why_a_station_was_changed_is_in_the_record(cms: Cms) -> None:
    await cms("stations", "add", "CP-1")
    await cms("sites", "add", "yard")
    await cms("stations", "set", "CP-1", "--site", "yard", "--reason", "moved")
    said = await cms("events", "--station", "CP-1", "-o", "json")
    assert said.told[-1]["data"]["reason"] == "moved"


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

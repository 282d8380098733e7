"""Orders: whom, on which terms, after which question, with which exit code."""

from __future__ import annotations

import asyncio
import signal
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from cms.client import Address
from cms.contract import sessions, stations
from cms.contract.charging import Period, Profile, Schedule
from cms.contract.intents import AwaitIntent
from tests.api.small import House, station
from tests.cli.conftest import CMS, Cms

INTENT_KEYS = [
    "id", "station", "order", "status", "requested_by", "reason", "created_at", "answered_at", "confirmed_at",
    "answer", "detail",
]  # fmt: skip


def given(house: House) -> list[stations.OrderTerms]:
    """The orders that were really given."""
    return [asked for asked in house.asked if isinstance(asked, stations.OrderTerms) and not asked.dry_run]


async def test_an_order_prints_its_intent(cms: Cms) -> None:
    said = await cms("stations", "reset", "CP-1", "--reason", "hangs", "-o", "json")
    assert said.code == 0
    assert list(said.told)[:11] == INTENT_KEYS
    assert (said.told["status"], said.told["reason"]) == ("accepted", "hangs")


async def test_with_wait_the_effect_was_seen(cms: Cms) -> None:
    said = await cms("stations", "reset", "CP-1", "--wait", "-o", "json")
    assert said.told["status"] == "confirmed"


async def test_terms_are_passed_on(cms: Cms, house: House) -> None:
    await cms(
        "stations", "reset", "CP-1", "--kind", "on-idle", "--when-idle", "--at", "2030-01-01T12:00Z",
        "--queue", "2h", "--timeout", "10",
    )  # fmt: skip
    assert given(house) == [
        stations.ResetStation(
            station="CP-1",
            kind="on-idle",
            when_idle=True,
            at=datetime(2030, 1, 1, 12, tzinfo=UTC),
            queue_s=7200.0,
            timeout_s=10.0,
        )
    ]


async def test_an_offline_station_is_exit_7_with_a_way_out(cms: Cms) -> None:
    said = await cms("stations", "reset", "CP-2")
    assert said.code == 7
    assert said.err == "cms: CP-2 is offline since 11:00: keep the order for it with --queue 2h\n"


async def test_what_a_station_cannot_do_is_exit_6(cms: Cms) -> None:
    assert (await cms("stations", "unlock", "CP-1", "--yes")).code == 6


async def test_an_effect_that_does_not_come_is_exit_9(cms: Cms) -> None:
    said = await cms("stations", "reset", "CP-2", "--queue", "2h", "--wait", "--timeout", "0.2")
    assert said.code == 9
    assert "still queued after 0.2 s" in said.err


async def test_of_many_the_worst_code_counts_and_the_good_ones_are_printed(cms: Cms) -> None:
    said = await cms("stations", "reset", "CP-1", "CP-2", "nope", "-o", "jsonl")
    assert said.code == 7
    assert len(said.lines) == 1
    assert "cms: 1 of 3 done" in said.err


async def test_names_come_from_stdin_without_a_question(cms: Cms, house: House) -> None:
    said = await cms("stations", "reset", "-", "--queue", "2h", "-o", "json", stdin="CP-1\nCP-2\n\n")
    assert said.code == 0
    assert [intent["station"] for intent in said.told] == ["CP-1", "CP-2"]


async def test_a_filter_names_the_stations(cms: Cms, house: House) -> None:
    said = await cms("stations", "reset", "--filter", "online=false", "--queue", "2h", "-o", "json")
    assert [intent["station"] for intent in said.told] == ["CP-2"]
    await cms("stations", "availability", "inoperative", "--filter", "online=true")
    assert given(house)[-1] == stations.ChangeAvailability(station="CP-1", availability="inoperative")


async def test_a_filter_that_matches_nothing_does_nothing(cms: Cms, house: House) -> None:
    said = await cms("stations", "reset", "--filter", "site=moon", "-o", "json")
    assert (said.code, said.told) == (0, [])
    assert "nothing was done" in said.err
    assert not given(house)


async def test_without_a_name_the_ways_to_name_are_said(cms: Cms) -> None:
    said = await cms("stations", "reset")
    assert said.code == 2
    assert "--filter" in said.err


async def test_a_dangerous_order_is_refused_where_nobody_can_be_asked(cms: Cms, house: House) -> None:
    said = await cms("stations", "reset", "CP-1", "--kind", "hard")
    assert said.code == 2
    assert "ends 1 session" in said.err
    assert "--yes" in said.err
    assert not given(house)


async def test_a_dangerous_order_asks_at_a_terminal(cms: Cms, house: House) -> None:
    said = await cms("stations", "reset", "CP-1", "--kind", "hard", types="\n")
    assert said.code == 130
    assert "ends 1 session" in said.err
    assert not given(house)
    assert (await cms("stations", "reset", "CP-1", "--kind", "hard", types="y\n")).code == 0
    await cms("stations", "reset", "CP-1", "--kind", "hard", types="w\n")
    assert [order.when_idle for order in given(house)] == [False, True]


async def test_yes_asks_nothing(cms: Cms, house: House) -> None:
    assert (await cms("stations", "reset", "CP-1", "--kind", "hard", "--yes")).code == 0
    assert len(house.asked) == 1


async def test_several_stations_are_a_question_at_a_terminal(cms: Cms, house: House) -> None:
    assert (await cms("stations", "reset", "CP-1", "CP-2", "--queue", "1h", types="n\n")).code == 130
    assert not given(house)


async def test_a_dry_run_says_and_does_nothing(cms: Cms, house: House) -> None:
    said = await cms("stations", "reset", "CP-1", "--dry-run", "-o", "json")
    assert said.told["impact"] == "nobody is charging"
    assert said.told["dry_run"] is True
    assert not given(house)


async def test_configuration_takes_keys_and_values(cms: Cms, house: House) -> None:
    await cms("stations", "config", "set", "CP-1", "HeartbeatInterval=60", "Url=ws://h/?a=b")
    await cms("stations", "config", "get", "CP-1", "HeartbeatInterval", "-o", "json")
    assert given(house) == [
        stations.SetConfiguration(station="CP-1", values={"HeartbeatInterval": "60", "Url": "ws://h/?a=b"}),
        stations.GetConfiguration(station="CP-1", names=("HeartbeatInterval",)),
    ]


async def test_a_start_takes_a_profile_for_its_session(cms: Cms, house: House, tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    path.write_text(
        '{"purpose": "tx", "schedules": [{"unit": "A", "periods": [{"start_s": 0, "limit": 6.1}]}]}'
    )
    await cms("sessions", "start", "CP-1", "--token", "TAG", "--evse", "1", "--profile", str(path))
    tx = Profile("tx", (Schedule("A", (Period(0, Decimal("6.1")),)),))
    assert given(house) == [sessions.StartSession(station="CP-1", token="TAG", evse=1, profile=tx)]


async def test_trigger_takes_the_message_last(cms: Cms, house: House) -> None:
    await cms("stations", "trigger", "CP-1", "StatusNotification", "--evse", "2")
    assert given(house) == [stations.TriggerMessage(station="CP-1", message="StatusNotification", evse=2)]


async def test_ctrl_c_ends_a_wait_for_many_at_once(address: Address, house: House) -> None:
    house.stations["CP-3"] = station("CP-3", online=False)
    assert address.socket is not None
    process = await asyncio.create_subprocess_exec(
        *CMS, "stations", "reset", "CP-2", "CP-3", "--queue", "2h", "--wait", "--socket", address.socket,
        stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(20):
        while sum(isinstance(asked, AwaitIntent) for asked in house.asked) < 2:
            await house.waited_for.wait()
            await asyncio.sleep(0.01)
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(10):
        _, err = await process.communicate()
    assert process.returncode == 130
    said = sorted(line.partition("; see ") for line in err.decode().splitlines())
    assert [what for what, _, _ in said] == [
        "cms: CP-2: reset stands (queued)",
        "cms: CP-3: reset stands (queued)",
    ]
    assert {how for _, _, how in said} == {"`cms intents show i1`", "`cms intents show i2`"}


async def test_ctrl_c_while_a_station_has_not_answered_says_where_to_look(
    address: Address, house: House
) -> None:
    house.silent = asyncio.Event()
    assert address.socket is not None
    process = await asyncio.create_subprocess_exec(
        *CMS, "stations", "reset", "CP-1", "--yes", "--socket", address.socket,
        stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(10):
        await house.silent.wait()
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
    assert process.returncode == 130
    assert "whether the order for CP-1 was given: see `cms intents list`" in err.decode()


async def test_names_and_a_filter_are_refused(cms: Cms, house: House) -> None:
    said = await cms("stations", "reset", "CP-1", "--filter", "online=true")
    assert said.code == 2
    assert "not both" in said.err
    assert not given(house)


async def test_a_selector_is_a_filter(cms: Cms, house: House) -> None:
    said = await cms("stations", "reset", "--selector", "online=false", "--queue", "2h", "-o", "json")
    assert [intent["station"] for intent in said.told] == ["CP-2"]


async def test_several_orders_are_waited_for(cms: Cms) -> None:
    given = await cms("stations", "reset", "CP-1", "CP-1", "-o", "name")
    said = await cms("intents", "wait", "-", "--at-once", "2", stdin=given.out)
    assert said.code == 0
    assert "1 of 1 done" in said.err

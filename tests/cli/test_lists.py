"""Lists, reservations, display messages, customers and checks as a script asks for them, down to the order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.candidates import candidates
from cms.api.app import create_app
from cms.api.metrics import Metrics
from cms.api.server import serve_api
from cms.client import Address
from cms.contract.stations import AddStation
from cms.contract.tokens import AddToken
from cms.domain.checks import CheckTransaction
from cms.domain.customers import AskCustomer, CustomerTold
from cms.domain.displays import ClearDisplay, GetDisplays, SetDisplay
from cms.domain.lists import AskListVersion, ClearCache, SendList
from cms.domain.orders import Order, OrderAnswer
from cms.domain.reservations import CancelReservation, Reserve
from cms.operations import OPERATIONS, stations, tokens
from tests.cli.conftest import Cms
from tests.domain.build import NOON, event
from tests.operations.small import ANA, Small


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[Small]:
    """CP1 speaks 2.1 and CP2 1.6; their clock is ours, so that times to come are."""
    system = await Small(tmp_path).open()
    system.clock.time = datetime.now(UTC)
    for name, version in (("CP1", "2.1"), ("CP2", "1.6")):
        await stations.add(system.core, AddStation(name), ANA)
        system.stations.connect(name, version)
    await tokens.add(system.core, AddToken("CARD1", group="GRP1"), ANA)
    # What the border adds to the answer to a list.
    system.stations.answer = OrderAnswer("accepted", "Accepted", {"status": "Accepted", "version": 1})
    yield system
    await system.close()


@pytest.fixture
async def address(small: Small, folder: Path) -> AsyncIterator[Address]:
    running = await serve_api(create_app(small.core, OPERATIONS, Metrics()), folder / "cms.sock", None)
    yield Address(socket=str(running.socket_path))
    await running.close()


def ordered(small: Small) -> Order:
    return small.stations.given[-1][1]


async def test_a_list_is_chosen_sent_and_shown(cms: Cms, small: Small) -> None:
    assert (await cms("lists", "set", "CP1", "--tokens", "group=GRP1", "-o", "json")).told["state"] == "none"
    assert (await cms("lists", "sync", "CP1", "--yes", "-o", "json")).told["status"] == "confirmed"
    sent = ordered(small)
    assert isinstance(sent, SendList) and sent.update is not None
    assert [entry.token for entry in sent.update.entries] == ["CARD1"]
    told = (await cms("lists", "list", "-o", "json")).told
    assert [(row["station"], row["state"], row["tokens"]) for row in told] == [
        ("CP1", "current", "group=GRP1"),
        ("CP2", "none", "all"),
    ]
    shown = await cms("lists", "show", "CP1")
    assert "● current" in shown.out
    assert "CARD1" in shown.out


async def test_stale_lists_are_sent_without_naming_stations(cms: Cms, small: Small) -> None:
    await cms("lists", "sync", "CP1", "CP2", "--yes")
    await cms("tokens", "add", "CARD2", "--at", "CP2:1", "--at", "CP1")
    given = len(small.stations.given)
    said = await cms("lists", "sync", "--stale", "--yes", "-o", "json")
    assert [row["station"] for row in said.told] == ["CP1"]
    assert len(small.stations.given) == given + 1
    assert (await cms("lists", "sync", "--stale", "CP1")).code == 2


async def test_a_version_is_asked_for_and_a_cache_cleared(cms: Cms, small: Small) -> None:
    small.stations.answer = OrderAnswer("accepted", "0", {"versionNumber": 0})
    assert (await cms("lists", "version", "CP1")).code == 0
    assert isinstance(ordered(small), AskListVersion)
    assert (await cms("lists", "clear-cache", "CP1")).code == 0
    assert isinstance(ordered(small), ClearCache)


async def test_a_choice_of_tokens_is_one_choice(cms: Cms) -> None:
    for flags in ([], ["--all", "--none"], ["--none", "--tokens", "id=X"]):
        assert (await cms("lists", "set", "CP1", *flags)).code == 2


async def test_a_reservation_is_made_listed_and_cancelled(cms: Cms, small: Small) -> None:
    made = await cms(
        "reservations", "add", "CP1", "--token", "card1", "--until", "1h", "--evse", "1", "--with-group",
        "--reason", "by phone", "-o", "json",
    )  # fmt: skip
    order = ordered(small)
    assert isinstance(order, Reserve)
    assert (order.token, order.evse, order.group) == ("CARD1", 1, "GRP1")
    assert timedelta(minutes=59) < order.expires_at - small.clock.now() < timedelta(minutes=61)
    number = str(made.told["params"]["id"])
    (row,) = (await cms("reservations", "list", "--active", "-o", "json")).told
    assert (str(row["id"]), row["status"], row["reason"]) == (number, "active", "by phone")
    assert (await cms("reservations", "cancel", number)).code == 0
    assert ordered(small) == CancelReservation(int(number))
    assert (await cms("reservations", "show", number, "-o", "json")).told["status"] == "cancelled"
    assert (await cms("reservations", "cancel", "seven")).code == 2
    assert (await cms("reservations", "show", "7")).code == 4


async def test_a_refused_reservation_is_exit_8(cms: Cms, small: Small) -> None:
    small.stations.answer = OrderAnswer("rejected", "Occupied", {"status": "Occupied"})
    said = await cms("reservations", "add", "CP1", "--token", "CARD1", "--until", "1h", "--evse", "1")
    assert (said.code, said.err) == (8, "cms: CP1 refused reserve: Occupied\n")


async def test_a_message_is_set_asked_for_and_cleared(cms: Cms, small: Small) -> None:
    text = "[bold]Hi[/] \x1b[2J"
    set_ = ["displays", "set", "CP1", text, "--message", "3", "--until", "2h", "--priority", "in-front"]
    assert (await cms(*set_, "--translation", "de=Hallo")).code == 0
    order = ordered(small)
    assert isinstance(order, SetDisplay)
    assert (order.display.id, order.display.content.text, order.display.priority) == (3, text, "in-front")
    assert [content.language for content in order.display.extra] == ["de"]
    assert "\x1b" not in (await cms("displays", "list")).out
    assert (await cms("displays", "get", "CP1", "3", "4")).code == 0
    order = ordered(small)
    assert isinstance(order, GetDisplays) and order.ids == (3, 4)
    assert (await cms("displays", "clear", "CP1", "3")).code == 0
    assert ordered(small) == ClearDisplay(3)
    assert (await cms("displays", "list", "-o", "json")).told == []
    assert (await cms("displays", "set", "CP2", "Hi")).code == 6


async def test_a_customer_is_asked_about_shown_and_forgotten(cms: Cms, small: Small) -> None:
    asked = await cms("customers", "ask", "CP1", "--token", "CARD1", "-o", "json")
    order = ordered(small)
    assert isinstance(order, AskCustomer) and (order.report, order.clear) == (True, False)
    number = asked.told["params"]["request_id"]
    await small.hear("CP1", CustomerTold(number, 0, "Ada\x1b[2J"), version="2.1")
    shown = await cms("customers", "show", "CP1")
    assert "Ada" in shown.out and "\x1b" not in shown.out
    (row,) = (await cms("customers", "list", "CP1", "-o", "json")).told
    assert (row["request_id"], row["complete"], row["text"]) == (number, True, None)
    assert (await cms("customers", "ask", "CP1", "--token", "CARD1", "--clear")).code == 2
    assert (await cms("customers", "ask", "CP1", "--token", "CARD1", "--clear", "--yes")).code == 0
    assert (await cms("customers", "forget", "CP1", "--yes")).code == 0
    assert (await cms("customers", "show", "CP1")).code == 4


async def test_a_session_is_checked_with_its_station(cms: Cms, small: Small) -> None:
    await small.hear("CP1", event("started", 0, NOON, evse=1), version="2.1")
    (session,) = (await cms("sessions", "list", "-o", "name")).lines
    small.stations.answer = OrderAnswer(
        "accepted", "ongoing", {"ongoingIndicator": True, "messagesInQueue": False}
    )
    assert (await cms("sessions", "check", session)).code == 0
    assert ordered(small) == CheckTransaction("tx-1")
    told = (await cms("sessions", "show", session, "-o", "json")).told
    assert (told["check"]["ongoing"], told["check"]["messages_in_queue"]) == (True, False)
    assert (await cms("sessions", "check", "--station", "CP1")).code == 0
    assert ordered(small) == CheckTransaction()
    assert (await cms("sessions", "check")).code == 2


async def test_a_token_can_be_good_at_some_places_or_be_a_master_pass(cms: Cms) -> None:
    said = await cms("tokens", "add", "CARD2", "--at", "cp1:02", "-o", "json")
    assert (said.told["places"], said.told["master"]) == (["CP1:2"], False)
    assert (await cms("tokens", "add", "CARD3", "--at", "CP9")).code == 4
    assert (await cms("tokens", "add", "CARD3", "--at", "CP1:x")).code == 2
    assert (await cms("tokens", "add", "BOSS", "--master")).code == 2
    boss = await cms("tokens", "add", "BOSS", "--master", "--group", "MP", "-o", "json")
    assert boss.told["master"] is True
    assert (await cms("sessions", "start", "CP1", "--token", "BOSS", "--evse", "1")).code == 5


async def test_names_complete_where_they_can_stand(cms: Cms, small: Small, address: Address) -> None:
    made = await cms("reservations", "add", "CP1", "--token", "CARD1", "--until", "1h", "-o", "json")
    assert address.socket is not None
    socket = ["--socket", address.socket]

    async def completed(*words: str) -> list[str]:
        return await asyncio.to_thread(candidates, [*socket, *words])

    assert await completed("lists", "sync", "CP") == ["CP1", "CP2"]
    assert await completed("reservations", "add", "") == ["CP1", "CP2"]
    assert await completed("reservations", "cancel", "") == [str(made.told["params"]["id"])]

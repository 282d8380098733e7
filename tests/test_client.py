"""The client: finding a daemon, asking it, and what is said when it cannot."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from cms.client import Address, AsyncClient, ask, find_daemon
from cms.contract.refusals import Invalid, NotFound, Unreachable
from cms.contract.sessions import ListSessions
from cms.contract.stations import ListStations, RemoveStation, ResetStation, ShowStation
from tests.api.conftest import address, api, client, folder, house, metrics
from tests.api.small import House

__all__ = ["address", "api", "client", "folder", "house", "metrics"]


def test_what_is_named_wins_over_variables() -> None:
    environ = {"CMS_SOCKET": "/e.sock", "CMS_URL": "http://e/"}
    assert find_daemon("/a.sock", None, environ) == Address(socket="/a.sock")
    assert find_daemon(None, "http://a/", environ) == Address(url="http://a")
    assert find_daemon(None, None, environ) == Address(url="http://e")
    assert find_daemon(None, None, {"CMS_SOCKET": "/e.sock"}) == Address(socket="/e.sock")


async def test_an_answer_is_plain_json(address: Address) -> None:
    told = await asyncio.to_thread(ask, ListStations("online=true"), address)
    assert [station["id"] for station in told] == ["CP-1"]


async def test_an_empty_answer_is_none(address: Address) -> None:
    assert await asyncio.to_thread(ask, RemoveStation("CP-1"), address) is None


async def test_a_refusal_arrives_as_itself(address: Address) -> None:
    with pytest.raises(NotFound) as refused:
        await asyncio.to_thread(ask, ShowStation("nope"), address)
    assert refused.value.hint == "cms stations list"


async def test_a_name_may_hold_any_character(client: AsyncClient, house: House) -> None:
    name = "ä/%2F %?#&+ ✓"
    house.stations[name] = replace(house.stations["CP-1"], id=name)
    assert (await client.ask(ShowStation(name))).id == name
    assert (await asyncio.to_thread(ask, ShowStation(name), client.address))["id"] == name


@pytest.mark.parametrize("name", ["", ".", ".."])
async def test_what_cannot_be_a_name_is_invalid(address: Address, name: str) -> None:
    with pytest.raises(Invalid, match="not the name of a station"):
        await asyncio.to_thread(ask, ShowStation(name), address)


async def test_only_what_differs_from_its_default_travels(address: Address, house: House) -> None:
    request = ResetStation(station="CP-1", queue_s=5.0, when_idle=True)
    await asyncio.to_thread(ask, request, address)
    await asyncio.to_thread(ask, ListSessions(active=False, limit=3), address)
    assert house.asked == [request, ListSessions(active=False, limit=3)]


async def test_the_asynchronous_client_gives_views_and_the_cursor(client: AsyncClient, house: House) -> None:
    house.happen("station.changed")
    views, cursor = await client.ask_with_cursor(ListStations())
    assert views == list(house.stations.values())
    assert cursor == "1"


def test_no_daemon_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="no daemon answers at") as refused:
        ask(ListStations(), Address(socket=f"{tmp_path}/x.sock"))
    assert refused.value.hint == "start one with `cms serve`"


def test_no_daemon_at_a_url_is_said_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(Unreachable, match=r"no daemon answers at http://127\.0\.0\.1"):
        ask(ListStations(), Address(url=f"http://127.0.0.1:{port}"))


def test_a_daemon_that_says_nothing_is_unreachable(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(f"{folder}/s.sock")
        silent.listen()
        with pytest.raises(Unreachable, match=r"did not answer within 0\.05 s"):
            ask(ListStations(), Address(socket=f"{folder}/s.sock"), timeout_s=0.05)


def test_a_socket_path_that_is_too_long_is_invalid() -> None:
    with pytest.raises(Invalid, match="bytes"):
        ask(ListStations(), Address(socket="/" + "x" * 200))

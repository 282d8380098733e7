"""Drivers and their tokens as a script asks for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cli.candidates import candidates
from cms.api.app import create_app
from cms.api.metrics import Metrics
from cms.api.server import serve_api
from cms.client import Address
from cms.contract.stations import AddStation
from cms.domain.observations import TokenPresented, TokenRef
from cms.operations import OPERATIONS, stations
from tests.cli.conftest import Cms
from tests.operations.small import ANA, Small


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[Small]:
    system = await Small(tmp_path).open()
    await stations.add(system.core, AddStation("CP1"), ANA)
    yield system
    await system.close()


@pytest.fixture
async def address(small: Small, folder: Path) -> AsyncIterator[Address]:
    running = await serve_api(create_app(small.core, OPERATIONS, Metrics()), folder / "cms.sock", None)
    yield Address(socket=str(running.socket_path))
    await running.close()


async def test_a_driver_is_added_changed_suspended_and_found(cms: Cms) -> None:
    added = await cms("drivers", "add", "ada", "--name", "Ada L.", "--group", "staff", "-o", "json")
    assert (added.code, added.told["groups"]) == (0, ["staff"])
    assert (await cms("drivers", "set", "ada", "--email", "ada@example.org", "--no-groups")).code == 0
    await cms("tokens", "add", "CARD1", "--driver", "ada")
    assert (await cms("drivers", "note", "ada", "-", stdin="called us\n")).code == 0
    assert (await cms("drivers", "suspend", "ada", "--reason", "unpaid")).code == 0
    shown = await cms("drivers", "show", "ada")
    assert [word for word in ("suspended", "unpaid", "CARD1", "called us") if word not in shown.out] == []
    (row,) = (await cms("drivers", "list", "--filter", "status=suspended", "-o", "json")).told
    assert (row["email"], row["groups"]) == ("ada@example.org", [])
    assert (await cms("drivers", "resume", "--filter", "status=suspended")).code == 0
    assert (await cms("drivers", "show", "nobody")).code == 4


async def test_a_token_is_changed(cms: Cms) -> None:
    await cms("tokens", "add", "CARD1", "--max-sessions", "2", "--group", "G")
    changed = await cms("tokens", "set", "CARD1", "--visual-number", "7", "--clear", "group", "-o", "json")
    assert (changed.told["visual_number"], changed.told["group"], changed.told["max_sessions"]) == (
        "7",
        None,
        2,
    )
    assert (await cms("tokens", "set", "CARD1", "--driver", "new")).code == 0
    assert (await cms("drivers", "show", "new", "-o", "json")).told["tokens"] == ["CARD1"]


async def test_an_unknown_card_is_listed_and_enrolled(cms: Cms, small: Small) -> None:
    await small.hear("CP1", TokenPresented(TokenRef("AA")))
    (row,) = (await cms("tokens", "unknown", "-o", "json")).told
    assert (row["id"], row["station"], row["count"]) == ("AA", "CP1", 1)
    await cms("drivers", "add", "ada")
    assert (await cms("tokens", "enrol", "AA", "--driver", "ada", "-o", "json")).told["driver"] == "ada"
    assert (await cms("tokens", "unknown", "-o", "json")).told == []


async def test_a_file_is_taken_dry_first_and_bad_lines_say_what_is_wrong(cms: Cms, tmp_path: Path) -> None:
    file = tmp_path / "drivers.csv"
    file.write_bytes(b"\xef\xbb\xbfdriver;name;token\r\nada;Ada L.;AA\r\nben;=1+1;BB\r\n")
    dry = await cms("drivers", "import", str(file), "--dry-run", "-o", "json")
    assert [(row["line"], row["outcome"]) for row in dry.told] == [(2, "added"), (3, "error")]
    refused = await cms("drivers", "import", str(file))
    assert (refused.code, "formula" in refused.out) == (2, True)
    assert (await cms("drivers", "list", "-o", "json")).told == []
    assert (await cms("drivers", "import", str(file), "--partial")).code == 2
    assert (await cms("tokens", "show", "AA", "-o", "json")).told["driver"] == "ada"
    piped = await cms("drivers", "import", "-", stdin="driver,name\nada,Ada Lovelace\n")
    assert piped.code == 0
    assert (await cms("drivers", "import", str(tmp_path / "none.csv"))).code == 4


async def test_a_driver_is_exported_and_erased(cms: Cms) -> None:
    await cms("drivers", "add", "ada", "--name", "Ada Lovelace")
    await cms("tokens", "add", "CARD-4711", "--driver", "ada")
    assert (await cms("drivers", "export", "ada")).told["driver"]["name"] == "Ada Lovelace"
    counted = await cms("drivers", "erase", "ada", "--dry-run", "-o", "json")
    assert (counted.told["done"], counted.told["tokens"]) == (False, 1)
    assert (await cms("drivers", "erase", "ada")).code == 2, "nobody is there to ask"
    assert (await cms("drivers", "erase", "ada", "--yes", "-o", "json")).told["done"]
    assert (await cms("tokens", "show", "CARD-4711")).code == 4
    assert (await cms("drivers", "show", "ada")).code == 4


async def _held_to(small: Small, card: str) -> None:
    """Somebody holds a card to CP1 as soon as it waits for one."""
    async for event in small.core.bus.subscribe():
        if event.type == "token.learning":
            await small.hear("CP1", TokenPresented(TokenRef(card)))
            return


@pytest.mark.parametrize(("flags", "types"), [(["--yes"], None), ([], "y\n")])
async def test_a_card_is_learned(cms: Cms, small: Small, flags: list[str], types: str | None) -> None:
    await cms("drivers", "add", "ada")
    holding = asyncio.create_task(_held_to(small, "AA"))
    said = await cms(
        "tokens", "learn", "--station", "CP1", "--driver", "ada", "-o", "json", *flags, types=types
    )
    await holding
    assert (said.code, said.told["id"], said.told["driver"]) == (0, "AA", "ada")


async def test_without_anybody_to_ask_a_learned_card_stays_in_the_inbox(cms: Cms, small: Small) -> None:
    holding = asyncio.create_task(_held_to(small, "AA"))
    said = await cms("tokens", "learn", "--station", "CP1")
    await holding
    assert (said.code, "cms tokens enrol AA" in said.err) == (0, True)
    assert len((await cms("tokens", "unknown", "-o", "json")).told) == 1


async def test_waiting_for_a_card_ends_in_time(cms: Cms, small: Small) -> None:
    said = await cms("tokens", "learn", "--station", "CP1", "--timeout", "0.2s")
    assert said.code == 9
    assert small.core.sightings.learning == {}


def sheet(*rows: str) -> str:
    return "\n".join(["driver,name,token", *rows])


async def test_a_file_longer_than_the_daemon_takes_at_once_goes_in_parts(
    cms: Cms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.parts.MOST_LINES", 2)
    rows = [f"d{n},Driver {n},CARD{n}" for n in range(5)]
    bad = await cms("drivers", "import", "-", "-o", "json", stdin=sheet(*rows, "d5,=1+1,CARD5"))
    assert (bad.code, [row["outcome"] for row in bad.told]) == (2, [*["added"] * 5, "error"])
    assert (await cms("drivers", "list", "-o", "json")).told == []  # all are judged before one is written
    dry = await cms("drivers", "import", "-", "--dry-run", stdin=sheet(*rows))
    assert (dry.code, (await cms("drivers", "list", "-o", "json")).told) == (0, [])
    done = await cms("drivers", "import", "-", "-o", "json", stdin=sheet(*rows))
    assert (done.code, [row["line"] for row in done.told]) == (0, [2, 3, 4, 5, 6])
    assert len((await cms("drivers", "list", "-o", "json")).told) == 5
    again = await cms("drivers", "import", "-", "-o", "json", stdin=sheet(*rows))
    assert {row["outcome"] for row in again.told} == {"unchanged"}


async def test_a_dry_run_changes_nothing_whatever_the_command(cms: Cms) -> None:
    await cms("drivers", "add", "ada")
    for words in (
        ("drivers", "add", "ben"),
        ("drivers", "set", "ada", "--city", "Ulm"),
        ("drivers", "note", "ada", "seen"),
        ("sites", "add", "garage"),
        ("secrets", "rotate"),
        ("tokens", "learn", "--station", "CP1"),
    ):
        told = await cms(*words, "--dry-run", "-o", "json")
        assert (told.code, told.out) == (0, ""), words
        assert "would" in told.err
    (ada,) = (await cms("drivers", "list", "-o", "json")).told
    assert (ada["id"], ada["city"]) == ("ada", None)
    assert (await cms("sites", "list", "-o", "json")).told == []


async def test_names_of_drivers_and_rules_complete(cms: Cms, address: Address) -> None:
    await cms("drivers", "add", "ada")
    await cms("access", "add", "night", "deny", "--everyone")

    async def offered(*words: str) -> list[str]:
        return await asyncio.to_thread(candidates, ["--socket", str(address.socket), *words])

    assert await offered("drivers", "suspend", "a") == ["ada"]
    assert await offered("access", "remove", "") == ["night"]

"""A command loads what it needs and nothing else: nobody waits for what he did not ask for."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from cms.client import Address

HEAVY = {
    "rich", "httpx", "fastapi", "starlette", "uvicorn", "sqlalchemy", "sqlmodel", "textual", "pydantic",
    "pydantic_settings", "asyncio", "keyring", "plotext", "websockets", "structlog", "ocpp", "jsonschema_rs",
    "cms.core", "cms.operations", "cms.store", "cms.ocpp", "cms.daemon", "cms.settings",
}  # fmt: skip


def loaded_by(*arguments: str) -> set[str]:
    script = (
        "import sys; from cli.main import run; code = run(sys.argv[1:]);"
        "print(code, *sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True
    )
    code, *modules = done.stderr.split()
    assert code == "0"
    return set(modules)


def test_help_loads_not_even_typer() -> None:
    assert not loaded_by("--help") & (HEAVY | {"typer", "msgspec", "http.client"})


@pytest.mark.parametrize("noun", ["stations", "sessions", "tokens", "serve", "demo", "tui"])
def test_help_of_a_noun_loads_nothing_heavy(noun: str) -> None:
    assert not loaded_by(noun, "--help") & HEAVY


@pytest.mark.parametrize("output", ["table", "json"])
async def test_a_simple_question_loads_nothing_heavy(address: Address, output: str) -> None:
    assert address.socket is not None
    arguments = ("stations", "list", "--filter", "online=true", "-o", output, "--socket", address.socket)
    assert not await asyncio.to_thread(loaded_by, *arguments) & HEAVY


async def test_a_list_of_stations_loads_no_other_noun(address: Address) -> None:
    assert address.socket is not None
    loaded = await asyncio.to_thread(loaded_by, "stations", "list", "--socket", address.socket)
    nouns = {name.removeprefix("cms.contract.") for name in loaded if name.startswith("cms.contract.")}
    # What is there for all: refusals, filters, routes, events and the terms of orders.
    assert nouns == {
        "refusals",
        "safe",
        "filters",
        "routes",
        "events",
        "record",
        "quirks",
        "stations",
        "intents",
    }

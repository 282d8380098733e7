"""Nothing of OCPP is left out, and the page that lists it is true."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any, get_type_hints

import pytest
import typer

from cms.domain import observations
from cms.domain.orderbook import ORDERS
from cms.ocpp.actions import SAID_BY_STATIONS, said_to_stations
from cms.ocpp.dialect import DIALECTS, Dialect
from cms.operations import observe
from tests.docs import places
from tests.docs.ocpp import PAGE, WORD_FOR_WORD, page

DECIDED_THERE = {"Alive", "TokenPresented", "TransactionReported", "Metered", "Booted"}
VERSIONS = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda d: d.version)


@VERSIONS
def test_every_action_that_stations_say_is_heard(dialect: Dialect) -> None:
    said = SAID_BY_STATIONS[dialect.version]
    assert said <= dialect.schemas.actions
    assert said - set(dialect.incoming) == set()
    assert set(dialect.incoming) - said == set()


@VERSIONS
def test_every_action_that_stations_may_be_told_belongs_to_an_order(dialect: Dialect) -> None:
    told = {action for outgoing in dialect.outgoing.values() for action in outgoing.actions}
    may = said_to_stations(dialect.version, dialect.schemas.actions)
    assert may - told == set()
    assert told - may == set()


@VERSIONS
def test_every_order_of_a_version_is_in_the_order_book(dialect: Dialect) -> None:
    assert set(dialect.outgoing) - set(ORDERS.values()) == set()


@VERSIONS
def test_everything_that_is_heard_is_decided(dialect: Dialect) -> None:
    tables = {*observe._NOTICES, *observe._LOOKING_UP}
    decided = {kind.__name__ for kind in tables} | DECIDED_THERE
    heard = {word for action in dialect.incoming for word in _read(dialect, action)}
    assert heard - decided == set()


def _read(dialect: Dialect, action: str) -> list[str]:
    read: Callable[..., Any] = dialect.incoming[action].read
    while isinstance(read, functools.partial):
        read = read.func
    told = get_type_hints(read)["return"]
    kinds = getattr(told, "__args__", None) or (told,)
    assert all(issubclass(kind, observations.Observation) for kind in kinds), action
    return [kind.__name__ for kind in kinds]


def test_the_page_is_what_the_tables_say() -> None:
    assert PAGE.read_text("utf-8") == page(), "stale: run `python -m tests.docs.ocpp`"


@pytest.mark.parametrize("line", sorted({c for c, _ in [*places.SAID.values(), *places.HEARD.values()]}))
def test_every_command_on_the_page_exists(line: str) -> None:
    noun, *rest = line.split()
    command: Any = typer.main.get_command(importlib.import_module(f"cli.{noun}").app)
    for word in rest:
        if not hasattr(command, "commands"):
            break
        assert word in command.commands, f"cms {line}: {noun} has no {word}"
        command = command.commands[word]
    options = {name for parameter in command.params for name in parameter.opts}
    for word in rest:
        assert not word.startswith("--") or word in options, f"cms {line}: no option {word}"


def test_the_page_leaves_out_only_what_is_ocpp_already() -> None:
    assert set(places.SAID) == {order.__name__ for order in ORDERS.values() if order not in WORD_FOR_WORD}

"""Global flags: anywhere, in every spelling."""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

import pytest

from cli.flags import Flags, take, wants
from cms.contract.refusals import Invalid
from tests.security.commands import tree


@pytest.mark.parametrize(
    "arguments",
    [
        ["-o", "json", "stations", "list"],
        ["stations", "-o", "json", "list"],
        ["stations", "list", "--output", "json"],
        ["stations", "list", "--output=json"],
        ["stations", "list", "-o=json"],
        ["stations", "list", "-ojson"],
    ],
)
def test_a_flag_may_stand_before_or_after_the_verb(arguments: list[str]) -> None:
    flags, rest = take(arguments)
    assert flags == Flags(output="json")
    assert rest == ["stations", "list"]
    assert wants(arguments) == "json"


def test_switches_values_and_durations_are_read() -> None:
    flags, rest = take(
        ["x", "-y", "-q", "--limit", "5", "--timeout", "5m", "--columns", "id, site", "--watch"]
    )
    assert flags == Flags(yes=True, quiet=True, limit=5, timeout_s=300.0, columns=("id", "site"), watch=True)
    assert rest == ["x"]


def test_flags_of_a_command_of_its_own_are_left_to_it() -> None:
    assert take(["simulate", "--url", "ws://h"])[1] == ["simulate", "--url", "ws://h"]
    assert take(["serve", "--socket", "/s"])[1] == ["serve", "--socket", "/s"]
    assert take(["status", "--socket", "/s"])[0].socket == "/s"


def test_after_two_dashes_nothing_is_a_flag() -> None:
    assert take(["stations", "show", "--", "-o"])[1] == ["stations", "show", "--", "-o"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["-o", "xml"],
        ["--limit", "x"],
        ["--limit"],
        ["--yes=1"],
        ["--timeout", "soon"],
        ["--timeout", "0"],
        ["--socket", "/s", "--url", "http://h"],
        ["--url", "http://h", "--socket", "/s", "--"],
    ],
)
def test_a_flag_that_cannot_be_read_is_invalid(arguments: list[str]) -> None:
    with pytest.raises(Invalid):
        take(arguments)


#: Orders that are given now or never, and why.
NOW = {
    "payments begin": "somebody stands there with a code that is good for seconds",
    "payments authorize": "somebody stands there and has paid",
    "security rotate": "a password that is on its way is kept nowhere",
    "security network": "a password that is on its way is kept nowhere",
    "security upgrade": "it is several orders, each with its own end",
    "ocpp send-raw": "it is for a laboratory, and nobody knows what its effect would be",
}


def test_every_order_can_be_waited_for_queued_and_given_later() -> None:
    terms = {"--wait", "--when-idle", "--at", "--queue"}
    without = {
        path
        for path, command in tree().items()
        if _orders(command.callback) and not terms <= {flag for p in command.params for flag in p.opts}
    }
    assert without == NOW.keys()


def _orders(function: Any, seen: frozenset[str] = frozenset()) -> bool:
    """Whether a command gives an order: it calls ``cli.orders.give``, itself or through its module."""
    function = getattr(function, "__wrapped__", function)
    if getattr(function, "__module__", "") == "cli.orders":
        return bool(function.__name__ == "give")
    if not isinstance(function, FunctionType):
        return False
    names = {name for code in _codes(function.__code__) for name in code.co_names} - seen
    return any(_orders(function.__globals__.get(name), seen | names) for name in names)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def test_what_people_look_for_is_found_under_its_other_name() -> None:
    assert take(["tui", "--host", "prod"])[0].context == "prod"
    assert take(["tui", "--remote=https://csms.example"])[0].url == "https://csms.example"
    assert take(["stations", "reset", "--selector", "online=true"])[0].filter == "online=true"
    assert take(["stations", "reset", "-", "--at-once", "2"])[0].at_once == 2
    for wrong in ("0", "65", "many"):
        with pytest.raises(Invalid):
            take(["--at-once", wrong])

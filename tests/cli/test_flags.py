"""Global flags: anywhere, in every spelling."""

from __future__ import annotations

import pytest

from cli.flags import Flags, take, wants
from cms.contract.refusals import Invalid


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

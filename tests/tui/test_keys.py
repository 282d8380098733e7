"""One table makes bindings, footer, help and command words."""

from __future__ import annotations

from collections import Counter

import pytest

from cms.contract.routes import ROUTES
from tui import keys
from tui.app import CmsApp
from tui.orders import ACTS
from tui.screens.paper import help_lines

PLACES = (
    "overview",
    "stations",
    "station",
    "sessions",
    "session",
    "alerts",
    "alert",
    "events",
    "tokens",
    "configuration",
    "paper",
)


@pytest.mark.parametrize("place", PLACES)
def test_no_key_means_two_things_in_one_place(place: str) -> None:
    used = Counter(name for key in keys.KEYS if {place, "table"} & set(key.where) for name in key.names)
    assert [name for name, count in used.items() if count > 1] == []


def test_no_key_means_two_things_everywhere() -> None:
    used = Counter(name for key in keys.KEYS if not key.where for name in key.names)
    assert [name for name, count in used.items() if count > 1] == []


def test_every_key_does_something_that_exists() -> None:
    for key in keys.KEYS:
        action = key.action.partition("(")[0]
        if "table" not in key.where:
            assert hasattr(CmsApp, f"action_{action}"), key


def test_every_act_is_in_the_table_and_asks_a_request_that_the_daemon_knows() -> None:
    acts = {key.action: key for key in keys.KEYS if key.group == "ACT"}
    assert set(acts) == {f"act('{name}')" for name in ACTS}
    assert all(key.request in ROUTES for key in acts.values())


@pytest.mark.parametrize("place", PLACES)
def test_help_tells_every_key_that_works_in_the_place(place: str) -> None:
    told = "\n".join(help_lines(place))
    for key in keys.here(place):
        assert key.help in told


def test_acts_are_upper_case_and_looks_are_not() -> None:
    for key in keys.KEYS:
        if key.group == "ACT":
            assert key.keys.isupper()

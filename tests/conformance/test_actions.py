"""No action of any version is left out: 39 of 1.6 (with the security extension), 64 of 2.0.1, 91 of 2.1."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest

from tests.conformance.language import Scope
from tests.conformance.scenario import cases
from tests.conformance.shorthand import SHORTHAND
from tests.schemas import FOLDERS

COUNTS = {"1.6": 39, "2.0.1": 64, "2.1": 91}


def actions(version: str) -> set[str]:
    """All actions that have a published schema in this version."""
    folder = files("ocpp") / FOLDERS[version] / "schemas"
    names = {path.name.removesuffix(".json") for path in folder.iterdir() if path.name.endswith(".json")}
    return {name.removesuffix("Request") for name in names if not name.endswith("Response")}


def words(steps: Any) -> Iterator[str]:
    """Every name of a member in the steps, all the way down, and every text."""
    if isinstance(steps, dict):
        for name, inner in steps.items():
            yield str(name)
            yield from words(inner)
    elif isinstance(steps, list):
        for inner in steps:
            yield from words(inner)
    elif isinstance(steps, str):
        yield from steps.split('"')


def said_shortly(version: str) -> set[str]:
    """The actions that short words stand for."""
    samples: dict[str, Any] = {
        "boot": None,
        "status": "Available",
        "authorize": "TAG_OK",
        "start": "TAG_OK",
        "meter": 1,
        "stop": 1,
    }
    return {next(iter(SHORTHAND[word](value, Scope(version, "-1")))) for word, value in samples.items()}


@pytest.mark.parametrize("version", COUNTS)
def test_every_action_is_played(version: str) -> None:
    assert len(actions(version)) == COUNTS[version]
    named = {word for case in cases() if case.version == version for word in words(case.steps)}
    assert actions(version) - named - said_shortly(version) - {"Heartbeat"} == set()

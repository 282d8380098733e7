"""Writes docs/conformance.md from the scenarios: ``python -m tests.conformance.listing``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

from tests.conformance.scenario import EXAMPLES, Scenario, scenarios

PAGE: Final = Path(__file__).parents[2] / "docs" / "conformance.md"

_HEAD: Final = """\
# Conformance

Black-box scenarios of OCPP, played by `pytest tests/conformance` against a daemon in a process of its own: stations
are raw frames on a websocket, and what the daemon knows is asked through its control API or the command line. Every
frame that it sends is checked against the published schema of its version. How scenarios are written stands in
`tests/conformance/README.md`. This page is generated from them (`python -m tests.conformance.listing`); a test fails
when it is stale.

Tier 1 is the core of each version, tier 2 its other certification profiles and robustness, tier 3 what OCPP 2.1 adds
and what no certification profile has. *must* follows from the specification or a certification test, *should* is a
recommendation, *robust* was learned in the field. The test cases are those of the Open Charge Alliance that the
scenario covers. An open scenario is not played, or known to fail, for the reason given.
"""


def page() -> str:
    """The whole page."""
    listed = [scenario for scenario in scenarios() if scenario.area != EXAMPLES]
    areas = [(area, list(members)) for area, members in groupby(listed, lambda scenario: scenario.area)]
    parts = [_HEAD, _summary(areas)]
    parts += [_area(area, members) for area, members in areas]
    return "\n".join(parts)


def _summary(areas: Iterable[tuple[str, list[Scenario]]]) -> str:
    rows = [(area, *_counts(members)) for area, members in areas]
    total = ("**all**", *(sum(column) for column in list(zip(*rows, strict=True))[1:]))
    return "\n".join(
        [
            "| area | scenarios | tier 1 | tier 2 | tier 3 | open |",
            "| --- | ---: | ---: | ---: | ---: | ---: |",
            *(f"| {' | '.join(map(str, row))} |" for row in (*rows, total)),
            "",
        ]
    )


def _counts(members: list[Scenario]) -> tuple[int, ...]:
    tiers = [sum(scenario.tier == tier for scenario in members) for tier in (1, 2, 3)]
    return len(members), *tiers, sum(scenario.cannot is not None for scenario in members)


def _area(area: str, members: list[Scenario]) -> str:
    return "\n".join(
        [
            f"## {area}",
            "",
            "| id | scenario | versions | tier | kind | OCA test cases | state |",
            "| --- | --- | --- | --- | --- | --- | --- |",
            *(f"| {' | '.join(map(_cell, _row(scenario)))} |" for scenario in members),
            "",
        ]
    )


def _row(scenario: Scenario) -> Iterator[str]:
    yield scenario.id
    yield scenario.title
    yield ", ".join(scenario.versions)
    yield str(scenario.tier)
    yield scenario.kind
    yield ", ".join(scenario.octt)
    yield state(scenario)


def state(scenario: Scenario) -> str:
    """``passes``, or why it is open."""
    match scenario.cannot:
        case None:
            return "passes"
        case str(reason):
            return f"open: {reason}"
        case dict(reasons):
            return "; ".join(f"open in {key}: {reason}" for key, reason in reasons.items())


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")

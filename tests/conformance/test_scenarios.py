"""Every scenario, in every version that it is for, against a daemon in a process of its own."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.conformance.conftest import Houses
from tests.conformance.play import SCENARIO_S, Play, report
from tests.conformance.scenario import Area, Case, areas, cases, scenarios
from tests.conformance.verbs import perform


@pytest.mark.parametrize("area", areas(), ids=lambda area: area.file)
def test_every_file_can_be_read(area: Area) -> None:
    if area.mistake:
        pytest.fail(f"{area.file}: {area.mistake}", pytrace=False)


def test_no_scenario_is_there_twice() -> None:
    ids = [scenario.id for scenario in scenarios()]
    assert {id for id in ids if ids.count(id) > 1} == set()


@pytest.mark.parametrize("case", cases(), ids=str)
async def test_conformance(case: Case, houses: Houses) -> None:
    scenario = case.scenario
    reason = scenario.cannot_in(case.version)
    if reason is not None and not scenario.steps:
        pytest.skip(reason)
    failure = await played(Play(case, houses(scenario.daemon), perform))
    if reason is None and failure is not None:
        pytest.fail(failure, pytrace=False)
    if reason is not None and failure is None:
        pytest.fail(f"{case} passes now: take its `cannot` away", pytrace=False)
    if reason is not None:
        pytest.xfail(reason)


async def played(play: Play) -> str | None:
    """Why the scenario failed, told with the exchange so far; None when it passed."""
    raw: Any = "before the first step"
    try:
        async with asyncio.timeout(SCENARIO_S):
            await play.set_up()
            for raw in play.case.steps:
                await play.step(raw)
    except Exception as error:
        return report(play, raw, error)
    finally:
        await play.tear_down()
    return None

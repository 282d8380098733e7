"""Which stations a list tells of."""

from __future__ import annotations

import pytest

from cms.contract.refusals import NotFound
from cms.contract.stations import AddStation
from cms.core import Lane
from cms.operations import stations
from tests.operations.small import ANA, Small


def names(lanes: list[Lane]) -> list[str]:
    return [lane.state.station.id for lane in lanes]


async def test_a_list_tells_of_the_station_it_was_asked_for_or_of_all_by_name(small: Small) -> None:
    core = small.core
    for name in ("cp3", "CP2"):
        await stations.add(core, AddStation(name), ANA)
    assert names(core.lanes_of(None)) == ["CP1", "CP2", "cp3"]
    assert names(core.lanes_of("cp2")) == ["CP2"]
    with pytest.raises(NotFound, match="no station CP9"):
        core.lanes_of("CP9")

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from cms.contract.stations import AddStation
from cms.contract.tokens import AddToken
from cms.operations import stations, tokens
from tests.operations.small import ANA, Small
from tests.stripes import LocalStripe


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[Small]:
    """A core with station CP1, online, and token CARD1."""
    system = await Small(tmp_path).open()
    await stations.add(system.core, AddStation("CP1"), ANA)
    await tokens.add(system.core, AddToken("CARD1", group="GRP1", max_sessions=1), ANA)
    system.stations.connect("CP1")
    yield system
    await system.close()


@pytest.fixture(scope="session")
def local_stripe() -> Iterator[LocalStripe]:
    """A payment provider of our own, for whoever asks for it."""
    running = LocalStripe()
    yield running
    running.close()

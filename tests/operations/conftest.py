from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cms.contract.stations import AddStation
from cms.contract.tokens import AddToken
from cms.operations import stations, tokens
from tests.operations.small import ANA, Small

if TYPE_CHECKING:  # its libraries are for those who ask for it
    from tests.stripes import LocalStripe


@pytest.fixture(scope="session")
def empty_record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record with all its tables and nothing in them: to make one takes longer than most tests."""
    folder = tmp_path_factory.mktemp("empty")

    async def made() -> None:
        await (await Small(folder).open()).close()

    asyncio.run(made())
    return folder / "cms.db"


@pytest.fixture
async def small(tmp_path: Path, empty_record: Path) -> AsyncIterator[Small]:
    """A core with station CP1, online, and token CARD1."""
    shutil.copy(empty_record, tmp_path)
    system = await Small(tmp_path).open()
    await stations.add(system.core, AddStation("CP1"), ANA)
    await tokens.add(system.core, AddToken("CARD1", group="GRP1", max_sessions=1), ANA)
    system.stations.connect("CP1")
    yield system
    await system.close()


@pytest.fixture(scope="session")
def local_stripe() -> Iterator[LocalStripe]:
    """A payment provider of our own, for whoever asks for it."""
    from tests.stripes import LocalStripe

    running = LocalStripe()
    yield running
    running.close()

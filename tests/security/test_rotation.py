"""T5: a password is changed over OCPP; whatever crashes and whenever, the station gets in with what it has.

Each story is one rotation in which the power fails at one of the commits, before or after it is durable, or between
them. The station is a real one as far as this matters: it has the password that it was told last and took.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cms.contract.refusals import Refusal, Unreachable
from cms.contract.security import RotatePassword
from cms.contract.stations import AddStation
from cms.core import Core
from cms.domain.changes import Change, Happened, SaveStation
from cms.domain.evolve import evolve
from cms.domain.orders import OrderAnswer, VariableAnswer, WriteVariables
from cms.operations import credentials, security, stations
from cms.operations.admission import Approach, Knocks, admit, connected
from cms.operations.intents import give
from cms.operations.previews import preview
from tests.operations.small import ANA, Small

KEY = "AuthorizationKey"
ANSWERS = ("Accepted", "Rejected", "RebootRequired", "none")
_NEVER = 99


class PowerFailed(BaseException):
    """Everything in memory is gone."""


class Failing:
    """A store of which the n-th commit is the last: ``durable`` says whether it still was written."""

    def __init__(self, store: Any, last: int, *, durable: bool) -> None:
        self._store, self._last, self._durable = store, last, durable
        self.commits = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, changes: Sequence[Change], events: Sequence[Happened]) -> None:
        self.commits += 1
        if self.commits > self._last or (self.commits == self._last and not self._durable):
            raise PowerFailed
        await self._store.commit(changes, events)
        if self.commits == self._last:
            raise PowerFailed


@dataclass
class ItsKey:
    """The password that the station has."""

    value: str


def answer_of(small: Small, word: str, key: ItsKey) -> Callable[[], Awaitable[None]]:
    """The station hears the order and says this; it has taken the password when it accepts."""

    async def heard() -> None:
        order = small.stations.given[-1][1]
        assert isinstance(order, WriteVariables)
        if word in ("Accepted", "RebootRequired"):
            key.value = order.values[KEY]
        if word == "none":
            raise Unreachable("CP9 did not answer in time")

    verdict = "rejected" if word == "Rejected" else "accepted"
    small.stations.answer = OrderAnswer(verdict, word, {"status": word}, (VariableAnswer(KEY, None, word),))
    return heard


Rotation = Callable[[Core], Awaitable[Any]]


async def in_two_phases(core: Core) -> Any:
    return await security.rotate(core, RotatePassword(station="CP9"), ANA)


async def in_one(core: Core) -> Any:
    """What one writes first: the new digest takes the old one's place, and then the station is told."""
    lane, password = core.lane("CP9"), credentials.generate_key().encode().hex()
    station = evolve(lane.state.station, password_digest=credentials.as_told(core.keys, "CP9", password))
    await core.store.commit((SaveStation(station),), ())
    lane.state = evolve(lane.state, station=station)
    order, shown = WriteVariables({KEY: password}), preview(lane.state, "config-set", "rotate", (), "")
    return await give(core, ANA, "CP9", "config-set", order, RotatePassword(station="CP9"), shown)


async def opens(small: Small, password: str) -> bool:
    said = bytes.fromhex(password) if len(password) == 40 else password.encode()
    told = await admit(small.core, Knocks(), Approach("CP9", ("ocpp1.6",), said, "10.0.0.9"))
    if told.station is None:
        return False
    await connected(small.core, "CP9", "1.6", "10.0.0.9")
    return True


async def story(
    folder: Path, rotation: Rotation, last: int, durable: bool, word: str
) -> tuple[bool, list[str]]:
    """Whether the power failed, and what was wrong afterwards."""
    shutil.copytree(_record(folder.parent), folder)
    small = await Small(folder).open()
    small.stations.connect("CP9")
    first = (folder / "password").read_text()
    key = ItsKey(first)
    small.stations.before_answer = answer_of(small, word, key)  # type: ignore[assignment]
    store = small.core.store
    small.core.store = Failing(store, last, durable=durable)
    failed = False
    try:
        with contextlib.suppress(Refusal):
            await rotation(small.core)
    except PowerFailed:
        failed = True
    small.core.store = store
    for task in small.tasks:
        task.cancel()
    await asyncio.gather(*small.tasks, return_exceptions=True)
    small.tasks.clear()
    await small.restart()
    wrong = []
    if not await opens(small, key.value):
        wrong.append("the station is locked out")
    # While it shows the old one, the new one is still promised: it may be going to take it at its next boot.
    elif key.value != first and await opens(small, first):
        wrong.append("the old password opens although the station showed the new one")
    if await opens(small, "a-third-password-of-nobody"):
        wrong.append("a third password opens")
    await small.close()
    return failed, wrong


def _record(folder: Path) -> Path:
    return folder / "record"


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """Where the stories play: each begins with a copy of this record, in which CP9 is registered."""
    _record(tmp_path).mkdir()
    small = await Small(_record(tmp_path)).open()
    credential = await stations.add(small.core, AddStation("CP9"), ANA)
    (_record(tmp_path) / "password").write_text(str(credential.password))
    await small.close()
    return tmp_path


async def all_stories(folder: Path, rotation: Rotation, word: str) -> list[str]:
    """One story for each commit that there is, before and after; then one without a failure."""
    wrong = []
    for last in itertools.count(1):
        for durable in (False, True):
            where = folder / f"{word}-{last}-{durable}"
            failed, found = await story(where, rotation, last, durable, word)
            after = "after" if durable else "before"
            wrong += [f"power failed {after} commit {last}, answer {word}: {each}" for each in found]
            if not failed:
                return wrong
        assert last < _NEVER, "a rotation has a handful of commits"
    raise AssertionError


@pytest.mark.parametrize("word", ANSWERS)
async def test_no_failure_of_power_at_any_commit_locks_a_station_out(folder: Path, word: str) -> None:
    assert await all_stories(folder, in_two_phases, word) == []


async def test_the_stories_catch_a_rotation_in_one_phase(folder: Path) -> None:
    assert await all_stories(folder, in_one, "none") != []

"""The conversation with the daemon: nothing is missed, nothing newer is undone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from cms.contract.refusals import Invalid, Unreachable
from cms.contract.stations import ListStations, ShowStation
from tests.tui.fake import FakeDaemon, small_fleet, station
from tui.link import Link, LinkState
from tui.mirror import Mirror, Ref


class Ear:
    """Hears what the link tells, and wakes who waits for it."""

    def __init__(self) -> None:
        self.changed: set[Ref] = set()
        self.states: list[LinkState] = []
        self._news = asyncio.Event()

    def heard(self, changed: set[Ref]) -> None:
        self.changed |= changed
        self._news.set()

    def turned(self, state: LinkState) -> None:
        self.states.append(state)
        self._news.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not holds():
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def linked(daemon: FakeDaemon) -> AsyncIterator[tuple[Link, Ear]]:
    ear = Ear()
    link = Link(daemon, Mirror(), ear.heard, ear.turned)
    link.retry_s = (0.0,)
    task = asyncio.create_task(link.run())
    try:
        await ear.until(lambda: ear.states[-1:] == [LinkState(True)])
        yield link, ear
    finally:
        task.cancel()


async def test_the_snapshot_is_followed_from_the_cursor_of_its_first_list() -> None:
    daemon = small_fleet()
    answer = daemon.ask_with_cursor

    async def while_events_happen(request: object) -> tuple[object, str | None]:
        told = await answer(request)
        if isinstance(request, ListStations):
            daemon.report("CP-0025", 1, "faulted", "OverVoltage")
        return told

    daemon.ask_with_cursor = while_events_happen  # type: ignore[method-assign]
    async with linked(daemon) as (link, ear):
        stations = link.mirror.stations
        await ear.until(lambda: stations["CP-0025"].connectors[0].status == "faulted")


async def test_a_view_that_is_read_again_does_not_undo_a_later_event() -> None:
    daemon = small_fleet()
    answer = daemon.ask_with_cursor

    async def slowly(request: object) -> tuple[object, str | None]:
        told = await answer(request)
        if isinstance(request, ShowStation):
            daemon.drop("CP-0500")
        return told

    async with linked(daemon) as (link, ear):
        daemon.ask_with_cursor = slowly  # type: ignore[method-assign]
        daemon.stations["CP-0500"] = station("CP-0500")
        daemon.happen("station.enrolled", "CP-0500")
        await ear.until(lambda: "CP-0500" in link.mirror.stations)
        await ear.until(lambda: not link.mirror.stations["CP-0500"].online)


async def test_what_was_removed_before_it_could_be_read_leaves() -> None:
    daemon = small_fleet()
    async with linked(daemon) as (link, ear):
        del daemon.stations["CP-0025"]
        daemon.happen("station.changed", "CP-0025")
        await ear.until(lambda: "CP-0025" not in link.mirror.stations)


async def test_events_of_the_time_without_a_link_come_after_it() -> None:
    daemon = small_fleet()
    async with linked(daemon) as (link, ear):
        daemon.die()
        await ear.until(lambda: not ear.states[-1].live)
        for number in range(300):
            daemon.happen("station.security", "CP-0018", kind=f"k{number}")
        daemon.return_()
        await ear.until(lambda: len(link.mirror.events) == len(daemon.log))
        assert ear.states[-1].live


async def test_a_stream_that_broke_for_good_is_taken_up_after_the_last_event() -> None:
    daemon = small_fleet()
    async with linked(daemon) as (link, ear):
        last = daemon.happen("station.security", "CP-0018", kind="x")
        await ear.until(lambda: last.cursor in link.mirror.events)
        daemon.end_streams(Unreachable("the daemon broke off"))
        for number in range(300):
            daemon.happen("station.security", "CP-0018", kind=f"k{number}")
        await ear.until(lambda: len(link.mirror.events) == len(daemon.log))


async def test_a_record_that_does_not_know_our_cursor_is_read_from_its_beginning() -> None:
    daemon = small_fleet()
    async with linked(daemon) as (link, ear):
        last = daemon.happen("station.security", "CP-0018", kind="x")
        await ear.until(lambda: last.cursor in link.mirror.events)
        daemon.end_streams(Invalid("there is no such cursor"))
        await ear.until(lambda: link.heard_last is None and ear.states[-1].live)

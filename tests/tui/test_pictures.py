"""The screens as pictures, at the sizes that people have.

After a change that was meant: pytest tests/tui/test_pictures.py --snapshot-update, and look at the diff.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.fake import small_fleet
from tests.tui.seat import Seat, console

SMALL, LARGE = (80, 24), (160, 48)


async def overview(seat: Seat) -> None:
    await seat.sees("Needs attention · 5")


async def stations(seat: Seat) -> None:
    await seat.press("2")
    await seat.sees("CP-0081")


async def a_question(seat: Seat) -> None:
    seat.daemon.level = 2
    seat.daemon.impact = "ends 1 running session: EVSE 1, 04A2BC9F, 11.4 kWh; the station reboots"
    seat.app.travel.open_station("CP-0042")
    await seat.sees("MeterValues", "30.2 kW")
    await seat.press("R")
    await seat.sees("[y]es")


async def a_palette(seat: Seat) -> None:
    await stations(seat)
    await seat.press("semicolon")
    await seat.type("reset")
    await seat.sees("level 1")


async def marked_rows(seat: Seat) -> None:
    await stations(seat)
    await seat.press("j", "V", "j", "j", "V", "R")
    await seat.sees("Reset 3 stations", "[y]es")


async def a_lost_link(seat: Seat) -> None:
    await stations(seat)
    seat.daemon.die()
    await seat.sees("link lost", "no daemon answers")


@pytest.mark.parametrize(
    ("scene", "size"),
    [
        (overview, SMALL),
        (overview, LARGE),
        (stations, SMALL),
        (a_question, SMALL),
        (a_question, LARGE),
        (a_lost_link, SMALL),
        (a_palette, SMALL),
        (a_palette, LARGE),
        (marked_rows, SMALL),
        (marked_rows, LARGE),
    ],
    ids=lambda value: value.__name__ if callable(value) else f"{value[0]}x{value[1]}",
)
def test_the_screen_looks_as_it_did(
    scene: Callable[[Seat], Awaitable[None]], size: tuple[int, int], snap_compare: Any
) -> None:
    daemon = small_fleet()
    app = console(daemon)

    async def sit(pilot: Pilot[int]) -> None:
        seat = Seat(app, pilot, daemon)
        await seat.sees("● live")
        await scene(seat)

    assert snap_compare(app, terminal_size=size, run_before=sit)

"""Station, session, drivers and support card as pictures; update them as those of test_pictures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.seat import Seat, console
from tests.tui.test_drivers import people

SMALL, LARGE, PHONE = (80, 24), (160, 48), (44, 20)


async def a_station(seat: Seat) -> None:
    seat.app.travel.open_station("CP-0042")
    await seat.sees("session 88140", "MeterValues", "kW┤")


async def its_messages(seat: Seat) -> None:
    await a_station(seat)
    await seat.press("tab")
    await seat.sees("[Messages]", "MeterValues")


async def a_session(seat: Seat) -> None:
    seat.app.travel.open_session("88140")
    await seat.sees("begins at CP-0042", "draws 22.0 kW")


async def drivers(seat: Seat) -> None:
    await seat.press("4")
    await seat.sees("anna", "41.20")


async def a_card(seat: Seat) -> None:
    seat.app.travel.open_support("anna")
    await seat.sees("rule night")


@pytest.mark.parametrize(
    ("scene", "size"),
    [
        (a_station, SMALL),
        (a_station, LARGE),
        (its_messages, LARGE),
        (a_session, SMALL),
        (a_session, LARGE),
        (drivers, SMALL),
        (drivers, LARGE),
        (a_card, SMALL),
        (a_card, PHONE),
    ],
    ids=lambda value: value.__name__ if callable(value) else f"{value[0]}x{value[1]}",
)
def test_the_place_looks_as_it_did(
    scene: Callable[[Seat], Awaitable[None]], size: tuple[int, int], snap_compare: Any
) -> None:
    daemon = people()
    app = console(daemon)

    async def sit(pilot: Pilot[int]) -> None:
        seat = Seat(app, pilot, daemon)
        await seat.sees("● live")
        await scene(seat)

    assert snap_compare(app, terminal_size=size, run_before=sit)

"""Stations supply text; none of it is obeyed by the terminal or read as markup, on any screen."""

from __future__ import annotations

import unicodedata

import pytest

from cms.contract.stations import Message
from tests.tui.fake import HOSTILE, NOON, hostile_fleet, session
from tests.tui.seat import Seat, seated
from tui.exchanges import paired, sheet, summary
from tui.widgets.paint import clean, fit


def harmless(seat: Seat) -> bool:
    """Every line has whole cells and nothing that a terminal obeys."""
    strips = seat.app.screen._compositor.render_strips()
    width = seat.app.size.width
    return all(
        strip.cell_length == width
        and all(
            unicodedata.category(ch) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for ch in strip.text
        )
        for strip in strips
    )


@pytest.mark.parametrize("size", [(44, 20), (80, 24), (160, 48)])
async def test_no_screen_obeys_what_a_station_says(size: tuple[int, int]) -> None:
    async with seated(hostile_fleet(), size) as seat:
        for keys, sign in [
            (["1"], "Needs attention"),
            (["2"], "vendor [/]"),
            (["3"], "S9"),
            (["7"], "tab events"),
            (["tab"], "following"),
            (["4", "right"], "Refused lately"),
            (["question_mark"], "SCREENS"),
        ]:
            await seat.press(*keys)
            await seat.sees(sign)
            assert harmless(seat)


@pytest.mark.parametrize("number", range(len(HOSTILE)))
async def test_no_station_session_or_frame_page_obeys_what_a_station_says(number: int) -> None:
    daemon = hostile_fleet()
    key = next(k for k in daemon.stations if k.startswith(f"H{number} "))
    daemon.refuse = None
    daemon.impact = HOSTILE[number]
    async with seated(daemon, (100, 30)) as seat:
        seat.app.travel.open_station(key)
        await seat.sees("Frames", "→")
        assert harmless(seat)
        await seat.press("R")
        await seat.sees("[y]es")
        assert harmless(seat)
        await seat.press("y")
        await seat.hears("reset")
        assert harmless(seat)
        await seat.press("tab", "enter")
        await seat.sees("from the station")
        assert harmless(seat)
        seat.app.travel.open_session(f"S{number}")
        await seat.sees("[Story]")
        assert harmless(seat)
        await seat.press("escape", "escape", "C")
        await seat.sees("2 of 2")
        assert harmless(seat)
        await seat.press("W")
        await seat.type("1")
        await seat.press("enter")
        await seat.sees("[y]es")
        assert harmless(seat)


async def test_hostile_text_arrives_by_events_too() -> None:
    daemon = hostile_fleet()
    daemon.stations = {"CP-1": next(iter(daemon.stations.values()))}
    key = next(iter(daemon.stations))
    async with seated(daemon) as seat:
        for text in HOSTILE:
            daemon.happen("station.unknown", text, address=text, protocols=[text], reason=text)
            daemon.happen(
                "station.booted", key, status=text, vendor=text, model=text, firmware=text, serial=text
            )
            daemon.happen("session.started", key, "x", session=session("x", key, token=text, status=text))
            daemon.happen(text, text, text, anything=text)
        for place in ("2", "3", "4", "1"):
            await seat.press(place)
            await seat.pilot.pause()
            assert harmless(seat)
        assert seat.app.mirror.latest_at == NOON


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("width", [0, 1, 2, 3, 7, 40])
def test_text_takes_exactly_its_cells(text: str, width: int) -> None:
    from rich.cells import cell_len

    assert cell_len(fit(text, width)) == width
    assert cell_len(fit(text, width, right=True)) == width


def test_combining_marks_do_not_pile_up() -> None:
    assert clean("Z\u0351\u0327\u0321algo") == "Zalgo"
    assert clean("e\u0301") == "é"


@pytest.mark.parametrize("depth", [300, 450, 1000])
def test_a_frame_that_is_nested_deep_is_shown_as_it_came(depth: int) -> None:
    deep = Message(NOON, "in", "call", "Heartbeat", "1", "[" * depth + "]" * depth)
    (exchange,) = paired([deep])
    assert summary(exchange) == deep.payload
    assert sheet(exchange, [exchange])[-1] == deep.payload

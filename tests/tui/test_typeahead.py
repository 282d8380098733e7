"""Keys that come in one piece do what they would have done one by one."""

from __future__ import annotations

from textual import events

from tests.tui.fake import small_fleet
from tests.tui.seat import Seat, seated

_NAMES = {":": "colon", "/": "slash", "=": "equals_sign", " ": "space", "\n": "enter", "\x1b": "escape"}


def at_once(seat: Seat, text: str) -> None:
    """All keys before the console looks at the first."""
    for character in text:
        name = _NAMES.get(character, character)
        printable = character if character.isprintable() else None
        seat.app.post_message(events.Key(name, printable))


async def test_a_line_that_comes_in_one_piece_is_typed_where_it_belongs() -> None:
    async with seated(small_fleet()) as seat:
        at_once(seat, ":stations\n")
        await seat.sees("cms ▸ Stations", "CP-0081")
        at_once(seat, "/online=false\n")
        await seat.sees("/ online=false")
        assert "X" not in seat.said
        at_once(seat, "\x1b:sessions\n/status=charging")
        await seat.sees("cms ▸ Sessions", "status=charging")


async def test_keys_that_only_move_lose_none() -> None:
    async with seated(small_fleet()) as seat:
        at_once(seat, "2")
        await seat.sees("cms ▸ Stations", "CP-0081")
        at_once(seat, "gjjj")
        table = seat.app.here.table() if seat.app.here else None
        assert table is not None
        await seat.until(lambda: table.cursor == 3)


async def test_a_paste_behind_a_key_goes_where_the_key_leads() -> None:
    async with seated(small_fleet()) as seat:
        seat.app.post_message(events.Key("colon", ":"))
        seat.app.post_message(events.Paste("stations"))
        at_once(seat, "\n")
        await seat.sees("cms ▸ Stations")

"""What people who know k9s press and type first leads somewhere."""

from __future__ import annotations

import pytest

from tests.tui.fake import small_fleet
from tests.tui.seat import seated
from tui import habits, keys
from tui.books import BOOKS

OURS = frozenset({*keys.words(), *BOOKS})


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("q", "quit"), ("transactions", "sessions"), ("chargers", "stations"), ("alert", "alerts"), ("site", "sites"),
     ("Stations", "stations"), ("logs", "logs"), ("reboot", "reset"), ("tarifs", "tarifs")],
)  # fmt: skip
def test_other_words_are_understood(typed: str, meant: str) -> None:
    assert habits.word_meant(typed, OURS) == meant


def test_every_other_word_means_one_of_ours_and_hides_none() -> None:
    assert {*habits.WORDS.values()} <= OURS
    assert not OURS & {*habits.SENTENCES}


async def test_words_of_other_tools_lead_somewhere() -> None:
    async with seated(small_fleet()) as seat:
        for typed, seen in (("describe cp-0074", "▸ CP-0074"), ("session 88139", "▸ 88139"), ("pulse", "▸ Overview"),
                            ("stations list", "8 · "), ("chargers site~ulm", "/ site~ulm")):  # fmt: skip
            await seat.press("colon")
            await seat.type(f"{typed}")
            await seat.press("enter")
            await seat.sees(seen)
        for typed, heard in (
            ("ctx", "another daemon: ^Q, then cms tui --context NAME"),
            ("statoins", "did you mean :stations?"),
        ):
            await seat.press("colon")
            await seat.type(typed)
            await seat.press("enter")
            await seat.hears(heard)


async def test_a_key_that_means_nothing_says_so_and_what_to_press() -> None:
    async with seated(small_fleet()) as seat:
        await seat.press("2")
        await seat.sees("CP-0081")
        await seat.press("d")
        await seat.hears("d does nothing here; enter opens it")
        await seat.press("z")
        await seat.hears("z does nothing here; o picks columns")
        await seat.press("f9")
        await seat.hears("f9 does nothing here; ? tells the keys")
        await seat.press("ctrl+r")
        await seat.hears("read again")
        await seat.press("j")
        await seat.press("l")
        await seat.sees("messages")
        await seat.press("apostrophe")
        await seat.type("CP-42")
        await seat.press("enter")
        await seat.sees("▸ CP-0042")


async def test_a_slash_on_the_overview_finds_among_the_stations() -> None:
    async with seated(small_fleet()) as seat:
        await seat.press("slash")
        await seat.sees("stations /")
        await seat.type("fault")
        await seat.press("enter")
        await seat.sees("cms ▸ Stations", "/ fault", "CP-0042")


async def test_a_note_of_blanks_is_not_written() -> None:
    daemon = small_fleet()
    async with seated(daemon) as seat:
        await seat.press("2")
        await seat.sees("CP-0081")
        for marks in ((), ("space", "space")):
            await seat.press(*marks, "N", "space", "space", "enter")
            await seat.sees("nothing was typed")
            await seat.press("n")
        assert not [asked for asked in daemon.asked if type(asked).__name__ == "AddStationNote"]

"""Marked rows: one order for all of them, one question, and a list of those who refused."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from cms.contract.intents import Preview
from cms.contract.refusals import Refusal, Unreachable
from cms.contract.stations import OrderTerms, ResetStation
from tests.tui.fake import FakeDaemon, small_fleet, station
from tests.tui.seat import seated
from tui import bulk
from tui.bulk import AT_ONCE, Batch, bar, cli_for
from tui.marks import Marks
from tui.orders import ACTS, Draft, Target


def given(daemon: FakeDaemon) -> list[str]:
    """The stations that orders were given to for good."""
    return [r.station for r in daemon.asked if isinstance(r, ResetStation) and not r.dry_run]


def reset_of(*names: str) -> Draft:
    first, *others = (Target(name) for name in names)
    return Draft(ACTS["reset"], first, others=tuple(others))


def preview(
    name: str, level: int = 1, impact: str = "it reboots", cli: str = "cms stations reset {}"
) -> Preview:
    return Preview("reset", name, level, impact, cli.format(name))


def test_a_range_follows_the_cursor_and_keeps_what_was_marked_before() -> None:
    shown = list("abcdef")
    marks = Marks()
    marks.flip("f")
    marks.begin_range("b")
    marks.stretch(shown, "d")
    assert marks.in_order(shown) == ["b", "c", "d", "f"]
    marks.stretch(shown, "a")
    assert marks.in_order(shown) == ["a", "b", "f"]
    marks.end_range()
    marks.flip("b")
    assert marks.in_order(["f"]) == ["f", "a"]
    assert marks.told(["f"]) == "2 marked (1 hidden by the filter)"


def test_many_are_graver_than_one_and_the_same_is_said_once() -> None:
    few = bulk.summed(reset_of("A", "B"), [preview("A"), preview("B")])
    assert isinstance(few, Preview)
    assert (few.level, few.impact) == (2, "2x it reboots")
    assert few.cli == "cms stations reset A B"
    names = [f"S{n}" for n in range(11)]
    many = bulk.summed(reset_of(*names), [preview(name) for name in names])
    assert isinstance(many, Preview)
    assert many.level == 3


def test_what_would_be_refused_is_told_and_left_out_of_the_line() -> None:
    told = bulk.summed(reset_of("A", "B"), [preview("A"), Unreachable("B is offline")])
    assert isinstance(told, Preview)
    assert "1 would be refused: B is offline" in told.impact
    assert told.cli == "cms stations reset A"
    assert isinstance(bulk.summed(reset_of("A", "B"), [Unreachable("A"), Unreachable("B")]), Refusal)


def test_lines_that_differ_in_more_than_the_name_are_told_one_by_one() -> None:
    two = [preview("A"), preview("B", cli="cms stations reset {} --evse 2")]
    assert bulk.cli_of_all(reset_of("A", "B"), two) == "cms stations reset A; cms stations reset B --evse 2"
    assert (
        cli_for("cms stations reset A B C --kind soft", ["A", "B", "C"], ["B"])
        == "cms stations reset B --kind soft"
    )


def test_a_bar_fills_by_eighths() -> None:
    assert bar(0, 40) == " " * 10
    assert bar(12, 40) == "███       "
    assert bar(13, 40) == "███▎      "
    assert bar(40, 40) == "█" * 10


async def test_only_a_few_are_asked_for_at_once_and_a_stop_leaves_the_rest() -> None:
    names = [f"S{n}" for n in range(30)]
    batch = Batch(reset_of(*names))
    most = 0

    class Slow:
        async def ask(self, request: OrderTerms) -> None:
            nonlocal most
            most = max(most, batch.asking)
            if len(batch.waiting) <= 10:
                batch.stop()
            await asyncio.sleep(0)

    daemon: Any = Slow()
    await bulk.give(daemon, batch, batch.take)
    assert most == AT_ONCE
    assert len(batch.done) + batch.stopped == 30
    assert batch.stopped > 0
    assert batch.over
    assert "not asked for" in batch.line()[0]


async def test_an_order_for_marked_stations_is_asked_once_and_tells_who_refused() -> None:
    daemon = small_fleet()
    daemon.refusing_at["CP-0039"] = Unreachable("CP-0039 is offline since 11:22", "queue it")
    async with seated(daemon) as seat:
        await seat.press("2")
        await seat.sees("CP-0081")
        await seat.press("V", "j", "j", "V", "G", "space")
        await seat.sees("4 marked", "*● CP-0018")
        await seat.press("slash")
        await seat.type("site~cologne")
        await seat.press("enter")
        await seat.sees("4 marked (3 hidden by the filter)")
        await seat.press("ampersand")
        await seat.sees("only the 4 marked")
        await seat.press("ampersand", "escape")
        await seat.sees("CP-0074")
        await seat.press("R")
        await seat.sees(
            "Reset 4 stations soft (CP-0018, CP-0025, CP-0039 and 1 more)?", "touches 1 running session"
        )
        await seat.sees("[y]es", "cms stations reset CP-0018 CP-0025 CP-0039 CP-0081 --kind soft")
        await seat.press("y")
        await seat.sees(
            "Refusals", "CP-0039  CP-0039 is offline since 11:22", "  cms stations reset CP-0039 --kind soft"
        )
        assert given(daemon) == ["CP-0018", "CP-0025", "CP-0039", "CP-0081"]
        await seat.hears("reset 1/4 ██▌        · 1 refused · 3 under way")
        await seat.press("escape")
        await seat.sees("1 marked", "#⊘ CP-0039")
        for number in (1, 2, 3):
            daemon.progress(f"i{number}", "confirmed")
        await seat.hears("✖ reset: 3 of 4 done · 1 refused · :refusals says why")
        await seat.press("u")
        await seat.loses("1 marked")


async def test_more_than_ten_want_their_number_typed() -> None:
    daemon = FakeDaemon(stations={f"CP-{n:02}": station(f"CP-{n:02}") for n in range(12)})
    async with seated(daemon) as seat:
        await seat.press("2")
        await seat.sees("CP-11")
        await seat.press("asterisk", "R")
        await seat.sees("Reset 12 stations soft", "type the number")
        await seat.press("y")
        await seat.type("11")
        await seat.press("enter")
        await seat.hears("that is not 12: nothing was done")
        assert given(daemon) == []
        await seat.press("y")
        await seat.type("12")
        await seat.press("enter")
        await seat.until(lambda: len(given(daemon)) == 12)
        await seat.hears("12 under way")


async def test_what_is_in_our_own_books_is_done_to_all_that_are_marked() -> None:
    daemon = small_fleet()
    daemon.tokens["05BB"] = replace(daemon.tokens["04A2BC9F"], id="05BB")
    async with seated(daemon) as seat:
        await seat.press("4", "right")
        await seat.sees("05BB")
        await seat.press("asterisk", "B")
        await seat.sees("Block 2 tokens (04A2BC9F, 05BB)?", "[y]es", "cms tokens block 04A2BC9F 05BB")
        await seat.press("r")
        await seat.type("lost")
        await seat.press("enter")
        await seat.sees("cms tokens block 04A2BC9F 05BB --reason lost")
        await seat.press("y")
        await seat.hears("✔ token-block: 2 of 2 done")
        assert {token.status for token in daemon.tokens.values()} == {"blocked"}

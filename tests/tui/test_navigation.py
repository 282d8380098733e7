"""Finding one's way: palette, menus, views, jumps, the way back, what is remembered, looking without touching."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from cms.contract.stations import OrderTerms, ResetStation
from tests.tui.fake import FakeDaemon, small_fleet
from tests.tui.seat import Seat, seated
from tui.app import CmsApp
from tui.menus import lettered
from tui.palette import SCATTERED, rank
from tui.views import HISTORY, Kept, Position, View, state_file
from tui.widgets.live_table import LiveTable
from tui.widgets.menu import Menu


def cursor(seat: Seat) -> str | None:
    return seat.app.screen.query_one("#list", LiveTable).cursor_id


def orders(daemon: FakeDaemon) -> list[OrderTerms]:
    return [r for r in daemon.asked if isinstance(r, OrderTerms) and not r.dry_run]


async def test_the_palette_finds_acts_and_things_and_says_what_an_act_would_do() -> None:
    daemon = small_fleet()
    async with seated(daemon) as seat:
        await seat.press("2")
        await seat.sees("CP-0081")
        await seat.press("semicolon")
        await seat.type("reset")
        await seat.sees(
            "▌R  reset the station, soft or hard · CP-0018", "cms stations reset CP-0018 --kind soft"
        )
        await seat.press("ctrl+y")
        await seat.hears("copied: cms stations reset CP-0018")
        await seat.press("ctrl+p")
        await seat.type("reset")
        await seat.sees("reset the station")
        await seat.press("enter")
        await seat.sees("Reset CP-0018 soft?", "[y]es")
        await seat.press("n")
        assert orders(daemon) == []
        await seat.press("semicolon")
        await seat.type("@anna")
        await seat.sees("04A2BC9F Anna K.")
        await seat.press("enter")
        await seat.sees("▌✔ 04A2BC9F")
        await seat.press("semicolon")
        await seat.type("cp 74")
        await seat.press("enter")
        await seat.sees("▸ CP-0074")
        await seat.press("2", "semicolon")
        await seat.type("/site~ulm")
        await seat.press("enter")
        await seat.sees("/ site~ulm", "2 of 8")


async def test_menus_order_choose_columns_and_list_all_acts_of_a_row() -> None:
    daemon = small_fleet()
    async with seated(daemon) as seat:
        await seat.press("2")
        await seat.sees("CP-0081")
        await seat.press("o")
        await seat.sees("── Columns", "* Site")
        await seat.press("m")
        await seat.sees("* Model", "Terra 184")
        await seat.press("t", "escape")
        await seat.until(lambda: "State" not in seat.lines[2] and "Model" in seat.lines[2])
        await seat.press("s", "p")
        await seat.sees("sort power↓")
        await seat.press("a")
        await seat.sees("── Actions · CP-0018", "reset the station, soft or hard")
        await seat.press("R")
        await seat.sees("Reset CP-0018 soft?")
        await seat.press("n")
        await seat.pilot.click(LiveTable, offset=(5, 0))
        await seat.sees("sort id↑")


async def test_a_view_is_saved_under_a_name_and_comes_back_by_name_and_number() -> None:
    async with seated(small_fleet()) as seat:
        await seat.press("2", "slash")
        await seat.type("site~ulm")
        await seat.press("enter", "s", "e", "v", "w")
        await seat.sees("name of the view:")
        await seat.type("south")
        await seat.press("enter")
        await seat.hears(":view south shows it again")
        await seat.press("escape", "1")
        await seat.sees("Needs attention")
        await seat.press("v")
        await seat.sees("1  south", "stations · site~ulm · by site")
        await seat.press("1")
        await seat.sees("cms ▸ Stations", "/ site~ulm", "sort site↑")
        await seat.press("colon")
        await seat.type("stations site~essen")
        await seat.press("enter")
        await seat.sees("/ site~essen", "1 of 8")
        await seat.press("colon")
        await seat.type("view offline")
        await seat.press("enter")
        await seat.sees("/ online=false", "CP-0039")
        await seat.press("colon", "up", "up")
        await seat.sees("stations site~essen")
        await seat.press("escape", "v", "home", "d")
        await seat.hears("the view south is deleted")


async def test_one_jumps_to_an_id_and_goes_back_and_forth_between_places() -> None:
    async with seated(small_fleet()) as seat:
        await seat.press("apostrophe")
        await seat.type("cp-007")
        await seat.press("enter")
        await seat.sees("▸ CP-0074")
        await seat.press("apostrophe")
        await seat.type("88139")
        await seat.press("enter")
        await seat.sees("▸ 88139")
        await seat.press("minus")
        await seat.sees("▸ CP-0074")
        await seat.press("minus")
        await seat.sees("▸ 88139")
        await seat.press("left_square_bracket", "left_square_bracket")
        await seat.sees("cms ▸ Overview")
        await seat.press("right_square_bracket")
        await seat.sees("▸ CP-0074")
        await seat.press("colon")
        await seat.type("reste")
        await seat.press("enter")
        await seat.hears("did you mean :reset?")
        await seat.press("colon")
        await seat.type("reset CP-0060")
        await seat.press("enter")
        await seat.sees("Reset CP-0060 soft?")


async def test_who_only_looks_has_no_acts() -> None:
    daemon = small_fleet()
    async with seated(daemon) as seat:
        await seat.press("2")
        await seat.sees("CP-0081", "R reset")
        await seat.press("exclamation_mark")
        await seat.sees("RO ● live")
        assert "R reset" not in seat.text
        await seat.press("R")
        assert not seat.app.screen.query_one(Menu).is_open
        seat.app.acting.begin("reset")
        await seat.hears("read-only: ! allows acts again")
        await seat.press("exclamation_mark")
        await seat.sees("R reset")
    daemon.permissions = ("stations.read", "events.read")
    async with seated(daemon) as seat:
        await seat.sees("RO ● live")
        await seat.press("exclamation_mark")
        await seat.hears("your role may only look")
    assert not any(isinstance(request, ResetStation) for request in daemon.asked)


async def test_the_rows_that_are_shown_become_a_file_without_formulas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    daemon = small_fleet()
    async with seated(daemon) as seat:
        await seat.press("2", "slash")
        await seat.type("site~ulm")
        await seat.press("enter", "e")
        await seat.sees("Export 2 rows")
        await seat.press("c")
        await seat.hears("2 rows written to")
        await seat.press("e", "j")
        await seat.until(lambda: len(list(tmp_path.glob("*.json"))) == 1)
        await seat.press("ctrl+s")
        await seat.hears("picture written to")
    [table] = tmp_path.glob("cms-stations-*.csv")
    assert [row["Station"] for row in csv.DictReader(io.StringIO(table.read_text()))] == [
        "CP-0018",
        "CP-0074",
    ]
    [views] = tmp_path.glob("*.json")
    assert [view["id"] for view in json.loads(views.read_bytes())] == ["CP-0018", "CP-0074"]
    assert next(tmp_path.glob("*.svg")).read_text().startswith("<svg")
    assert "CP-0074" in next(tmp_path.glob("*.txt")).read_text()


async def test_a_list_is_taken_up_as_it_was_left_by_the_console_before(tmp_path: Path) -> None:
    path = tmp_path / "console.json"
    async with seated(small_fleet(), kept=Kept(path, "here")) as seat:
        await seat.press("2", "slash")
        await seat.type("site~berlin")
        await seat.press("enter", "s", "p", "j", "space", "k")
        await seat.sees("1 marked")
        left = cursor(seat)
        await seat.press("ctrl+q")
    async with seated(small_fleet(), kept=Kept(path, "here")) as seat:
        await seat.press("2")
        await seat.sees("/ site~berlin", "1 marked")
        await seat.until(lambda: cursor(seat) == left)
    async with seated(small_fleet(), kept=Kept(path, "elsewhere"), view="offline") as seat:
        await seat.sees("cms ▸ Stations", "/ online=false", "1 of 8 · 7 online")
        await seat.hears("view offline")


def test_what_is_kept_is_never_fatal(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "console.json"
    kept = Kept(path, "here")
    for number in range(HISTORY + 5):
        kept.add_typed(f"line {number}")
    kept.leave("stations", Position(View("stations", "a=b"), "CP-1", ("CP-2",)))
    kept.add_view("mine", View("stations", columns=("Site",)))
    again = Kept(path, "here")
    assert again.views == {"mine": View("stations", columns=("Site",))}
    assert again.positions["stations"].marks == ("CP-2",)
    assert len(again.typed) == HISTORY
    assert path.stat().st_mode & 0o077 == 0
    path.write_text('{"views": 7}')
    assert Kept(path).views == {}
    Kept(Path("/proc/nowhere/console.json")).save()
    assert state_file({"XDG_STATE_HOME": "/s"}) == Path("/s/cms/console.json")


def test_a_name_is_found_by_its_beginning_its_words_or_its_letters() -> None:
    assert rank("cp-0", "cp-0042") == 0
    assert rank("42", "cp-0042") == 2
    assert rank("0042", "cp-0042") == 1
    assert rank("reset 42", "reset the station · cp-0042") == 3
    assert rank("rst", "reset the station") == SCATTERED
    assert rank("xyz", "reset") is None


def test_each_row_of_a_menu_has_a_letter_of_its_own() -> None:
    letters = [letter for _, letter in lettered(["state", "since", "site", "kW", "s"])]
    assert letters == ["t", "i", "e", "w", ""]
    assert CmsApp.ENABLE_COMMAND_PALETTE is False

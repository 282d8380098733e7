"""A user's own keys and colours, and the calls for attention that he asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.tui.fake import small_fleet
from tests.tui.seat import seated
from tui import clipboard, keymap, theme
from tui.calling import Calling, Wishes, notification
from tui.keymap import PRESETS, Keymap, made
from tui.keys import KEYS


def keys_of(known: Keymap, action: str) -> list[str]:
    return [key.keys for key in known.rows if key.action == action]


def test_a_key_is_bound_by_word_or_by_action_and_taken_from_who_had_it() -> None:
    known = made({"keys": {"pause": "ctrl+r", "act('stop')": ["X", "ctrl+x"], "copy": ":"}})
    assert keys_of(known, "pause") == ["ctrl+r"]
    assert keys_of(known, "act('stop')") == ["X,ctrl+x"]
    assert keys_of(known, "copy") == ["colon"]
    assert keys_of(known, "reconnect") == [""]
    assert keys_of(known, "command") == [""]
    assert any(
        "^R is taken from reach for the daemon now, which has no key now" in line for line in known.faults
    )


def test_what_cannot_be_meant_is_told_and_the_rest_holds() -> None:
    known = made(
        {
            "preset": "emacs",
            "keys": {"fly": "f", "pause": "not a key", "mark": "ctrl+t", "views": "Q", "help": "Q"},
        }
    )
    told = "\n".join(known.faults)
    assert "no preset is called emacs: there are default, vim, k9s, phone" in told
    assert "there is no action fly" in told
    assert "not a key is no key" in told
    assert "Q is wished for both" in told
    assert keys_of(known, "mark") == ["ctrl+t"]
    assert keys_of(known, "pause") == ["p"]


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_names_actions_that_exist_and_takes_no_last_key(preset: str) -> None:
    known = made({"preset": preset})
    assert known.faults == ()
    assert set(PRESETS[preset]) <= {key.action for key in KEYS}


def test_a_file_that_is_no_toml_leaves_the_keys_as_they_are(tmp_path: Path) -> None:
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    assert keymap.read(environ) == Keymap()
    (tmp_path / "cms").mkdir()
    (tmp_path / "cms" / "keys.toml").write_text("preset = ")
    known = keymap.read(environ)
    assert known.rows == KEYS
    assert "the default keys hold" in known.faults[0]


def test_the_keys_that_hold_are_told_as_tables() -> None:
    told = "\n".join(keymap.as_markdown(made({"keys": {"pause": "ctrl+z"}})))
    assert "| `^Z` | pause the picture; the data flows on | anywhere | `:pause` |" in told


async def test_own_keys_work_and_stand_in_footer_and_help() -> None:
    known = made({"preset": "vim", "keys": {"reset": "ctrl+x", "move(1)": "n,down"}})
    async with seated(small_fleet(), keymap=known) as seat:
        await seat.press("2")
        await seat.sees("CP-0081", "^X reset")
        await seat.press("n", "n", "l")
        await seat.sees("▸ CP-0039")
        await seat.press("ctrl+x")
        await seat.sees("Reset CP-0039 soft?")
        await seat.press("n", "question_mark", "slash")
        await seat.type("half a page")
        await seat.press("enter")
        await seat.sees("^D ^F", "half a page down")


def test_colours_are_changed_by_tone_and_wrong_ones_told(tmp_path: Path) -> None:
    path = tmp_path / "theme.toml"
    path.write_text(
        'theme = "safe"\n[colours]\ngood = "#00ff00"\ndim = "grey"\nbad = "very"\nblink = "red"\n'
    )
    colours, faults = theme.chosen("", path, {})
    assert (colours.success, colours.variables["quiet"]) == ("#00ff00", "grey")
    assert colours.error == theme.SAFE.error
    assert faults == ["theme.toml: very is no colour (bad)", "theme.toml: no tone is called blink"]
    assert theme.chosen("light", path, {})[0] is theme.LIGHT
    assert theme.chosen("", tmp_path / "none", {"COLORTERM": "truecolor"})[0] is theme.DARK
    assert theme.chosen("pink", tmp_path / "none", {}) == (
        theme.SIXTEEN,
        ["no theme is called pink: there are dark, light, safe, 16"],
    )


def test_sequences_go_through_tmux_and_screen() -> None:
    assert clipboard.passed_on("\x1b]9;x\a", {}) == "\x1b]9;x\a"
    assert clipboard.passed_on("\x1b]9;x\a", {"TMUX": "1"}) == "\x1bPtmux;\x1b\x1b]9;x\a\x1b\\"
    screen = clipboard.sequence("y" * 400, {"TERM": "screen", "STY": "1"})
    assert screen.count("\x1bP") == 3
    assert notification("a;b\x1b[2J", {"TERM": "foot"}).startswith("\x1b]777;notify;cms;a,b")
    assert "\x1b[2J" not in notification("a;b\x1b[2J", {})


async def test_what_is_new_rings_and_notifies_when_it_was_asked_for() -> None:
    daemon = small_fleet()
    written: list[str] = []
    async with seated(daemon) as seat:
        calling = Calling(seat.app, Wishes(notify=True, title=True), {}, written.append)
        await seat.until(lambda: bool(seat.app.mirror.alerts))
        calling.look()
        assert written == ["\x1b]2;1✖ 3▲ cms\a"]
        one = next(iter(seat.app.mirror.alerts.values()))
        seat.app.mirror.put_alert("new", replace(one, id="new", severity="critical"))
        await seat.press("B")
        await seat.hears("the bell rings")
        calling.look()
        assert written[1:] == ["\a", written[2], "\x1b]2;2✖ 3▲ cms\a"]
        assert written[2].startswith(f"\x1b]9;cms: {one.what}")

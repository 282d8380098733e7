"""How far long work is: on a terminal, at any width, and never anywhere else."""

from __future__ import annotations

import io
from dataclasses import replace
from types import SimpleNamespace

import pytest

from cli import progress
from cli.flags import Flags


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """A terminal on stderr, on which nothing is too fast to be shown."""
    shown = Screen()
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=shown))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(progress, "_AFTER_S", 0.0)
    monkeypatch.setattr(progress, "_EVERY_S", 0.0)
    return shown


def test_a_line_fits_any_width_and_tells_what_fits() -> None:
    for width in range(20, 200):
        for done in (0, 1, 50_000, 100_000):
            assert len(progress.told("importing", done, 100_000, 9.0, width)) < width
    wide = progress.told("importing", 45_000, 100_000, 9.0, 80)
    assert wide == "importing [#############.................]  45%  45,000 of 100,000  11 s left"
    assert progress.told("importing", 45_000, 100_000, 9.0, 20) == "importing  45%"


def test_it_is_drawn_in_one_line_and_gone_at_the_end(screen: Screen) -> None:
    with progress.progress(Flags(), "importing", 10) as at:
        for done in range(11):
            at(done)
    drawn = screen.getvalue()
    assert "\n" not in drawn
    assert "5 of 10" in drawn
    assert drawn.endswith(" \r")
    assert "\x1b" not in drawn


def test_it_is_gone_too_when_the_work_breaks_off(screen: Screen) -> None:
    with pytest.raises(KeyboardInterrupt), progress.progress(Flags(), "importing", 10) as at:
        at(5)
        raise KeyboardInterrupt
    assert screen.getvalue().endswith(" \r")


def test_what_says_the_same_is_not_drawn_again(screen: Screen) -> None:
    with progress.progress(Flags(), "importing", 10) as at:
        at(5)
        once = screen.getvalue()
        at(5)
        assert screen.getvalue() == once


@pytest.mark.parametrize("where", ["quiet", "dumb", "pipe"])
def test_where_nobody_can_be_shown_it_nothing_is_written(
    where: str, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = replace(Flags(), quiet=where == "quiet")
    if where == "dumb":
        monkeypatch.setenv("TERM", "dumb")
    if where == "pipe":
        monkeypatch.setattr(screen, "isatty", lambda: False)
    with progress.progress(flags, "importing", 3) as at:
        at(1)
    assert screen.getvalue() == ""


def test_what_is_over_soon_is_not_shown(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_AFTER_S", 60.0)
    with progress.progress(Flags(), "importing", 10) as at:
        at(5)
    assert screen.getvalue() == ""

"""A terminal driver that sends only the cells that changed, and no faster than the terminal takes them.

Textual sends every dirty region in full. Here each frame is painted into ``Cells`` first and compared with
what the terminal shows. After a frame the terminal is asked where its cursor is; its answer means that it
has drawn everything before, so that a slow line makes the picture slower and never the keyboard.

Built on three private parts of Textual 8.2 (App._display, LayoutUpdate, ChopsUpdate); ``--stock-driver``,
or CMS_STOCK_DRIVER=1, goes without.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import termios
import time
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TextIO

from rich.cells import get_character_cell_size
from rich.color import ColorSystem
from textual import events
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.strip import Strip

if TYPE_CHECKING:
    from textual.message import Message
    from textual.screen import Screen

#: From this many blanks on it is shorter to have them erased than to send them.
ERASED_FROM = 12
#: Up to this many unchanged cells are sent again rather than moving the cursor over them.
GAP = 5
#: Frames that may be on their way, unanswered.
WINDOW = 2
#: After this long without any answer a frame counts as drawn; a terminal may not know the question.
PATIENCE_S = 3.0
#: After this many frames without an answer the terminal is not asked any more.
DEAF_AFTER = 3

ASK_CURSOR = "\x1b[6n"
RESET = "\x1b[m"
CLEAR = f"{RESET}\x1b[2J"


class Cells:
    """What the terminal shows and what it should show: (character, SGR) per cell, in rows.

    A character of two cells stands in the first; the second holds the empty string.
    """

    def __init__(self, width: int, height: int, *, erases_in_colour: bool = False) -> None:
        self.width, self.height = width, height
        self.erases_in_colour = erases_in_colour
        """Whether the terminal erases with the background it was told (terminfo: bce)."""
        self._wanted_text: list[list[str]] = [[" "] * width for _ in range(height)]
        self._wanted_sgr: list[list[str]] = [[""] * width for _ in range(height)]
        self._shown_text: list[list[str]] = [[" "] * width for _ in range(height)]
        self._shown_sgr: list[list[str]] = [[""] * width for _ in range(height)]
        self._dirty: set[int] = set(range(height))
        self._cleared = False

    def forget(self) -> None:
        """The terminal may show anything: send every cell again."""
        self._cleared = False
        self._dirty = set(range(self.height))

    def apply(self, update: CompositorUpdate, colors: ColorSystem) -> bool:
        """Paint one of Textual's updates; false when it is of a kind that is not known here."""
        if isinstance(update, LayoutUpdate):
            for y, line in enumerate(update.strips, update.region.y):
                x = update.region.x
                for strip in line:
                    self.put(x, y, strip, colors)
                    x += strip.cell_length
            return True
        if isinstance(update, ChopsUpdate):
            for y, x1, x2 in update.spans:
                for end, (x, chop) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
                    if chop is not None and x <= x2 and end > x1:
                        self.put(x, y, chop, colors, min(end, x2))
            return True
        return False

    def put(self, x: int, y: int, strip: Strip, colors: ColorSystem, limit: int | None = None) -> None:
        """Paint a strip at (x, y), as far as column ``limit``."""
        if not 0 <= y < self.height:
            return
        end = self.width if limit is None else min(self.width, limit)
        text, sgr = self._wanted_text[y], self._wanted_sgr[y]
        self._dirty.add(y)
        for segment in strip:
            if segment.control:
                continue
            style = _sgr(segment.style, colors)
            if segment.text.isascii():
                run = segment.text[: max(0, end - x)]
                self._part_wide(y, x, x + len(run))
                text[x : x + len(run)] = run
                sgr[x : x + len(run)] = [style] * len(run)
                x += len(segment.text)
            else:
                x = self._put_wide(x, y, segment.text, style, end)
            if x >= end:
                break

    def _put_wide(self, x: int, y: int, run: str, style: str, end: int) -> int:
        text, sgr = self._wanted_text[y], self._wanted_sgr[y]
        for character in run:
            size = get_character_cell_size(character)
            if size == 0:
                continue  # nothing that combines reaches the terminal (tui.widgets.paint)
            if x + size > end:
                return end
            self._part_wide(y, x, x + size)
            text[x], sgr[x] = character, style
            if size == 2:
                text[x + 1], sgr[x + 1] = "", style
            x += size
        return x

    def _part_wide(self, y: int, start: int, end: int) -> None:
        """A double-width character that is half overwritten leaves a blank, as it does in a terminal."""
        text = self._wanted_text[y]
        if start < self.width and text[start] == "" and start > 0:
            text[start - 1] = " "
        if end < self.width and text[end] == "":
            text[end] = " "

    def changes(self) -> str:
        """The shortest text we know that makes the terminal show what it should; empty when it does."""
        out: list[str] = []
        pen = ""
        if not self._cleared:
            out.append(CLEAR)
            self._cleared = True
            self._shown_text = [[" "] * self.width for _ in range(self.height)]
            self._shown_sgr = [[""] * self.width for _ in range(self.height)]
        at: tuple[int, int] | None = None
        for y in sorted(self._dirty):
            for start, end in self._runs(y):
                out.append(_move(at, (start, y)))
                pen = self._send(out, y, start, end, pen)
                # In the last column the terminal's cursor waits in place: where it is, is not certain.
                at = (end, y) if end < self.width else None
        self._dirty.clear()
        if pen:
            out.append(RESET)
        return "".join(out)

    def _runs(self, y: int) -> list[tuple[int, int]]:
        """The spans of row y that differ, joined over small gaps, never cutting a wide character."""
        text, sgr = self._wanted_text[y], self._wanted_sgr[y]
        old_text, old_sgr = self._shown_text[y], self._shown_sgr[y]
        if text == old_text and sgr == old_sgr:
            return []
        runs: list[list[int]] = []
        for x in range(self.width):
            if text[x] == old_text[x] and sgr[x] == old_sgr[x]:
                continue
            if runs and x - runs[-1][1] <= GAP:
                runs[-1][1] = x + 1
            else:
                runs.append([x, x + 1])
        return [(self._whole_start(y, start), self._whole_end(y, end)) for start, end in runs]

    def _whole_start(self, y: int, x: int) -> int:
        return x - 1 if x > 0 and self._wanted_text[y][x] == "" else x

    def _whole_end(self, y: int, x: int) -> int:
        return x + 1 if x < self.width and self._wanted_text[y][x] == "" else x

    def _send(self, out: list[str], y: int, start: int, end: int, pen: str) -> str:
        """Send the cells of row y from start to end; answers the pen (SGR) that the terminal then has."""
        text, sgr = self._wanted_text[y], self._wanted_sgr[y]
        x = start
        while x < end:
            style = sgr[x]
            until = x + 1
            while until < end and sgr[until] == style:
                until += 1
            out.append(_pen(pen, style))
            pen = style
            out.append(self._run(text[x:until], style, until == self.width))
            x = until
        self._shown_text[y][start:end] = text[start:end]
        self._shown_sgr[y][start:end] = sgr[start:end]
        return pen

    def _run(self, characters: list[str], style: str, to_the_edge: bool) -> str:
        """Characters of one style; many blanks are erased rather than sent."""
        run = "".join(characters)
        if len(run) < ERASED_FROM or not self._may_erase(style):
            return run
        if to_the_edge:
            kept = run.rstrip(" ")
            if len(run) - len(kept) >= ERASED_FROM:
                return _BLANKS.sub(_erased, kept) + "\x1b[K"
        return _BLANKS.sub(_erased, run)

    def _may_erase(self, style: str) -> bool:
        attributes, _, ground = _parts(style)
        return not attributes & _DECORATIONS and (self.erases_in_colour or not ground)


#: SGR codes that a blank shows: underline, blink, reverse, strike, overline.
_DECORATIONS = frozenset({"4", "5", "6", "7", "9", "21", "53"})
#: SGR codes that set a background.
_GROUNDS = frozenset({"48", *(str(code) for code in (*range(40, 48), *range(100, 108)))})
_BLANKS = re.compile(f" {{{ERASED_FROM},}}")


def _erased(blanks: re.Match[str]) -> str:
    """Erase (ECH) and go on behind it."""
    count = len(blanks[0])
    return f"\x1b[{count}X\x1b[{count}C"


def _pen(before: str, after: str) -> str:
    """The shortest change of the pen."""
    if before == after:
        return ""
    if not after:
        return RESET
    old, new = _parts(before), _parts(after)
    if not old[0] <= new[0] or (old[1] and not new[1]) or (old[2] and not new[2]):
        return f"\x1b[0;{after}m"
    codes = [*sorted(new[0] - old[0])]
    codes += [part for part, known in ((new[1], old[1]), (new[2], old[2])) if part != known]
    return f"\x1b[{';'.join(codes)}m" if codes else ""


@lru_cache(maxsize=1024)
def _parts(sgr: str) -> tuple[frozenset[str], str, str]:
    """Attributes, foreground and background of an SGR."""
    codes = iter(sgr.split(";")) if sgr else iter(())
    attributes: set[str] = set()
    fore = ground = ""
    for code in codes:
        colour = code
        if code in ("38", "48"):
            kind = next(codes, "")
            colour = ";".join([code, kind, *itertools.islice(codes, 3 if kind == "2" else 1)])
        if code in _GROUNDS or code == "49":
            ground = colour
        elif code in {"38", "39"} or 30 <= int(code) <= 37 or 90 <= int(code) <= 97:
            fore = colour
        else:
            attributes.add(code)
    return frozenset(attributes), fore, ground


def _sgr(style: Any, colors: ColorSystem) -> str:
    """The style as SGR codes; the terminal's own colours are none."""
    return _without_defaults(Strip.render_ansi(style, colors)) if style else ""


@lru_cache(maxsize=1024)
def _without_defaults(sgr: str) -> str:
    attributes, fore, ground = _parts(sgr)
    return ";".join([*sorted(attributes), *(part for part in (fore, ground) if part not in ("", "39", "49"))])


def _move(at: tuple[int, int] | None, to: tuple[int, int]) -> str:
    """The cheapest way to the cell ``to`` (x, y)."""
    x, y = to
    if at is not None and at[1] == y and x >= at[0]:
        return f"\x1b[{x - at[0]}C" if x > at[0] else ""
    return f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H"


def still_there(stdin: TextIO | None) -> bool:
    """Whether the terminal answers; one that hung up does not."""
    if stdin is None:
        return True
    try:
        termios.tcgetattr(stdin.fileno())
    except (termios.error, OSError, ValueError):
        return False
    return True


class Pace:
    """How many frames the terminal has not drawn yet. Times are seconds of a monotonic clock."""

    def __init__(self, window: int = WINDOW) -> None:
        self.window = window
        self.round_trip_s: float | None = None
        self._on_their_way: list[float] = []
        self._unanswered = 0

    @property
    def asks(self) -> bool:
        """Whether the terminal is (still) asked."""
        return self._unanswered < DEAF_AFTER

    def may_send(self, now: float) -> bool:
        """Whether another frame may go now."""
        overdue = [sent for sent in self._on_their_way if now - sent >= PATIENCE_S]
        if overdue:
            self._unanswered += len(overdue)
            self._on_their_way = self._on_their_way[len(overdue) :]
        return not self.asks or len(self._on_their_way) < self.window

    def sent(self, now: float) -> None:
        self._on_their_way.append(now)

    def answered(self, now: float) -> None:
        """The terminal said where its cursor is: the oldest frame is drawn."""
        self._unanswered = 0
        if self._on_their_way:
            took_s = now - self._on_their_way.pop(0)
            before = self.round_trip_s
            self.round_trip_s = took_s if before is None else 0.8 * before + 0.2 * took_s


class CellsDriver(LinuxDriver):
    """The stock driver of Linux and macOS that also hears the terminal's acknowledgements."""

    acknowledged: Callable[[], None] | None = None
    started: Callable[[], None] | None = None

    def process_message(self, message: Message) -> None:
        if isinstance(message, events.CursorPosition):
            # Called in the input thread.
            if self.acknowledged is not None:
                self._loop.call_soon_threadsafe(self.acknowledged)
            return
        super().process_message(message)

    def start_application_mode(self) -> None:
        if self.started is not None:
            self.started()
        super().start_application_mode()  # type: ignore[no-untyped-call]  # untyped in Textual


class LeanApp(App[int]):
    """An application that paints through Cells when its driver is a CellsDriver."""

    _cells: Cells | None = None
    _pace: Pace
    _frame_waits = False
    _wake: asyncio.TimerHandle | None = None

    def repaint_all(self) -> None:
        """Send every cell again: the terminal was cleared, resized or written to by somebody else."""
        if self._cells is not None:
            self._cells.forget()

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        driver = self._driver
        lean = isinstance(driver, CellsDriver) and isinstance(renderable, LayoutUpdate | ChopsUpdate)
        if not lean or self._batch_count or not self._running or self._closed:
            super()._display(screen, renderable)
            return
        assert isinstance(driver, CellsDriver)
        if driver.acknowledged is None:
            driver.acknowledged = self._acknowledged
            driver.started = self.repaint_all
            self._pace = Pace()
        width, height = self.size
        if self._cells is None or (self._cells.width, self._cells.height) != (width, height):
            self._cells = Cells(width, height, erases_in_colour=erases_in_colour())
        self._cells.apply(renderable, self.console._color_system or ColorSystem.TRUECOLOR)
        self._send_or_wait()
        self.post_display_hook()

    def _acknowledged(self) -> None:
        self._pace.answered(time.monotonic())
        if self._frame_waits:
            self._send_or_wait()

    def _send_or_wait(self) -> None:
        if self._pace.may_send(time.monotonic()):
            self._send_frame()
            return
        self._frame_waits = True
        if self._wake is None:
            self._wake = asyncio.get_running_loop().call_later(PATIENCE_S, self._woken)

    def _woken(self) -> None:
        self._wake = None
        if self._frame_waits:
            self._send_or_wait()

    def _send_frame(self) -> None:
        self._frame_waits = False
        assert self._cells is not None
        changes = self._cells.changes()
        if not changes or self._driver is None:
            return
        if self._pace.asks:
            # A report from row 1 reads like shift+F3 (ESC[1;2R): the cursor is parked below.
            changes += f"\x1b[2;1H{ASK_CURSOR}"
            self._pace.sent(time.monotonic())
        if self._sync_available:
            changes = f"{SYNC_START}{changes}{SYNC_END}"
        self._driver.write(changes)
        self._driver.flush()


def erases_in_colour() -> bool:
    """Whether the terminal's description says that it erases with the background of the pen (bce)."""
    import curses

    try:
        curses.setupterm(fd=1)
    except curses.error:
        return False
    return curses.tigetflag("bce") > 0


def wants_stock_driver(environ: Any = os.environ) -> bool:
    """Whether the environment asks for Textual's own way to the terminal."""
    return environ.get("CMS_STOCK_DRIVER", "") not in ("", "0")

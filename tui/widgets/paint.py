"""The one place where text meets the terminal: everything is made safe here and cut to whole cells.

Stations, drivers and partners supply text; no string ever becomes markup, and none can carry an escape
sequence, a bidirectional override or a combining mark onto the screen.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from typing import ClassVar

from rich.cells import cell_len, get_character_cell_size, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from cms.contract.safe import safe

Span = str | tuple[str, str]
"""A piece of a line: text, or (text, tone)."""
Line = tuple[Span, ...]
Tones = Callable[[str], Style]

TONES = frozenset({"good", "busy", "warn", "bad", "dim", "strong", "title", "cursor", "rest", "banner"})
LONGEST = 400
"""Characters of one piece of text that are looked at; no terminal shows more in a row."""


def clean(text: str, limit: int | None = LONGEST) -> str:
    """Safe text in which every character takes one or two cells."""
    text = safe(text, limit)
    if text.isascii():
        return text
    composed = unicodedata.normalize("NFC", text)
    return "".join(ch for ch in composed if get_character_cell_size(ch) > 0)


def fit(text: str, width: int, *, right: bool = False) -> str:
    """The text in exactly ``width`` cells, cut with ``…`` where it is longer."""
    if width <= 0:
        return ""
    text = clean(text)
    length = len(text) if text.isascii() else cell_len(text)
    if length > width:
        text, length = set_cell_size(text, width - 1) + "…", width
    blank = " " * (width - length)
    return blank + text if right else text + blank


def width_of(line: Iterable[Span]) -> int:
    """Cells that the line takes."""
    return sum(cell_len(clean(span if isinstance(span, str) else span[0])) for span in line)


def strip(line: Iterable[Span], width: int, tones: Tones, base: str = "rest") -> Strip:
    """Paint one line of exactly ``width`` cells; neighbours of the same tone become one run."""
    ground = tones(base)
    runs: list[tuple[str, Style]] = []
    left = width
    for span in line:
        text, tone = (span, "") if isinstance(span, str) else span
        text = clean(text)
        length = cell_len(text)
        if length > left:
            more = "…" if text[left:].strip() else ""
            text, length = set_cell_size(text, left - len(more)) + more, left
        style = ground + tones(tone) if tone else ground
        if runs and runs[-1][1] == style:
            runs[-1] = (runs[-1][0] + text, style)
        elif text:
            runs.append((text, style))
        left -= length
        if left <= 0:
            break
    if left > 0:
        runs.append((" " * left, ground))
    return Strip([Segment(text, style) for text, style in runs], width)


class Painted(Widget):
    """A widget that paints its own lines in the tones of the theme."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"tone--{tone}" for tone in TONES}

    _styles_of_tones: dict[str, Style]

    def tone(self, name: str) -> Style:
        """The style of a tone; ``rest`` is the widget's own."""
        known: dict[str, Style] | None = getattr(self, "_styles_of_tones", None)
        if known is None:
            known = self._styles_of_tones = {}
        if name not in known:
            if name == "rest":
                known[name] = self.rich_style
            elif name in TONES:
                known[name] = self.get_component_rich_style(f"tone--{name}", partial=True)
            else:
                known[name] = Style.null()
        return known[name]

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles_of_tones = {}

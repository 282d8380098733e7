"""A few lines of text of which only the changed ones are painted again."""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Region, Size
from textual.strip import Strip

from tui.widgets.paint import Line, Painted, strip


class Lines(Painted):
    """Shows lines; its height is their number unless the style sheet says otherwise."""

    DEFAULT_CSS = "Lines { height: auto; width: 1fr; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.lines: tuple[Line, ...] = ()
        self.top = 0

    def show(self, lines: Sequence[Line]) -> None:
        """Show these lines instead."""
        before, self.lines = self.lines, tuple(lines)
        if len(before) != len(self.lines):
            self.refresh(layout=True)
            return
        for y, (old, new) in enumerate(zip(before, self.lines, strict=True)):
            if old != new:
                self.refresh(Region(0, y - self.top, self.size.width, 1))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.lines)

    def render_line(self, y: int) -> Strip:
        index = y + self.top
        line = self.lines[index] if index < len(self.lines) else ()
        return strip(line, self.size.width, self.tone)

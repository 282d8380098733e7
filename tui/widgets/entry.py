"""One line to type into at the bottom: a filter, a command, a token, a reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from cms.contract.safe import safe
from tui.widgets.lines import Lines


class Line(Input):
    """Textual's input line without a blinking cursor; tab completes."""

    BINDINGS = [  # noqa: RUF012  # Textual reads it as a class attribute
        ("tab", "complete", "complete"),
        ("up", "recall(-1)", "the line before"),
        ("down", "recall(1)", "the line after"),
    ]

    @property
    def _value(self) -> Text:
        """What is painted, character for character: a station's own value stands here before it is changed."""
        return Text(safe(self.value), no_wrap=True, overflow="ignore", end="")

    def action_complete(self) -> None:
        parent = self.parent
        assert isinstance(parent, Entry)
        parent.complete()

    def action_recall(self, by: int) -> None:
        parent = self.parent
        assert isinstance(parent, Entry)
        parent.recall(by)


class Entry(Horizontal):
    """Opens with a purpose; says what was typed when enter is pressed, and as it is typed."""

    class Said(Message):
        """Enter was pressed (``final``), or the text changed."""

        def __init__(self, purpose: str, text: str, *, final: bool) -> None:
            super().__init__()
            self.purpose = purpose
            self.text = text
            self.final = final

    def __init__(self) -> None:
        super().__init__()
        self.purpose = ""
        self._choices: Callable[[], Sequence[str]] = tuple
        self._past: Sequence[str] = ()
        self._recalled = 0
        """How many lines back one has gone."""
        self._completing = ("", -1)
        """What was typed when tab was pressed first, and which of its matches stands here."""

    def compose(self) -> ComposeResult:
        yield Lines(classes="prompt")
        line = Line(compact=True, select_on_focus=False)
        line.cursor_blink = False
        yield line

    @property
    def is_open(self) -> bool:
        return self.has_class("-open")

    def open(
        self,
        purpose: str,
        prompt: str,
        text: str = "",
        choices: Callable[[], Sequence[str]] = tuple,
        past: Sequence[str] = (),
    ) -> None:
        """Ask for a line; ``choices`` are what tab completes to, ``past`` the lines that up brings back."""
        self.purpose = purpose
        self._choices = choices
        self._past, self._recalled = past, 0
        self._completing = ("", -1)
        label = self.query_one(Lines)
        label.styles.width = len(prompt) + 2
        label.show([((f" {prompt} ", "busy"),)])
        line = self.query_one(Line)
        with line.prevent(Input.Changed):
            line.value = text
        line.cursor_position = len(text)
        self.add_class("-open")
        line.focus()

    def close(self) -> None:
        self.purpose = ""
        self.remove_class("-open")

    def matches(self) -> list[str]:
        """The choices that begin with what is typed, then those that contain it, without case: tab goes through."""
        return self._matching(self.query_one(Line).value)

    def _matching(self, text: str) -> list[str]:
        typed = text.casefold()
        choices = self._choices()
        first = [choice for choice in choices if choice.casefold().startswith(typed)]
        return first + [c for c in choices if typed and typed in c.casefold() and c not in first]

    def complete(self) -> None:
        line = self.query_one(Line)
        typed, place = self._completing
        if place < 0 or line.value != self._matching(typed)[place]:
            typed, place = line.value, -1
        found = self._matching(typed)
        if found:
            self._completing = (typed, (place + 1) % len(found))
            self._write(found[self._completing[1]])

    def recall(self, by: int) -> None:
        """A line that was typed before; below the last stands an empty one."""
        back = max(0, min(self._recalled - by, len(self._past)))
        if back != self._recalled:
            self._recalled = back
            self._write(self._past[-back] if back else "")

    def _write(self, text: str) -> None:
        line = self.query_one(Line)
        line.value = text
        line.cursor_position = len(text)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.purpose:
            self.post_message(self.Said(self.purpose, event.value, final=False))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        purpose = self.purpose
        self.close()
        self.post_message(self.Said(purpose, event.value, final=True))

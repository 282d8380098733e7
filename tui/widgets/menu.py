"""A list to choose from above the message line: picked by a letter, by moving, or by typing a part of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from textual import events
from textual.message import Message
from textual.strip import Strip

from tui.widgets.lines import Lines
from tui.widgets.paint import Line, Span, clean, fit, strip

MOST = 10
"""Rows that are seen at once, where the terminal has room."""
LEAST = 3
KEPT_FREE = 9
"""Rows of the terminal that the place keeps."""
KEY = 3
"""Columns of the key; a longer one stands at the right."""
PASSED_ON = ("ctrl+q", "ctrl+c", "ctrl+l")


@dataclass(frozen=True, slots=True)
class Choice:
    """One row: what it is, the key that picks it, and what stands at its right. ``on`` marks what holds now."""

    label: str
    key: str = ""
    note: str = ""
    on: bool = False
    value: Any = None


Found = Callable[[str], Sequence[Choice]]


class Menu(Lines, can_focus=True):
    """Nothing is dimmed and nothing moves: its rows take the place of the lowest rows of the list."""

    class Picked(Message):
        """A choice was made. ``how``: enter, or the letter that was pressed beside it."""

        def __init__(self, purpose: str, choice: Choice | None, how: str) -> None:
            super().__init__()
            self.purpose = purpose
            self.choice = choice
            self.how = how

    class Looked(Message):
        """Another choice is under the cursor, or none."""

        def __init__(self, purpose: str, choice: Choice | None) -> None:
            super().__init__()
            self.purpose = purpose
            self.choice = choice

    class Left(Message):
        """It was closed without a choice."""

    def __init__(self) -> None:
        super().__init__()
        self.purpose = ""
        self.title = ""
        self.hint = ""
        self.typed = ""
        self.cursor = 0
        self.first = 0
        self.choices: Sequence[Choice] = ()
        self.detail: tuple[str, str] = ("", "")
        self._find: Found | None = None
        self._letters = ""

    @property
    def is_open(self) -> bool:
        return self.has_class("-open")

    @property
    def choice(self) -> Choice | None:
        """What stands under the cursor."""
        return self.choices[self.cursor] if self.cursor < len(self.choices) else None

    def open(
        self,
        purpose: str,
        title: str,
        choices: Sequence[Choice] = (),
        *,
        find: Found | None = None,
        hint: str = "enter picks · esc closes",
        letters: str = "",
    ) -> None:
        """Show choices; with ``find`` they are looked for as one types. ``letters`` do something with a row."""
        self.purpose, self.title, self.hint = purpose, title, hint
        self._find, self._letters = find, letters
        self.typed = ""
        self.detail = ("", "")
        self._choose(find("") if find else choices)
        self.cursor = next((index for index, choice in enumerate(self.choices) if choice.on and not find), 0)
        self.add_class("-open")
        self._lay_out()
        self.focus()

    def close(self) -> None:
        self.remove_class("-open")
        self.purpose = ""
        self.choices = ()
        self.show(())

    def replace(self, choices: Sequence[Choice]) -> None:
        """Other rows; the cursor stays on its line."""
        place = self.cursor
        self._choose(choices)
        self.cursor = max(0, min(place, len(choices) - 1))
        self._lay_out()

    def explain(self, text: str, tone: str = "dim") -> None:
        """What is said of the choice under the cursor."""
        if (text, tone) != self.detail:
            self.detail = (text, tone)
            self._lay_out()

    def _choose(self, choices: Sequence[Choice]) -> None:
        self.choices = choices
        self.cursor = self.first = 0

    # ---- keys

    def on_key(self, event: events.Key) -> None:
        """Every key is the menu's own while it is open."""
        if not self.is_open or event.key in PASSED_ON:
            return
        event.stop()
        event.prevent_default()
        if event.key == "escape":
            self._leave()
        elif event.key in _MOVES:
            self._move(_MOVES[event.key])
        elif event.key == "enter":
            self._pick("enter")
        elif self._find is not None:
            self._type(event)
        else:
            self._press(event.character or "")

    def on_paste(self, event: events.Paste) -> None:
        if self.is_open and self._find is not None:
            event.stop()
            self._look_for(self.typed + clean(event.text))

    def on_click(self, event: events.Click) -> None:
        place = self.first + event.y - 1
        if self.is_open and 1 <= event.y <= self._rows and place < len(self.choices):
            self.cursor = place
            self._pick("enter")

    def _press(self, letter: str) -> None:
        """A letter of a menu: that of a row, one of what can be done with a row, or a way to move."""
        mine = next((index for index, choice in enumerate(self.choices) if choice.key == letter), None)
        if mine is not None:
            self.cursor = mine
            self._pick("enter")
        elif letter and letter in self._letters:
            self._pick(letter)
        elif letter in ("j", "k"):
            self._move(1 if letter == "j" else -1)
        elif letter == "q":
            self._leave()

    def _type(self, event: events.Key) -> None:
        if event.key == "backspace":
            if self.typed:
                self._look_for(self.typed[:-1])
            else:
                self._leave()
        elif event.key == "ctrl+u":
            self._look_for("")
        elif event.key == "ctrl+y":
            self._pick("copy")
        elif event.key == "tab" and self.choice is not None:
            self._look_for(self.choice.label)
        elif event.is_printable and event.character:
            self._look_for(self.typed + event.character)

    def _look_for(self, typed: str) -> None:
        assert self._find is not None
        self.typed = typed
        self._choose(self._find(typed))
        self.detail = ("", "")
        self._lay_out()
        self.post_message(self.Looked(self.purpose, self.choice))

    def _move(self, by: int) -> None:
        self.cursor = max(0, min(self.cursor + by, len(self.choices) - 1))
        self.detail = ("", "")
        self._lay_out()
        self.post_message(self.Looked(self.purpose, self.choice))

    def _pick(self, how: str) -> None:
        self.post_message(self.Picked(self.purpose, self.choice, how))

    def _leave(self) -> None:
        self.close()
        self.post_message(self.Left())

    # ---- painting

    @property
    def _rows(self) -> int:
        """How many choices are seen; it does not change while one types, so that nothing else moves."""
        room = max(LEAST, min(MOST, self.screen.size.height - KEPT_FREE))
        return room if self._find is not None else min(room, max(1, len(self.choices)))

    def on_resize(self) -> None:
        if self.is_open:
            self._lay_out()

    def _lay_out(self) -> None:
        width, rows = self.screen.size.width, self._rows
        self.first = max(min(self.first, self.cursor), self.cursor - rows + 1)
        prompt: list[Span] = [("── ", "dim"), (self.title, "strong")]
        if self._find is not None:
            prompt += [(" > ", "busy"), (f"{self.typed}▏", "")]
        more = len(self.choices) - self.first - rows
        prompt.append((f"  {len(self.choices)} found, {more} below" if more > 0 else " ──", "dim"))
        lines: list[Line] = [tuple(prompt)]
        for place in range(self.first, self.first + rows):
            lines.append(self._row(place, width))
        text, tone = self.detail
        lines.append(((f" {text}", tone),) if text else ((f" {self.hint}", "dim"),))
        self.show(lines)
        self.styles.height = len(lines)

    def _row(self, place: int, width: int) -> Line:
        if place >= len(self.choices):
            return (("  nothing is called so", "dim"),) if place == 0 else ()
        choice = self.choices[place]
        here = place == self.cursor
        mark: Span = ("▌", "busy") if here else " "
        short = len(choice.key) < KEY
        key: Span = (fit(choice.key if short else "", KEY), "busy")
        on = "* " if choice.on else "  " if any(c.on for c in self.choices) else ""
        note = clean(choice.note if short else f"{choice.note} {choice.key}")
        label = fit(on + choice.label, max(8, width - KEY - 4 - len(note)))
        return (mark, key, (label, "strong" if here else ""), (f" {note}", "dim"))

    def render_line(self, y: int) -> Strip:
        line = self.lines[y] if y < len(self.lines) else ()
        return strip(line, self.size.width, self.tone)


_MOVES = {
    "down": 1,
    "up": -1,
    "ctrl+n": 1,
    "ctrl+p": -1,
    "pagedown": 5,
    "pageup": -5,
    "ctrl+d": 5,
    "home": -100_000,
    "end": 100_000,
}

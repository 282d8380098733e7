"""A console as one would write it at first: python -m tests.security.naive. The harness must catch it."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static

from tests.security.strings import OBEYED


class Naive(App[int]):
    """Shows what stations supplied in widgets as they are; without markup, or it would not even start."""

    def compose(self) -> ComposeResult:
        yield Static("naive")
        for text in OBEYED:
            yield Static(text, markup=False)


if __name__ == "__main__":
    Naive().run()

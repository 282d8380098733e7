"""What is copied, and how a terminal behind tmux gets it (OSC 52)."""

from __future__ import annotations

import base64
from typing import Any

from textual.screen import Screen

from tui.screens.page import Page
from tui.screens.paper import Paper
from tui.screens.place import Place
from tui.screens.usage import Usage


def worth_copying(place: Screen[Any], last_cli: str) -> tuple[str, str]:
    """The text and what to call it: a paper, the CLI line of the last order, or the id under the cursor."""
    if isinstance(place, Paper):
        return "\n".join(place.text), "the text"
    if isinstance(place, Usage):
        return place.sheet()[1], "the figures"
    if isinstance(place, Page) and (taken := place.copied()) is not None:
        return taken
    if last_cli:
        return last_cli, last_cli
    target = place.target() if isinstance(place, Place) else None
    found = (target.session or target.station) if target else ""
    return found, found


def through_tmux(text: str) -> str:
    """The sequence that tmux passes on to the terminal's clipboard."""
    encoded = base64.b64encode(text.encode()).decode()
    return f"\x1bPtmux;\x1b\x1b]52;c;{encoded}\a\x1b\\"

"""What is copied, and how a terminal behind tmux gets it or screen gets it (OSC 52)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from textual.screen import Screen

from tui.screens.paper import Paper
from tui.screens.place import Place

SCREEN_TAKES = 256
"""Characters of a sequence that screen passes on at once."""


def worth_copying(place: Screen[Any], last_cli: str) -> tuple[str, str]:
    """The text and what to call it: a paper, the CLI line of the last order, or the id under the cursor."""
    if isinstance(place, Paper):
        return "\n".join(place.text), "the text"
    if (sheet := getattr(place, "sheet", None)) is not None:  # of usage, which is imported when it is opened
        return sheet()[1], "the figures"
    if (copied := getattr(place, "copied", None)) is not None and (taken := copied()) is not None:
        text, what = taken
        return text, what
    if last_cli:
        return last_cli, last_cli
    target = place.target() if isinstance(place, Place) else None
    found = (target.session or target.station) if target else ""
    return found, found


def sequence(text: str, environ: Mapping[str, str]) -> str:
    """What puts the text into the terminal's clipboard, also from within tmux and screen."""
    encoded = base64.b64encode(text.encode()).decode()
    return passed_on(f"\x1b]52;c;{encoded}\a", environ)


def passed_on(told: str, environ: Mapping[str, str]) -> str:
    """A sequence as tmux and screen pass it on to the terminal; screen takes it in pieces."""
    if "TMUX" in environ:
        return "\x1bPtmux;" + told.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    if environ.get("TERM", "").startswith("screen") and "STY" in environ:
        pieces = (told[at : at + SCREEN_TAKES] for at in range(0, len(told), SCREEN_TAKES))
        return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
    return told

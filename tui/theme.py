"""Colours: one dark theme, and one of the terminal's own sixteen colours for terminals without more."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from textual.theme import BUILTIN_THEMES, Theme

STYLE_SHEET = Path(__file__).with_name("console.tcss")

DARK = Theme(
    name="cms-dark",
    primary="#5aa9e6",
    secondary="#7fd1c7",
    warning="#e8b04a",
    error="#f2665f",
    success="#74c476",
    accent="#5aa9e6",
    foreground="#cfd6dd",
    background="#10151a",
    surface="#10151a",
    panel="#1b232b",
    dark=True,
    variables={
        "cursor-ground": "#24435f",
        "cursor-text": "#ffffff",
        "title-ground": "#1b232b",
        "title-text": "#93a1ae",
        "quiet": "#7d8a96",
        "alarm-ground": "#7a2320",
        "alarm-text": "#ffffff",
    },
)

SIXTEEN = Theme(
    name="cms-16",
    ansi=True,
    primary="ansi_cyan",
    secondary="ansi_cyan",
    warning="ansi_yellow",
    error="ansi_bright_red",
    success="ansi_green",
    accent="ansi_cyan",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    dark=True,
    variables={
        **BUILTIN_THEMES["ansi-dark"].variables,
        "cursor-ground": "ansi_blue",
        "cursor-text": "ansi_bright_white",
        "title-ground": "ansi_default",
        "title-text": "ansi_bright_black",
        "quiet": "ansi_bright_black",
        "alarm-ground": "ansi_red",
        "alarm-text": "ansi_bright_white",
    },
)

THEMES = (DARK, SIXTEEN)


def fitting(environ: Mapping[str, str]) -> Theme:
    """The theme for this terminal: full colour where it says that it has it and no line is in between."""
    full = environ.get("COLORTERM", "").lower() in ("truecolor", "24bit")
    return DARK if full and "SSH_CONNECTION" not in environ else SIXTEEN

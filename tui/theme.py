"""Colours: dark, light, one that tells apart what red-green blind eyes cannot, and one of the terminal's own sixteen.

``~/.config/cms/theme.toml`` changes them by the names of the tones:

    theme = "safe"            # dark, light, safe or 16

    [colours]
    good = "#74c476"          # good busy warn bad dim text ground cursor cursor-text title title-text alarm alarm-text
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

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

LIGHT = Theme(
    name="cms-light",
    primary="#0b5fa5",
    secondary="#0b6e63",
    warning="#8a5a00",
    error="#b3261e",
    success="#1b6e20",
    accent="#0b5fa5",
    foreground="#1b2227",
    background="#fbfbf8",
    surface="#fbfbf8",
    panel="#e8ebee",
    dark=False,
    variables={
        "cursor-ground": "#cfe3f5",
        "cursor-text": "#000000",
        "title-ground": "#e8ebee",
        "title-text": "#4a5660",
        "quiet": "#66727c",
        "alarm-ground": "#b3261e",
        "alarm-text": "#ffffff",
    },
)

#: Colours that stay apart for eyes that do not tell red from green (Okabe and Ito 2008).
SAFE = replace(
    DARK,
    name="cms-safe",
    primary="#56b4e9",
    secondary="#56b4e9",
    accent="#56b4e9",
    success="#2fb899",
    warning="#f0e442",
    error="#ff8c1a",
    variables={**DARK.variables, "alarm-ground": "#8a5a00"},
)

THEMES = (DARK, LIGHT, SAFE, SIXTEEN)
NAMES = {"dark": DARK, "light": LIGHT, "safe": SAFE, "16": SIXTEEN}

_FIELDS = {"good": "success", "busy": "primary", "warn": "warning", "bad": "error", "text": "foreground"}
_VARIABLES = {
    "dim": "quiet",
    "cursor": "cursor-ground",
    "cursor-text": "cursor-text",
    "title": "title-ground",
    "title-text": "title-text",
    "alarm": "alarm-ground",
    "alarm-text": "alarm-text",
}
_GROUND = ("background", "surface")


def fitting(environ: Mapping[str, str]) -> Theme:
    """The theme for this terminal: full colour where it says that it has it and no line is in between."""
    full = environ.get("COLORTERM", "").lower() in ("truecolor", "24bit")
    return DARK if full and "SSH_CONNECTION" not in environ else SIXTEEN


def chosen(name: str, path: Path, environ: Mapping[str, str]) -> tuple[Theme, list[str]]:
    """The theme that is asked for by name, or by the user's file, or that fits; and what could not be done."""
    told, faults = _read(path)
    wanted = name or str(told.get("theme", ""))
    if wanted and wanted not in NAMES:
        faults.append(f"no theme is called {wanted}: there are {', '.join(NAMES)}")
    base = NAMES.get(wanted) or fitting(environ)
    colours = told.get("colours", told.get("colors", {}))
    if not colours or name:
        return base, faults
    return coloured(base, colours, faults), faults


def coloured(base: Theme, colours: Mapping[str, Any], faults: list[str]) -> Theme:
    """The theme with some tones in other colours."""
    from textual.color import Color, ColorParseError

    fields: dict[str, Any] = {}
    variables = dict(base.variables)
    for tone, colour in colours.items():
        try:
            Color.parse(str(colour))
        except ColorParseError:
            faults.append(f"theme.toml: {colour} is no colour ({tone})")
            continue
        if tone in _FIELDS:
            fields[_FIELDS[tone]] = str(colour)
        elif tone == "ground":
            fields.update(dict.fromkeys(_GROUND, str(colour)))
        elif tone in _VARIABLES:
            variables[_VARIABLES[tone]] = str(colour)
        else:
            faults.append(f"theme.toml: no tone is called {tone}")
    return replace(base, name="cms-own", variables=variables, **fields)


def _read(path: Path) -> tuple[dict[str, Any], list[str]]:
    try:
        return tomllib.loads(path.read_text()), []
    except FileNotFoundError:
        return {}, []
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return {}, [f"{path}: {error}"]

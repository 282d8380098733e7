"""A user's own keys: ``~/.config/cms/keys.toml`` over the key table.

    preset = "vim"                # default, vim, k9s or phone

    [keys]
    reset = "ctrl+r"              # by the word of the : line
    "act('stop')" = "X,ctrl+x"    # or by the action
    pause = ""                    # no key at all

What cannot be meant is told and left out; the rest holds.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from textual.keys import KEY_NAME_REPLACEMENTS, _character_to_key

from tui.keys import KEYS, Key

PRESETS: dict[str, dict[str, str]] = {
    "default": {},
    "vim": {
        "messages": "f",
        "open": "enter,l",
        "back": "escape,q,h",
        "page(1)": "ctrl+d,ctrl+f,pagedown",
        "page(-1)": "ctrl+u,ctrl+b,pageup",
        "step(-1)": "left_square_bracket,ctrl+o",
        "last": "minus,grave_accent",
    },
    "k9s": {
        "books": "b,ctrl+a",
        "mark_range": "V,ctrl+@",
        "mark_none": "u,ctrl+backslash",
        "columns": "o,ctrl+w",
        "export": "e,ctrl+s",
        "picture": "ctrl+t",
        "reread": "r,ctrl+r",
        "reconnect": "",
    },
    "phone": {
        "page(1)": "J,ctrl+d,pagedown",
        "page(-1)": "K,ctrl+u,pageup",
        "quit": "Q,ctrl+q",
        "picture": "percent_sign,ctrl+s",
        "reconnect": "at,ctrl+r",
        "repaint": "equals_sign,ctrl+l",
    },
}
_NAME = re.compile(r"(?:(?:ctrl|shift|alt)\+)*(?:[a-z0-9_]+|[A-Za-z]|@)")


@dataclass(frozen=True, slots=True)
class Keymap:
    """The key table with a user's keys in it, and what could not be done."""

    rows: tuple[Key, ...] = KEYS
    faults: tuple[str, ...] = ()
    preset: str = "default"


def keys_file(environ: Mapping[str, str]) -> Path:
    """Where a user's keys stand."""
    return config_folder(environ) / "keys.toml"


def config_folder(environ: Mapping[str, str]) -> Path:
    base = environ.get("XDG_CONFIG_HOME") or Path(environ.get("HOME", "~")).expanduser() / ".config"
    return Path(base) / "cms"


def read(environ: Mapping[str, str] = os.environ) -> Keymap:
    """The user's keys, or those of the table where there is no file."""
    path = keys_file(environ)
    try:
        told = tomllib.loads(path.read_text())
    except FileNotFoundError:
        return Keymap()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return Keymap(faults=(f"{path}: {error}; the default keys hold",))
    return made(told, path.name)


def made(told: Mapping[str, Any], called: str = "keys.toml") -> Keymap:
    """The table with a preset and own keys in it. An own key is taken from whatever had it in the same place."""
    faults: list[str] = []
    preset = str(told.get("preset", "default"))
    if preset not in PRESETS:
        faults.append(f"{called}: no preset is called {preset}: there are {', '.join(PRESETS)}")
    own = told.get("keys", {})
    if not isinstance(own, Mapping):
        faults.append(f"{called}: [keys] is a table of ACTION = KEYS")
        own = {}
    wishes = {**PRESETS.get(preset, {}), **{str(name): value for name, value in own.items()}}
    rows = list(KEYS)
    wished: dict[str, list[str]] = {}
    for name, value in wishes.items():
        actions = {key.action for key in KEYS if name in (key.action, key.word)}
        names, bad = _names(value)
        if not actions:
            faults.append(f"{called}: there is no action {name}")
        elif bad:
            faults.append(f"{called}: {name}: {', '.join(bad)} is no key")
        else:
            wished.update(dict.fromkeys(actions, names))
    rows = [_rebound(key, wished[key.action]) if key.action in wished else key for key in rows]
    rows, lost = _without_conflicts(rows, wished)
    return Keymap(tuple(rows), tuple(faults + [f"{called}: {line}" for line in lost]), preset)


def _rebound(key: Key, names: Sequence[str]) -> Key:
    return replace(key, keys=",".join(names), shown=" ".join(map(shown, names[:2])) or f":{key.word}")


def _without_conflicts(rows: list[Key], wished: Mapping[str, Sequence[str]]) -> tuple[list[Key], list[str]]:
    """A wished key is taken from the other rows that would hear it in the same place; told where they have no other."""
    lost: list[str] = []
    for index, key in enumerate(rows):
        if key.action in wished:
            for name in list(key.names):
                rival = next((r for r in rows[:index] if r.action in wished and _clash(r, key, name)), None)
                if rival is not None:
                    lost.append(
                        f"{shown(name)} is wished for both {rival.action} and {key.action}: the first has it"
                    )
                    key = _rebound(key, [n for n in key.names if n != name])  # noqa: PLW2901
            rows[index] = key
            continue
        taken = [n for n in key.names for w in rows if w.action in wished and _clash(w, key, n)]
        if taken:
            left = [name for name in key.names if name not in taken]
            rows[index] = _rebound(key, left)
            if not left:
                lost.append(f"{' '.join(map(shown, taken))} is taken from {key.help}, which has no key now")
    return rows, lost


def _clash(one: Key, other: Key, name: str) -> bool:
    """Whether both would hear the key in one place; what names its places wins over what works anywhere."""
    if one.action == other.action or name not in one.names or name not in other.names:
        return False
    same = bool(set(one.where) & set(other.where)) or (not one.where and not other.where)
    table = ("table" in one.where) != ("table" in other.where)
    return same or table


def _names(value: object) -> tuple[list[str], list[str]]:
    """Textual's names of the keys that were written, and those that are none."""
    parts = value if isinstance(value, list) else str(value).split(",") if value != "," else [","]
    written = [str(part).strip() or str(part) for part in parts if str(part)]
    names = [_named(part) for part in written]
    return names, [part for part, name in zip(written, names, strict=True) if not _NAME.fullmatch(name)]


def _named(written: str) -> str:
    """``:`` is Textual's ``colon``; names are taken as they are."""
    if len(written) == 1 and not written.isalnum():
        return _character_to_key(written)
    return KEY_NAME_REPLACEMENTS.get(written, written)


_SIGNS = {
    "slash": "/", "colon": ":", "semicolon": ";", "apostrophe": "'", "minus": "-", "question_mark": "?",
    "asterisk": "*", "left_square_bracket": "[", "right_square_bracket": "]",
    "exclamation_mark": "!", "ampersand": "&", "escape": "esc",
    "equals_sign": "=", "percent_sign": "%", "at": "@", "grave_accent": "`", "down": "↓", "up": "↑",
}  # fmt: skip


def shown(name: str) -> str:
    """A key as people write it."""
    if name.startswith("ctrl+"):
        rest = name.removeprefix("ctrl+")
        return f"^{_SIGNS.get(rest, rest.upper() if len(rest) == 1 else rest)}"
    return _SIGNS.get(name, name)


def as_markdown(keymap: Keymap) -> list[str]:
    """The keys that hold, as tables."""
    lines = [f"# Keys (preset {keymap.preset})"]
    for group in dict.fromkeys(key.group for key in keymap.rows):
        lines += [
            "",
            f"## {group.capitalize()}",
            "",
            "| key | does | where | word |",
            "| --- | --- | --- | --- |",
        ]
        for key in keymap.rows:
            if key.group == group:
                where = "lists" if "table" in key.where else ", ".join(key.where) or "anywhere"
                lines.append(
                    f"| `{key.shown}` | {key.help} | {where} | {f'`:{key.word}`' if key.word else ''} |"
                )
    return lines

"""Values in scenarios: what ``$...`` stands for when we say it, and what it accepts when we hear it.

Said and heard: ``$A`` (the identity of station A), ``$name`` and ``$name.path.0.to`` (captured before),
``$int:n`` and ``$str:n`` (captured at first sight, made up when said first), ``$now``, ``$now-4h``, ``$now+90s``
(counted from the scenario's start), ``$clock`` (this moment), ``$times:5000:y`` (a text 5000 times),
``$lower:name`` (the same in small letters),
``{$many:2000: x}`` (a list of 2000 times x, with ``$index`` in it).
Heard only: ``$any``, ``$absent``, ``$re:...``, ``$has:...``, ``$not:...``, ``$gt:0``, ``$ge:0``, ``$lt:9``,
``$count:3`` (a list's length), ``A|B`` (one of these texts).
A mapping whose keys are v16, v2, v201 or v21 stands for the value of the version that is run.
"""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

#: Version -> the keys that mean it, the most exact first.
VARIANTS: Final = {"1.6": ("v16",), "2.0.1": ("v201", "v2"), "2.1": ("v21", "v2")}
_ALL_VARIANTS: Final = frozenset(key for keys in VARIANTS.values() for key in keys)

#: What a value that this version has not stands for; the member that has it is left out.
ABSENT: Final = object()

#: How far a time that we computed may be from one that came.
TOLERANCE: Final = timedelta(seconds=5)

_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_TIME: Final = re.compile(r"(now|clock)(?:([+-])(\d+(?:\.\d+)?)(ms|[smhd]))?$")
_WORD: Final = re.compile(
    r"\$\$|\$((?:int|str):\w+|lower:\w+(?:\.\w+)*|times:\d+:.|(?:now|clock)(?:[+-]\d+(?:\.\d+)?(?:ms|[smhd])\b)?|\w+(?:\.\w+)*)"
)
_MANY: Final = re.compile(r"\$many:(\d+)")
_COUNTED: Final = re.compile(r"(\$(?:now|clock)[+-])\{(\w+)\}")
_NAMED: Final = re.compile(r"(\$(?:int|str):\w*)\$(\w+)")
#: Names of fixtures in a scenario's text; each scenario has its own. With its number it is no name any more.
FIXTURE: Final = re.compile(r"\b(?:TAG_[A-Z0-9]+|GRP\d|EMAID_[A-Z]+|PIN_\d+)\b(?!-)")


class Mistaken(Exception):
    """The scenario itself is wrong: one sentence."""


def chosen(value: Any, version: str) -> Any:
    """The value as this version has it, all the way down; ABSENT when it has none."""
    if isinstance(value, list):
        return [item for inner in value if (item := chosen(inner, version)) is not ABSENT]
    if not isinstance(value, dict):
        return value
    if value and value.keys() <= _ALL_VARIANTS:
        key = next((key for key in VARIANTS[version] if key in value), None)
        return ABSENT if key is None else chosen(value[key], version)
    members = {name: chosen(inner, version) for name, inner in value.items()}
    return {name: inner for name, inner in members.items() if inner is not ABSENT}


def wire_time(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, as stations write it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


class Scope:
    """What one run of a scenario knows: version, start, captured names."""

    def __init__(self, version: str, suffix: str) -> None:
        self.version = version
        self.suffix = suffix
        self.started = datetime.now(UTC)
        self.names: dict[str, Any] = {}
        self._random = random.Random(suffix)
        self._counts: dict[str, int] = {}

    def count(self, what: str) -> int:
        """0, 1, 2 ... for each thing that is counted."""
        self._counts[what] = self._counts.get(what, -1) + 1
        return self._counts[what]

    # what we say

    def fill(self, value: Any) -> Any:
        """The value as it is said: names filled in."""
        if isinstance(value, dict):
            if (many := _MANY.fullmatch(next(iter(value), ""))) and len(value) == 1:
                return [self._one_of_many(index, value[many[0]]) for index in range(int(many[1]))]
            return {self.text(str(key)): self.fill(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        return self._said(value) if isinstance(value, str) else value

    def _one_of_many(self, index: int, value: Any) -> Any:
        self.names["index"] = index
        return self.fill(value)

    def text(self, value: str) -> str:
        """A text with everything in it filled in."""
        said = self._said(value)
        return said if isinstance(said, str) else json.dumps(said, default=str)

    def _said(self, value: str) -> Any:
        value = FIXTURE.sub(lambda match: match[0] + self.suffix, value)
        value = self._names_in_names(value)
        whole = _WORD.fullmatch(value)
        if whole and value != "$$":
            return self._stands_for(whole[1])
        return _WORD.sub(lambda match: "$" if match[0] == "$$" else str(self._stands_for(match[1])), value)

    def _names_in_names(self, value: str) -> str:
        """``$now-{index}s`` and ``$int:id_$it``: a name within what another name is."""
        value = _COUNTED.sub(lambda match: f"{match[1]}{self.look_up(match[2])}", value)
        return _NAMED.sub(lambda match: f"{match[1]}{self.look_up(match[2])}", value)

    def _stands_for(self, word: str) -> Any:
        if moment := self._moment(word):
            return wire_time(moment)
        kind, _, rest = word.partition(":")
        if kind == "times":
            count, _, text = rest.partition(":")
            return text * int(count)
        if kind == "lower":
            return str(self.look_up(rest)).lower()
        if kind in ("int", "str"):
            return self.names.setdefault(rest, self._made_up(kind))
        return self.look_up(word)

    def _made_up(self, kind: str) -> int | str:
        number = self._random.randrange(1, 2**31)
        return number if kind == "int" else f"x{number:x}"

    def look_up(self, path: str) -> Any:
        """A captured name, or a place within what it captured: ``answer.idTagInfo.status``."""
        name, *steps = path.split(".")
        if name not in self.names:
            raise Mistaken(f"${name} is not known here; known: {', '.join(sorted(self.names))}")
        found = self.names[name]
        for step in steps:
            try:
                found = found[int(step)] if isinstance(found, list) else found[step]
            except (KeyError, IndexError, ValueError, TypeError):
                raise Mistaken(f"${path}: there is no {step!r} in {found!r}") from None
        return found

    def _moment(self, word: str) -> datetime | None:
        match = _TIME.match(word)
        if match is None:
            return None
        base = self.started if match[1] == "now" else datetime.now(UTC)
        if match[2] is None:
            return base
        distance = timedelta(seconds=float(match[3]) * _UNITS[match[4]])
        return base + distance if match[2] == "+" else base - distance

    # what we hear

    def differences(self, expected: Any, heard: Any, place: str = "") -> list[str]:
        """Where what was heard is not what was expected; empty when it is."""
        if expected == "$any":
            return []
        if isinstance(expected, dict):
            return self._members(expected, heard, place)
        if isinstance(expected, list):
            return self._elements(expected, heard, place)
        if isinstance(expected, str):
            return self._text(expected, heard, place)
        return [] if _same(expected, heard) else [_unlike(place, expected, heard)]

    def _members(self, expected: dict[str, Any], heard: Any, place: str) -> list[str]:
        if not isinstance(heard, dict):
            return [_unlike(place, "an object", heard)]
        found = []
        for name, wanted in expected.items():
            key, inner = self.text(str(name)), f"{place}.{name}".lstrip(".")
            if wanted == "$absent":
                found += [f"{inner} is there: {shown(heard[key])}"] if key in heard else []
            elif key not in heard:
                found.append(f"{inner} is missing")
            else:
                found += self.differences(wanted, heard[key], inner)
        return found

    def _elements(self, expected: list[Any], heard: Any, place: str) -> list[str]:
        """Every listed element, in this order; others may stand between them. ``[]`` is no element at all."""
        if not isinstance(heard, list):
            return [_unlike(place, "a list", heard)]
        if not expected:
            return [_unlike(place, [], heard)] if heard else []
        rest = iter(enumerate(heard))
        for number, wanted in enumerate(expected):
            unlike: list[list[str]] = []
            for index, item in rest:
                kept = dict(self.names)
                differing = self.differences(wanted, item, f"{place}[{index}]")
                if not differing:
                    break
                self.names = kept
                unlike.append(differing)
            else:
                candidates: list[list[str]] = unlike or [["nothing is left"]]
                fewest: list[str] = min(candidates, key=len)
                nearest = "; ".join(fewest)
                return [f"{place or 'the list'} lacks element {number}: {shown(wanted)} ({nearest})"]
        return []

    def _text(self, expected: str, heard: Any, place: str) -> list[str]:
        expected = self._names_in_names(expected)
        kind, _, rest = expected.removeprefix("$").partition(":")
        if expected.startswith("$") and kind in _HEARD:
            argument = self.fill(rest)
            return [] if _HEARD[kind](argument, heard) else [_unlike(place, expected, heard)]
        if expected.startswith(("$int:", "$str:")) and rest not in self.names:
            fits = isinstance(heard, int if kind == "int" else str) and not isinstance(heard, bool)
            self.names[rest] = heard
            return [] if fits else [_unlike(place, kind, heard)]
        if moment := self._moment(expected.removeprefix("$")) if expected.startswith("$") else None:
            return _time_differs(moment, heard, place)
        wanted = self.fill(expected)
        if not isinstance(wanted, str):
            return self.differences(wanted, heard, place)
        choices = wanted.split("|") if "|" in wanted else [wanted]
        return (
            []
            if any(_same(choice, heard) for choice in (*choices, wanted))
            else [_unlike(place, wanted, heard)]
        )


def _same(expected: Any, heard: Any) -> bool:
    """JSON's equality: true is not 1, and 1 is 1.0."""
    if isinstance(expected, bool) or isinstance(heard, bool):
        return expected is heard
    if isinstance(expected, int | float) and isinstance(heard, int | float | Decimal):
        return Decimal(str(expected)) == Decimal(str(heard))
    return bool(expected == heard)


def _time_differs(expected: datetime, heard: Any, place: str) -> list[str]:
    try:
        moment = datetime.fromisoformat(heard)
        near = abs(moment - expected) <= TOLERANCE
    except (TypeError, ValueError):
        return [_unlike(place, f"a time near {wire_time(expected)}", heard)]
    return [] if near else [_unlike(place, f"near {wire_time(expected)}", heard)]


def _number(heard: Any) -> float:
    try:
        return float(heard)
    except (TypeError, ValueError):
        return math.nan  # not comparable with anything


_HEARD: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "re": lambda pattern, heard: (
        re.search(pattern, heard if isinstance(heard, str) else shown(heard)) is not None
    ),
    "has": lambda text, heard: str(text) in (heard if isinstance(heard, str) else shown(heard)),
    "not": lambda text, heard: str(text) != (heard if isinstance(heard, str) else shown(heard)),
    "gt": lambda limit, heard: _number(heard) > _number(limit),
    "ge": lambda limit, heard: _number(heard) >= _number(limit),
    "lt": lambda limit, heard: _number(heard) < _number(limit),
    "count": lambda count, heard: isinstance(heard, list) and len(heard) == int(count),
}


def shown(value: Any, limit: int = 400) -> str:
    """A value for a report, as JSON, cut where it is long."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"


def _unlike(place: str, expected: Any, heard: Any) -> str:
    return f"{place or 'it'} is {shown(heard)}, expected {shown(expected)}"

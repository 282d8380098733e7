"""One setting of a station: a 1.6 configuration key or a 2.x variable."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

BOTH = ("2.0.1", "2.1")


def _is_decimal(value: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", value) is not None


#: What a value must look like; kinds are named as in VariableCharacteristics (2.x), ``text`` is string.
LOOKS: dict[str, Callable[[str], bool]] = {
    "int": str.isdigit,
    "bool": lambda value: value.lower() in ("true", "false"),
    "decimal": _is_decimal,
    "text": lambda value: len(value) <= 500,
    "option": lambda value: len(value) <= 500,
    "members": lambda value: len(value) <= 500,
    "sequence": lambda value: len(value) <= 500,
}
DATA_TYPES = {
    "int": "integer",
    "bool": "boolean",
    "decimal": "decimal",
    "text": "string",
    "option": "OptionList",
    "members": "MemberList",
    "sequence": "SequenceList",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """``access``: rw, r or w (a secret). ``kind`` and the limits decide which values are taken.

    ``allowed`` are the words of an option or a list. ``monitored``: monitors may watch it.
    """

    value: str
    access: str = "rw"
    kind: str = "text"
    reboot: bool = False
    unit: str | None = None
    low: float | None = None
    high: float | None = None
    allowed: tuple[str, ...] = ()
    monitored: bool = False
    versions: tuple[str, ...] = BOTH

    def takes(self, value: str) -> bool:
        if not LOOKS[self.kind](value):
            return False
        if self.kind in ("int", "decimal"):
            low = float("-inf") if self.low is None else self.low
            return low <= float(value) <= (float("inf") if self.high is None else self.high)
        if not self.allowed:
            return True
        words = (
            [value] if self.kind == "option" else [word.strip() for word in value.split(",") if word.strip()]
        )
        return all(word in self.allowed for word in words)

"""Forgetting somebody: what names him is replaced by an alias, wherever it stands, and everything else stays.

A word is *distinctive* when it can mean nothing else (a card's number): it is replaced within texts too. Another one
(``ada``, ``7``) is replaced only where a field says that it is a token or a driver, or where it is all there is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from cms.domain.personal import BY_NAME

#: Columns that hold a token, or one among other words.
_COLUMNS = ("sessions.token", "sessions.token_key", "sessions.stop_token", "deliveries.key")
#: How aliases begin.
ERASED = "erased-"
_NAMED = frozenset({*BY_NAME, "driver", "drivers", "entries", "prepaid", *_COLUMNS})
_PARTS = re.compile(r"([|/\n])")
_SHORTEST = 6
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


def distinctive(word: str, common: Iterable[str] = ()) -> bool:
    """``common`` are names of other things, without case: a card that is called like a station is not distinctive."""
    long = len(word) >= _SHORTEST and any(c.isdigit() or c in "@ " for c in word)
    return long and word.casefold() not in common


class Aliases:
    """Word -> alias. Words compare without case."""

    def __init__(self, aliases: Mapping[str, str], common: Iterable[str] = ()) -> None:
        self._aliases = {word.casefold(): alias for word, alias in aliases.items()}
        self._spellings = frozenset(aliases)
        names = frozenset(common)
        self.distinctive = frozenset(word for word in self._aliases if distinctive(word, names))
        self._within = _pattern(self.distinctive)

    def __bool__(self) -> bool:
        return bool(self._aliases)

    @property
    def needles(self) -> frozenset[str]:
        """What to look for, as it is spelled and without case."""
        return self._spellings | self._aliases.keys()

    def column(self, name: str, text: str) -> str:
        """The text of a column: JSON, or as it is."""
        if text[:1] in "{[":
            try:
                value = _decode(text)
            except (msgspec.MsgspecError, RecursionError, ValueError, ArithmeticError):
                return self.text(name, text)
            after = self.value(value, name)
            return text if after == value else _encode(after).decode()
        return self.text(name, text)

    def value(self, value: Any, name: str = "") -> Any:
        """The same JSON with aliases; ``name`` is that of the field it stands in."""
        match value:
            case str():
                return self.text(name, value)
            case list() | tuple():
                return [self.value(item, name) for item in value]
            case dict():
                return {self.text(name, key): self.value(item, key) for key, item in value.items()}
        return value

    def text(self, name: str, text: str) -> str:
        """One text, which stands in a field of this name."""
        if name in _NAMED or text.casefold() in self.distinctive:
            text = "".join(self._aliases.get(part.casefold(), part) for part in _PARTS.split(text))
        if self._within is None:
            return text
        return self._within.sub(lambda found: self._aliases[found[0].casefold()], text)


def _pattern(words: frozenset[str]) -> re.Pattern[str] | None:
    if not words:
        return None
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)

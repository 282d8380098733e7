"""JSON objects out of a file of any length, one after the other: an array, JSON lines, or ACN-Data's ``_items``."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

from cms.contract.refusals import Invalid

_CHUNK = 65_536
#: A session with a day of readings every second is smaller.
_LARGEST = 32 * 1024 * 1024
_BLANK = re.compile(r"[\s,]*")
_ITEMS = re.compile(r'"_items"\s*:\s*\[')


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


_decoder = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_number)


def is_json(path: Path) -> bool:
    """Whether the file begins as JSON does."""
    with path.open("rb") as file:
        return file.read(_CHUNK).removeprefix(codecs.BOM_UTF8).lstrip()[:1] in (b"{", b"[")


def text_of(value: Any) -> str:
    """A value as the text that a sheet would have; empty for null."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case Decimal():
            return format(value, "f")
        case str():
            return value
    return json.dumps(value, default=text_of)


def records(path: Path) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """(Line it begins in, bytes read so far, object) of every object."""
    with path.open("rb") as file:
        yield from _Text(file).objects()


class _Text:
    """A window on the text: what is not taken yet, and in which line it begins."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._text = ""
        self._line = 1
        self._read = 0
        self._over = False

    def objects(self) -> Iterator[tuple[int, int, dict[str, Any]]]:
        array = self._begin()
        while True:
            self._skip()
            if not self._text:
                if array:
                    raise Invalid(f"line {self._line} of the file: its list has no end", "is the file whole?")
                return
            if array and self._text[0] == "]":
                return
            line, value = self._line, self._next()
            if not isinstance(value, dict):
                raise Invalid(f"line {line} of the file is no JSON object")
            yield line, self._read, value

    def _begin(self) -> bool:
        """Go to the first object; whether they stand in an array."""
        self._more()
        self._skip()
        items = _ITEMS.search(self._text)
        if self._text[:1] == "{" and items is not None and _outermost(self._text[: items.start()]):
            self._take(items.end())
            return True
        if self._text[:1] == "[":
            self._take(1)
            return True
        return False

    def _next(self) -> Any:
        wanted = _CHUNK
        while True:
            try:
                value, end = _decoder.raw_decode(self._text)
            except RecursionError:
                raise Invalid(f"line {self._line} of the file is nested too deeply") from None
            except ValueError as error:
                if self._over or len(self._text) > _LARGEST:
                    raise Invalid(f"line {self._line} of the file is no JSON: {error}") from None
                # What is whole is found at once; of what is not, twice as much is waited for each time.
                self._more(wanted)
                wanted *= 2
                continue
            self._take(end)
            return value

    def _skip(self) -> None:
        while True:
            blank = _BLANK.match(self._text)
            self._take(blank.end() if blank else 0)
            if self._text or self._over:
                return
            self._more()

    def _take(self, end: int) -> None:
        self._line += self._text.count("\n", 0, end)
        self._text = self._text[end:]

    def _more(self, size: int = _CHUNK) -> None:
        chunk = self._file.read(size)
        self._read += len(chunk)
        self._over = not chunk
        try:
            self._text += self._decode(chunk, self._over)
        except UnicodeDecodeError:
            raise Invalid(f"the file is not UTF-8 after line {self._line}", "save it as UTF-8") from None


def _outermost(before: str) -> bool:
    """Whether what follows is a member of the outermost object."""
    return before.count("{") - before.count("}") == 1

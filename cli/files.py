"""What commands read from files and from stdin, and write to files."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from cms.contract.refusals import Invalid


def text_of(file: str | Path) -> str:
    """The text (UTF-8) in a file, or on stdin for ``-``."""
    try:
        return sys.stdin.read() if str(file) == "-" else Path(file).read_text("utf-8")
    except OSError as error:
        raise Invalid(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Invalid(f"{file} cannot be read: it is not text in UTF-8") from None


@contextmanager
def written(file: Path) -> Iterator[BinaryIO]:
    """The file, open for bytes."""
    try:
        with file.open("wb") as target:
            yield target
    except OSError as error:
        raise Invalid(f"{file} cannot be written: {error.strerror}") from None


def json_object(text: str, subject: str, example: str) -> dict[str, Any]:
    """The JSON object in an argument, or on stdin for ``-``; ``subject`` is told of it: ``the payload is``."""
    try:
        value = json.loads(sys.stdin.read() if text == "-" else text)
    except ValueError as error:
        raise Invalid(f"{subject} not JSON: {error}") from None
    if not isinstance(value, dict):
        raise Invalid(f"{subject} a JSON object, e.g. '{example}'")
    return value

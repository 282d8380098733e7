"""YAML that people write by hand, as a tree that remembers its lines.

Scalars stay as they were written: ``22:00`` is no sexagesimal number, ``no`` no truth, ``0.49`` no float. What
serves attacks more than people (anchors, aliases, tags, deep nesting) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from cms.contract.refusals import Invalid
from cms.domain.record import record


class Word(str):
    """Text that is written without quotes, whatever it looks like: ``yes``."""

    __slots__ = ()


#: Characters of a text, and levels of nesting.
LONGEST = 32 * 1024
_DEEPEST = 12


@record
class Node:
    """A value and the line (from 1) where it begins: text, a list or a mapping; None: nothing was written."""

    value: str | list[Node] | dict[str, Node] | None
    line: int

    @property
    def text(self) -> str | None:
        return self.value if isinstance(self.value, str) else None


def read(text: str) -> Node:
    """The one document that a text holds. Raises Invalid, naming the line."""
    import yaml

    if len(text) > LONGEST:
        raise Invalid(f"the text is longer than {LONGEST // 1024} KiB")
    try:
        root = _loader()(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        ended = "stream end" in (error.problem or "")
        mark = error.context_mark if ended and error.context_mark else error.problem_mark
        where = f"line {mark.line + 1}: " if mark is not None else ""
        raise Invalid(f"{where}this is no YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise Invalid(
            f"this is no YAML: {str(error).splitlines()[0][:200] if str(error) else 'too deep'}"
        ) from None
    if root is None:
        raise Invalid("there is nothing in it")
    return _node(root)


def write(value: Mapping[str, Any], depth: int = 0) -> Iterator[str]:
    """Lines of block YAML; lists of mappings a line each, what is small in flow style."""
    pad = "  " * depth
    for key, item in value.items():
        if isinstance(item, list) and any(isinstance(below, dict) for below in item):
            yield f"{pad}{flow(key)}:"
            yield from (f"{pad}  - {flow(below)}" for below in item)
        elif isinstance(item, dict) and any(
            isinstance(part, dict) for below in item.values() for part in _parts(below)
        ):
            yield f"{pad}{flow(key)}:"
            yield from write(item, depth + 1)
        else:
            yield f"{pad}{flow(key)}: {flow(item)}"


def _parts(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def flow(value: Any) -> str:
    """A value on one line."""
    match value:
        case dict():
            return "{" + ", ".join(f"{flow(key)}: {flow(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(flow, value)) + "]"
        case Decimal():
            return f"{value:f}"
        case Word():
            return str(value)
        case str():
            return _quoted(value)
    return str(value)


_MEASURE = re.compile(r"\d+ [a-zA-Z]+", re.ASCII)
#: What a reader could take for something else than text.
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


def _quoted(text: str) -> str:
    """Plain where that is plainly the same text, else in double quotes."""
    plain = text.isascii() and text[:1].isalpha() and all(sign.isalnum() or sign in " ._/-%" for sign in text)
    if _MEASURE.fullmatch(text) or (plain and text == text.strip() and text.casefold() not in _WORDS):
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(sign: str) -> str:
    if sign in '"\\':
        return f"\\{sign}"
    return sign if sign.isprintable() else f"\\U{ord(sign):08x}"


def _node(root: Any) -> Node:
    line = root.start_mark.line + 1
    match root.id:
        case "scalar":
            plain_null = root.style is None and root.value.casefold() in ("", "~", "null")
            return Node(None if plain_null else root.value, line)
        case "sequence":
            return Node([_node(item) for item in root.value], line)
    found: dict[str, Node] = {}
    for key, value in root.value:
        if key.id != "scalar":
            raise Invalid(f"line {key.start_mark.line + 1}: a key must be a word")
        if key.value in found:
            raise Invalid(f"line {key.start_mark.line + 1}: {key.value[:40]!r} is said twice")
        found[key.value] = Node(_node(value).value, key.start_mark.line + 1)
    return Node(found, line)


@cache
def _loader() -> Any:
    """A loader of PyYAML that composes nodes and makes nothing of them."""
    import yaml

    class Plain(yaml.SafeLoader):
        depth = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            event: Any = self.peek_event()  # type: ignore[no-untyped-call]
            line = event.start_mark.line + 1
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise Invalid(f"line {line}: anchors and aliases are not read here")
            if getattr(event, "tag", None):
                raise Invalid(f"line {line}: tags are not read here")
            self.depth += 1
            if self.depth > _DEEPEST:
                raise Invalid(f"line {line}: it is nested too deeply")
            try:
                return super().compose_node(parent, index)
            finally:
                self.depth -= 1

    return Plain

"""YAML that people write by hand, as a tree that remembers its lines.

Scalars stay as they were written: ``22:00`` is no sexagesimal number, ``no`` no truth, ``0.49`` no float. What
serves attacks more than people (anchors, aliases, tags, deep nesting) is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from cms.contract.refusals import Invalid
from cms.domain.record import record

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
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}: " if mark is not None else ""
        raise Invalid(f"{where}this is no YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise Invalid(
            f"this is no YAML: {str(error).splitlines()[0][:200] if str(error) else 'too deep'}"
        ) from None
    if root is None:
        raise Invalid("there is nothing in it")
    return _node(root)


def write(value: Any, depth: int = 0) -> Iterator[str]:
    """Block YAML of text, numbers, lists and mappings; lists of plain values and mappings in lists in flow style."""
    pad = "  " * depth
    for key, item in value.items():
        match item:
            case dict() if any(isinstance(below, dict | list) for below in item.values()):
                yield f"{pad}{key}:"
                yield from write(item, depth + 1)
            case list() if any(isinstance(below, dict) for below in item):
                yield f"{pad}{key}:"
                yield from (f"{pad}  - {_flow(below)}" for below in item)
            case _:
                yield f"{pad}{key}: {_flow(item)}"


def _flow(value: Any) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(_flow, value)) + "]"
        case str():
            return _quoted(value)
    return str(value)


def _quoted(text: str) -> str:
    """Plain where that is plainly the same text, else as JSON has it, which YAML contains."""
    import json

    plain = text.isascii() and text[:1].isalnum() and all(sign.isalnum() or sign in " ._/-" for sign in text)
    words = {"null", "true", "false", "yes", "no", "on", "off"}
    if plain and text == text.strip() and text.casefold() not in words:
        return text
    return json.dumps(text)


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

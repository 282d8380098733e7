"""The filter language, the same in the TUI, the CLI and the API.

``site~berlin and (status=faulted or power_w>50000) and not model=terra*``

* ``key=value`` equal without case, ``*`` and ``?`` as wildcards; ``!=`` not equal; ``key~text`` contains;
  ``<`` ``>`` ``<=`` ``>=`` compare numbers, instants (ISO 8601) or text.
* ``null``, ``true`` and ``false`` are themselves; quotes (``'`` or ``"``) take any text literally.
* A key is dotted (``connectors.status``); lists match when one of their items does. A key that the object
  itself does not have is looked for in its parts, so ``status=faulted`` finds a station by its connector.
* Bare words are searched everywhere. ``and`` binds stronger than ``or`` and may be left out.

Errors are Invalid and name the column, counted from 1.
"""

from __future__ import annotations

import dataclasses
import difflib
import fnmatch
import operator
import re
import typing
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from cms.contract.refusals import Invalid

Predicate = Callable[[Any], bool]
"""Takes a JSON-like mapping or a view (a dataclass)."""

_TOKENS = re.compile(
    r"""\s*(?:
        (?P<quoted>'[^']*'|"[^"]*")
      | (?P<operator>!=|<=|>=|=|~|<|>)
      | (?P<bracket>[()])
      | (?P<word>[^\s()=!~<>'"]+|!)
    )""",
    re.VERBOSE,
)
_ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
#: What people read as a word and a view holds as a yes or no.
_SHOWN = {"online": ("online", True), "offline": ("online", False)}
_LITERALS: dict[str, Any] = {"null": None, "true": True, "false": False}
_HINT = "e.g. site~berlin and (status=faulted or power_w>50000) and not model=terra*"


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    column: int


def parse(expression: str, known: Collection[str] | None = None) -> Predicate:
    """The predicate that the expression says; an empty one is always true.

    With ``known`` (see keys_of) a key that is not among them is Invalid rather than never true.
    """
    tokens = _tokens(expression)
    if not tokens:
        return lambda _: True
    return _Parser(tokens, len(expression) + 1, known).whole()


def keys_of(view: Any) -> frozenset[str]:
    """Every key of a view and of its parts, plain and dotted, e.g. ``connectors.status`` and ``status``.

    ``data.*`` stands for the keys of a field that may hold any.
    """
    return frozenset(_walk_keys(view, ""))


def _tokens(expression: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    end = len(expression.rstrip())
    while at < end:
        match = _TOKENS.match(expression, at)
        if match is None or match.lastgroup is None:
            column = at + len(expression[at:]) - len(expression[at:].lstrip()) + 1
            raise Invalid(f"Filter: the quote at column {column} is not closed", _HINT)
        tokens.append(_Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup) + 1))
        at = match.end()
    return tokens


class _Parser:
    """Recursive descent: or -> and -> not -> term."""

    def __init__(self, tokens: list[_Token], end: int, known: Collection[str] | None) -> None:
        self.tokens = tokens
        self.at = 0
        self.end = end
        self.known = known

    def whole(self) -> Predicate:
        predicate = self.either()
        if (extra := self.peek()) is not None:
            raise Invalid(f"Filter: {extra.text!r} at column {extra.column} is one too many", _HINT)
        return predicate

    def either(self) -> Predicate:
        parts = [self.both()]
        while self.take_word("or"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else lambda thing: any(part(thing) for part in parts)

    def both(self) -> Predicate:
        parts = [self.negated()]
        while self.take_word("and") or self.more():
            parts.append(self.negated())
        return parts[0] if len(parts) == 1 else lambda thing: all(part(thing) for part in parts)

    def negated(self) -> Predicate:
        if self.take_word("not") or self.take("word", "!"):
            inner = self.negated()
            return lambda thing: not inner(thing)
        return self.term()

    def term(self) -> Predicate:
        if self.take("bracket", "("):
            inner = self.either()
            if not self.take("bracket", ")"):
                raise Invalid(f"Filter: a ')' is missing at column {self.column()}", _HINT)
            return inner
        token = self.peek()
        if token is None or token.kind not in ("word", "quoted") or _is_joint(token):
            raise Invalid(f"Filter: a word or a comparison is missing at column {self.column()}", _HINT)
        self.at += 1
        if token.kind == "word" and (sign := self.take("operator")):
            return self.comparison(token, sign)
        return _everywhere(_unquoted(token))

    def comparison(self, key: _Token, sign: _Token) -> Predicate:
        value = self.peek()
        adjacent = value is not None and value.kind in ("word", "quoted") and not _is_joint(value)
        if not adjacent:
            raise Invalid(f"Filter: {key.text}{sign.text} has no value at column {self.column()}", _HINT)
        assert value is not None
        self.at += 1
        self.check_known(key)
        test = _test(sign.text, _unquoted(value), literal=value.kind == "quoted")
        path = tuple(key.text.split("."))
        if sign.text == "!=":
            equal = _test("=", _unquoted(value), literal=value.kind == "quoted")
            return lambda thing: not any(equal(found) for found in _values(thing, path))
        return lambda thing: any(test(found) for found in _values(thing, path))

    def check_known(self, key: _Token) -> None:
        first = key.text.split(".")[0]
        if self.known is None or key.text in self.known or f"{first}.*" in self.known:
            return
        near = difflib.get_close_matches(key.text, self.known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"keys: {', '.join(sorted(self.known))}"
        raise Invalid(f"Filter: there is no key {key.text!r} (column {key.column})", hint)

    def peek(self) -> _Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def column(self) -> int:
        token = self.peek()
        return self.end if token is None else token.column

    def more(self) -> bool:
        """Whether another term follows without a word between."""
        token = self.peek()
        if token is None or token.text in (")",) or token.kind == "operator":
            return False
        return not (token.kind == "word" and token.text.lower() in ("or", "and"))

    def take(self, kind: str, text: str | None = None) -> _Token | None:
        token = self.peek()
        if token is None or token.kind != kind or (text is not None and token.text != text):
            return None
        self.at += 1
        return token

    def take_word(self, word: str) -> bool:
        token = self.peek()
        if token is None or token.kind != "word" or token.text.lower() != word:
            return False
        self.at += 1
        return True


def _is_joint(token: _Token) -> bool:
    return token.kind == "word" and token.text.lower() in ("and", "or")


def _unquoted(token: _Token) -> str:
    return token.text[1:-1] if token.kind == "quoted" else token.text


def _test(sign: str, wanted: str, *, literal: bool) -> Predicate:
    """What one found value must satisfy."""
    folded = wanted.casefold()
    if sign == "~":
        return lambda found: found is not None and folded in _text(found).casefold()
    if sign in _ORDERINGS:
        return _ordering(_ORDERINGS[sign], wanted)
    if not literal and folded in _LITERALS:
        expected = _LITERALS[folded]
        return lambda found: found is expected
    number = None if literal else _number(wanted)
    if number is not None:
        return lambda found: _number(found) == number or _text(found).casefold() == folded
    if not literal and ("*" in wanted or "?" in wanted):
        matches = re.compile(fnmatch.translate(folded.replace("[", "[[]"))).match
        return lambda found: found is not None and matches(_text(found).casefold()) is not None
    return lambda found: found is not None and _text(found).casefold() == folded


def _ordering(compare: Callable[[Any, Any], bool], wanted: str) -> Predicate:
    number, instant, folded = _number(wanted), _instant(wanted), wanted.casefold()

    def holds(found: Any) -> bool:
        if found is None or isinstance(found, bool):
            return False
        if number is not None:
            value = _number(found)
            return value is not None and compare(value, number)
        if instant is not None:
            at = _instant(found)
            return at is not None and compare(at, instant)
        return compare(_text(found).casefold(), folded)

    return holds


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None or isinstance(value, datetime):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _instant(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


def _fields(thing: Any) -> Iterator[tuple[str, Any]]:
    """Keys and values of a mapping or a view; nothing of anything else."""
    if isinstance(thing, Mapping):
        yield from thing.items()
    elif dataclasses.is_dataclass(thing):
        for name in thing.__dataclass_fields__:
            yield name, getattr(thing, name)


def _values(thing: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """What stands at the path; lists give each item; a first key that is not here is sought in the parts."""
    if not path:
        yield from _leaves(thing)
        return
    if isinstance(thing, list | tuple):
        for item in thing:
            yield from _values(item, path)
        return
    found = False
    parts = []
    for key, value in _fields(thing):
        if key == path[0]:
            found = True
            yield from _values(value, path[1:])
        elif isinstance(value, list | tuple | Mapping) or dataclasses.is_dataclass(value):
            parts.append(value)
    if not found:
        for part in parts:
            yield from _values(part, path)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
        return
    yield value


def _everywhere(word: str) -> Predicate:
    folded = word.casefold()
    if folded in _SHOWN:
        key, value = _SHOWN[folded]
        return lambda thing: any(found is value for found in _values(thing, (key,)))
    if "*" in folded or "?" in folded:
        matches = re.compile(fnmatch.translate(f"*{folded.replace('[', '[[]')}*")).match
        return lambda thing: any(matches(_text(value).casefold()) for value in _all_values(thing))
    return lambda thing: any(folded in _text(value).casefold() for value in _all_values(thing))


def _all_values(thing: Any) -> Iterator[Any]:
    if isinstance(thing, list | tuple):
        for item in thing:
            yield from _all_values(item)
    elif isinstance(thing, Mapping) or dataclasses.is_dataclass(thing):
        for _, value in _fields(thing):
            yield from _all_values(value)
    elif thing is not None:
        yield thing


def _walk_keys(view: Any, prefix: str) -> Iterator[str]:
    for name, kind in typing.get_type_hints(view).items():
        yield name
        yield prefix + name
        for part in (kind, *typing.get_args(kind)):
            if typing.get_origin(part) is dict:
                yield f"{prefix}{name}.*"
            if isinstance(part, type) and dataclasses.is_dataclass(part):
                yield from _walk_keys(part, f"{prefix}{name}.")

"""Tariffs as files: YAML as people write it, OCPI's JSON, and our own JSON; which it is shows in the text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from cms.contract.refusals import Invalid
from cms.contract.tariffs import Tariff
from cms.domain import ocpitariffs, tariffwriting, tariffyaml
from cms.domain.tariffs import check
from cms.domain.yamltext import LONGEST

#: How a tariff may be written.
FORMATS = ("yaml", "json", "ocpi-2.2.1", "ocpi-2.3.0")


def read(text: str, id: str | None = None) -> Tariff:
    """The tariff that a text describes, fit to price sessions; ``id`` precedes the one in it. Raises Invalid."""
    tariff = (
        _from_json(text, id) if text.lstrip()[:1] == "{" and _is_json(text) else tariffyaml.read(text, id)
    )
    check(tariff)
    return tariff


def _is_json(text: str) -> bool:
    """YAML in flow style begins with a brace too, and has words without quotes behind it."""
    return text.lstrip()[1:].lstrip()[:1] in ('"', "}")


def _from_json(text: str, id: str | None) -> Tariff:
    if len(text) > LONGEST:
        raise Invalid(f"the text is longer than {LONGEST // 1024} KiB")
    try:
        said = json.loads(text, parse_float=str, parse_int=str, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"this is no JSON: {str(error)[:200]}") from None
    if not isinstance(said, dict):
        raise Invalid("a tariff is a JSON object", 'e.g. {"currency": "EUR", "energy": {...}}')
    if "elements" in said:
        return ocpitariffs.read(said, id)
    return _own({**said, "id": id} if id is not None else said)


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number")


def _own(said: dict[str, Any]) -> Tariff:
    """Our own structure, as ``cms tariffs show -o json`` has it."""
    try:
        tariff = msgspec.convert(said, Tariff, strict=False)
    except (msgspec.ValidationError, RecursionError) as error:
        raise Invalid(f"this is no tariff: {error}") from None
    for stranger in _strangers(said, msgspec.to_builtins(tariff)):
        raise Invalid(f"this is no tariff: nothing in one is called {stranger!r}")
    return tariff


def _strangers(said: Any, known: Any) -> Iterator[str]:
    """Names in what was said that nobody read: a misspelt condition would be none."""
    match said, known:
        case dict(), dict():
            yield from (name[:40] for name in said if name not in known)
            for name in said.keys() & known.keys():
                yield from _strangers(said[name], known[name])
        case list(), list() | tuple():
            for one, other in zip(said, known, strict=False):
                yield from _strangers(one, other)


def write(tariff: Tariff, format: str, party: str, changed_at: datetime) -> str:
    """The tariff in one of FORMATS; ``party`` (``DE*ABC``) is whose it is in OCPI. Raises Invalid."""
    if format not in FORMATS:
        raise Invalid(f"a tariff is written as {', '.join(FORMATS)}, not {format[:20]!r}")
    if format == "yaml":
        return tariffwriting.write(tariff)
    kind, _, version = format.partition("-")
    said: Any = tariff if kind == "json" else ocpitariffs.write(tariff, party, changed_at, version)
    encoded = msgspec.json.Encoder(decimal_format="string" if kind == "json" else "number").encode(said)
    return msgspec.json.format(encoded, indent=2).decode() + "\n"

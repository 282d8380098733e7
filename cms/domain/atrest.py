"""Secrets that are kept because they are needed again: only encrypted, each for its own place (docs/secrets.md).

A field of a kept record whose type is ``Sealed`` holds one. Wherever such a field is, its key is renewed with the
others (operations.secrets), so that a new kind of record needs no more than the type.
"""

from __future__ import annotations

from typing import Any, NewType, get_type_hints

Sealed = NewType("Sealed", bytes)
"""What ``cms.keys.Keys.seal`` made of a secret."""


def sealed_fields(record: type[Any]) -> tuple[str, ...]:
    """Which fields of this type of record are sealed."""
    return tuple(name for name, hint in get_type_hints(record).items() if _holds(hint))


def _holds(hint: Any) -> bool:
    return hint is Sealed or Sealed in getattr(hint, "__args__", ())


def place(kind: str, station: str, key: str) -> tuple[str, str]:
    """Table and row of a kept record, as a seal is bound to them; ``station`` is empty for what belongs to none."""
    station = station.casefold()
    return f"kept.{kind}", f"{len(station)}|{station}|{key}"

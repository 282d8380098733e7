"""What one tariff says otherwise than another, in the words of their files."""

from __future__ import annotations

from collections.abc import Iterator

from cms.contract.tariffs import Tariff, TariffChange
from cms.domain import tariffwriting, yamltext

#: An id differs by itself.
_APART = frozenset({"id"})


def changes(before: Tariff, after: Tariff) -> tuple[TariffChange, ...]:
    """Key by key, in the order of a file; list by list, the prices that are new or gone alone."""
    return tuple(_changes(before, after))


def _changes(before: Tariff, after: Tariff) -> Iterator[TariffChange]:
    was, now = tariffwriting.said_of(before), tariffwriting.said_of(after)
    for key in dict.fromkeys((*now, *was)):
        if key in _APART or was.get(key) == now.get(key):
            continue
        old, new = was.get(key), now.get(key)
        if isinstance(old, list) and isinstance(new, list):
            kept = [item for item in old if item in new]
            same_order = kept == [item for item in new if item in old]
            if same_order:
                old, new = [x for x in old if x not in kept], [x for x in new if x not in kept]
        yield TariffChange(key, _shown(old), _shown(new))


def _shown(value: object) -> str | None:
    return None if value is None or value == [] else yamltext.flow(value)


def words(change: TariffChange) -> str:
    """``energy: 0.49 -> 0.55``."""
    return f"{change.key}: {change.before or 'nothing'} -> {change.after or 'nothing'}"

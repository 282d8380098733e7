"""``docs/ocpp.md``: what each version of OCPP calls a thing, made from the tables of the border.

``python -m tests.docs.ocpp`` writes it; a test fails when it is stale.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, get_type_hints

from cms.domain.orderbook import ORDERS
from cms.domain.orders import CallAction, SendText
from cms.ocpp.dialect import V16, V21, V201, Dialect
from tests.docs.places import HEARD, SAID

PAGE: Final = Path(__file__).parents[2] / "docs" / "ocpp.md"
DIALECTS: Final = (V16, V201, V21)
#: Orders that are OCPP already.
WORD_FOR_WORD: Final = (CallAction, SendText)

_HEAD = """# Our words and those of OCPP

One language inside, three versions outside: a version is two tables (`cms/ocpp/v16`, `cms/ocpp/v2`), and this page is
made of them (`python -m tests.docs.ocpp`). A dash means that the version has no such thing: the order is refused before
anything is sent, in one sentence that names the version. Any action of a version can also be sent word for word:
`cms ocpp call STATION ACTION JSON`.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_said(), "", *_heard(), ""])


def _said() -> list[str]:
    lines = ["## What we say to stations", "", *_table("Our word", "Command", "Console")]
    for name, order in ORDERS.items():
        if order in WORD_FOR_WORD:
            continue
        command, place = SAID[order.__name__]
        actions = [
            _joined(dialect.outgoing[order].actions) if order in dialect.outgoing else "–"
            for dialect in DIALECTS
        ]
        lines.append(_row(f"{order.__name__} (`{name}`)", *actions, f"`cms {command}`", place))
    return lines


def _heard() -> list[str]:
    words: dict[str, list[list[str]]] = defaultdict(lambda: [[], [], []])
    for column, dialect in enumerate(DIALECTS):
        for action in sorted(dialect.incoming):
            for word in observations(dialect, action):
                words[word][column].append(action)
    lines = ["## What stations say to us", "", *_table("Our word", "Command", "Console")]
    for word, columns in words.items():
        command, place = HEARD[word]
        lines.append(_row(word, *(_joined(c) or "–" for c in columns), f"`cms {command}`", place))
    return lines


def observations(dialect: Dialect, action: str) -> list[str]:
    """What the border makes of this action: the names of the records."""
    read: Callable[..., Any] = dialect.incoming[action].read
    while isinstance(read, functools.partial):
        read = read.func
    told = get_type_hints(read)["return"]
    return [kind.__name__ for kind in getattr(told, "__args__", None) or (told,)]


def _table(first: str, *rest: str) -> list[str]:
    heads = [first, *(f"OCPP {dialect.version}" for dialect in DIALECTS), *rest]
    return [_row(*heads), _row(*("---" for _ in heads))]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _joined(actions: Iterable[str]) -> str:
    return ", ".join(actions)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")

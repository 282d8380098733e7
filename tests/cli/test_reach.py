"""Every operation is reached: by a command of its own, and by `cms ask` whatever it is."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from cms.contract.routes import ROUTES
from cms.operations import OPERATIONS

_ROOT = Path(__file__).parents[2]

#: Permissions of those who are no operators and have faces of their own, and why no command asks what they ask.
OTHERS = {
    "payments.adhoc": "the pay page asks it for who stands at a station (docs/paypage.md)",
    "sessions.behalf": "an app asks it for its driver, with a token of its own (docs/sites.md)",
}


@cache
def named_in(folder: str) -> frozenset[str]:
    """Every name that the files of a folder use."""
    found = set()
    for file in (_ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            match node:
                case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
                    found.add(name)
    return frozenset(found)


def test_every_operation_has_a_command() -> None:
    left = {
        request.__name__: operation.permission
        for request, operation in OPERATIONS.items()
        if request.__name__ not in named_in("cli")
    }
    assert {name: may for name, may in left.items() if may not in OTHERS} == {}
    assert set(left.values()) == set(OTHERS)


def test_requests_are_called_by_one_name_alone() -> None:
    names = [request.__name__ for request in ROUTES]
    assert len(set(names)) == len(names)

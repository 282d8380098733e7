"""Every operation is reached: by a command of its own, and so from the console too."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from cms.contract.routes import ROUTES
from cms.operations import OPERATIONS
from tui.commanding import NOT_HERE

_ROOT = Path(__file__).parents[2]

#: Permissions of those who are no operators and have faces of their own, and why no command asks what they ask.
OTHERS = {
    "payments.adhoc": "the pay page asks it for who stands at a station (docs/paypage.md)",
    "sessions.behalf": "an app asks it for its driver, with a token of its own (docs/sites.md)",
}


@cache
def named_in(folder: str) -> frozenset[str]:
    """Every name that the files of a folder use."""
    files = (_ROOT / folder).rglob("*.py")
    return frozenset[str]().union(*(named_by(str(file.relative_to(_ROOT))) for file in files))


@cache
def named_by(file: str) -> frozenset[str]:
    """Every name that a file uses."""
    found = set()
    for node in ast.walk(ast.parse((_ROOT / file).read_text("utf-8"))):
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


def test_every_operation_is_reached_from_the_console() -> None:
    """``:cms`` runs any command there; those that it does not run must not be the only way to an operation."""
    here = {file.stem for file in (_ROOT / "cli").glob("*.py")} - NOT_HERE
    reached = frozenset[str]().union(*(named_by(f"cli/{noun}.py") for noun in here)) | named_in("tui")
    left = {r.__name__ for r, o in OPERATIONS.items() if o.permission not in OTHERS} - reached
    assert left == set()


def test_requests_are_called_by_one_name_alone() -> None:
    names = [request.__name__ for request in ROUTES]
    assert len(set(names)) == len(names)

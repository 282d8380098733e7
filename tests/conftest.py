"""What takes longest is begun first: with several workers none is left alone with it at the end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

#: Folders whose tests wait for processes, crashes and whole days, the slowest first.
SLOW = ("stories", "conformance")
_TESTS = Path(__file__).parent


def rank(path: str, patience_s: float = 0.0) -> tuple[float, int]:
    """Where in the line a test of this path (below tests/) stands; ``patience_s`` is a time limit of its own."""
    folder = path.partition("/")[0]
    return -patience_s, SLOW.index(folder) if folder in SLOW else len(SLOW)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that need a longer time limit, then slow folders; otherwise the order stays."""
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> tuple[float, int]:
    limit = item.get_closest_marker("timeout")
    return rank(item.path.relative_to(_TESTS).as_posix(), float(limit.args[0]) if limit else 0.0)


def pytest_xdist_auto_num_workers() -> int:
    """``-n auto``: half of the time a test waits for a process, a socket or a clock."""
    return (os.cpu_count() or 1) + 1

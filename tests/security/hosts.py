"""Fixtures to import: a daemon whose every text is an attack, and commands on terminals of their own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.security.commands import Teller, teller
from tests.security.terminals import hostile_daemon


@pytest.fixture(scope="session")
def hostile() -> Iterator[Path]:
    """The folder with the sockets ``answers`` and ``refuses``."""
    with tempfile.TemporaryDirectory(prefix="cms-") as folder, hostile_daemon(Path(folder)) as sockets:
        yield sockets


@pytest.fixture(scope="session")
def cms() -> Iterator[Teller]:
    with tempfile.TemporaryDirectory(prefix="cms-") as home, teller(home) as commands:
        yield commands

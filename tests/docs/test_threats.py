"""Every threat has its line, and every test that a line names is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINES = re.findall(
    r"^\| (T\d+) \|.*\|([^|]*)\|$", (ROOT / "docs/security-threats.md").read_text(), re.MULTILINE
)


def test_every_threat_has_its_line() -> None:
    assert [name for name, _ in LINES] == [f"T{number}" for number in range(1, 31)]


def test_every_test_that_is_named_is_there() -> None:
    named = {word for _, proof in LINES for word in re.findall(r"`([a-z_/]+)`", proof)}
    assert len(named) > 30
    for word in named - {"tls"}:
        found = any(
            (ROOT / place / f"{word}{end}").exists()
            for place in ("tests/security", "tests")
            for end in (".py", "")
        )
        assert found, word

"""The tariffs of docs/prices.md are read as they stand there, and nothing is odd about them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cms.domain import assignment, tarifflint, tariffyaml
from cms.domain.tarifffiles import read

PAGE = (Path(__file__).parents[2] / "docs" / "prices.md").read_text("utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS)
def test_what_the_page_shows_is_a_tariff_without_errors(block: str) -> None:
    assert [found for found in tarifflint.lint(read(block)) if found.level == "error"] == []


def test_the_page_has_every_key_and_every_condition() -> None:
    for word in (*tariffyaml.COMPONENTS, *tariffyaml.CONDITIONS, "after", "before", "elements"):
        assert f"`{word}`" in PAGE, word


def test_the_page_has_every_rule_of_lint_and_every_rung() -> None:
    source = Path(tarifflint.__file__).read_text("utf-8")
    for rule in set(re.findall(r'_(?:error|warning)\(\s*"([a-z-]+)"', source)):
        assert f"`{rule}`" in PAGE, rule
    assert len(re.findall(r"^\| \d+ \|", PAGE, re.MULTILINE)) == len(assignment.RUNGS)

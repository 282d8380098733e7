"""Nobody looks for a page that nothing leads to, and no link leads nowhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_PAGES = sorted((_ROOT / "docs").glob("*.md"))
_LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


def _leads_to(page: Path) -> set[Path]:
    links = _LINK.findall(page.read_text("utf-8"))
    return {(page.parent / link).resolve() for link in links if "://" not in link}


@pytest.mark.parametrize("page", [_ROOT / "README.md", *_PAGES], ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    assert [str(link) for link in _leads_to(page) if not link.exists()] == []


def test_every_page_is_found_from_the_first_one() -> None:
    found, ahead = set[Path](), {_ROOT / "README.md"}
    while ahead:
        page = ahead.pop()
        found.add(page)
        ahead |= {link for link in _leads_to(page) if link.suffix == ".md"} - found
    assert [page.name for page in _PAGES if page not in found] == []

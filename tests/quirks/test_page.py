"""The page about quirks says what the tables say."""

from __future__ import annotations

from tests.quirks.page import PAGE, page


def test_the_page_is_as_the_tables_have_it() -> None:
    assert PAGE.read_text() == page(), "write it anew: python -m tests.quirks.page"

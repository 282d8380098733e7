from __future__ import annotations

from tests.conformance.listing import PAGE, page


def test_the_page_of_scenarios_is_fresh() -> None:
    assert PAGE.read_text("utf-8") == page(), "write it again: python -m tests.conformance.listing"

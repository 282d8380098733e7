"""The page of the keys is made from the key table."""

from __future__ import annotations

from tests.docs.keys import PAGE, page


def test_the_page_of_the_keys_is_made_from_the_table() -> None:
    assert PAGE.read_text() == page(), "python -m tests.docs.keys writes it anew"

"""The page of settings says what the settings are."""

from __future__ import annotations

from tests.docs.settings import PAGE, page


def test_the_page_of_settings_is_what_the_settings_say() -> None:
    assert PAGE.read_text("utf-8") == page(), "stale: run `python -m tests.docs.settings`"

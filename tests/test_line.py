"""In which order the suite runs."""

from __future__ import annotations

from tests.conftest import rank


def test_the_longest_tests_are_begun_first() -> None:
    line = [
        rank("stories/test_crash.py", patience_s=600),
        rank("api/test_any_request.py", patience_s=300),
        rank("stories/test_orders.py"),
        rank("conformance/test_scenarios.py"),
        rank("api/test_app.py"),
    ]
    assert line == sorted(line)


def test_the_order_of_all_others_stays_as_it_was() -> None:
    assert rank("api/test_app.py") == rank("tui/test_keys.py") == rank("test_client.py")

"""The judge is judged: what scenarios expect is really compared."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.conformance.language import ABSENT, Mistaken, Scope, chosen, wire_time
from tests.conformance.scenario import FOLDER, read


@pytest.fixture
def scope() -> Scope:
    scope = Scope("2.0.1", "-1")
    scope.names.update(A="CS201-1", told={"list": [{"id": 5}]})
    return scope


FITS: list[tuple[Any, Any]] = [
    ({}, {"any": 1}),
    ({"a": 1}, {"a": 1, "b": 2}),
    ({"a": "$absent"}, {"b": 2}),
    ([{"a": 1}, {"a": 3}], [{"a": 1}, {"a": 2}, {"a": 3}]),
    ([], []),
    ("x|y", "y"),
    ("x|y", "x|y"),
    ("$any", None),
    ("$A", "CS201-1"),
    ("$told.list.0.id", 5),
    ("TAG_OK", "TAG_OK-1"),
    (16.1, Decimal("16.1")),
    (1, 1.0),
    ("$re:^a.c$", "abc"),
    ("$has:b", "abc"),
    ("$has:5", {"a": 5}),
    ("$not:x", "y"),
    ("$gt:0", 1),
    ("$ge:1", Decimal(1)),
    ("$count:2", [1, 2]),
    ("$str:new", "text"),
]


@pytest.mark.parametrize(("expected", "heard"), FITS)
def test_what_was_expected_fits(scope: Scope, expected: Any, heard: Any) -> None:
    assert scope.differences(expected, heard) == []


DIFFERS: list[tuple[Any, Any]] = [
    ({}, []),
    ({"a": 1}, {"a": 2}),
    ({"a": 1}, {"b": 1}),
    ({"a": "$any"}, {}),
    ({"a": "$absent"}, {"a": None}),
    ([{"a": 3}, {"a": 1}], [{"a": 1}, {"a": 3}]),
    ([{"a": 1}, {"a": 1}], [{"a": 1}]),
    ([], [1]),
    ("x|y", "z"),
    (True, 1),
    (1, True),
    (None, "null"),
    (16.1, Decimal("16.100000000000001")),
    ("5", 5),
    ("$A", "CS201-2"),
    ("TAG_OK", "TAG_OK"),
    ("$re:^a$", "abc"),
    ("$not:x", "x"),
    ("$gt:0", 0),
    ("$gt:0", None),
    ("$lt:5", "no number"),
    ("$count:2", [1]),
    ("$now", "garbage"),
    ("$int:new", "5"),
    ("$int:new", True),
]


@pytest.mark.parametrize(("expected", "heard"), DIFFERS)
def test_what_was_not_expected_differs(scope: Scope, expected: Any, heard: Any) -> None:
    assert scope.differences(expected, heard) != []


def test_a_time_is_near_and_not_somewhere_else(scope: Scope) -> None:
    now = datetime.now(UTC)
    assert scope.differences("$now-4h", wire_time(now - timedelta(hours=4))) == []
    assert scope.differences("$clock", wire_time(now)) == []
    assert scope.differences("$now-4h", wire_time(now)) != []


def test_a_captured_name_is_equal_afterwards(scope: Scope) -> None:
    assert scope.differences({"id": "$int:tx"}, {"id": 7}) == []
    assert scope.fill({"transactionId": "$tx", "text": "tx $int:tx"}) == {"transactionId": 7, "text": "tx 7"}
    assert scope.differences("$int:tx", 8) != []


def test_an_element_that_does_not_fit_captures_nothing(scope: Scope) -> None:
    assert (
        scope.differences([{"id": "$int:n", "kind": "b"}], [{"id": 1, "kind": "a"}, {"id": 2, "kind": "b"}])
        == []
    )
    assert scope.names["n"] == 2


def test_an_unknown_name_is_a_mistake_of_the_scenario(scope: Scope) -> None:
    with pytest.raises(Mistaken, match="nobody"):
        scope.fill("$nobody")


def test_each_version_has_its_own_values() -> None:
    told = {"a": {"v16": 1, "v2": 2}, "b": {"v16": 1}, "c": [{"v21": 1}, {"v2": 2, "v21": 3}]}
    assert chosen(told, "1.6") == {"a": 1, "b": 1, "c": []}
    assert chosen(told, "2.0.1") == {"a": 2, "c": [2]}
    assert chosen(told, "2.1") == {"a": 2, "c": [1, 3]}
    assert chosen({"v16": 1}, "2.1") is ABSENT


def test_a_mistake_in_one_file_is_told_and_hides_no_other(tmp_path: Any) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("area: X\nscenarios:\n- id: X-01\n  version: 1.7\n  title: T\n  steps: [quiet]\n")
    assert "version" in (read(broken).mistake or "")
    broken.write_text("area: X\nscenarios:\n- id: [\n")
    assert "broken.yaml" in (read(broken).mistake or "")
    assert read(FOLDER / "examples.yaml").mistake is None

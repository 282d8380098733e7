"""A long file goes to the daemon in parts, and what belongs together stays together."""

from __future__ import annotations

import pytest

from cli.parts import parts
from cms.contract.drivers import DriverRow
from cms.contract.refusals import Invalid


def test_every_line_is_in_one_part_and_the_parts_are_in_the_order_of_the_file() -> None:
    rows = [DriverRow(line, driver=f"D{line}") for line in range(2, 12)]
    found = parts(rows, 4)
    assert [len(part) for part in found] == [4, 4, 2]
    assert [row for part in found for row in part] == rows


def test_lines_of_one_driver_or_one_token_go_together_however_they_are_spelled() -> None:
    rows = [
        DriverRow(2, driver="ada", token="A1"),
        DriverRow(3, driver="ben"),
        DriverRow(4, driver="eve", token="AA:BB:CC:DD:EE:FF"),
        DriverRow(5, driver="ADA "),
        DriverRow(6, token="vid:aabbccddeeff"),
        DriverRow(7, token="a1"),
    ]
    assert [[row.line for row in part] for part in parts(rows, 3)] == [[2, 5, 7], [3, 4, 6]]


def test_an_empty_file_is_one_part_without_lines() -> None:
    assert parts([]) == [()]


def test_more_lines_of_one_driver_than_a_daemon_takes_are_told() -> None:
    with pytest.raises(Invalid, match="line 2"):
        parts([DriverRow(line, driver="ada", token=f"T{line}") for line in range(2, 7)], 4)

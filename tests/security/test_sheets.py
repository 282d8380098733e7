"""No text that others supplied is computed by a spreadsheet (T14); numbers stay numbers."""

from __future__ import annotations

import csv
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.flags import Flags
from cli.render import Column, list_lines
from cms.contract.safe import csv_cell, safe
from tests.security.sheets import FORMULA, formulas, unmarked
from tests.security.strings import FORMULAS, HOSTILE, random_texts

COLUMNS = (Column("id"), Column("note"), Column("energy_wh"))


def sheet(rows: list[dict[str, Any]]) -> str:
    return "\n".join(list_lines(rows, COLUMNS, Flags(output="csv")))


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.split("\n")))


@pytest.mark.parametrize("text", HOSTILE)
def test_no_hostile_text_is_computed_and_all_of_it_can_be_read_back(text: str) -> None:
    told = sheet([{"id": text, "note": [text], "energy_wh": -5}])
    assert formulas(told) == []
    row = read(told)[0]
    assert unmarked(row["id"]) == safe(text)
    assert row["energy_wh"] == "-5"


@given(st.text(max_size=40))
def test_no_text_at_all_is_computed(text: str) -> None:
    told = sheet([{"id": text, "note": {text: text}, "energy_wh": None}])
    assert formulas(told) == []


def test_ten_thousand_random_texts_are_not_computed() -> None:
    texts = list(random_texts(10_000))
    told = sheet([{"id": text, "note": f"={text}", "energy_wh": 1} for text in texts])
    assert formulas(told) == []
    assert len(read(told)) == len(texts)
    for text in texts:
        assert unmarked(csv_cell(text)) == safe(text), repr(text)


@pytest.mark.parametrize("amount", ["-1.50", "-1", "0", "12.345"])
def test_an_amount_stays_a_number(amount: str) -> None:
    row = read(sheet([{"id": "S1", "note": amount, "energy_wh": -1}]))[0]
    assert float(row["note"]) == float(amount)


@pytest.mark.parametrize("text", ["-1+1", "+49", "-1e5;x", "--1", "-", "-1.", "-１"])
def test_what_only_looks_like_a_number_is_text(text: str) -> None:
    assert read(sheet([{"id": text, "note": "", "energy_wh": 0}]))[0]["id"] == f"'{text}"


def test_the_harness_catches_a_sheet_that_only_quotes() -> None:
    """The naive export: csv.writer as it is."""
    import io

    naive = io.StringIO()
    csv.writer(naive).writerows([text] for text in FORMULAS)
    caught = formulas(naive.getvalue())
    assert len(caught) >= sum(bool(FORMULA.match(text)) for text in FORMULAS) - 2  # two begin with a line end


def test_a_heading_is_no_formula_either() -> None:
    assert formulas(sheet([])) == []

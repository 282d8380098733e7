"""Hostile text loses its teeth and nothing else."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms.contract.safe import csv_cell, decoded, escaped, safe

HOSTILE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@pytest.mark.parametrize("depth", [41, 450, 5_000])
@pytest.mark.parametrize(("opens", "closes"), [("[", "]"), ('{"a":', "}")])
def test_what_is_nested_so_deep_that_whoever_walks_through_it_falls_is_no_json(
    depth: int, opens: str, closes: str
) -> None:
    with pytest.raises(ValueError):
        decoded(opens * depth + "1" + closes * depth)


def test_what_stations_say_is_not_too_deep() -> None:
    said = {"a": [{"b": [[{"c": 1}]]}] * 3}
    assert decoded(json.dumps(said)) == said


def test_plain_text_stays() -> None:
    assert safe("Kilowatt & Söhne ● 充电") == "Kilowatt & Söhne ● 充电"


def test_escapes_bidi_and_c1_are_shown_not_obeyed() -> None:
    assert safe("a\x1b]0;x\x07b\x7f\x9b2J\u202e\u2028") == "a␛]0;x␇b␡\ufffd2J\ufffd\ufffd"


def test_long_text_is_cut_with_an_ellipsis() -> None:
    assert safe("abcdef", 4) == "abc…"


@given(st.text())
def test_nothing_hostile_is_left(text: str) -> None:
    assert not {unicodedata.category(c) for c in safe(text)} & HOSTILE


@given(st.text())
def test_no_sheet_cell_is_a_formula(text: str) -> None:
    assert not csv_cell(text).lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_escaped_json_is_the_same_json_and_harmless(text: str) -> None:
    told = escaped(json.dumps(text, ensure_ascii=False))
    assert json.loads(told) == text
    assert not {unicodedata.category(c) for c in told} & HOSTILE

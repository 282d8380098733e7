"""Tariffs as people write them."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Cms


@pytest.mark.parametrize(
    ("said", "stranger"),
    [
        ({"currency": "EUR", "enrgy": {"prices": [{"amount": "0.2"}]}}, "enrgy"),
        (
            {"currency": "EUR", "energy": {"prices": [{"amount": "0.2", "wen": {"from_time": "22:00"}}]}},
            "wen",
        ),
    ],
)
async def test_a_misspelt_name_makes_no_tariff(cms: Cms, said: object, stranger: str) -> None:
    told = await cms("tariffs", "add", "NIGHT", "--file", "-", stdin=json.dumps(said))
    assert told.code == 2
    assert f"nothing in one is called '{stranger}'" in told.err

"""What is odd about a tariff is found, and what is not odd is left alone."""

from __future__ import annotations

import pytest

from cms.domain import tarifflint
from cms.domain.tarifffiles import read
from tests.domain import tariffmaking

GOOD = """
id: T
currency: EUR
zone: Europe/Berlin
vat: 19
prices: include-vat
text: 49 Cent je kWh
"""
FINE = "energy: [{price: 0.39, from: 22:00, to: 06:00}, 0.49]\nidle: {price: 0.10, after: 20 min}\n"


def rules(lines: str, head: str = GOOD) -> list[tuple[str, str, str]]:
    return [(found.level, found.rule, found.where) for found in tarifflint.lint(read(head + lines))]


def test_a_plain_tariff_is_not_odd() -> None:
    assert rules(FINE) == []


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ("energy: [0.49, {price: 0.39, days: sun}]", ("error", "unreachable", "energy[2]")),
        (
            "energy: [{price: 1, from: 08:00}, {price: 2, from: 09:00, min-kwh: 5}, 3]",
            ("error", "unreachable", "energy[2]"),
        ),
        ("energy: [{price: 1, min-kwh: 5, max-kwh: 5}, 2]", ("error", "unreachable", "energy[1]")),
        ("energy: {price: 1, from: 06:00, to: 22:00}", ("error", "gap", "energy")),
        ("energy: {price: 1, days: mon-sat}", ("error", "gap", "energy")),
        ("energy: {price: 1, min-kwh: 5}", ("error", "gap", "energy")),
        ("energy: 1\nmin: 5\nmax: 4", ("error", "bounds", "min")),
        ("energy: 1\nidle: 0.10", ("warning", "grace", "idle-time")),
        ("energy: {price: 1, vat: none}", ("warning", "vat", "energy")),
        ("energy: 0", ("warning", "free-energy", "energy")),
        ("idle: {price: 1, after: 5 min}", ("warning", "free-energy", "energy")),
        ("energy: {price: 1, step: 7 Wh}", ("warning", "step", "energy[1]")),
        ("energy: 1\ncharging: {price: 1, step: 20 min}", ("warning", "step", "charging-time[1]")),
        (
            "energy: [{price: 1, from: 08:00, to: 18:00}, {price: 2, from: 16:00, to: 20:00}, 3]",
            ("warning", "overlap", "energy[2]"),
        ),
        ("energy: -1", ("warning", "negative", "energy")),
    ],
)
def test_an_oddity_is_found(lines: str, found: tuple[str, str, str]) -> None:
    assert found in rules(lines)


def test_errors_come_first_and_hours_without_a_price_are_named() -> None:
    found = tarifflint.lint(read("id: T\ncurrency: EUR\nenergy: {price: 1, from: 06:00, to: 22:00}"), ["CHF"])
    assert found[0].words.startswith("no price holds Monday 00:00 to 06:00, nor at other times")
    assert {finding.rule for finding in found[1:]} == {"vat", "text", "zone", "currency"}


def test_any_tariff_can_be_looked_at() -> None:
    for seed in range(150):
        tarifflint.lint(tariffmaking.tariff(seed))

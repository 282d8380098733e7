"""Access rules as people write them, against a daemon."""

from __future__ import annotations

from typing import Any

from tests.cli.conftest import Cms
from tests.cli.test_daemon import address, daemon

__all__ = ["address", "daemon"]

DAYS = {
    "mon-fri": ["mon", "tue", "wed", "thu", "fri"],
    "Sat,SUN": ["sat", "sun"],
    "fri-mon": ["mon", "fri", "sat", "sun"],
    "wed": ["wed"],
}
HOURS = {"22:00-06:00": ("22:00", "06:00"), "22:00-": ("22:00", None), "-06:00": (None, "06:00")}
WRONG = {
    ("deny",): "For whom?",
    ("deny", "--everyone", "--group", "a"): "For whom?",
    ("deny", "--everyone", "--days", "moonday"): "is no day",
    ("deny", "--everyone", "--hours", "22:00"): "are no hours",
    ("deny", "--everyone", "--hours", "25:00-26:00"): "no time of day",
    ("budget", "--everyone", "--kwh", "5"): "Per what",
    ("budget", "--everyone", "--per", "day"): "How much?",
    ("budget", "--everyone", "--per", "day", "--kwh", "much"): "is a number",
    ("budget", "--everyone", "--per", "day", "--kwh", "NaN"): "is a number",
    ("only", "--everyone"): "only where, or only when",
    ("forbid", "--everyone"): "effect must be one of",
}


async def rule(cms: Cms, verb: str, *words: str) -> Any:
    told = await cms("access", verb, "r", *words, "-o", "json")
    assert told.code == 0, told.err
    return told.told["rule"]


async def test_days_hours_and_amounts_are_written_as_people_do(cms: Cms) -> None:
    await rule(cms, "add", "deny", "--everyone")
    for text, days in DAYS.items():
        assert (await rule(cms, "set", "deny", "--everyone", "--days", text))["hours"]["days"] == days
    for text, span in HOURS.items():
        hours = (await rule(cms, "set", "deny", "--everyone", "--hours", text))["hours"]
        assert (hours["from_time"], hours["to_time"]) == span
    words = ("--group", "vans", "--per", "week", "--kwh", "12.345", "--cost", "9.90", "--then-limit", "1400")
    budget = (await rule(cms, "set", "budget", *words))["budget"]
    assert (budget["energy_wh"], budget["then"], budget["power_w"]) == (12345, "limit", 1400)
    assert budget["cost"] == {"amount": "9.90", "currency": "EUR"}


async def test_what_makes_no_rule_is_told_in_a_sentence(cms: Cms) -> None:
    for words, said in WRONG.items():
        told = await cms("access", "add", "r", *words)
        assert (told.code, said in told.err) == (2, True), told.err
    told = await cms("access", "add", "r", "deny", "--everyone", "--dry-run")
    assert (told.code, "would add rule r" in told.err) == (0, True)
    assert (await cms("access", "list", "-o", "json")).told == []


async def test_a_rule_is_made_set_explained_and_removed(cms: Cms) -> None:
    await cms("stations", "add", "CP1")
    await cms("tokens", "add", "CARD", "--group", "staff")
    await rule(cms, "add", "deny", "--group", "STAFF", "--hours", "00:00-")
    set_ = await cms("access", "set", "R", "deny", "--group", "staff", "--note", "all\x1b[31m of it")
    assert set_.code == 0
    assert "\x1b" not in (await cms("access", "list", "-o", "wide")).out
    listed = (await cms("access", "list", "-o", "json")).told
    assert [(row["rank"], row["id"], row["says"]) for row in listed] == [(1, "r", "everywhere, always")]
    told = (await cms("access", "explain", "card", "cp1", "-o", "json")).told
    assert (told["status"], told["rule"], told["steps"][0]["outcome"]) == ("blocked", "r", "decides")
    assert "denied everywhere, always" in (await cms("access", "explain", "card", "cp1")).out
    assert (await cms("access", "usage", "token:card", "-o", "json")).told == []
    assert (await cms("access", "usage", "card")).code == 2
    assert (await cms("access", "remove", "r", "nobody")).code == 4
    assert (await cms("access", "show", "r")).code == 4

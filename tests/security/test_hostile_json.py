"""T9: JSON that costs, and numbers that are none: answered or dropped, the next call is answered, the record sane."""

from __future__ import annotations

import json
import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest

from cms.contract.sessions import ListSamples
from cms.ocpp.values import exact
from tests.quirks.raw import Raw, Site, a_site, meter, start, stop

REGISTER = {"measurand": "Energy.Active.Import.Register", "unit": "Wh"}
BEAT = '[2,"b","Heartbeat",{{"a":{}}}]'

#: Whole frames; each is one message.
BOMBS = (
    "[" * 200_000,
    BEAT.format('{"a":' * 5000 + "1" + "}" * 5000),
    BEAT.format("[" * 33 + "]" * 33),
    BEAT.format("9" * 1_000_000),
    BEAT.format("-0." + "9" * 1_000_000),
    BEAT.format("[" + ",".join(["9" * 4299] * 200) + "]"),
    BEAT.format("NaN"),
    BEAT.format("-Infinity"),
    BEAT.format("1e999"),
    BEAT.format("1e999999999999999999"),
    BEAT.format('"\\ud800"'),
    BEAT.format('"\\u0000\\u0000"'),
    '[2,"b","Heart\\u0000beat",{}]',
    '[2,"b","Heartbeat",{"a":1,"a":2,"a":{"a":3}}]',
    '[2,"b","Heartbeat",{}]]',
    '[2,"b","Heartbeat",{}][2,"b","Heartbeat",{}]',
    '\ufeff[2,"b","Heartbeat",{}]',
    '[2.0,"b","Heartbeat",{}]',
    '[1e0,"b","Heartbeat",{}]',
    '[2,1e400,"Heartbeat",{}]',
)
#: Meter values of 1.6 are texts, and Python takes all of these for numbers; or makes of them what nobody meant.
NO_NUMBERS = (
    "1_000",
    "１２３",
    "٣٤٥",
    "NaN",
    "sNaN",
    "Infinity",
    "-inf",
    "1e999",
    "1e-999",
    "0x10",
    "1,5",
    "9" * 5000,
    "",
    "--1",
    "1e1_0",
    "\x00",
)


@pytest.mark.parametrize("text", NO_NUMBERS, ids=lambda text: repr(text[:8]))
def test_what_only_looks_like_a_number_is_none(text: str) -> None:
    assert exact(text) is None


def test_blanks_around_a_number_are_forgiven_and_nothing_within() -> None:
    assert exact(" 5 ") == Decimal(5)
    assert exact("5 000") is None


async def goes_on(raw: Raw, nth: int) -> None:
    assert "currentTime" in await raw.call("Heartbeat", {}, f"after-{nth}")


async def test_every_bomb_is_answered_or_dropped_and_the_next_call_answered(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        raw = await site.booted()
        for nth, bomb in enumerate(BOMBS):
            await raw.send(bomb)
            await goes_on(raw, nth)
        await numbers_that_are_none(site, raw)
        await numbers_of_a_json_that_only_python_reads(raw)
        await raw.leave()
    assert not_finite(tmp_path / "cms.db") == []


async def numbers_that_are_none(site: Site, raw: Raw) -> None:
    """A session among whose samples they are: flagged, its energy from what could be read."""
    number = (await raw.call("StartTransaction", start(1000)))["transactionId"]
    for text in NO_NUMBERS:
        assert await raw.call("MeterValues", meter(number, {**REGISTER, "value": text})) == {}
    await raw.call("MeterValues", meter(number, {**REGISTER, "value": " 3000 "}))
    session = await site.session()
    assert (session.energy_wh, session.flags) == (2000, ("unreadable-value",))
    samples = await site.client.ask(ListSamples(session.id))
    figures = {sample.value for sample in samples if sample.unit == "Wh" and exact(sample.value) is not None}
    assert figures == {"3000"}
    await raw.call("StopTransaction", stop(number, 4000))


async def numbers_of_a_json_that_only_python_reads(raw: Raw) -> None:
    for said in ("NaN", "1e400", "Infinity", "123456789012345678901234567890", "1.5", '"5"', "true"):
        frame = json.dumps([2, "n", "StartTransaction", start(2000)]).replace("2000", said, 1)
        await raw.send(frame)
        await goes_on(raw, hash(said))


def not_finite(database: Path) -> list[tuple[str, str, object]]:
    """Where the record holds a number that is none, or a text that ends before it ends."""
    found = []
    with sqlite3.connect(database) as record:
        for (table,) in record.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in record.execute(f'SELECT * FROM "{table}"').fetchall():
                found += [(table, "", value) for value in row if poison(value)]
    return found


def poison(value: object) -> bool:
    match value:
        case float():
            return value != value or value in (float("inf"), float("-inf"))
        case str():
            return "\0" in value or value.casefold() in ("nan", "snan", "inf", "-inf", "infinity")
    return False

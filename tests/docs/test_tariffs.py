"""docs/tariffs.md is run: every tariff in it prices the sessions below it, and the bills are what comes of that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cms.contract.tariffs import Bill, BillLine, Tariff
from cms.domain import tariffs
from cms.domain.pricing import Facts, Reached, price
from cms.domain.tariffyaml import read

PAGE = Path(__file__).parents[2] / "docs" / "tariffs.md"
_BLOCK = re.compile(r"^```(yaml|session|bill)\n(.+?)^```$", re.DOTALL | re.MULTILINE)
_CHARGING = {"charging": True, "waiting": False}


def examples() -> Iterator[tuple[Tariff, str, str]]:
    """A tariff, a session, and the bill that follows it; a tariff holds until the next one."""
    tariff, session = None, ""
    for kind, text in _BLOCK.findall(PAGE.read_text()):
        if kind == "yaml":
            tariff = read(text)
        elif kind == "session":
            session = text
        else:
            assert tariff is not None
            yield tariff, session, text


def facts(text: str) -> Facts:
    """``18:00 charging``, ``18:30 5 kWh``, ``19:00 waiting``, ``20:00 ends 7 kWh``, below a date and a zone."""
    first, *lines = text.strip().splitlines()
    day, clock, zone = first.split()
    since = at = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZoneInfo(zone))
    readings, turns, energy_wh = [], [], Decimal(0)
    for line in lines:
        clock, *words = line.split()
        then = datetime.fromisoformat(f"{at.date()}T{clock}").replace(tzinfo=ZoneInfo(zone))
        at = then if then >= at else then + timedelta(days=1)
        if words[-1] == "kWh":
            energy_wh = Decimal(words[-2]) * 1000
            readings.append(Reached(at, energy_wh))
        if words[0] in _CHARGING:
            turns.append((at, _CHARGING[words[0]]))
    return Facts(since, at, energy_wh, tuple(readings), tuple(turns), zone=zone)


def written(bill: Bill, zone: str) -> str:
    lines = [_line(line, ZoneInfo(zone)) for line in bill.lines]
    taxes = "".join(f", {part.percent:f} % {part.vat}" for part in bill.vat)
    return "\n".join([*lines, f"total {bill.gross} {bill.currency}, net {bill.net}{taxes}"])


def _line(line: BillLine, zone: ZoneInfo) -> str:
    when = "-".join(f"{at.astimezone(zone):%H:%M}" for at in (line.since, line.until) if at is not None)
    return f"{line.what} {when or '-'} {_plain(line.quantity)} {line.unit} {_plain(line.price)} {line.gross}"


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


@pytest.mark.parametrize(
    ("tariff", "session", "bill"), list(examples()), ids=lambda value: getattr(value, "id", "")
)
def test_the_bill_in_the_documentation_is_the_bill(tariff: Tariff, session: str, bill: str) -> None:
    tariffs.check(tariff)
    told = facts(session)
    assert told.zone is not None
    assert written(price(told, tariff), told.zone) == bill.strip()

"""What pricing costs: 100,000 whole sessions, and one more message of a session that runs for long.

python -m tests.benchmarks.pricing [--sessions 100000]
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from time import process_time

from cms.contract.tariffs import Bound, Component, Price, Tariff, Tax, When
from cms.domain import costs
from cms.domain.accounts import Account, News, follow, valued
from cms.domain.evolve import evolve
from cms.domain.meters import REGISTER
from cms.domain.observations import Reading, Sample
from cms.domain.pricing import Facts, Reached, price
from cms.domain.sessions import Session, SessionStatus

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
VAT = (Tax("VAT", Decimal(19)),)
#: Cheap at night, dear by day; a car that does not charge pays after half an hour, between eight and ten.
DAY_AND_NIGHT = Tariff(
    "DAY-NIGHT",
    "EUR",
    energy=Component(
        (
            Price(Decimal("0.39"), When(from_time="22:00", to_time="06:00")),
            Price(Decimal("0.49")),
        ),
        VAT,
    ),
    idle_time=Component(
        (Price(Decimal("0.10"), When(from_time="08:00", to_time="22:00", min_idle_s=1800)),), VAT
    ),
    fixed_fee=Component((Price(Decimal("0.35")),), VAT),
    max_cost=Bound(incl_tax=Decimal(80)),
    tax_included=True,
)


def sessions(count: int, seed: int = 1) -> Iterator[Facts]:
    """Sessions of a year: a reading every quarter of an hour, an hour or two of waiting at the end."""
    chance = random.Random(seed)
    for _ in range(count):
        since = NEW_YEAR + timedelta(seconds=chance.randrange(365 * 86_400))
        power_w = chance.choice((3_700, 11_000, 22_000, 50_000, 150_000))
        charged = chance.randrange(3, 9)
        energy_wh, readings = 0, []
        for quarter in range(1, 13):
            if quarter <= charged:
                energy_wh += round(power_w / 4 * chance.uniform(0.7, 1))
            readings.append(Reached(since + timedelta(minutes=15 * quarter), energy_wh))
        full = since + timedelta(minutes=15 * charged)
        until = since + timedelta(minutes=180, seconds=chance.randrange(900))
        turns = ((since, None), (since + timedelta(seconds=20), True), (full, False))
        yield Facts(since, until, energy_wh, tuple(readings), turns, "DC", "Europe/Berlin")


def batch(count: int) -> float:
    """Seconds of processor for so many bills, without making the sessions up."""
    spent, gross = 0.0, Decimal(0)
    known = list(sessions(min(count, 10_000)))
    for _ in range(-(-count // len(known))):
        begun = process_time()
        for facts in known:
            gross += price(facts, DAY_AND_NIGHT).gross
        spent += process_time() - begun
    print(f"{count} sessions of 12 readings: {spent:.1f} s of processor, {spent / count * 1e6:.0f} us each")
    print(f"  in all {gross:,.2f} EUR")
    return spent


def running(messages: int, repeat: int = 500) -> float:
    """Microseconds to count and value one more message after so many; two a day change the price."""
    tariffs = {DAY_AND_NIGHT.id: DAY_AND_NIGHT}
    session = Session(
        "s1", "CP1", "2.0.1", "tx", None, SessionStatus.CHARGING, NEW_YEAR, NEW_YEAR, register_wh=0
    )
    account = Account(
        "s1",
        costs.begin(NEW_YEAR, DAY_AND_NIGHT, "DC", "Europe/Berlin"),
        ((NEW_YEAR, DAY_AND_NIGHT.id),),
        charging=True,
        turns=((NEW_YEAR, True),),
    )
    at = NEW_YEAR
    for number in range(1, messages + repeat + 1):
        if number == messages + 1:
            begun = process_time()
        at += timedelta(minutes=1)
        session = evolve(session, energy_wh=number * 180, register_wh=number * 180)
        reading = Reading(at, (Sample(REGISTER, Decimal(number * 180), "Wh"),))
        account = valued(follow(account, session, News(at, (reading,)), tariffs), session, tariffs)
    spent = (process_time() - begun) / repeat * 1e6
    print(
        f"a message after {messages:>6}: {spent:.0f} us, {len(account.progress.volumes)} runs, {account.total} EUR"
    )
    return spent


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--sessions", type=int, default=100_000)
    count = asked.parse_args().sessions
    batch(count)
    spent = {messages: running(messages) for messages in (10, 1_000, 10_000, 100_000)}
    print(f"after 10,000 messages one costs {spent[10_000] / spent[10]:.1f} times what it costs after 10")


if __name__ == "__main__":
    main()

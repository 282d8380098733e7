"""Bills against a second opinion: random tariffs and sessions, to the coin.

    python -m tests.benchmarks.oracle --sessions 1000000 [--first 0] [--split]

Each seed is a tariff and a session. ``--split`` prices each once more with readings put in between, exactly on the
line: that changes nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise
from random import Random
from time import process_time

from cms.contract.tariffs import Bill, Tariff
from cms.domain.pricing import Facts, Reached, price
from tests.domain import chance, oracle

_SAID = 20_000


def objections(seed: int, split: bool) -> Iterator[str]:
    """Why one seed's bill is not what it should be."""
    dice = Random(seed)
    tariff, facts = chance.tariff(dice), chance.facts(dice)
    bill = price(facts, tariff)
    yield from compared(bill, tariff, facts)
    if split:
        again = price(divided(facts, dice), tariff)
        if (again.gross, again.kind) != (bill.gross, bill.kind):
            yield f"{again.gross} with more readings, {bill.gross} without"


def compared(bill: Bill, tariff: Tariff, facts: Facts) -> Iterator[str]:
    verdict = oracle.judge(facts, tariff)
    due = oracle.coins(bill.gross, tariff.currency)
    if (due, bill.kind) != (verdict.gross, verdict.kind):
        yield f"{due} ({bill.kind}) is billed, {verdict.gross} ({verdict.kind}) is due"
    if sum(line.gross for line in bill.lines) != bill.gross:
        yield "the lines do not sum to the total"
    if sum(line.net for line in bill.lines) != bill.net or any(x.net + x.vat != x.gross for x in bill.lines):
        yield "the nets of the lines do not sum to the net"


def divided(facts: Facts, dice: Random) -> Facts:
    """The same facts with a reading more in some places, on the straight line between its neighbours."""
    curve = oracle.Curve(facts)
    more = []
    for (t0, e0), (t1, e1) in pairwise(curve.points):
        at = t0 + (t1 - t0) * Fraction(dice.randrange(1, 1000), 1000)
        at = Fraction(round(at * 10**6), 10**6)
        if t0 < at < t1 and dice.random() < 0.7:
            energy = e0 + (e1 - e0) * (at - t0) / (t1 - t0)
            more.append(Reached(oracle.EPOCH + timedelta(microseconds=int(at * 10**6)), energy))
    straight = [
        Reached(oracle.EPOCH + timedelta(microseconds=int(at * 10**6)), energy)
        for at, energy in curve.points[1:-1]
    ]
    return replace(facts, readings=tuple(sorted([*straight, *more], key=lambda reading: reading.at)))


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--sessions", type=int, default=1_000_000)
    asked.add_argument("--first", type=int, default=0)
    asked.add_argument("--split", action="store_true")
    said = asked.parse_args()
    begun, wrong = process_time(), 0
    for done, seed in enumerate(range(said.first, said.first + said.sessions), 1):
        for objection in objections(seed, said.split):
            wrong += 1
            print(f"seed {seed}: {objection}", flush=True)
        if done % _SAID == 0 or done == said.sessions:
            print(
                f"{done} sessions, {wrong} objections, {process_time() - begun:.0f} s of processor",
                flush=True,
            )
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()

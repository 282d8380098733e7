"""What a card costs at 100,000 tokens: ``python -m tests.benchmarks.authorize``.

The whole way from the observation to its answer, the event in the record with it, one card after the other; without
rules, with rules about others, and with rules and budgets about the very card. The goal is 5 ms of our own time.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from cms.contract.access import Budget, Hours, Rule, Where
from cms.contract.stations import AddStation
from cms.domain.observations import TokenPresented, TokenRef
from cms.domain.tokens import Token
from cms.domain.usage import KIND as USAGE
from cms.domain.usage import Spent
from cms.operations import stations
from cms.operations.access_rulings import made_anew
from tests.domain.build import NOON
from tests.operations.small import ANA, Small

GROUPS, RULES, SESSIONS = 500, 1000, 20_000


def about_others() -> list[Rule]:
    """Rules of groups that no presented card is in."""
    hours = Hours(("mon", "tue"), "07:00", "19:00")
    return [
        Rule(f"r{n}", "only", "group", f"other{n}", Where(stations=("CP1",)), hours) for n in range(RULES)
    ]


def about_the_card() -> list[Rule]:
    """What an elaborate fleet may say of its cards: places, hours, a shared budget and one for each."""
    work = Hours(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "00:00", "23:59")
    rules = [Rule("all", "only", "everyone", "", hours=work, time_zone="Europe/Berlin")]
    for n in range(GROUPS):
        rules += [
            Rule(f"o{n}", "only", "group", f"group{n}", Where(stations=("CP1", "CP2"), evses=("CP3:1",))),
            Rule(f"d{n}", "deny", "group", f"group{n}", Where(evses=("CP1:9",))),
            Rule(f"b{n}", "budget", "group", f"group{n}", budget=Budget("month", energy_wh=10**9)),
        ]
    each = Budget("day", energy_wh=10**9, sessions=10**5, each=True)
    return [*rules, Rule("each", "budget", "everyone", "", budget=each)]


def used() -> dict[str, Spent]:
    """A month of a large fleet."""
    return {
        f"s{n}": Spent(
            f"s{n}",
            f"card{n:06}",
            NOON - timedelta(minutes=n),
            groups=(f"group{n % GROUPS}",),
            station="cp1",
            energy_wh=10_000,
            seconds=3600,
            ended=True,
        )
        for n in range(SESSIONS)
    }


async def timed(
    say: Callable[[TokenPresented], Awaitable[object]], tokens: int, cards: int, seed: int
) -> list[float]:
    """Milliseconds of each card."""
    pick, took = random.Random(seed), list[float]()
    for _ in range(cards):
        seen = TokenPresented(TokenRef(f"CARD{pick.randrange(tokens):06}", "rfid"))
        began = time.perf_counter()
        await say(seen)
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took)


async def measure(tokens: int, cards: int) -> None:
    with tempfile.TemporaryDirectory(prefix="cms-bench-") as folder:
        small = await Small(Path(folder)).open()
        await stations.add(small.core, AddStation("CP1"), ANA)
        small.stations.connect("CP1", "2.0.1")
        small.core.tokens.update(
            {f"card{n:06}": Token(f"CARD{n:06}", group=f"group{n % GROUPS}") for n in range(tokens)}
        )

        async def say(seen: TokenPresented) -> object:
            return await small.hear("CP1", seen, "2.0.1")

        shapes: dict[str, list[Rule]] = {
            "no rules": [],
            f"{RULES} rules about others": about_others(),
            f"{3 * GROUPS + 2} rules, 6 about the card": about_the_card(),
        }
        print(f"{tokens:,} tokens, {cards:,} cards each; milliseconds from the card to its answer")
        for name, rules in shapes.items():
            small.core.kept["access"] = {rule.id: rule for rule in rules}
            small.core.kept[USAGE] = used() if any(rule.budget for rule in rules) else {}
            began = time.perf_counter()
            made_anew(small.core)
            made_ms = (time.perf_counter() - began) * 1000
            cpu = time.process_time()
            took = await timed(say, tokens, cards, 7)
            own_ms = (time.process_time() - cpu) / cards * 1000
            median, late = statistics.median(took), took[int(len(took) * 0.99)]
            print(
                f"  {name:32} p50 {median:6.3f}  p99 {late:6.3f}  CPU {own_ms:5.3f}   (made ready in {made_ms:.0f} ms)"
            )
        await small.close()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=100_000)
    parser.add_argument("--cards", type=int, default=2_000)
    given = parser.parse_args()
    asyncio.run(measure(given.tokens, given.cards))


if __name__ == "__main__":
    main()

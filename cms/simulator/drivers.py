"""Drivers: they come when people come, plug in, hold a card to the reader, and leave some time after.

And bad luck, now and then: a connector breaks down, a link is lost, the power fails. Everything is drawn from
one seeded generator per station, so that a seed tells the same day again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from cms.simulator.cars import some_car
from cms.simulator.evse import Evse
from cms.simulator.station import Station

Misfortune = Callable[[Random], Awaitable[None]]

#: How many drivers arrive in each hour of the day, relative to the busiest one.
ARRIVALS = (
    *(0.08, 0.05, 0.04, 0.04, 0.06, 0.15),
    *(0.40, 0.85, 1.00, 0.75, 0.55, 0.55),
    *(0.65, 0.60, 0.50, 0.55, 0.70, 0.90),
    *(0.85, 0.60, 0.40, 0.30, 0.20, 0.12),
)
#: Visits to one EVSE in a day, as the average of many days.
VISITS_A_DAY = 4.0
ERROR_CODES = (
    "GroundFailure",
    "OverCurrentFailure",
    "HighTemperature",
    "ConnectorLockFailure",
    "ReaderFailure",
)


@dataclass(frozen=True, slots=True)
class Luck:
    """How often things go wrong: occasions per station and day."""

    breakdowns: float = 0.05
    outages: float = 0.3
    power_failures: float = 0.05


FAIR = Luck()
GOOD = Luck(0.0, 0.0, 0.0)


@dataclass(slots=True, eq=False)
class Drivers:
    """Everyone who comes to one station. ``strangers`` are cards that the CSMS does not let in."""

    station: Station
    tokens: Sequence[str]
    rng: Random
    strangers: Sequence[str] = ()
    visits_a_day: float = VISITS_A_DAY
    busy_at_start: float = 0.4
    """Share of the EVSEs that somebody comes to in the first minutes."""
    luck: Luck = FAIR
    _tasks: asyncio.TaskGroup | None = field(default=None, repr=False)

    async def run(self) -> None:
        self.station.awaits_driver = self._fetch_driver
        async with asyncio.TaskGroup() as self._tasks:
            for evse in self.station.evses:
                self._tasks.create_task(self._come_and_go(evse, Random(self.rng.getrandbits(64))))
            for task in self._misfortunes():
                self._tasks.create_task(task)

    async def _come_and_go(self, evse: Evse, rng: Random) -> None:
        if rng.random() < self.busy_at_start:
            await self.station.pace.sleep(rng.uniform(5, 300))
            await self._visit(evse, rng)
        while True:
            await self._until_next_arrival(rng)
            if evse.free:
                await self._visit(evse, rng)

    async def _until_next_arrival(self, rng: Random) -> None:
        """A Poisson process whose rate follows the hour, by thinning."""
        rush = self.visits_a_day / sum(ARRIVALS) / 3600  # arrivals per second in the busiest hour
        while True:
            await self.station.pace.sleep(rng.expovariate(rush))
            if rng.random() < _busy(self.station.pace.now()):
                return

    async def _visit(self, evse: Evse, rng: Random, token: str | None = None) -> None:
        """One driver at one EVSE, from arrival to departure; ``token`` when a remote start let him in."""
        pace, station = self.station.pace, self.station
        stranger = token is None and self.strangers and rng.random() < 0.03
        card = token or rng.choice(self.strangers if stranger else self.tokens)
        card_first = rng.random() < 0.25
        car, stay_s = some_car(rng), rng.lognormvariate(9.0, 0.6) / (4.0 if evse.dc else 1.0)
        pauses = [rng.uniform(5, 40) for _ in range(3)]
        by_card = rng.random() < 0.5
        if token is None and card_first:
            if await station.present(evse, card) == "refused":
                return
            await pace.sleep(pauses[0])
        if evse.car is not None:
            return  # somebody was faster
        station.plug_in(evse, car)
        if token is None and not card_first:
            await pace.sleep(pauses[0])
            if evse.unclaimed and await station.present(evse, card) == "refused":
                await pace.sleep(pauses[1])
                station.unplug(evse)
                return
        await self._stay(evse, stay_s)
        if by_card and evse.transaction is not None and evse.transaction.token == card:
            await station.present(evse, card)
            await pace.sleep(pauses[2])
        station.unplug(evse)

    async def _stay(self, evse: Evse, stay_s: float) -> None:
        """Until the driver comes back: at fast chargers soon after the car has enough."""
        if evse.dc and evse.car is not None:
            stay_s = min(stay_s, evse.car.satisfied_after_s(evse.offer_w, True) + 240)
        await self.station.pace.sleep(stay_s)

    def _fetch_driver(self, evse: Evse) -> None:
        """A remote start waits for a car: somebody with an app stands before the station."""
        if self._tasks is None or evse.awaited is None or evse.car is not None:
            return
        rng, token = Random(self.rng.getrandbits(64)), evse.awaited.token

        async def come() -> None:
            await self.station.pace.sleep(rng.uniform(5, 25))
            await self._visit(evse, rng, token)

        self._tasks.create_task(come())

    def _misfortunes(self) -> list[Coroutine[None, None, None]]:
        return [
            self._now_and_then(self.luck.breakdowns, self._break_down),
            self._now_and_then(self.luck.outages, self._lose_link),
            self._now_and_then(self.luck.power_failures, self._lose_power),
        ]

    async def _now_and_then(self, a_day: float, happen: Misfortune) -> None:
        rng = Random(self.rng.getrandbits(64))
        while a_day > 0:
            await self.station.pace.sleep(rng.expovariate(a_day / 86_400))
            await happen(rng)

    async def _break_down(self, rng: Random) -> None:
        evse = rng.choice(self.station.evses)
        self.station.break_down(evse, rng.choice(ERROR_CODES))
        await self.station.pace.sleep(rng.uniform(600, 7_200))
        self.station.mend(evse)

    async def _lose_link(self, rng: Random) -> None:
        self.station.lose_link(rng.lognormvariate(5.5, 1.0))

    async def _lose_power(self, rng: Random) -> None:
        self.station.lose_power(rng.lognormvariate(5.0, 0.8))


def _busy(now: datetime) -> float:
    return ARRIVALS[now.hour]

"""A fleet: many stations of mixed makes and versions, with their drivers, in one task group."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from cms.simulator.drivers import FAIR, VISITS_A_DAY, Drivers, Luck
from cms.simulator.evse import Evse
from cms.simulator.pace import Pace
from cms.simulator.station import Acknowledged, Make, News, Place, Station, nobody

VERSIONS = ("1.6", "2.0.1", "2.1")
#: Without a wish: what is met in the field today.
MIXED = ("1.6", "2.0.1", "1.6", "2.0.1", "1.6", "2.0.1", "1.6", "2.1")
REGISTERS_WH = (200_000, 9_000_000)


@dataclass(frozen=True, slots=True)
class Type:
    """A type of station: its name plate and its EVSEs' power, and whether that is DC."""

    vendor: str
    model: str
    offers_w: tuple[float, ...]
    dc: bool = False


TYPES = (
    Type("Voltanova", "Duo 22", (22_000, 22_000)),
    Type("Voltanova", "Wall 11", (11_000,)),
    Type("Kilowatt & Söhne", "KS-2", (22_000, 22_000)),
    Type("Ampere Works", "Rapid 50", (50_000,), dc=True),
    Type("Ampere Works", "Hyper 300", (150_000, 150_000), dc=True),
    Type("Bornhalle", "Park 4", (11_000, 11_000, 11_000, 11_000)),
)
#: Which of them a street has, by weight.
SHARES = (5, 3, 3, 2, 1, 2)


def tokens(count: int = 40) -> list[str]:
    """The cards of the regular drivers, to be registered at the CSMS."""
    return [f"DEMO{number:04d}" for number in range(1, count + 1)]


#: Cards that nobody registers, for the drivers who are sent away.
STRANGERS = ("NOBODY01", "NOBODY02")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a fleet is made of. ``password`` gives each station's, or None for none."""

    url: str
    stations: int
    versions: Sequence[str] = MIXED
    seed: int = 1
    prefix: str = "CP-"
    password: Callable[[str], str | None] = lambda identity: None
    tokens: Sequence[str] = tuple(tokens())
    strangers: Sequence[str] = STRANGERS
    faults: frozenset[str] = frozenset()
    visits_a_day: float = VISITS_A_DAY
    busy_at_start: float = 0.4
    luck: Luck = FAIR
    sample_s: int | None = None
    """Instead of each station's own meter sample interval, world seconds."""
    names: Sequence[str] = ()
    """The stations' identities, instead of numbered ones."""
    drivers: bool = True
    """Whether anybody comes, and anything goes wrong, by itself."""
    vendor: str | None = None
    """Instead of each type's; likewise the next ones."""
    model: str | None = None
    firmware: str | None = None
    evses: int | None = None
    roots: str | None = None
    """A file of certificates to trust instead of the system's, for wss."""

    def identities(self) -> list[str]:
        if self.names:
            return list(self.names)
        digits = max(3, len(str(self.stations)))
        return [f"{self.prefix}{number:0{digits}d}" for number in range(1, self.stations + 1)]

    def tokens_at(self, number: int) -> Sequence[str]:
        """The cards of those who come to this station: where there are enough, nobody is in two places at once."""
        own = self.tokens[number :: len(self.names) or self.stations]
        return own or self.tokens[number % (len(self.tokens) or 1) :][:1]


class Fleet:
    """Stations and drivers by plan. ``run`` is their life; ``stations`` is there from the start."""

    def __init__(
        self, plan: Plan, pace: Pace, *, acknowledged: Acknowledged = nobody, news: News = nobody
    ) -> None:
        self.pace = pace
        self._driven = plan.drivers
        self._drivers: list[Drivers] = []
        for number, identity in enumerate(plan.identities()):
            rng = Random(f"{plan.seed}:{identity}")
            station = _station(plan, number, identity, rng, pace)
            station.acknowledged, station.tell = acknowledged, news
            self._drivers.append(
                Drivers(
                    station,
                    plan.tokens_at(number),
                    rng,
                    strangers=plan.strangers,
                    visits_a_day=plan.visits_a_day,
                    busy_at_start=plan.busy_at_start,
                    luck=plan.luck,
                )
            )

    @property
    def stations(self) -> list[Station]:
        return [drivers.station for drivers in self._drivers]

    async def run(self) -> None:
        """Until cancelled. Stations dial in over the first seconds, not all at once."""
        async with asyncio.TaskGroup() as tasks:
            for drivers in self._drivers:
                tasks.create_task(self._live(drivers))

    async def _live(self, drivers: Drivers) -> None:
        await self.pace.sleep(drivers.rng.uniform(0, 3))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(drivers.station.run())
            await drivers.station.powered.wait()
            if self._driven:
                tasks.create_task(drivers.run())


def _station(plan: Plan, number: int, identity: str, rng: Random, pace: Pace) -> Station:
    kind = rng.choices(TYPES, SHARES)[0]
    station = Station(
        Place(plan.url, identity, plan.password(identity), plan.roots),
        plan.versions[number % len(plan.versions)],
        _evses(kind, plan.evses or len(kind.offers_w), rng),
        pace,
        Random(rng.getrandbits(64)),
        _make(plan, kind, rng),
        plan.faults,
        boots_always=rng.random() < 0.3,
    )
    if plan.sample_s is not None:
        station.configuration.turn("sample_s", str(plan.sample_s))
    return station


def _evses(kind: Type, number: int, rng: Random) -> list[Evse]:
    return [
        Evse(
            evse_id,
            kind.offers_w[(evse_id - 1) % len(kind.offers_w)],
            kind.dc,
            float(rng.randint(*REGISTERS_WH)),
            kind="cCCS2" if kind.dc else "cType2",
        )
        for evse_id in range(1, number + 1)
    ]


def _make(plan: Plan, kind: Type, rng: Random) -> Make:
    serial = f"{kind.vendor[0]}{rng.randrange(10**7):07d}"
    firmware = f"{rng.randint(1, 4)}.{rng.randint(0, 9)}.{rng.randint(0, 5)}"
    return Make(plan.vendor or kind.vendor, plan.model or kind.model, serial, plan.firmware or firmware)

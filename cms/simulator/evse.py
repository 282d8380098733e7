"""One EVSE with its connector, its meter and the transaction it is in; no protocol here."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cms.simulator.cars import Car

if TYPE_CHECKING:
    from cms.simulator.profiles import Profile

LINE_V = 230.0
#: What a card at the reader is, in the words of 2.x.
CARD = "ISO14443"


@dataclass(slots=True, eq=False)
class Transaction:
    """One transaction as the station knows it: the truth that tests compare a CSMS with. Energy in Wh.

    ``id`` is our own in 2.x, and the CSMS's number once it answered in 1.6. ``refused``:
    the CSMS said no to its token. ``lost`` counts messages given up after their last attempt.
    """

    evse: int
    token: str
    started_at: datetime
    meter_start_wh: int
    version: str = "1.6"
    id: str | None = None
    number: int | None = None
    remote_start_id: int | None = None
    ended_at: datetime | None = None
    meter_stop_wh: int | None = None
    end_reason: str | None = None
    seq_no: int = -1
    refused: bool = False
    lost: int = 0
    token_kind: str = CARD
    reservation_id: int | None = None
    limits: dict[str, float] = field(default_factory=dict)
    """2.1 E16, by the names of TransactionLimitType: maxEnergy Wh, maxTime s, maxCost, maxSoC percent."""
    tariff: dict[str, Any] | None = None
    """2.1: the driver's tariff, as the CSMS gave it."""
    priority: bool = False
    sampled: bool = False
    frozen: bool = False
    """The station is down, and will go on with it (2.1 B13, E17)."""
    authorized: bool = True
    """Whether somebody was let in, and has not stopped it."""
    stopped_by: str | None = None
    """Why it stopped (a key of language.ENDS), where it ends later, when the car leaves."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when whoever waits for this transaction must look again."""

    @property
    def energy_wh(self) -> int:
        return (self.meter_stop_wh or self.meter_start_wh) - self.meter_start_wh

    def next_seq_no(self) -> int:
        self.seq_no += 1
        return self.seq_no


@dataclass(frozen=True, slots=True)
class Awaited:
    """A token that was let in before there was a car to charge."""

    token: str
    until: datetime
    remote_start_id: int | None = None
    token_kind: str = CARD
    profile: Profile | None = None
    """The charging profile that came with a remote start."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One sampled value."""

    measurand: str
    value: float
    unit: str
    phase: str | None = None
    location: str = "Outlet"


@dataclass(slots=True, eq=False)
class Evse:
    """``offered_w`` is what it can give, ``limit_w`` what charging profiles leave of it (None: all of it);
    ``register_wh`` its meter, which only ever grows.
    """

    id: int
    offered_w: float
    dc: bool = False
    register_wh: float = 0.0
    car: Car | None = None
    transaction: Transaction | None = None
    awaited: Awaited | None = None
    operative: bool = True
    operative_later: bool | None = None
    fault: str | None = None
    used: bool = False
    """The car that stands here has had its transaction."""
    told_full: bool = False
    metered_at: datetime | None = None
    connector: int = 1
    limit_w: float | None = None
    reservation_id: int | None = None
    """The reservation that holds this EVSE."""
    kind: str = "cType2"
    """Its connector, as 2.x names types."""
    paying_until: datetime | None = None
    """Somebody pays for this EVSE on the web (2.1 C25): nobody else may begin before."""

    @property
    def offer_w(self) -> float:
        """What a car may take now."""
        return self.offered_w if self.limit_w is None else max(0.0, min(self.offered_w, self.limit_w))

    @property
    def paused(self) -> bool:
        """The EVSE gives nothing, whatever the car wants."""
        return self.transaction is not None and self.offer_w < 1.0

    @property
    def idle(self) -> bool:
        return self.transaction is None

    @property
    def charging(self) -> bool:
        """It would give what it has to a car."""
        transaction = self.transaction
        return transaction is not None and transaction.authorized and not transaction.frozen

    @property
    def unclaimed(self) -> bool:
        """Nobody was let in here."""
        transaction = self.transaction
        return transaction is None or not (transaction.authorized or transaction.stopped_by)

    @property
    def free(self) -> bool:
        """A driver could plug in here."""
        return self.car is None and self.transaction is None and self.operative and self.fault is None

    @property
    def status(self) -> str:
        """In the 1.6 vocabulary, lower case; 2.x says less."""
        if self.fault is not None:
            return "faulted"
        if self.transaction is not None and not self.transaction.authorized:
            return "finishing" if self.transaction.stopped_by else "preparing"
        if self.transaction is not None and self.car is None:
            return "awaiting"
        if self.transaction is not None:
            return "suspended-ev" if self.told_full else "suspended-evse" if self.paused else "charging"
        if not self.operative:
            return "unavailable"
        if self.reservation_id is not None:
            return "reserved"
        if self.car is not None:
            return "finishing" if self.used else "preparing"
        return "awaiting" if self.awaited else "available"

    @property
    def meter_wh(self) -> int:
        return int(self.register_wh)

    def advance(self, now: datetime) -> None:
        """Let the meter run up to now."""
        if self.charging and self.car is not None and self.metered_at is not None:
            passed_s = (now - self.metered_at).total_seconds()
            self.register_wh += self.car.charge(self.offer_w, self.dc, passed_s)
        self.metered_at = now

    @property
    def power_w(self) -> float:
        """What the car takes now."""
        return self.car.power_w(self.offer_w, self.dc) if self.car and self.charging else 0.0

    def measure(self) -> list[Measured]:
        """What the meter shows now: nine values for AC, six for DC."""
        power_w = self.power_w
        values = [
            Measured("Energy.Active.Import.Register", self.meter_wh, "Wh"),
            Measured("Power.Active.Import", round(power_w), "W"),
            Measured("Power.Offered", round(self.offer_w), "W"),
        ]
        if self.dc:
            return values + self._measure_dc(power_w)
        phases = ("L1", "L2", "L3") if power_w > 7_400 else ("L1",)
        for phase in ("L1", "L2", "L3"):
            amperes = power_w / len(phases) / LINE_V if phase in phases else 0.0
            values.append(Measured("Current.Import", round(amperes, 1), "A", phase))
            values.append(Measured("Voltage", LINE_V, "V", f"{phase}-N"))
        return values

    def _measure_dc(self, power_w: float) -> list[Measured]:
        soc = self.car.soc if self.car else 0.0
        volts = 350.0 + 60.0 * soc
        return [
            Measured("Current.Import", round(power_w / volts, 1), "A"),
            Measured("Voltage", round(volts, 1), "V"),
            Measured("SoC", round(soc * 100), "Percent", location="EV"),
        ]

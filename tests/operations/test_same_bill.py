"""Sessions with the same facts get the same bill, whatever OCPP their station speaks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cms.contract.tariffs import AddTariff, Bound, Component, Price, Tariff, Tax, UseTariff, When
from cms.domain.cdrs import Cdr
from cms.operations import tariffs
from tests.domain.build import after
from tests.operations.frames import Charging
from tests.operations.small import ANA, Small

D = Decimal
VAT = (Tax("VAT", D(19)),)
EVERYTHING = Tariff(
    "ALL",
    "EUR",
    energy=Component((Price(D("0.49"), When(max_energy_wh=D(4000))), Price(D("0.39"))), VAT),
    charging_time=Component((Price(D("0.03")),), VAT),
    idle_time=Component((Price(D("0.10"), When(min_idle_s=300)),), VAT),
    fixed_fee=Component((Price(D("1.00")),), (Tax("VAT", D(7)),)),
    max_cost=Bound(incl_tax=D("99.00")),
    time_zone="Europe/Berlin",
)


async def played(small: Small, version: str, late_min: int) -> Cdr:
    """40 minutes of charging, 23 minutes of standing; a station that was offline tells all of it later."""
    await tariffs.add(small.core, AddTariff(EVERYTHING), ANA)
    await tariffs.use(small.core, UseTariff("ALL", since=after(-1)), ANA)
    car = Charging(small, version, late_min=late_min)
    await car.begin(after(0), 1000)
    await car.meter(after(15), 3500)
    await car.state("SuspendedEV", after(40))
    await car.meter(after(41), 7123)
    await car.end(after(63), 7123)
    [cdr] = await small.core.store.accounting.cdrs()
    return cdr


def facts(cdr: Cdr) -> dict[str, Any]:
    return {
        "bill": cdr.bill,
        "energy": (cdr.energy_wh, cdr.meter_start_wh, cdr.meter_stop_wh),
        "spans": (cdr.started_at, cdr.ended_at, cdr.charging_s, cdr.idle_s),
        "place": (cdr.evse, cdr.connector),
        "payer": (cdr.token, cdr.payer),
        "holds": cdr.holds,
    }


_known: dict[str, dict[str, Any]] = {}


@pytest.mark.parametrize("late_min", [0, 300], ids=["live", "offline"])
@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
async def test_every_version_gives_the_same_bill(small: Small, version: str, late_min: int) -> None:
    cdr = await played(small, version, late_min)
    assert {line.what for line in cdr.bill.lines} == {"energy", "charging-time", "idle-time", "fixed-fee"}
    assert sum(line.gross for line in cdr.bill.lines) == cdr.bill.gross
    # By hand: (4 x 0.49 + 2.123 x 0.39 + 40 x 0.03 + 18 x 0.10) x 1.19 + 1.00 x 1.07 = 7.9577
    assert cdr.bill.gross == D("7.96")
    assert facts(cdr) == _known.setdefault("all", facts(cdr))

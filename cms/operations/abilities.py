"""What a 2.x station said it can show, keep and tell of money: read from its device model when it matters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from cms.core import Core
from cms.domain.record import record
from cms.operations.costmessages import shows_costs


@record
class Abilities:
    """What a station said it can show, keep and tell; None: it did not say."""

    texts: bool = False
    costs: bool = False
    tariffs: bool | None = None
    limits: tuple[str, ...] | None = None
    kinds: Mapping[int, str] = field(default_factory=dict)
    """AC or DC by EVSE."""


async def abilities(core: Core, station_id: str) -> Abilities:
    """What the station told of its controllers; asked once a session or card, never per meter value."""
    values = {v.name.casefold(): v.value or "" for v in await core.store.variables(station_id)}

    def has(component: str, instance: str = "") -> bool | None:
        words = (values.get(f"{component}.{name}{instance}") for name in ("enabled", "available"))
        said = next((word for word in words if word is not None), None)
        return None if said is None else said.casefold() == "true"

    shows_tariff = has("tariffcostctrlr", "#tariff")
    limits = values.get("txctrlr.supportedlimits")
    return Abilities(
        texts=bool(shows_tariff) or bool(has("displaymessagectrlr")),
        costs=bool(has("tariffcostctrlr", "#cost")) or shows_costs(core, core.lane(station_id).state),
        tariffs=shows_tariff,
        limits=None if limits is None else tuple(part for part in limits.split(",") if part.strip()),
        kinds=_kinds(values),
    )


def _kinds(values: Mapping[str, str]) -> dict[int, str]:
    """AC or DC by EVSE: 2.x EVSE.SupplyPhases is 0 for DC."""
    found = {}
    for name, value in values.items():
        if name.startswith("evse@") and name.endswith(".supplyphases") and value.strip():
            number = name.removeprefix("evse@").partition(".")[0]
            if number.isdecimal():
                found[int(number)] = "DC" if value.strip() == "0" else "AC"
    return found

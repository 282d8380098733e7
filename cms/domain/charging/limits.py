"""What a station says it takes of charging profiles, read from its configuration however it is spelled."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from cms.contract.quirks import Capabilities
from cms.contract.stations import Variable
from cms.domain.evolve import evolve
from cms.domain.quirks import Quirks
from cms.domain.record import record

_WORDS = re.compile(r"[A-Za-z]+")
#: 1.6 says Current and Power, 2.x A and W; in the field both, with blanks and semicolons.
_UNITS = {"a": "A", "current": "A", "amp": "A", "ampere": "A", "w": "W", "power": "W", "watt": "W"}
_TRUE = {"true": True, "false": False}

#: Our word -> the names of it, without case: 1.6 keys, then 2.x variables.
_NAMES = {
    "stack_level": ("chargeprofilemaxstacklevel", "smartchargingctrlr.profilestacklevel"),
    "periods": ("chargingschedulemaxperiods", "smartchargingctrlr.periodsperschedule"),
    "units": ("chargingscheduleallowedchargingrateunit", "smartchargingctrlr.rateunit"),
    "profiles": ("maxchargingprofilesinstalled", "smartchargingctrlr.entries#chargingprofiles"),
    "phase_switching": ("smartchargingctrlr.acphaseswitchingsupported",),
    "external_id": ("smartchargingctrlr.maxexternalconstraintsid",),
    "purposes": ("smartchargingctrlr.supportedadditionalpurposes",),
    "dynamic": ("smartchargingctrlr.supportsdynamicprofiles", "smartchargingctrlr.supports#dynamicprofiles"),
    "tx_persistent": ("smartchargingctrlr.chargingprofilepersistence#txprofile",),
}


@record
class Limits:
    """None where the station did not say. ``purposes`` are those of 2.1 that it takes beyond the usual."""

    stack_level: int | None = None
    periods: int | None = None
    units: tuple[str, ...] = ()
    profiles: int | None = None
    phase_switching: bool | None = None
    external_id: int | None = None
    purposes: tuple[str, ...] = ()
    dynamic: bool | None = None
    tx_persistent: bool | None = None
    kind: str = ""
    """The only kind it follows, beside recurring ones; empty: each."""
    start_s: int = 0
    """What is to hold now starts so many seconds earlier."""


def with_quirks(limits: Limits, quirks: Quirks) -> Limits:
    """What the station really takes, whatever it says of itself."""
    level = limits.stack_level
    if quirks.stack_levels:
        level = quirks.stack_levels - 1
    return evolve(
        limits,
        stack_level=level,
        units=(quirks.rate_unit,) if quirks.rate_unit else limits.units,
        kind=quirks.profile_kind,
        start_s=quirks.profile_start_s,
    )


def with_capabilities(limits: Limits, known: Capabilities) -> Limits:
    """Where the station itself has not said, what another of its make did."""
    levels = known.stack_levels
    return evolve(
        limits,
        stack_level=_first(limits.stack_level, None if levels is None else levels - 1),
        periods=_first(limits.periods, known.periods),
        units=limits.units or known.rate_units or (),
        profiles=_first(limits.profiles, known.charging_profiles),
    )


def _first(one: int | None, other: int | None) -> int | None:
    return other if one is None else one


def limits_of(variables: Iterable[Variable]) -> Limits:
    """What the station told of itself so far."""
    known = {v.name.casefold(): v.value for v in variables if v.value is not None and v.attribute == "Actual"}
    return Limits(
        stack_level=_number(_told(known, "stack_level")),
        periods=_number(_told(known, "periods")),
        units=_units(_told(known, "units")),
        profiles=_number(_told(known, "profiles")),
        phase_switching=_flag(_told(known, "phase_switching")),
        external_id=_number(_told(known, "external_id")),
        purposes=tuple(_WORDS.findall(_told(known, "purposes"))),
        dynamic=_flag(_told(known, "dynamic")),
        tx_persistent=_flag(_told(known, "tx_persistent")),
    )


def _told(known: Mapping[str, str], word: str) -> str:
    return next((known[name] for name in _NAMES[word] if name in known), "")


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else None


def _units(text: str) -> tuple[str, ...]:
    found = (_UNITS.get(word.casefold()) for word in _WORDS.findall(text))
    return tuple(dict.fromkeys(unit for unit in found if unit))


def _flag(text: str) -> bool | None:
    return _TRUE.get(text.strip().casefold())

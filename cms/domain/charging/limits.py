"""What a station says it takes of charging profiles, read from its configuration however it is spelled."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from cms.contract.stations import Variable
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

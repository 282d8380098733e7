"""What a make of station takes, read from its configuration: keys of 1.6, variables of 2.x, in one record.

Nothing is guessed: what was not told is None, and a list that could not be read is neither widened nor narrowed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from cms.contract.quirks import Capabilities
from cms.domain.record import record
from cms.domain.stations import Station

KIND = "capabilities"

_SEPARATORS = re.compile(r"[,;|\s]+")
_PHASES = re.compile(r"\.(L[123](-(N|L[123]))?|N)$")
#: Words for A and W (1.6 section 9.4.1 says Current and Power; stations write either).
_UNITS = {"a": "A", "current": "A", "amp": "A", "amps": "A", "w": "W", "power": "W", "watt": "W", "kw": "W"}


def _whole(text: str) -> int | None:
    word = text.strip().partition(".")[0]
    return int(word) if word.isascii() and word.isdecimal() and len(word) < 10 else None


def _levels(text: str) -> int | None:
    """Levels count from 0 to the maximum that is told (1.6 ChargeProfileMaxStackLevel)."""
    highest = _whole(text)
    return None if highest is None else highest + 1


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in _SEPARATORS.split(text.strip()) if word))[:200]


def _units(text: str) -> tuple[str, ...] | None:
    known = {_UNITS[word.casefold()] for word in _words(text) if word.casefold() in _UNITS}
    return tuple(sorted(known)) or None


def _measurands(text: str) -> tuple[str, ...]:
    """Some append the phase to the name; phases are no part of it."""
    return tuple(dict.fromkeys(_PHASES.sub("", word) for word in _words(text)))


def _flag(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.strip().casefold())


@record
class Source:
    """Where a field of Capabilities is read: the key of 1.6, the variable of 2.x, and how its text is read."""

    field: str
    key: str | None
    variable: str | None
    read: Callable[[str], Any]


SOURCES: tuple[Source, ...] = (
    Source("read_message", "GetConfigurationMaxKeys", "DeviceDataCtrlr.ItemsPerMessage#GetVariables", _whole),
    Source("write_message", None, "DeviceDataCtrlr.ItemsPerMessage#SetVariables", _whole),
    Source("profiles", "SupportedFeatureProfiles", None, _words),
    Source("connectors", "NumberOfConnectors", None, _whole),
    Source("stack_levels", "ChargeProfileMaxStackLevel", "SmartChargingCtrlr.ProfileStackLevel", _levels),
    Source("rate_units", "ChargingScheduleAllowedChargingRateUnit", "SmartChargingCtrlr.RateUnit", _units),
    Source("periods", "ChargingScheduleMaxPeriods", "SmartChargingCtrlr.PeriodsPerSchedule", _whole),
    Source(
        "charging_profiles",
        "MaxChargingProfilesInstalled",
        "SmartChargingCtrlr.Entries#ChargingProfiles",
        _whole,
    ),
    Source("list_entries", "LocalAuthListMaxLength", "LocalAuthListCtrlr.Entries", _whole),
    Source("list_message", "SendLocalListMaxLength", "LocalAuthListCtrlr.ItemsPerMessage", _whole),
    Source("measurands", "MeterValuesSampledData", "SampledDataCtrlr.TxUpdatedMeasurands", _measurands),
    Source("shows_costs", "CustomDisplayCostAndPrice", None, _flag),
    Source("max_measurands", "MeterValuesSampledDataMaxLength", None, _whole),
)

#: What 2.x says instead of SupportedFeatureProfiles: each controller whether it is there.
CONTROLLERS = (
    "SmartChargingCtrlr",
    "LocalAuthListCtrlr",
    "ReservationCtrlr",
    "DisplayMessageCtrlr",
    "TariffCostCtrlr",
)


def names(version: str, skipped: str) -> tuple[str, ...]:
    """What to ask a station of this version for; never what is ``skipped`` (with commas)."""
    without = {word.casefold() for word in _words(skipped)}
    if version == "1.6":
        wanted = [source.key for source in SOURCES if source.key]
    else:
        wanted = [source.variable for source in SOURCES if source.variable]
        wanted += [f"{controller}.Available" for controller in CONTROLLERS]
    return tuple(name for name in wanted if name.casefold() not in without)


def read(
    station: Station, version: str, told: Mapping[str, str | None], asked: Sequence[str], now: datetime
) -> Capabilities:
    """What the station's answers mean. ``told`` are names as it writes them (their case is its own) with values."""
    known = {name.casefold(): value for name, value in told.items() if value is not None}
    found: dict[str, Any] = {}
    for source in SOURCES:
        name = source.key if version == "1.6" else source.variable
        if name is not None and (text := known.get(name.casefold())) is not None:
            found[source.field] = source.read(text)
    if version != "1.6":
        found["profiles"] = _controllers(known)
    return Capabilities(
        vendor=station.vendor or "",
        model=station.model or "",
        firmware=station.firmware or "",
        ocpp_version=version,
        probed_at=now,
        station=station.id,
        unread=tuple(name for name in asked if name.casefold() not in known),
        **found,
    )


def _controllers(known: Mapping[str, str]) -> tuple[str, ...] | None:
    said = {c: known.get(f"{c}.Available".casefold(), "").strip().casefold() for c in CONTROLLERS}
    if not any(said.values()):
        return None
    return tuple(controller for controller, word in said.items() if word == "true")

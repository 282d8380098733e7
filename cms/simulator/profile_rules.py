"""What a station objects to in a charging profile: 1.6 section 5.16, 2.0.1 K01, 2.1 K01 and K28."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cms.simulator.profiles import EXTERNAL, LOCAL, MAX, TX, Profile

if TYPE_CHECKING:
    from cms.simulator.station import Station

#: (rule, reason code of at most 20 characters); the first that holds is the objection.
FAULTY_KINDS = {"relative-only": "Relative", "absolute-only": "Absolute"}
FAULTY_UNITS = {"amps-only": "A", "watts-only": "W"}


def objection(station: Station, profile: Profile, *, starting: bool = False) -> str | None:
    """A reason code (2.x StatusInfo), or None. ``starting``: it comes with a remote start."""
    rules = (
        (bool(profile.evse) and station.evse(profile.evse) is None, "UnknownEvse"),
        (profile.stack > _max_stack(station), "InvalidStackLevel"),
        (profile.purpose == EXTERNAL, "InvalidProfile"),  # K01.FR.22: not the CSMS's to set
        (profile.purpose in (MAX, LOCAL) and profile.evse != 0, "InvalidProfile"),
        (profile.purpose == MAX and profile.kind == "Relative", "InvalidProfile"),  # K01.FR.38
        (profile.purpose == TX and not starting and not _running(station, profile), "TxNotFound"),
        (starting and profile.transaction is not None, "InvalidProfile"),
        (profile.kind == "Recurring" and profile.recurrence is None, "InvalidSchedule"),
        (profile.periods[0].start_s != 0, "InvalidSchedule"),  # K01.FR.31
        (len(profile.periods) > station.configuration.number("max_periods"), "InvalidSchedule"),
        (not _known_unit(station, profile), "UnsupportedRateUnit"),
        (not _known_kind(station, profile), "UnsupportedKind"),
        (_full(station, profile), "TooManyProfiles"),
    )
    return next((reason for holds, reason in rules if holds), None)


def _max_stack(station: Station) -> int:
    return 0 if "stack-0-only" in station.faults else station.configuration.number("max_stack_level")


def _running(station: Station, profile: Profile) -> bool:
    """A transaction runs there, and it is the one that is named, if one is."""
    evse = station.evse(profile.evse)
    if evse is None or evse.transaction is None:
        return False
    return profile.transaction in (None, evse.transaction.id)


def _known_unit(station: Station, profile: Profile) -> bool:
    only = next((unit for fault, unit in FAULTY_UNITS.items() if fault in station.faults), None)
    return only in (None, profile.unit)


def _known_kind(station: Station, profile: Profile) -> bool:
    only = next((kind for fault, kind in FAULTY_KINDS.items() if fault in station.faults), None)
    return only in (None, profile.kind)


def _full(station: Station, profile: Profile) -> bool:
    others = sum(1 for kept in station.profiles if kept.id != profile.id)
    return others >= station.configuration.number("max_profiles")

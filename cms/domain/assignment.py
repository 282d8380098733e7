"""Which tariff holds where, for whom: one ladder of rungs, from the most particular to the organisation.

A rung is a place or a person that a tariff is assigned to since some instant. The first rung whose tariff has a version
that is valid then decides. An assignment names a tariff (its version of the day holds) or pins one version of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from cms.domain.record import record
from cms.domain.tariffs import DEFAULT, Registered, Use, station_key, token_key

#: From the most particular: what each rung is called. Of several groups of a driver that whose assignment has the
#: lowest order, then the first by name.
RUNGS = (
    "token",
    "plan",
    "group",
    "evse",
    "station-type",
    "station",
    "site-type",
    "site",
    "type",
    "default",
)
#: Rungs that are about who charges: 2.1 calls such a tariff the driver's (I08).
PERSONAL = frozenset(RUNGS[:3])

Uses = Mapping[str, Use]
Register = Mapping[str, Registered]


@record
class Asked:
    """Who charges where: what rungs are made of. ``standard`` is OCPI's word for the outlet.

    ``plan_tariff`` is what the plan itself names, where nothing is assigned to it.
    """

    station: str | None = None
    site: str | None = None
    evse: int | None = None
    standard: str | None = None
    token: str | None = None
    groups: tuple[str, ...] = ()
    plan: str | None = None
    plan_tariff: str | None = None


@record
class Rung:
    """One rung: the key it is kept under, and what holds on it. ``assigned``: a tariff or a pinned version.

    ``version`` is the concrete version that this is at the instant; None: none of it is valid then.
    """

    name: str
    key: str
    assigned: str | None
    since: datetime | None
    version: str | None


def plan_key(plan: str) -> str:
    return f"plan/{plan.casefold()}"


def group_key(group: str) -> str:
    return f"group/{group.casefold()}"


def evse_key(station: str, evse: int) -> str:
    # The number first: a station's identity may hold any sign, also a slash.
    return f"evse/{evse}/{station.casefold()}"


def site_key(site: str) -> str:
    return f"site/{site.casefold()}"


def type_key(standard: str, within: str | None = None) -> str:
    """Of a connector type everywhere, or ``within`` a place (a key of a station or a site)."""
    return f"type/{standard}/{within}" if within else f"type/{standard}"


def keys(asked: Asked, uses: Uses) -> Iterator[tuple[str, str]]:
    """(Rung, key) of all that may decide, in the order of precedence."""
    if asked.token:
        yield "token", token_key(asked.token)
    if asked.plan:
        yield "plan", plan_key(asked.plan)
    if asked.groups:
        yield from (("group", key) for key in _ordered(asked.groups, uses))
    station = station_key(asked.station) if asked.station else None
    site = site_key(asked.site) if asked.site else None
    if asked.station and asked.evse:
        yield "evse", evse_key(asked.station, asked.evse)
    if station and asked.standard:
        yield "station-type", type_key(asked.standard, station)
    if station:
        yield "station", station
    if site and asked.standard:
        yield "site-type", type_key(asked.standard, site)
    if site:
        yield "site", site
    if asked.standard:
        yield "type", type_key(asked.standard)
    yield "default", DEFAULT


def _ordered(groups: tuple[str, ...], uses: Uses) -> list[str]:
    """Keys of groups: by the order that their assignments were given, then by name."""
    found = (group_key(group) for group in groups)
    return sorted(found, key=lambda key: (uses[key].order if key in uses else 0, key))


def ladder(uses: Uses, register: Register, asked: Asked, at: datetime) -> Iterator[Rung]:
    """All rungs with what holds on each at an instant."""
    for name, key in keys(asked, uses):
        use = uses.get(key)
        since, assigned = use.step(at) if use is not None else (None, None)
        if assigned is None and name == "plan":
            since, assigned = None, asked.plan_tariff
        version = version_at(register, assigned, at) if assigned is not None else None
        yield Rung(name, key, assigned, since, version)


def resolve(uses: Uses, register: Register, asked: Asked, at: datetime) -> Rung | None:
    """The rung that decides: the first on which a version is valid."""
    return next((rung for rung in ladder(uses, register, asked, at) if rung.version is not None), None)


def personal(uses: Uses, register: Register, asked: Asked, at: datetime) -> str | None:
    """The version that is his who charges, wherever he does (2.1: driver tariff, I08)."""
    rungs = ladder(uses, register, asked, at)
    return next((r.version for r in rungs if r.name in PERSONAL and r.version is not None), None)


def version_id(family: str, number: int) -> str:
    """What sessions and bills name: the first version is called as its tariff."""
    return family if number == 1 else f"{family}.{number}"


def versions(register: Register, family: str) -> list[Registered]:
    """All versions of a tariff, oldest first; none where there is no such tariff."""
    first = register.get(family)
    if first is None or first.version != 1:
        return []
    found, number = [first], 2
    while (entry := register.get(version_id(family, number))) is not None:
        if entry.name == family:
            found.append(entry)
        number += 1
    return found


def pinned(register: Register, assigned: str) -> Registered | None:
    """The one version that is named: ``DC-day.2``, and ``DC-day.1`` for the first; None: a tariff is meant."""
    entry = register.get(assigned)
    if entry is not None:
        return entry if entry.version != 1 else None
    family, dot, number = assigned.rpartition(".")
    first = register.get(family) if dot and number == "1" else None
    return first if first is not None and first.version == 1 else None


def version_at(register: Register, assigned: str, at: datetime) -> str | None:
    """The version that holds at an instant: of those that are valid then, the one that began last."""
    one = pinned(register, assigned)
    if one is not None:
        return one.tariff.id if _valid(one, one.tariff.valid_from, at) else None
    held: Registered | None = None
    for entry in versions(register, assigned):
        begins = entry.begins
        if _valid(entry, begins, at) and (held is None or _later(begins, held.begins)):
            held = entry
    return held.tariff.id if held is not None else None


def _valid(entry: Registered, begins: datetime | None, at: datetime) -> bool:
    ends = entry.tariff.valid_to
    return (begins is None or begins <= at) and (ends is None or at < ends)


def _later(begins: datetime | None, other: datetime | None) -> bool:
    """Whether what begins then precedes an older version: it began no earlier."""
    return other is None or (begins is not None and begins >= other)

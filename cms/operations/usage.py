"""Reports of usage: put together from the sums where they have what is asked, else from the sessions one by one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from datetime import UTC, datetime

from cms.contract.refusals import Denied, Invalid, NotFound, Unreachable
from cms.contract.usage import GROUPINGS, ShowUsage, UsageReport
from cms.core import Actor, Core
from cms.domain import accounts, measures, sites, tariffs, usagefigures
from cms.domain.accounts import Account
from cms.domain.measures import NOTHING, Counted, InService, Standing
from cms.domain.sessions import Session
from cms.domain.tariffs import Registered
from cms.domain.usagefigures import ENERGY, Asked, Figures, Table, take, together
from cms.domain.usagespans import Span, grains, instant, listed, row_of, span_of
from cms.operations.drivers import find
from cms.operations.sites import registered
from cms.operations.usagesums import catch_up, site_of, standing_of, zone_of

#: Whoever asks waits so long for sessions that are not counted yet.
_PATIENCE_S = 15.0
_AT_ONCE = 1000
_REVENUE, _DRIVERS = "billing.read", "drivers.read"
_NOBODY = {"site": "no site", "driver": "no driver", "tariff": "no tariff"}


async def show(core: Core, request: ShowUsage, actor: Actor) -> UsageReport:
    asked = _asked(core, request, actor.permissions)
    if left := await catch_up(core, _PATIENCE_S):
        raise Unreachable(
            f"{left} sessions are still to be counted", "it goes on by itself: ask again in a minute"
        )
    table, total = await _table(core, asked, asked.span)
    if not request.compare:
        return usagefigures.report(asked, _titles(core, asked.by), table, total, None)
    before = await _table(core, asked, asked.span.before)
    return usagefigures.report(asked, _titles(core, asked.by), table, total, before)


def _asked(core: Core, request: ShowUsage, permissions: Collection[str]) -> Asked:
    if (request.by == "driver" or request.driver is not None) and _DRIVERS not in permissions:
        raise Denied(f"usage by driver takes the permission {_DRIVERS}", "group it by something else")
    if request.by not in GROUPINGS:
        raise Invalid(f"usage is not counted by {request.by[:40]!r}", f"by: {', '.join(GROUPINGS)}")
    narrowed = _narrowed(core, request)
    zone = _zone(core, narrowed)
    now = core.clock.now()
    return Asked(request.by, zone, span_of(request, zone, now), narrowed, _REVENUE in permissions, now)


def _narrowed(core: Core, request: ShowUsage) -> dict[str, str]:
    """What it is narrowed to, each as it is registered. Raises NotFound."""
    known: dict[str, Callable[[str], str]] = {
        "site": lambda name: registered(core, name).id,
        "station": lambda name: core.lane(name).state.station.id,
        "driver": lambda name: find(core, name).id,
        "tariff": lambda name: _tariff(core, name),
    }
    given = {name: getattr(request, name) for name in known}
    return {name: known[name](value) for name, value in given.items() if value is not None}


def _tariff(core: Core, name: str) -> str:
    known: dict[str, Registered] = core.kept.get(tariffs.TARIFF, {})
    if name in known:
        return known[name].name
    if all(version.name != name for version in known.values()):
        raise NotFound(f"there is no tariff {name}", "see `cms tariffs list`")
    return name


def _zone(core: Core, narrowed: dict[str, str]) -> str:
    """Whose clock the span is meant on."""
    if "site" in narrowed:
        return registered(core, narrowed["site"]).time_zone
    return zone_of(core, site_of(core, narrowed["station"]) if "station" in narrowed else None)


# What is found


async def _table(core: Core, asked: Asked, span: Span) -> tuple[Table, Figures]:
    """The rows of a span by their keys, and all of it."""
    table: Table = {key: Figures() for key in listed(asked.by, asked.zone, span)}
    if asked.scope is not None:
        await _from_sums(core, asked, span, asked.scope, table)
    else:
        async for counted in _sessions(core, asked, span):
            take(table, asked, span, counted)
    running = await _running(core, asked)
    for counted in running:
        take(table, asked, span, counted, running=True)
    total = together(table.values())
    if not asked.keeps_hours and not asked.narrowed:
        total.hours = await _hours(core, span, running)
    if asked.has_places:
        total.available_s = usagefigures.serve(
            asked, span, await _in_service(core, asked), _connectors(core), table
        )
    return table, total


async def _from_sums(
    core: Core, asked: Asked, span: Span, scope: tuple[str, str | None], table: Table
) -> None:
    usage, (name, key) = core.store.usage, scope
    if not asked.in_time:
        for grain, since, until in grains(*span.days):
            for row, currency, sums in await usage.sums(name, grain, since, until, by_key=True):
                if sums != NOTHING:
                    table.setdefault(row, Figures()).add(currency, sums)
        return
    if name in measures.HOURLY:
        for hour, currency, sums in await usage.sums(name, "hour", span.first, span.end, key=key):
            assert isinstance(hour, int)
            figures = table.setdefault(row_of(asked.by, hour), Figures())
            figures.add(currency, sums)
            figures.add_hour(hour, sums[ENERGY])
        return
    for day, currency, sums in await usage.sums(name, "day", *span.days, key=key):
        assert isinstance(day, int)
        table.setdefault(row_of(asked.by, day * 48), Figures()).add(currency, sums)


async def _hours(core: Core, span: Span, running: Iterable[Counted]) -> dict[int, int]:
    """Wh in each hour, of everything."""
    all_ = Figures()
    for hour, _, sums in await core.store.usage.sums("all", "hour", span.first, span.end):
        assert isinstance(hour, int)
        all_.add_hour(hour, sums[ENERGY])
    for hour, energy_wh in ((share[0], share[1]) for counted in running for share in counted.shares):
        if span.first <= hour < span.end:
            all_.add_hour(hour, energy_wh)
    return all_.hours


async def _sessions(core: Core, asked: Asked, span: Span) -> AsyncIterator[Counted]:
    """Sessions of the span one by one; stations have their turn in between."""
    # No zone is further from UTC than a day.
    since, until = (instant(hour, UTC) for hour in (span.first - 48, span.end + 48))
    after: tuple[datetime, str] | None = None
    while True:
        found = await core.store.usage.overlapping(
            since,
            until,
            after=after,
            limit=_AT_ONCE,
            **asked.narrowed,
        )
        for counted in found:
            yield counted
        if len(found) < _AT_ONCE or found[-1].ended_at > until + measures.LONGEST:
            return
        after = found[-1].ended_at, found[-1].session
        await asyncio.sleep(0)


async def _running(core: Core, asked: Asked) -> list[Counted]:
    """Sessions that are not over, as far as they came. Readings are asked for where rows cut one."""
    found = []
    for session, standing in _open_sessions(core):
        counted = measures.count(session, standing, (), asked.now)
        if all(getattr(counted, name) == key for name, key in asked.narrowed.items()):
            found.append((session, standing, counted))
    cut = [session for session, _, counted in found if session.energy_wh and _cut(asked, counted)]
    readings = await core.store.usage.readings(cut)
    return [
        measures.count(session, standing, readings[session.id], asked.now)
        if session.id in readings
        else counted
        for session, standing, counted in found
    ]


def _open_sessions(core: Core) -> list[tuple[Session, Standing]]:
    """Each with where it counts, and the tariff that holds for it now."""
    found = []
    for lane in core.lanes.values():
        for session in lane.state.sessions.values():
            account: Account | None = lane.state.kept_of(accounts.KIND).get(session.id)
            tariff = account.tariff if account is not None else None
            found.append((session, standing_of(core, session, tariff=tariff)))
    return found


def _cut(asked: Asked, counted: Counted) -> bool:
    hours = {share[0] for share in counted.shares}
    return len(hours if asked.hourly else set(map(measures.day_of, hours))) > 1


# What was in service


async def _in_service(core: Core, asked: Asked) -> dict[str, list[InService]]:
    """EVSEs of what is asked, by the zone of their site."""
    found: dict[str, list[InService]] = {}
    for row in await core.store.usage.in_service():
        if all(getattr(row, name) == key for name, key in asked.narrowed.items()):
            site = sites.of(core.kept.get(sites.KIND, {}), row.site)
            found.setdefault(zone_of(core, site), []).append(row)
    return found


def _connectors(core: Core) -> dict[tuple[str, int], list[int]]:
    """The connectors of each EVSE."""
    found: dict[tuple[str, int], list[int]] = {}
    for lane in core.lanes.values():
        for evse, number in lane.state.connectors:
            found.setdefault((lane.state.station.id, evse), []).append(number)
    return found


def _titles(core: Core, by: str) -> Callable[[str], str]:
    return lambda key: _title(core, by, key)


def _title(core: Core, by: str, key: str) -> str:
    if not key:
        return _NOBODY.get(by, "none")
    if by == "site":
        site = sites.of(core.kept.get(sites.KIND, {}), key)
        return (site.name if site is not None else "") or key
    if by == "connector":
        station, evse, connector = key.rsplit("/", 2)
        return f"{station} EVSE {evse} connector {connector}"
    return key

"""Counting sessions into the sums of usage: those that are marked, once each, whatever comes in between."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime

import structlog

from cms.core import Core, Present, StoreDown
from cms.domain import cdrs, ledger, measures, organisations, sites, tariffs
from cms.domain.cdrs import Cdr, CdrMark
from cms.domain.changes import Change
from cms.domain.evolve import evolve
from cms.domain.history import is_imported
from cms.domain.measures import Counted, InService, Read, Standing
from cms.domain.money import rounded
from cms.domain.sessions import Session
from cms.domain.sites import Site
from cms.domain.tariffs import Registered

log = structlog.get_logger("cms")

#: So many sessions are one commit: their rows are written within some milliseconds.
_AT_ONCE = 250
#: After so many sessions, or stations, others have their turn.
_BREATH, _BREATH_STATIONS = 10, 500
_EVERY_S = 60.0

InServices = dict[tuple[str, int], list[InService]]


async def follow(core: Core) -> None:
    """Count what is marked, again and again."""
    while True:
        await asyncio.sleep(_EVERY_S)
        try:
            await catch_up(core)
        except StoreDown:
            continue
        except Exception:
            log.exception("sessions could not be counted; tried again in a minute")


def counting(core: Core) -> asyncio.Lock:
    """Held while sessions are counted."""
    return core.turns.setdefault("usage", asyncio.Lock())


async def catch_up(core: Core, within_s: float | None = None) -> int:
    """Count what is marked; how many are left where the time was too short."""
    loop = asyncio.get_running_loop()
    until = None if within_s is None else loop.time() + within_s
    turn = counting(core)
    async with turn:
        await _note_in_service(core)
    while True:
        async with turn:
            marks = await core.store.usage.marks(_AT_ONCE)
            if not marks:
                return 0
            await _count(core, marks)
        if until is not None and loop.time() > until:
            return await core.store.usage.count_marks()


async def _count(core: Core, marks: Sequence[tuple[str, int]]) -> None:
    """Count these as they stand now, instead of as they were counted, in one commit."""
    usage = core.store.usage
    ids = [session for session, _ in marks]
    before = {counted.session: counted for counted in await usage.counted(ids)}
    bills, said = await usage.cdrs(ids), await usage.cdr_marks(ids)
    over = [session for session in await usage.sessions(ids) if measures.is_over(session)]
    readings = await usage.readings([session for session in over if session.energy_wh])
    now, after = core.clock.now(), dict[str, Counted]()
    for n, session in enumerate(over):
        if n % _BREATH == 0:
            await asyncio.sleep(0)
        standing = standing_of(core, session, bills.get(session.id, ()), said.get(session.id, ()))
        told = readings.get(session.id, ())
        after[session.id] = _counted(session, standing, told, before.get(session.id), now)
    changed = [counted for id, counted in after.items() if before.get(id) != counted]
    gone = [id for id in before if id not in after]
    obsolete = [before[id] for id in (*(counted.session for counted in changed), *gone) if id in before]
    places = await _in_service(core, list({counted.station for counted in changed}))
    served = _seen_in(places, changed)
    changes: list[Change] = [measures.CountSession(counted) for counted in changed]
    changes += (measures.Uncount(id) for id in gone)
    if cells := measures.difference(obsolete, changed):
        changes.append(measures.AddToSums(cells))
    if served:
        changes.append(measures.SaveInService(served))
    await core.store.commit((*changes, measures.Unmark(marks)), ())


def _counted(
    session: Session, standing: Standing, readings: Sequence[Read], before: Counted | None, now: datetime
) -> Counted:
    """The session as it is counted; shared out as it was where its readings are there no more."""
    counted = measures.count(session, standing, readings, now)
    if before is not None and not readings and _same(before) == _same(counted):
        return evolve(counted, shares=before.shares)
    return counted


def _same(counted: Counted) -> tuple[object, ...]:
    return counted.started_at, counted.ended_at, counted.energy_wh, counted.zone


def zone_of(core: Core, site: Site | None) -> str:
    """Whose days count: the site's; without one the organisation's."""
    if site is not None:
        return site.time_zone
    own = organisations.own(core.kept)
    return own.time_zone if own is not None else "UTC"


def site_of(core: Core, station: str) -> Site | None:
    """The site at which a station stands now."""
    lane = core.lanes.get(station.casefold())
    return sites.of(core.kept.get(sites.KIND, {}), lane.state.station.site) if lane else None


def standing_of(
    core: Core,
    session: Session,
    bills: Sequence[Cdr] = (),
    said: Sequence[CdrMark] = (),
    tariff: str | None = None,
) -> Standing:
    """Where a session is counted, and what it brought in: as its record has it, else as things are now."""
    latest = bills[-1] if bills else None
    if latest is None:
        site = site_of(core, session.station)
        token = core.tokens.get(session.token.casefold()) if session.token else None
        driver, zone = token.driver if token else None, zone_of(core, site)
        site_id = site.id if site else None
    else:
        tariff = latest.tariffs[0] if latest.tariffs else None
        driver, site_id = latest.payer.driver, latest.site
        zone = latest.time_zone if latest.site else zone_of(core, None)
    return Standing(
        site=site_id or "",
        zone=zone,
        driver=driver or "",
        tariff=_family(core, tariff) if tariff else "",
        billed=_billed(session, cdrs.entered(bills, said)),
    )


def _family(core: Core, tariff: str) -> str:
    """The name of a tariff, whichever version of it is meant."""
    known: Registered | None = core.kept.get(tariffs.TARIFF, {}).get(tariff)
    return known.name if known is not None else tariff


def _billed(session: Session, record: Cdr | None) -> tuple[int, str] | None:
    """What is owed for it; of history what its source says it cost, and nothing where it says nothing."""
    if record is not None:
        return ledger.minor(
            rounded(record.gross, record.bill.currency), record.bill.currency
        ), record.bill.currency
    if not is_imported(session):
        return None
    if session.cost is None or session.currency is None:
        return 0, ""
    return ledger.minor(rounded(session.cost, session.currency), session.currency), session.currency


# When EVSEs were in service


async def _in_service(core: Core, stations: Sequence[str] | None = None) -> InServices:
    found: InServices = {}
    for row in await core.store.usage.in_service(stations):
        found.setdefault((row.station, row.evse), []).append(row)
    return found


async def _note_in_service(core: Core) -> None:
    """Write down which EVSEs came, went, or stand at another site since we looked last."""
    present, now = await _present(core), core.clock.now()
    if present == core.in_service:
        return  # of ten thousand stations the record has as many rows: read where something changed alone
    known = await _in_service(core)
    stations = {station for station, _ in known}
    rows: list[InService] = []
    for (station, evse), (registered_at, site_id) in present.items():
        before = known.get((station, evse), [])
        last = before[-1] if before else None
        if last is not None and last.until is None and last.site == site_id:
            continue
        if last is not None and last.until is None:
            rows.append(evolve(last, until=now))
        since = now if station in stations else min(registered_at or now, now)
        rows.append(InService(station, evse, len(before), site_id, since, None))
    gone = (before[-1] for key, before in known.items() if key not in present)
    rows += (evolve(last, until=now) for last in gone if last.until is None)
    if rows:
        await core.store.commit((measures.SaveInService(rows),), ())
    core.in_service = present


async def _present(core: Core) -> Present:
    """The EVSEs of all stations."""
    found: Present = {}
    for n, lane in enumerate(list(core.lanes.values())):
        if n % _BREATH_STATIONS == 0:
            await asyncio.sleep(0)
        station, site = lane.state.station, site_of(core, lane.state.station.id)
        for evse, _ in lane.state.connectors:
            if evse:
                found[station.id, evse] = (station.enrolled_at, site.id if site else "")
    return found


def _seen_in(known: InServices, counted: Iterable[Counted]) -> list[InService]:
    """Whoever charged at an EVSE found it in service: history may begin before the station was registered."""
    changed: dict[tuple[str, int], dict[int, InService]] = {}
    for each in counted:
        if each.evse is None:
            continue
        key = (each.station, each.evse)
        rows = known.setdefault(key, [])
        if not rows:
            rows.append(InService(each.station, each.evse, 0, each.site, each.started_at, each.ended_at))
            changed.setdefault(key, {})[0] = rows[0]
            continue
        first = rows[0]
        if each.started_at < first.since:
            rows[0] = changed.setdefault(key, {})[0] = evolve(first, since=each.started_at)
        last = rows[-1]
        if last.until is not None and last.until < each.ended_at:
            rows[-1] = evolve(last, until=each.ended_at)
            changed.setdefault(key, {})[last.number] = rows[-1]
    return [row for rows in changed.values() for row in rows.values()]

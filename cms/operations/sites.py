"""The register of sites."""

from __future__ import annotations

import re
from dataclasses import asdict, fields
from difflib import get_close_matches

from cms.contract.filters import keys_of, parse
from cms.contract.refusals import Conflict, NotFound
from cms.contract.sites import AddSite, ListSites, RemoveSite, SetSite, ShowSite, SiteView
from cms.core import Actor, Core
from cms.domain import hours, organisations, sites
from cms.domain.changes import Happened
from cms.domain.evolve import evolve, with_fields
from cms.domain.sessions import RUNNING
from cms.domain.sites import Site
from cms.domain.stations import StationState
from cms.operations.deciding import keep

#: No register grows without end.
MOST = 20_000
#: How alike two ids are of which one is a slip of the pen (difflib's ratio).
_SLIP = 0.8
_NUMBER = re.compile(r"\d+")
#: These fields of a site are shown as they are.
_SHOWN = (*sites.PLAIN, "id", "latitude", "longitude", "added_at")


def registered(core: Core, site_id: str) -> Site:
    """The site of this id, without case; NotFound otherwise."""
    known: dict[str, Site] = core.kept.get(sites.KIND, {})
    site = known.get(sites.key(site_id))
    if site is None:
        near = get_close_matches(sites.key(site_id), known, n=1)
        hint = f"did you mean {known[near[0]].id}?" if near else "cms sites add registers it"
        raise NotFound(f"there is no site {site_id}", hint)
    return site


async def mention(core: Core, site_id: str | None, actor: Actor) -> None:
    """A site that nobody registered is registered by being named, unless it looks like a slip for one that is."""
    known: dict[str, Site] = core.kept.get(sites.KIND, {})
    if not site_id or sites.key(site_id) in known:
        return
    # garage-2 is no slip for garage-1.
    others = [other for other in known if _NUMBER.sub("", other) != _NUMBER.sub("", sites.key(site_id))]
    if not get_close_matches(sites.key(site_id), others, 1, _SLIP):
        await add(core, AddSite(site=site_id), actor)


def named(core: Core, site_id: str | None) -> str | None:
    """The registered spelling of the site that a station is said to stand at; an empty text is no site."""
    return registered(core, site_id).id if site_id else None


def _view(core: Core, site: Site, there: list[StationState]) -> SiteView:
    running = [s for state in there for s in state.sessions.values() if s.status in RUNNING]
    return SiteView(
        **{name: getattr(site, name) for name in _SHOWN},
        open=sites.open_at(site, core.clock.now()),
        hours=hours.told(site.hours),
        opening_hours=site.hours,
        stations=len(there),
        online=sum(core.stations.link(state.station.id) is not None for state in there),
        charging=len(running),
        power_w=sum(session.power_w or 0 for session in running),
    )


def _by_site(core: Core) -> dict[str, list[StationState]]:
    """The stations of each site, by its key."""
    found: dict[str, list[StationState]] = {}
    for lane in core.lanes.values():
        if lane.state.station.site:
            found.setdefault(sites.key(lane.state.station.site), []).append(lane.state)
    return found


def _seen(core: Core, site: Site) -> SiteView:
    return _view(core, site, _by_site(core).get(sites.key(site.id), []))


async def list_(core: Core, request: ListSites, actor: Actor) -> list[SiteView]:
    chosen = parse(request.filter or "", keys_of(SiteView))
    there = _by_site(core)
    known: dict[str, Site] = core.kept.get(sites.KIND, {})
    views = (_view(core, site, there.get(key, [])) for key, site in sorted(known.items()))
    return [view for view in views if chosen(view)]


async def show(core: Core, request: ShowSite, actor: Actor) -> SiteView:
    return _seen(core, registered(core, request.site))


def said_of(site: Site, request: AddSite | SetSite) -> Site:
    """The site with what the request says of it."""
    said = with_fields(site, sites.read_words(asdict(request)))
    if request.coordinates is not None:
        latitude, longitude = (
            sites.read_coordinates(request.coordinates) if request.coordinates.strip() else (None, None)
        )
        said = evolve(said, latitude=latitude, longitude=longitude)
    opening = sites.read_hours(said.hours, said.zone, request.hours, request.openings, request.closings)
    return evolve(said, hours=opening)


async def add(core: Core, request: AddSite, actor: Actor) -> SiteView:
    """Register a site. Stations that named it before it was registered stand there from now on."""
    sites.check_id(request.site)
    own = organisations.own(core.kept)
    now = core.clock.now()
    site = said_of(Site(request.site, time_zone=own.time_zone if own else "UTC", added_at=now), request)
    async with core.books:
        known: dict[str, Site] = core.kept.get(sites.KIND, {})
        key = sites.key(site.id)
        if key in known:
            raise Conflict(f"site {known[key].id} is registered already", f"cms sites set {known[key].id}")
        if len(known) >= MOST:
            raise Conflict(f"there are {MOST} sites already")
        told = Happened("site.added", now, actor=actor.name, data={"site": site.id})
        await keep(core, sites.KIND, key, site, told)
    return _seen(core, site)


async def set_(core: Core, request: SetSite, actor: Actor) -> SiteView:
    """Change what is said of a site. Events tell which words changed, not what of (contacts are personal)."""
    async with core.books:
        known = registered(core, request.site)
        site = said_of(known, request)
        if site != known:
            changed = [f.name for f in fields(site) if getattr(site, f.name) != getattr(known, f.name)]
            data = {"site": site.id, "changed": changed} | _because(request)
            told = Happened("site.changed", core.clock.now(), actor=actor.name, data=data)
            await keep(core, sites.KIND, sites.key(site.id), site, told)
    return _seen(core, site)


def _because(request: SetSite | RemoveSite) -> dict[str, str]:
    return {} if request.reason is None else {"reason": request.reason}


async def remove(core: Core, request: RemoveSite, actor: Actor) -> None:
    async with core.books:
        site = registered(core, request.site)
        key = sites.key(site.id)
        there = [state.station.id for state in _by_site(core).get(key, [])]
        if there:
            some = ", ".join(there[:5]) + (" ..." if len(there) > 5 else "")
            raise Conflict(
                f"{len(there)} stations stand at {site.id}: {some}", "cms stations set STATION --site OTHER"
            )
        data = {"site": site.id} | _because(request)
        told = Happened("site.removed", core.clock.now(), actor=actor.name, data=data)
        await keep(core, sites.KIND, key, None, told)

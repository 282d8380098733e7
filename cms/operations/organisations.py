"""The register of organisations: the platform's; each organisation keeps a copy of what is said of it."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from difflib import get_close_matches

from cms.contract.filters import keys_of, parse
from cms.contract.organisations import (
    AddOrganisation,
    ListOrganisations,
    OrganisationView,
    SetOrganisation,
    ShowOrganisation,
    ShowOwnOrganisation,
    SuspendOrganisation,
)
from cms.contract.refusals import Conflict, NotFound
from cms.core import MAIN, Actor, Core
from cms.domain import organisations
from cms.domain.changes import Happened
from cms.domain.evolve import evolve, with_fields
from cms.domain.organisations import KIND, OWN, Organisation
from cms.operations.deciding import keep

#: Each is a world of its own in memory.
_MOST = 1_000


def _all(platform: Core) -> dict[str, Organisation]:
    """All organisations by id; the main one is there whether anything was said of it or not."""
    known: dict[str, Organisation] = platform.kept.get(KIND, {})
    return {MAIN: Organisation(MAIN), **known}


def _registered(platform: Core, organisation_id: str) -> Organisation:
    known = _all(platform)
    found = known.get(organisation_id.casefold())
    if found is None:
        near = get_close_matches(organisation_id.casefold(), known, n=1)
        hint = f"did you mean {near[0]}?" if near else "see `cms organisations list`"
        raise NotFound(f"there is no organisation {organisation_id}", hint)
    return found


def _view(organisation: Organisation) -> OrganisationView:
    return OrganisationView(**{f.name: getattr(organisation, f.name) for f in fields(organisation)})


def _own_core(platform: Core, organisation_id: str) -> Core | None:
    return next((core for core in platform.all_cores() if core.organisation == organisation_id), None)


async def list_(core: Core, request: ListOrganisations, actor: Actor) -> list[OrganisationView]:
    chosen = parse(request.filter or "", keys_of(OrganisationView))
    views = (_view(organisation) for _, organisation in sorted(_all(core).items()))
    return [view for view in views if chosen(view)]


async def show(core: Core, request: ShowOrganisation, actor: Actor) -> OrganisationView:
    return _view(_registered(core, request.organisation))


async def show_own(core: Core, request: ShowOwnOrganisation, actor: Actor) -> OrganisationView:
    """The asker's own; nothing may have been said of it yet."""
    return _view(organisations.own(core.kept) or Organisation(core.organisation))


async def add(core: Core, request: AddOrganisation, actor: Actor) -> OrganisationView:
    """Register an organisation and serve it from now on."""
    organisations.check_id(request.organisation)
    now = core.clock.now()
    said = organisations.read(asdict(request))
    organisation = with_fields(Organisation(request.organisation, added_at=now), said)
    async with core.books:
        known = _all(core)
        if organisation.id in known:
            raise Conflict(f"organisation {organisation.id} is registered already")
        if len(known) >= _MOST:
            raise Conflict(f"there are {_MOST} organisations already")
        _check_party(known, organisation)
        told = Happened("organisation.added", now, actor=actor.name, data={"organisation": organisation.id})
        await keep(core, KIND, organisation.id, organisation, told)
        house = await core.found(organisation.id)
    await _tell(house, organisation)
    return _view(organisation)


def _check_party(known: dict[str, Organisation], organisation: Organisation) -> None:
    """A party is one organisation's: EVSE ids begin with it."""
    for other in known.values():
        if organisation.party and other.id != organisation.id and other.party == organisation.party:
            raise Conflict(f"party {organisation.party} is that of {other.id} already")


async def set_(core: Core, request: SetOrganisation, actor: Actor) -> OrganisationView:
    """Change what is said of an organisation."""
    async with core.books:
        known = _registered(core, request.organisation)
        organisation = with_fields(known, organisations.read(asdict(request)))
        _check_party(_all(core), organisation)
        await _save(core, known, organisation, actor, "organisation.changed", request.reason)
    await _tell(_own_core(core, organisation.id), organisation)
    return _view(organisation)


async def suspend(core: Core, request: SuspendOrganisation, actor: Actor) -> OrganisationView:
    """Stop serving an organisation's stations (they are turned away at the door), or serve them again."""
    async with core.books:
        known = _registered(core, request.organisation)
        if known.id == MAIN:
            raise Conflict("the main organisation cannot be suspended: it is who runs this platform")
        organisation = evolve(known, status="suspended" if request.suspended else "active")
        type = "organisation.suspended" if request.suspended else "organisation.resumed"
        await _save(core, known, organisation, actor, type, request.reason)
    house = _own_core(core, organisation.id)
    await _tell(house, organisation)
    if request.suspended and house is not None:
        for lane in list(house.lanes.values()):
            house.stations.disconnect(lane.state.station.id, 1008, "suspended")
    return _view(organisation)


async def _save(
    core: Core, known: Organisation, after: Organisation, actor: Actor, type: str, reason: str | None
) -> None:
    changed = [f.name for f in fields(after) if getattr(after, f.name) != getattr(known, f.name)]
    if not changed:
        return
    data = {"organisation": after.id, "changed": changed} | ({} if reason is None else {"reason": reason})
    told = Happened(type, core.clock.now(), actor=actor.name, data=data)
    await keep(core, KIND, after.id, after, told)


async def _tell(house: Core | None, organisation: Organisation) -> None:
    """The organisation's own world keeps the copy that its decisions read."""
    if house is None:
        return
    async with house.books:
        if organisations.own(house.kept) != organisation:
            await keep(house, KIND, OWN, organisation)
    if organisation.id != MAIN:
        # Its stations' certificates are in its name (2.0.1 A00.FR.404).
        house.terms = replace(house.terms, organisations=(organisation.name or organisation.id,))

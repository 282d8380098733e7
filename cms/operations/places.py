"""Sites and stations out of a file: every line is judged first, then all are written in one commit, or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cms.contract.refusals import Conflict, Invalid, Refusal
from cms.contract.sites import ImportSites, ImportStations, PlaceRow, PlacesView, SetSite, SiteRow, StationRow
from cms.contract.stations import AddStation, StationCredential
from cms.core import Actor, Core, Lane
from cms.domain import evses, organisations, sites
from cms.domain.changes import Change, ForgetUnknown, Happened, Keep, SaveStation
from cms.domain.evolve import evolve
from cms.domain.evses import Evse
from cms.domain.sites import Site
from cms.domain.stations import StationState
from cms.operations import evses as register
from cms.operations import stations
from cms.operations.sites import MOST, said_of

#: So many lines at once: they are one commit, for which no station waits longer than it must.
_MOST_ROWS = 5_000


def _text(row: SiteRow | StationRow) -> dict[str, str]:
    """The cells that say something, without the quote that marks text in sheets."""
    cells = {name: getattr(row, name).strip() for name in row.__slots__ if name != "line"}
    return {name: _unquoted(text) for name, text in cells.items() if text}


def _unquoted(text: str) -> str:
    return text[1:] if text[0] == "'" and text[1:2] in ("=", "+", "-", "@") else text


def _numbers(cells: Mapping[str, str], *names: str) -> dict[str, Any]:
    """The cells, with whole numbers in these."""
    told: dict[str, Any] = dict(cells)
    for name in names:
        if name in told:
            text = told[name]
            if not (text.isascii() and text.isdecimal() and len(text) < 10):
                raise Invalid(f"{name} is a whole number, not {text[:20]!r}")
            told[name] = int(text)
    return told


def _check_size(rows: tuple[Any, ...]) -> None:
    if len(rows) > _MOST_ROWS:
        raise Invalid(f"{len(rows)} lines are too many at once", f"at most {_MOST_ROWS}: divide the file")


def _sentence(refusal: Refusal) -> str:
    return refusal.message if refusal.hint is None else f"{refusal.message}: {refusal.hint}"


async def sites_(core: Core, request: ImportSites, actor: Actor) -> PlacesView:
    _check_size(request.rows)
    async with core.books:
        known: dict[str, Site] = dict(core.kept.get(sites.KIND, {}))
        before = dict(known)
        rows = tuple(_site(core, known, row) for row in request.rows)
        if len(known) > MOST:
            raise Conflict(f"there would be more than {MOST} sites")
        changed = {key: site for key, site in known.items() if before.get(key) != site}
        done = bool(changed) and not request.dry_run and all(row.outcome != "error" for row in rows)
        if done:
            await _write_sites(core, before, changed, actor)
    return PlacesView(done, rows)


def _site(core: Core, known: dict[str, Site], row: SiteRow) -> PlaceRow:
    """What becomes of a line; a good one is among the known from here on."""
    name = row.site.strip()
    try:
        cells = _numbers(_text(row), "grid_power_w", "grid_limit_w")
        sites.check_id(cells.get("site", ""))
        closings = cells.pop("closings", None)
        if closings is not None:
            cells["closings"] = tuple(part for part in closings.split(";") if part.strip())
        key = sites.key(cells["site"])
        was = known.get(key)
        own = organisations.own(core.kept)
        fresh = Site(cells["site"], time_zone=own.time_zone if own else "UTC", added_at=core.clock.now())
        site = said_of(was or fresh, SetSite(**cells))
    except Refusal as refusal:
        return PlaceRow(row.line, name[:60], "error", _sentence(refusal))
    known[key] = site
    return PlaceRow(row.line, site.id, "added" if was is None else "unchanged" if was == site else "changed")


async def _write_sites(
    core: Core, before: Mapping[str, Site], changed: Mapping[str, Site], actor: Actor
) -> None:
    now = core.clock.now()
    told = [
        Happened(
            "site.changed" if key in before else "site.added", now, actor=actor.name, data={"site": site.id}
        )
        for key, site in changed.items()
    ]
    await core.store.commit([Keep("", sites.KIND, key, site, now) for key, site in changed.items()], told)
    core.kept.setdefault(sites.KIND, {}).update(changed)


@dataclass(slots=True)
class _Draft:
    """What the lines so far would make: states and credentials by identity without case, places by EVSE id."""

    core: Core
    states: dict[str, StationState] = field(default_factory=dict)
    credentials: dict[str, StationCredential] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)


async def stations_(core: Core, request: ImportStations, actor: Actor) -> PlacesView:
    _check_size(request.rows)
    async with core.books:
        draft = _Draft(core, taken=register.taken(core))
        rows = tuple(_station(draft, row) for row in request.rows)
        good = all(row.outcome != "error" for row in rows)
        done = bool(draft.states) and good and not request.dry_run
        if done:
            await _write_stations(draft, actor)
    return PlacesView(done, rows, tuple(draft.credentials.values()) if done else ())


def _station(draft: _Draft, row: StationRow) -> PlaceRow:
    """What becomes of a line; one with a mistake changes nothing of the draft."""
    name = row.station.strip()
    try:
        cells = _numbers(
            _text(row), "security_profile", "evse", "connector", "voltage_v", "current_a", "power_w"
        )
        key = cells.get("station", "").casefold()
        if key in draft.core.lanes:
            return PlaceRow(row.line, draft.core.lanes[key].state.station.id, "known")
        state, credential = _begun(draft, key, cells)
        if "evse" in cells:
            state = _with_evse(draft, state, cells)
    except Refusal as refusal:
        return PlaceRow(row.line, name[:60], "error", _sentence(refusal))
    draft.states[key] = state
    if credential is not None:
        draft.credentials[key] = credential
    return PlaceRow(row.line, state.station.id, "added")


def _begun(
    draft: _Draft, key: str, cells: Mapping[str, Any]
) -> tuple[StationState, StationCredential | None]:
    """The station as an earlier line began it, or anew with its credential."""
    if key in draft.states:
        if "evse" not in cells:
            raise Conflict(f"{cells['station']} is in an earlier line already", "further lines name an evse")
        return draft.states[key], None
    fields = {name: cells[name] for name in ("site", "serial", "security_profile", "note") if name in cells}
    station, password = stations.made(draft.core, AddStation(cells.get("station", ""), **fields))
    return StationState(station), stations.credential(draft.core, station, password)


def _with_evse(draft: _Draft, state: StationState, cells: Mapping[str, Any]) -> StationState:
    evse = register.of(state, cells["evse"])
    place = f"{state.station.id}, EVSE {cells['evse']}"
    after = evses.described(evse, cells)
    if "evse_id" in cells:
        evse_id = evses.read_id(cells["evse_id"], register.parties(draft.core, state.station))
        holder = draft.taken.setdefault(evses.same_id(evse_id), place)
        if holder != place:
            raise Conflict(f"EVSE id {evse_id} is that of {holder}, already")
        after = evolve(after, id=evse_id)
    register.check_place(cells["evse"], cells.get("connector", 1))
    return state if after == Evse() else state.keeping(evses.KIND, evses.number(cells["evse"]), after)


async def _write_stations(draft: _Draft, actor: Actor) -> None:
    core, now = draft.core, draft.core.clock.now()
    changes: list[Change] = []
    for state in draft.states.values():
        changes += (SaveStation(state.station), ForgetUnknown(state.station.id))
        for number, evse in state.kept_of(evses.KIND).items():
            changes.append(Keep(state.station.id, evses.KIND, number, evse, now))
    told = [
        Happened("station.enrolled", now, state.station.id, actor=actor.name)
        for state in draft.states.values()
    ]
    await core.store.commit(changes, told)
    core.lanes.update({key: Lane(state) for key, state in draft.states.items()})

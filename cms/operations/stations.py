"""The register of stations, and the inbox of strangers."""

from __future__ import annotations

import unicodedata
from datetime import datetime

from cms.contract.filters import keys_of, parse
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.contract.stations import (
    AddStation,
    ConnectorView,
    EnrolStation,
    ForgetUnknownStation,
    ListMessages,
    ListStations,
    ListUnknownStations,
    Message,
    RemoveStation,
    SetStation,
    ShowStation,
    StationCredential,
    StationView,
    UnknownStation,
)
from cms.core import Actor, Core, Lane
from cms.domain import boots, quirks, security
from cms.domain.changes import Change, DropStation, Happened, SaveStation
from cms.domain.changes import ForgetUnknown as Forget
from cms.domain.evolve import evolve
from cms.domain.sites import KIND, Site, of
from cms.domain.stations import BOOT_POLICIES, Station, StationState, with_sessions
from cms.operations import credentials, sites
from cms.operations.admission import register
from cms.operations.deciding import settle

_MAX_IDENTITY = 48
_NONE: dict[str, Site] = {}


def view(core: Core, state: StationState) -> StationView:
    """The station as clients see it, its live link included."""
    station = state.station
    link = core.stations.link(station.id)
    site = of(core.kept.get(KIND, _NONE), station.site)
    return StationView(
        id=station.id,
        ocpp_version=link.ocpp_version if link else station.ocpp_version,
        vendor=station.vendor,
        model=station.model,
        firmware=station.firmware,
        serial=station.serial,
        online=link is not None,
        last_seen=link.last_seen_at if link else station.last_seen_at,
        site=station.site,
        site_name=site.name if site else None,
        city=site.city if site else None,
        connectors=_connectors(state),
        boot_policy=boots.policy(state),
        boot_status=station.boot_status,
        booted_at=station.booted_at,
        connected_at=link.since if link else None,
        address=link.address if link else None,
        security_profile=station.security_profile,
        enrolled_at=station.enrolled_at,
        note=station.note,
        quirks=quirks.unusual(state),
    )


def _connectors(state: StationState) -> tuple[ConnectorView, ...]:
    """Connectors in order; the station itself (0) only where it says something of its own."""
    return tuple(
        ConnectorView(
            evse=connector.evse,
            connector=connector.connector,
            status=status,
            session=session.id if session else None,
            power_w=session.power_w if session else None,
            error_code=connector.error_code,
            info=connector.info,
            vendor_error_code=connector.vendor_error_code,
            reported_at=connector.reported_at,
            requested_availability=connector.requested_availability,
        )
        for connector, status, session in with_sessions(state)
    )


async def list_(core: Core, request: ListStations, actor: Actor) -> list[StationView]:
    chosen = parse(request.filter or "", keys_of(StationView))
    views = (view(core, lane.state) for _, lane in sorted(core.lanes.items()))
    return [station for station in views if chosen(station)]


async def show(core: Core, request: ShowStation, actor: Actor) -> StationView:
    return view(core, core.lane(request.station).state)


def check_identity(identity: str) -> None:
    """What may be a station's identity: what survives a URL path and a Basic user name (2.0.1 Part 4 section 3)."""
    printable = all(unicodedata.category(c)[0] not in "CZ" for c in identity)
    if not identity or len(identity) > _MAX_IDENTITY or ":" in identity or "/" in identity or not printable:
        raise Invalid(
            f"{identity[:60]!r} cannot be a station identity: "
            f"1 to {_MAX_IDENTITY} printable characters without space, ':' and '/'"
        )


async def add(core: Core, request: AddStation, actor: Actor) -> StationCredential:
    """Register a station and make its password."""
    check_identity(request.station)
    await sites.mention(core, request.site, actor)
    station, password = made(core, request)
    await register(core, station, actor.name, chosen=request.password is not None)
    return credential(core, station, password)


def made(core: Core, request: AddStation) -> tuple[Station, str | None]:
    """The station that is asked for, and its password; nothing is registered yet."""
    check_identity(request.station)
    _check_boot_policy(request.boot_policy)
    if not 0 <= request.security_profile <= 3:
        raise Invalid(f"security profile must be 0 to 3, not {request.security_profile}")
    password = _password(request.password) if request.security_profile < 3 else None
    if request.security_profile == 0:
        if not core.terms.insecure_lab:
            raise Conflict(
                "security profile 0 lets anybody be that station, and is for a laboratory alone",
                "leave --security-profile out, or start the daemon with --insecure-lab",
            )
        password = None
    station = Station(
        id=request.station,
        site=sites.named(core, request.site),
        security_profile=request.security_profile,
        password_digest=_digest(core, request.station, password),
        boot_policy=request.boot_policy,
        note=request.note,
        serial=request.serial,
        enrolled_at=core.clock.now(),
    )
    return station, password


def _password(chosen: str | None) -> str:
    if chosen is None:
        return credentials.generate()
    if not 8 <= len(chosen) <= 64 or not chosen.isprintable():
        raise Invalid(
            "a station password has 8 to 64 printable characters; leave it out to have one generated"
        )
    return chosen


def _digest(core: Core, station_id: str, password: str | None) -> bytes | None:
    return None if password is None else credentials.as_told(core.keys, station_id, password)


def credential(core: Core, station: Station, password: str | None) -> StationCredential:
    """What the station is configured with."""
    secure = station.security_profile >= 2 and bool(core.terms.ocpp_tls_url)
    url = core.terms.ocpp_tls_url if secure else core.terms.ocpp_url
    return StationCredential(
        id=station.id,
        url=url.replace("<station>", station.id),
        username=station.id,
        password=password,
        security_profile=station.security_profile,
        ocpp_version=station.ocpp_version,
    )


def _check_boot_policy(policy: str) -> None:
    if policy not in BOOT_POLICIES:
        raise Invalid(f"boot policy must be one of {', '.join(BOOT_POLICIES)}, not {policy!r}")


async def set_(core: Core, request: SetStation, actor: Actor) -> StationView | StationCredential:
    """Change what we keep about a station; a new password is shown once and needed at its next connection."""
    lane = core.lane(request.station)
    if request.boot_policy is not None:
        _check_boot_policy(request.boot_policy)
    kept = {
        name: value
        for name in ("boot_policy", "note", "serial")
        if (value := getattr(request, name)) is not None
    }
    if request.site is not None:
        await sites.mention(core, request.site, actor)
        kept["site"] = sites.named(core, request.site)
    password = credentials.generate() if request.new_password else None
    async with lane.lock:
        core.lane(request.station)  # it may have been removed while we waited
        state, changes = lane.state, list[Change]()
        station = evolve(state.station, **kept)
        if password is not None:
            profile = max(station.security_profile, 1)
            digest = _digest(core, station.id, password)
            station = evolve(station, password_digest=digest, security_profile=profile)
            # Those that a station may have been told before are good no longer either.
            state, forgotten = security.promised_nothing(state, core.clock.now())
            changes.append(forgotten)
        told = Happened(
            "station.changed", core.clock.now(), station.id, actor=actor.name, data=kept | _because(request)
        )
        await settle(core, lane, evolve(state, station=station), (SaveStation(station), *changes), (told,))
    return view(core, lane.state) if password is None else credential(core, station, password)


def _because(request: SetStation) -> dict[str, str]:
    return {} if request.reason is None else {"reason": request.reason}


async def remove(core: Core, request: RemoveStation, actor: Actor) -> None:
    """Take a station off the register and close its link; its sessions stay in the record."""
    lane = core.lane(request.station)
    async with lane.lock:
        station = lane.state.station
        running = [s.id for s in lane.state.sessions.values() if s.status != "suspect"]
        if running:
            raise Conflict(f"{station.id} has running sessions: {', '.join(running)}", "stop them first")
        told = Happened("station.removed", core.clock.now(), station.id, actor=actor.name)
        async with core.books:
            await core.store.commit((DropStation(station.id),), (told,))
            core.lanes.pop(station.id.casefold(), None)
    core.stations.disconnect(station.id, 1008, "removed")


async def unknown(core: Core, request: ListUnknownStations, actor: Actor) -> list[UnknownStation]:
    return await core.store.unknown_stations()


async def enrol(core: Core, request: EnrolStation, actor: Actor) -> StationCredential:
    """Register a station of the inbox, in the spelling it knocked with."""
    found = [u for u in await core.store.unknown_stations() if u.id.casefold() == request.station.casefold()]
    if not found and request.station.casefold() not in core.lanes:
        raise NotFound(
            f"no station {request.station} has knocked",
            f"cms stations add {request.station} registers it all the same",
        )
    spelling = found[0].id if found else request.station
    return await add(core, AddStation(station=spelling, site=request.site, password=request.password), actor)


async def forget(core: Core, request: ForgetUnknownStation, actor: Actor) -> None:
    """Take a stranger out of the inbox; it comes back when it knocks again."""
    if request.station not in {stranger.id for stranger in await core.store.unknown_stations()}:
        raise NotFound(f"no station {request.station} has knocked", "cms stations unknown")
    told = Happened("station.forgotten", core.clock.now(), request.station, actor=actor.name)
    await core.store.commit((Forget(request.station),), (told,))


async def messages(core: Core, request: ListMessages, actor: Actor) -> list[Message]:
    return core.stations.messages(core.lane(request.station).state.station.id)


def version_of(core: Core, lane: Lane) -> str | None:
    """The OCPP version the station speaks now, or spoke last; None before its first connection."""
    link = core.stations.link(lane.state.station.id)
    return link.ocpp_version if link else lane.state.station.ocpp_version


def check_place(evse: int | None, connector: int | None = None) -> None:
    """0 is the station as a whole; a connector is one of an EVSE."""
    if evse is not None and evse < 0:
        raise Invalid(f"EVSEs count from 1, not {evse}")
    if connector is not None and connector < 0:
        raise Invalid(f"connectors count from 1, not {connector}")


def last_heard(core: Core, known: dict[str, datetime]) -> tuple[tuple[str, datetime], ...]:
    """Stations heard of since they were last written down; ``known`` is brought up to date."""
    fresh = []
    for lane in core.lanes.values():
        link = core.stations.link(lane.state.station.id)
        if link is not None and known.get(lane.state.station.id) != link.last_seen_at:
            known[lane.state.station.id] = link.last_seen_at
            fresh.append((lane.state.station.id, link.last_seen_at))
    return tuple(fresh)

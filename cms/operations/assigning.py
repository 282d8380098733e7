"""Which tariff is used where and for whom: said, listed, and explained rung by rung."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from cms.contract.filters import keys_of, parse
from cms.contract.prices import ResolutionView, ResolveTariff, RungView
from cms.contract.refusals import Invalid, NotFound
from cms.contract.tariffs import ListTariffUses, TariffUseView, UseTariff
from cms.core import Actor, Core
from cms.domain import assignment, evses, plans, sites, tariffs
from cms.domain.assignment import Rung
from cms.domain.changes import Happened
from cms.domain.evolve import evolve
from cms.domain.tariffs import Use
from cms.operations import holding
from cms.operations.deciding import keep
from cms.operations.drivers import find as driver_named
from cms.operations.identifying import named

_LONGEST_GROUP = 64


async def use(core: Core, request: UseTariff, actor: Actor) -> None:
    """Sessions that run keep their tariff."""
    if request.since is not None:
        holding.instant(request.since)
    register = core.kept.get(tariffs.TARIFF, {})
    if request.tariff is not None and not _there(register, request.tariff):
        raise NotFound(f"there is no tariff {request.tariff}", "see `cms tariffs list`")
    key = _key(core, request)
    async with core.books:
        now = core.clock.now()
        # Stations tell milliseconds at best, often seconds: a session that begins right now is meant too.
        since = request.since or now.replace(microsecond=0)
        known: Use = core.kept.get(tariffs.USE, {}).get(key) or Use()
        if known.at(since) == request.tariff and known.order == request.order:
            return
        changed = evolve(known.changed(request.tariff, since), order=request.order)
        data = {"place": key, "tariff": request.tariff, "since": since}
        told = Happened("tariff.used", now, actor=actor.name, data=data)
        await keep(core, tariffs.USE, key, changed, told)


def _there(register: Mapping[str, tariffs.Registered], name: str) -> bool:
    return assignment.pinned(register, name) is not None or bool(assignment.versions(register, name))


def _key(core: Core, request: UseTariff) -> str:
    """Under which it is kept: the one place or person that the request names."""
    said = {
        name for name in ("token", "plan", "group", "site", "station") if getattr(request, name) is not None
    }
    if len(said) > 1:
        raise Invalid(
            f"a tariff is used at one place or for one person: name one of {', '.join(sorted(said))}"
        )
    if request.evse is not None and said != {"station"}:
        raise Invalid("an EVSE is one of a station: name that too")
    if request.evse is not None and request.connector_type is not None:
        raise Invalid("an EVSE has its connectors: name it, or their type")
    if request.order and said != {"group"}:
        raise Invalid("only groups have an order: a driver may be in several")
    if request.connector_type is not None:
        if said - {"site", "station"}:
            raise Invalid("a connector type is one of a site, of a station, or of all")
        standard = evses.read_standard(request.connector_type)
        return assignment.type_key(standard, _place_key(core, request))
    return _person_key(core, request) or _place_key(core, request) or tariffs.DEFAULT


def _person_key(core: Core, request: UseTariff) -> str | None:
    if request.token is not None:
        token = named(core, request.token)
        if token is None:
            raise NotFound(f"there is no token {request.token}", "see `cms tokens list`")
        return tariffs.token_key(token.id)
    if request.plan is not None:
        if request.plan not in core.kept.get(plans.PLAN, {}):
            raise NotFound(f"there is no plan {request.plan}", "see `cms plans list`")
        return assignment.plan_key(request.plan)
    if request.group is not None:
        if not 0 < len(request.group) <= _LONGEST_GROUP or not request.group.isprintable():
            raise Invalid(f"a group has 1 to {_LONGEST_GROUP} printable characters")
        return assignment.group_key(request.group)
    return None


def _place_key(core: Core, request: UseTariff) -> str | None:
    if request.site is not None:
        site = sites.of(core.kept.get(sites.KIND, {}), request.site)
        if site is None:
            raise NotFound(f"there is no site {request.site}", "see `cms sites list`")
        return assignment.site_key(site.id)
    if request.station is None:
        return None
    station = core.lane(request.station).state.station.id
    if request.evse is None:
        return tariffs.station_key(station)
    if not 0 < request.evse < 1000:
        raise Invalid(f"EVSEs are numbered from 1, not {request.evse}")
    return assignment.evse_key(station, request.evse)


async def list_(core: Core, request: ListTariffUses, actor: Actor) -> list[TariffUseView]:
    chosen = parse(request.filter or "", keys_of(TariffUseView))
    now, register = core.clock.now(), core.kept.get(tariffs.TARIFF, {})
    views = []
    for key, use_ in sorted(core.kept.get(tariffs.USE, {}).items()):
        since, held = use_.step(now)
        if held is not None:
            version = assignment.version_at(register, held, now)
            rung = rung_of(key)
            views.append(TariffUseView(key, rung, place_of(core, key), held, version, since, use_.order))
    return [view for view in views if chosen(view)]


def rung_of(key: str) -> str:
    """On which rung this key is."""
    kind, _, rest = key.partition("/")
    if kind != "type":
        return kind
    within = rest.partition("/")[2].partition("/")[0]
    return f"{within}-type" if within else "type"


def place_of(core: Core, key: str) -> str:
    """The key in words: ``site North``, ``EVSE CP1:2``, ``IEC_62196_T2 at site North``."""
    kind, _, rest = key.partition("/")
    match kind:
        case "default":
            return "everywhere"
        case "station":
            return f"station {_station(core, rest)}"
        case "evse":
            number, _, station = rest.partition("/")
            return f"EVSE {_station(core, station)}:{number}"
        case "site":
            site = sites.of(core.kept.get(sites.KIND, {}), rest)
            return f"site {site.id if site is not None else rest}"
        case "type":
            standard, _, within = rest.partition("/")
            return f"{standard} at {place_of(core, within)}" if within else standard
        case "token":
            token = core.tokens.get(rest)
            return f"token {token.id if token is not None else rest}"
    return f"{kind} {rest}"


def _station(core: Core, key: str) -> str:
    lane = core.lanes.get(key)
    return lane.state.station.id if lane is not None else key


def uses_now(core: Core) -> Mapping[str, list[str]]:
    """Keys of places and persons by the tariff, or pinned version, that is assigned to them now."""
    now = core.clock.now()
    found: dict[str, list[str]] = {}
    for key, use_ in core.kept.get(tariffs.USE, {}).items():
        held = use_.at(now)
        if held is not None:
            found.setdefault(held, []).append(key)
    return found


def stations_among(core: Core, keys: Iterable[str]) -> tuple[str, ...]:
    """Identities of stations that are there."""
    found = (key.removeprefix("station/") for key in keys if key.startswith("station/"))
    return tuple(core.lanes[key].state.station.id for key in sorted(found) if key in core.lanes)


def tokens_among(core: Core, keys: Iterable[str]) -> tuple[str, ...]:
    found = (key.removeprefix("token/") for key in keys if key.startswith("token/"))
    return tuple(core.tokens[key].id for key in sorted(found) if key in core.tokens)


def other_places(core: Core, keys: Iterable[str]) -> tuple[str, ...]:
    """All but the default, whole stations and tokens, in words."""
    told = ("default", "station", "token")
    return tuple(place_of(core, key) for key in sorted(keys) if key.partition("/")[0] not in told)


async def resolve(core: Core, request: ResolveTariff, actor: Actor) -> ResolutionView:
    """The whole ladder at a place, for somebody, at an instant, and which rung wins."""
    state = core.lane(request.station).state
    at = holding.instant(request.at) if request.at is not None else core.clock.now()
    token = named(core, request.token) if request.token is not None else None
    if request.token is not None and token is None:
        raise NotFound(f"there is no token {request.token}", "see `cms tokens list`")
    asked = holding.facts(core, state, token.id if token else None, request.evse, request.connector, at)
    if request.driver is not None:
        driver = driver_named(core, request.driver)
        if token is not None and token.driver not in (None, driver.id):
            raise Invalid(f"token {token.id} is not {driver.id}'s")
        asked = holding.whose(core, asked, token, driver.id, at)
    uses, register = core.kept.get(tariffs.USE, {}), core.kept.get(tariffs.TARIFF, {})
    rungs = list(assignment.ladder(uses, register, asked, at))
    won = next((rung for rung in rungs if rung.version is not None), None)
    return ResolutionView(
        station=state.station.id,
        evse=request.evse,
        at=at,
        tariff=won.version if won is not None else None,
        rung=won.name if won is not None else None,
        ladder=tuple(_rungs(core, rungs, won)),
    )


#: Why a rung is not there.
_ABSENT = {
    "token": "no token was named",
    "plan": "no plan",
    "group": "in no group",
    "evse": "no EVSE was named",
    "station-type": "the type of the connector is not known",
    "site-type": "the type of the connector is not known, or no site",
    "site": "the station stands at no site",
    "type": "the type of the connector is not known",
}


def _rungs(core: Core, rungs: Sequence[Rung], won: Rung | None) -> Iterator[RungView]:
    """All rungs there are, also those that nobody stands on."""
    for name in assignment.RUNGS:
        here = [rung for rung in rungs if rung.name == name]
        yield from (_rung_view(core, rung, won) for rung in here)
        if not here:
            yield RungView(name, "", None, None, None, False, _ABSENT.get(name, ""))


def _rung_view(core: Core, rung: Rung, won: Rung | None) -> RungView:
    return RungView(
        rung=rung.name,
        place=place_of(core, rung.key),
        assigned=rung.assigned,
        since=rung.since,
        version=rung.version,
        wins=rung is won,
        why=_why(rung, won),
    )


def _why(rung: Rung, won: Rung | None) -> str:
    if rung.assigned is None:
        return "nothing is assigned"
    if rung.version is None:
        return f"no version of {rung.assigned} is valid then"
    if rung is won:
        named_ = "by the plan itself" if rung.since is None else "the most particular one that holds"
        return f"wins: {named_}"
    return f"gives way to the {won.name if won else ''} above it"

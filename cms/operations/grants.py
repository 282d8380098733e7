"""Rights for a while at one station: given, listed, taken back. They end by themselves."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from cms.contract.filters import keys_of, parse
from cms.contract.grants import AddGrant, GrantView, ListGrants, RevokeGrant
from cms.contract.refusals import Denied, Invalid, NotFound
from cms.core import Actor, Core
from cms.domain import operators
from cms.domain.changes import Happened
from cms.domain.grants import KIND, LONGEST, Grant
from cms.domain.operators import API_TOKEN
from cms.domain.roles import AT_A_STATION, permissions_of
from cms.operations.deciding import keep
from cms.operations.operators import named


def _view(grant: Grant) -> GrantView:
    return GrantView(
        id=grant.id,
        who=grant.who,
        name=grant.name,
        role=grant.role,
        station=grant.station,
        reason=grant.reason,
        granted_by=grant.granted_by,
        granted_at=grant.granted_at,
        ends_at=grant.ends_at,
    )


def place_of(core: Core, request: Any) -> str | None:
    """The station that a request is about: the one it names, or that of the running session it names."""
    station: str | None = getattr(request, "station", None)
    session = getattr(request, "session", None)
    if station is not None or session is None or not core.kept.get(KIND):
        return station
    lanes = (lane.state for lane in core.lanes.values())
    return next((state.station.id for state in lanes if session in state.sessions), None)


async def list_(core: Core, request: ListGrants, actor: Actor) -> list[GrantView]:
    chosen = parse(request.filter or "", keys_of(GrantView))
    return [view for view in map(_view, _running(core)) if chosen(view)]


def _running(core: Core) -> list[Grant]:
    now = core.clock.now()
    return [grant for grant in core.kept.get(KIND, {}).values() if now < grant.ends_at]


async def add(core: Core, request: AddGrant, actor: Actor) -> GrantView:
    role = operators.check_role(request.role)
    if not 0 < request.duration_s <= LONGEST.total_seconds():
        raise Invalid(f"a grant lasts more than nothing and at most {LONGEST.days} days")
    if not request.reason.strip():
        raise Invalid("a grant has a reason", "say --reason")
    permissions = permissions_of((role,)) & actor.permissions & AT_A_STATION
    if not permissions:
        raise Denied(f"{actor.name} ({actor.role}) has nothing of what a {role} may do, so cannot grant it")
    who, name = await _meant(core, request.who)
    now = core.clock.now()
    grant = Grant(
        id=core.mint.id(now),
        who=who,
        name=name,
        role=role,
        station=core.lane(request.station).state.station.id,
        permissions=tuple(sorted(permissions)),
        reason=request.reason.strip(),
        granted_by=actor.name,
        granted_at=now,
        ends_at=now + timedelta(seconds=request.duration_s),
    )
    async with core.books:
        await _forget_ended(core)
        await keep(core, KIND, grant.id, grant, _told(grant, actor, "granted", now))
    return _view(grant)


async def _meant(core: Core, who: str) -> tuple[str, str]:
    """Whom a grant names: a user or group by number or name, a token by its id, else whoever has that name."""
    if who.startswith("token:"):
        token = core.kept.get(API_TOKEN, {}).get(who.removeprefix("token:"))
        if token is None:
            raise NotFound(f"there is no API token {who}", "see `cms access token list`")
        return who, token.name
    if who.startswith(("uid:", "gid:")):
        return await named(core, who)
    try:
        return await named(core, f"uid:{who}")
    except NotFound:
        tokens = core.kept.get(API_TOKEN, {}).values()
        if any(token.name.casefold() == who.casefold() for token in tokens):
            return f"name:{who.casefold()}", who
        raise NotFound(
            f"{who} is neither a user of the daemon's machine nor the name on an API token",
            "see `cms access token list`",
        ) from None


async def _forget_ended(core: Core) -> None:
    now = core.clock.now()
    for grant in list(core.kept.get(KIND, {}).values()):
        if grant.ends_at <= now:
            await keep(core, KIND, grant.id, None)


async def revoke(core: Core, request: RevokeGrant, actor: Actor) -> None:
    async with core.books:
        grant = core.kept.get(KIND, {}).get(request.id)
        if grant is None:
            raise NotFound(f"there is no grant {request.id}", "see `cms grants list`")
        await keep(core, KIND, grant.id, None, _told(grant, actor, "revoked", core.clock.now()))


def _told(grant: Grant, actor: Actor, change: str, now: datetime) -> Happened:
    data = {
        "id": grant.id,
        "change": change,
        "who": grant.who,
        "role": grant.role,
        "ends_at": grant.ends_at,
        "reason": grant.reason,
    }
    return Happened("grant.changed", now, grant.station, actor=actor.name, data=data)

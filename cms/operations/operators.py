"""Who may operate: roles of users and groups, API tokens, and what somebody who asks may do."""

from __future__ import annotations

import asyncio
import grp
import os
import pwd
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from cms.contract import apitokens
from cms.contract.filters import keys_of, parse
from cms.contract.operators import (
    AddApiToken,
    ApiTokenCredential,
    ApiTokenView,
    ApprovePairing,
    Identity,
    ListApiTokens,
    ListOperators,
    MapOperator,
    OperatorView,
    RevokeApiToken,
    ShowIdentity,
    UnmapOperator,
)
from cms.contract.refusals import Conflict, Denied, Invalid, NotFound
from cms.core import Actor, Core
from cms.domain import grants, operators, pairing
from cms.domain.changes import Happened
from cms.domain.evolve import evolve
from cms.domain.operators import API_TOKEN, OPERATOR, ApiToken, Operator, Principal
from cms.domain.roles import OWNER, permissions_of, proposals_of
from cms.operations.deciding import keep

#: How exactly the last use of a token is written down: a write per request would be the price of knowing more.
_USE_NOTED = timedelta(minutes=10)
_LONGEST_NAME = 64


def bearer(cores: Iterable[Core], text: str, address: str, now: datetime) -> Principal | None:
    """Who shows this token from this address; None whatever is wrong with it. The platform's core comes first."""
    read = apitokens.read(text)
    if read is None:
        return None
    id_, secret = read
    for core in cores:
        token: ApiToken | None = core.kept.get(API_TOKEN, {}).get(id_)
        if token is not None and operators.opens(token, secret, address, now):
            _used(core, token, now)
            home = "" if token.organisations else core.organisation
            return Principal(token.name, token=token, home=home, address=address)
    return None


def _used(core: Core, token: ApiToken, now: datetime) -> None:
    if token.last_used_at is None or now - token.last_used_at >= _USE_NOTED:
        # At once in memory, so that the next request does not note it again.
        core.kept[API_TOKEN][token.id] = evolve(token, last_used_at=now)
        core.spawn(_note_use(core, token.id, now))


async def _note_use(core: Core, token_id: str, now: datetime) -> None:
    async with core.books:
        token = core.kept.get(API_TOKEN, {}).get(token_id)
        if token is not None:
            await keep(core, API_TOKEN, token_id, evolve(token, last_used_at=now))


def rights(
    core: Core, platform: Core, principal: Principal, owners: frozenset[int], everything: frozenset[str]
) -> Actor | None:
    """What he may do in this organisation; None where he has no role in it.

    The mappings of the platform hold in every organisation. ``owners`` are the users who own the daemon itself.
    """
    if principal.token is not None and not _still(core, platform, principal):
        return None
    if principal.uid is not None and principal.uid in owners:
        return _actor(principal, OWNER, everything, frozenset())
    registers = [one.kept.get(OPERATOR, {}) for one in (platform, core)]
    roles = operators.roles_of(principal, core.organisation, registers)
    if not roles:
        return None
    return _actor(principal, "+".join(roles), permissions_of(roles), proposals_of(roles))


def _actor(principal: Principal, role: str, permissions: frozenset[str], proposes: frozenset[str]) -> Actor:
    may_ask = proposes - permissions
    made_by = _made_by(principal)
    return Actor(principal.name, role, permissions, principal.via, principal.key, may_ask, made_by=made_by)


def _made_by(principal: Principal) -> tuple[str, ...]:
    return principal.token.made_by if principal.token is not None else ()


def _still(core: Core, platform: Core, principal: Principal) -> bool:
    """Whether his token has not been revoked since: he may have a stream open for days."""
    assert principal.token is not None
    register = platform if not principal.home else core
    return principal.token.id in register.kept.get(API_TOKEN, {})


def with_grant(
    core: Core, principal: Principal, station: str | None, permission: str, now: datetime
) -> Actor | None:
    """What a grant lets him do at this station, this one thing; None without one."""
    found: dict[str, grants.Grant] = core.kept.get(grants.KIND, {})
    if not found:
        return None
    grant = grants.granted(found.values(), principal.keys_in(core.organisation), station, permission, now)
    if grant is None:
        return None
    via = f"{principal.via} grant:{grant.id}"
    permissions = frozenset(grant.permissions)
    return Actor(principal.name, grant.role, permissions, via, principal.key, made_by=_made_by(principal))


def has_grant(core: Core, principal: Principal, now: datetime) -> bool:
    """Whether anything is granted to him here."""
    keys = principal.keys_in(core.organisation)
    found: dict[str, grants.Grant] = core.kept.get(grants.KIND, {})
    return any(grant.who in keys and now < grant.ends_at for grant in found.values())


async def named(core: Core, who: str) -> tuple[str, str]:
    """(``uid:1000``, ``alice``) of ``uid:alice``, ``uid:1000``, ``gid:staff``. Raises Invalid or NotFound."""
    kind, _, name = who.partition(":")
    if kind not in ("uid", "gid") or not name:
        raise Invalid(f"{who!r} is neither uid:NAME nor gid:NAME", "e.g. uid:alice, gid:cms-finance")
    return await asyncio.to_thread(_looked_up, kind, name)  # the system may ask a directory for it


def _looked_up(kind: str, name: str) -> tuple[str, str]:
    try:
        if name.isascii() and name.isdecimal():
            return operators.key_of(f"{kind}:{name}"), _system_name(kind, int(name))
        number = pwd.getpwnam(name).pw_uid if kind == "uid" else grp.getgrnam(name).gr_gid
    except (KeyError, OverflowError):
        what = "user" if kind == "uid" else "group"
        raise NotFound(f"this machine has no {what} {name}", f"by number: {kind}:1000") from None
    return f"{kind}:{number}", name


def _system_name(kind: str, number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name if kind == "uid" else grp.getgrgid(number).gr_name
    except (KeyError, OverflowError):
        return str(number)  # a container knows no names


def _operator_view(operator: Operator) -> OperatorView:
    return OperatorView(operator.who, operator.name, operator.role, operator.added_at, operator.added_by)


async def list_(core: Core, request: ListOperators, actor: Actor) -> list[OperatorView]:
    chosen = parse(request.filter or "", keys_of(OperatorView))
    views = (_operator_view(operator) for operator in core.kept.get(OPERATOR, {}).values())
    return [view for view in views if chosen(view)]


async def map_(core: Core, request: MapOperator, actor: Actor) -> OperatorView:
    role = operators.check_role(request.role)
    who, name = await named(core, request.who)
    if who == actor.key and actor.role != OWNER:
        raise Denied("nobody gives himself a role", "ask another admin")
    now = core.clock.now()
    operator = Operator(who, name, role, now, actor.name)
    told = _told("operator.changed", now, actor, who=who, role=role)
    async with core.books:
        await keep(core, OPERATOR, who, operator, told)
    return _operator_view(operator)


async def unmap(core: Core, request: UnmapOperator, actor: Actor) -> None:
    try:
        who, _ = await named(core, request.who)
    except NotFound:
        who = request.who  # the user may be gone from the machine
    async with core.books:
        if who not in core.kept.get(OPERATOR, {}):
            raise NotFound(f"{request.who} has no role here", "see `cms access mapped`")
        told = _told("operator.changed", core.clock.now(), actor, who=who, role=None)
        await keep(core, OPERATOR, who, None, told)


def _told(type: str, now: datetime, actor: Actor, **data: Any) -> Happened:
    return Happened(type, now, actor=actor.name, data=data)


def _token_view(token: ApiToken, now: datetime) -> ApiTokenView:
    return ApiTokenView(
        id=token.id,
        name=token.name,
        role=token.role,
        status="active" if now < token.expires_at else "expired",
        created_at=token.created_at,
        created_by=token.created_by,
        expires_at=token.expires_at,
        last_used_at=token.last_used_at,
        organisations=token.organisations,
        networks=token.networks,
    )


async def tokens(core: Core, request: ListApiTokens, actor: Actor) -> list[ApiTokenView]:
    chosen = parse(request.filter or "", keys_of(ApiTokenView))
    now = core.clock.now()
    views = (_token_view(token, now) for token in core.kept.get(API_TOKEN, {}).values())
    return [view for view in views if chosen(view)]


async def add_token(core: Core, request: AddApiToken, actor: Actor) -> ApiTokenCredential:
    """Make a token. Its secret comes back to the asker, so it can do no more than he can."""
    role = operators.check_role(request.role)
    if actor.role != OWNER and not permissions_of((role,)) <= actor.permissions:
        raise Denied(
            f"a token with the role {role} could do more than {actor.name} ({actor.role})",
            "who shall have it asks for it himself: cms login URL",
        )
    id_, secret = apitokens.new_id(os.urandom(16)), apitokens.new_secret(os.urandom(40))
    token = _made(core, actor, id_, apitokens.digest_of(secret), request.name, role, request.days)
    token = evolve(
        token,
        organisations=_organisations(core, request.organisations),
        networks=tuple(operators.network(text) for text in request.networks),
        # Whoever sees its secret is no second person beside it. An owner can write the record without us.
        made_by=() if actor.role == OWNER else tuple(sorted(actor.persons)),
    )
    await _register(core, token, actor)
    return ApiTokenCredential(
        token.id,
        token.name,
        token.role,
        token.expires_at,
        apitokens.written(_environment(core), token.id, secret),
    )


def _environment(core: Core) -> str:
    """What a token says of its daemon: one of a laboratory is worth nothing elsewhere."""
    return "lab" if core.terms.open_enrolment else "live"


def _organisations(core: Core, asked: tuple[str, ...]) -> tuple[str, ...]:
    if not core.organisation:
        return tuple(name.casefold() for name in asked) or (operators.EVERYWHERE,)
    if asked:
        raise Invalid("only tokens of the platform name organisations", "ask with --org '*'")
    return ()


def _made(core: Core, actor: Actor, id_: str, digest: str, name: str, role: str, days: int) -> ApiToken:
    now = core.clock.now()
    if not 0 < days <= operators.LONGEST.days:
        raise Invalid(f"a token lasts 1 to {operators.LONGEST.days} days, not {days}")
    name = name.strip()
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise Invalid(f"a token has a name of 1 to {_LONGEST_NAME} printable characters")
    return ApiToken(id_, name, role, digest, now, actor.name, now + timedelta(days=days))


async def _register(core: Core, token: ApiToken, actor: Actor) -> None:
    now = token.created_at
    async with core.books:
        held = core.kept.get(API_TOKEN, {}).values()
        alive = [one for one in held if one.name.casefold() == token.name.casefold() and now < one.expires_at]
        if len(alive) >= operators.MOST_TOKENS:
            raise Conflict(
                f"{token.name} has {len(alive)} tokens already",
                f"revoke one first: cms access token list --filter 'name={token.name}'",
            )
        told = _told("api-token.changed", now, actor, id=token.id, role=token.role, status="active")
        await keep(core, API_TOKEN, token.id, token, told)


async def revoke_token(core: Core, request: RevokeApiToken, actor: Actor) -> None:
    async with core.books:
        token: ApiToken | None = core.kept.get(API_TOKEN, {}).get(request.id)
        if token is None:
            raise NotFound(f"there is no API token {request.id}", "see `cms access token list`")
        told = _told(
            "api-token.changed", core.clock.now(), actor, id=token.id, role=token.role, status="revoked"
        )
        await keep(core, API_TOKEN, token.id, None, told)


async def identity(core: Core, request: ShowIdentity, actor: Actor) -> Identity:
    found: dict[str, ApiToken] = core.kept.get(API_TOKEN, {})
    token = found.get(actor.key.removeprefix("token:"))
    return Identity(
        name=actor.name,
        via=actor.via,
        organisation=core.organisation,
        roles=tuple(actor.role.split("+")),
        permissions=tuple(sorted(actor.permissions)),
        proposes=tuple(sorted(actor.proposes)),
        expires_at=token.expires_at if token is not None else None,
    )


def ask_pairing(core: Core, digest: str, name: str, address: str) -> pairing.Pairing:
    """Somebody without a token wants one: remember it for ten minutes."""
    now = core.clock.now()
    waiting = core.pairings
    alive = pairing.alive(waiting, now)
    waiting.clear()
    waiting.update(alive)
    if len(waiting) >= pairing.MOST:
        raise Conflict("too many wait for a token already", "try again in ten minutes")
    code = pairing.code_of(int.from_bytes(os.urandom(16), "big"))
    digest = pairing.check_digest(digest)
    waiting[code] = pairing.Pairing(code, digest, name.strip()[:_LONGEST_NAME], address, now)
    return waiting[code]


def fetch_pairing(core: Core, code: str, digest: str) -> tuple[str, str, str]:
    """(status, environment, id of the token) for the one who asked; ``waiting`` has no id yet."""
    found = pairing.alive(core.pairings, core.clock.now()).get(pairing.typed(code))
    if found is None or found.digest != digest:
        raise NotFound("nobody waits with this code", "ask anew: cms login URL")
    status = "waiting" if found.token is None else "approved"
    return status, _environment(core), found.token or ""


async def approve_pairing(core: Core, request: ApprovePairing, actor: Actor) -> ApiTokenView:
    """Let somebody in who shows this code: he has the secret, whoever approves never sees it."""
    role = operators.check_role(request.role)
    found = pairing.alive(core.pairings, core.clock.now()).get(pairing.typed(request.code))
    if found is None or found.token is not None:
        raise NotFound(f"nobody waits with the code {request.code}", "codes last ten minutes")
    name = request.name or found.name
    id_ = apitokens.new_id(os.urandom(16))
    token = _made(core, actor, id_, found.digest, name, role, request.days)
    token = evolve(token, organisations=_organisations(core, ()))
    core.pairings[found.code] = evolve(found, token=id_)  # before the commit: a code is good once
    try:
        await _register(core, token, actor)
    except BaseException:
        core.pairings[found.code] = found
        raise
    return _token_view(token, core.clock.now())

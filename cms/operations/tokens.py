"""Tokens: who is known to the authorisation, effective with the very next card."""

from __future__ import annotations

import re
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from cms.contract.filters import keys_of, parse
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.contract.tokens import (
    AddToken,
    BlockToken,
    ListTokens,
    RemoveToken,
    SetToken,
    ShowToken,
    TokenView,
    UnblockToken,
)
from cms.core import Actor, Core
from cms.domain.changes import DropToken, Happened, SaveToken
from cms.domain.evolve import evolve, with_fields
from cms.domain.tokens import KEY_CODE, KEY_CODE_PREFIX, KINDS, MAC, Token, mac_of, status_at
from cms.operations import drivers
from cms.operations.identifying import key_code_id, named, standing, told_as

# 2.1 allows 255 characters, 1.6 only 20: what a station can present decides, not we.
_MAX_LENGTH = 255
#: The type of a 2.1 IdTokenType has 20 characters.
_OWN_KIND = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,19}")
#: Our kinds as people and OCPP spell them (2.0.1 IdTokenEnumType), without case.
_KINDS_AS_SAID = {
    **{kind: kind for kind in KINDS},
    **{kind.replace("-", ""): kind for kind in KINDS},
    "iso14443": "rfid",
    "iso15693": "rfid",
    "macaddress": "mac",
}


def view(token: Token, now: datetime) -> TokenView:
    return TokenView(
        id=token.id,
        kind=token.kind,
        status=status_at(token, now),
        driver=token.driver,
        group=token.group,
        valid_from=token.valid_from,
        valid_to=token.valid_to,
        visual_number=token.visual_number,
        max_sessions=token.max_sessions,
        blocked_reason=token.blocked_reason,
        added_at=token.added_at,
        places=token.places,
        master=token.master,
        weak_identity=token.kind == MAC,
    )


async def list_(core: Core, request: ListTokens, actor: Actor) -> list[TokenView]:
    chosen = parse(request.filter or "", keys_of(TokenView))
    now = core.clock.now()
    views = (view(standing(core, token), now) for _, token in sorted(core.tokens.items()))
    return [token for token in views if chosen(token)]


def find(core: Core, token_id: str) -> Token:
    """The token that is named, as it is registered."""
    token = named(core, token_id)
    if token is None:
        raise NotFound(f"there is no token {token_id}", "see `cms tokens list`")
    return token


async def show(core: Core, request: ShowToken, actor: Actor) -> TokenView:
    return _shown(core, find(core, request.token))


def _shown(core: Core, token: Token) -> TokenView:
    return view(standing(core, token), core.clock.now())


async def add(core: Core, request: AddToken, actor: Actor) -> TokenView:
    kind = kind_named(request.kind)
    token = Token(
        id=id_of(core, request.token, kind),
        kind=kind,
        driver=await drivers.owner(core, request.driver, actor),
        group=request.group,
        valid_from=request.valid_from,
        valid_to=request.valid_to,
        visual_number=request.visual_number,
        max_sessions=request.max_sessions,
        added_at=core.clock.now(),
        places=tuple(_place(core, place) for place in request.places),
        master=request.master,
    )
    check(token)
    async with core.books:
        if (known := core.tokens.get(token.id.casefold())) is not None:
            raise Conflict(f"token {told_as(known)} is registered already")
        await _save(core, token, "token.added", actor)
    return _shown(core, token)


def id_of(core: Core, text: str, kind: str) -> str:
    """The id under which a token of this kind is registered: a key code's digest, a MAC address in one spelling."""
    if not text or len(text) > _MAX_LENGTH or not text.isprintable():
        raise Invalid(f"a token has 1 to {_MAX_LENGTH} printable characters")
    if kind == KEY_CODE:
        return key_code_id(core, text)
    if kind == MAC:
        address = mac_of(text)
        if address is None:
            raise Invalid(f"{text!r} is no MAC address", "e.g. AA:BB:CC:DD:EE:FF")
        return address
    return text


def check(token: Token) -> None:
    """What holds for every token, new or changed."""
    if token.max_sessions is not None and token.max_sessions < 1:
        raise Invalid(f"max_sessions must be at least 1, not {token.max_sessions}")
    if token.valid_from and token.valid_to and token.valid_to <= token.valid_from:
        raise Invalid("the token would expire before it becomes valid")
    if token.master and not token.group:
        raise Invalid("a master pass has a group: stations know it by that (AuthCtrlr.MasterPassGroupId)")


#: Fields that SetToken can take away, and what is there then.
_CLEARED: dict[str, Any] = {
    **dict.fromkeys(("driver", "group", "valid_from", "valid_to", "visual_number", "max_sessions")),
    "places": (),
}
_SET = ("group", "valid_from", "valid_to", "visual_number", "max_sessions", "master")


async def set_(core: Core, request: SetToken, actor: Actor) -> TokenView:
    for name in request.clear:
        if name not in _CLEARED:
            raise Invalid(f"{name!r} is nothing that can be cleared", f"one of {', '.join(_CLEARED)}")
    changes = {name: _CLEARED[name] for name in request.clear}
    changes |= {name: value for name in _SET if (value := getattr(request, name)) is not None}
    if request.driver is not None:
        changes["driver"] = await drivers.owner(core, request.driver, actor)
    if request.places is not None:
        changes["places"] = tuple(_place(core, place) for place in request.places)
    async with core.books:
        token = find(core, request.token)
        if changes:
            token = with_fields(token, changes)
            check(token)
            await _save(core, token, "token.changed", actor, request.reason)
    return _shown(core, token)


def kind_named(asked: str) -> str:
    """A kind that we know, in our words or OCPP's, or a name of somebody's own (OCPP 2.1, IdToken.type).

    A name that looks like a misspelt one of ours is refused; ``other:NAME`` is taken whatever it looks like.
    """
    said = _KINDS_AS_SAID.get(asked.casefold())
    if said:
        return said
    name = asked.removeprefix("other:")
    likely = get_close_matches(name.casefold(), _KINDS_AS_SAID, 1, 0.75)
    taken = name.casefold() in _KINDS_AS_SAID if name != asked else likely
    if _OWN_KIND.fullmatch(name) and not taken:
        return name
    hint = f"did you mean {_KINDS_AS_SAID[likely[0]]}?" if likely else None
    raise Invalid(
        f"token kind must be one of {', '.join(KINDS)} or other:NAME (OCPP 2.1), not {asked!r}", hint
    )


def _place(core: Core, place: str) -> str:
    """``STATION`` or ``STATION:EVSE``, the station as it is registered."""
    name, _, evse = place.partition(":")
    station = core.lane(name).state.station.id
    if evse and not (evse.isascii() and evse.isdecimal() and 0 < int(evse) < 10_000):
        raise Invalid(f"{place!r} is no place: write STATION or STATION:EVSE, EVSEs count from 1")
    return f"{station}:{int(evse)}" if evse else station


async def recover(core: Core) -> None:
    """Key codes that were written down before only their digests were, and MAC addresses in other spellings."""
    for token in list(core.tokens.values()):
        id = token.id
        if token.kind == KEY_CODE and not id.startswith(KEY_CODE_PREFIX):
            id = key_code_id(core, id)
        elif token.kind == MAC:
            id = mac_of(id) or id
        if id == token.id:
            continue
        renamed, known = evolve(token, id=id), id.casefold() in core.tokens
        await core.store.commit((DropToken(token.id), *(() if known else (SaveToken(renamed),))), ())
        del core.tokens[token.id.casefold()]
        core.tokens.setdefault(id.casefold(), renamed)


async def _save(core: Core, token: Token, type: str, actor: Actor, reason: str | None = None) -> None:
    await core.store.commit((SaveToken(token),), (saved_event(core, token, type, actor, reason),))
    core.tokens[token.id.casefold()] = token


def saved_event(core: Core, token: Token, type: str, actor: Actor, reason: str | None = None) -> Happened:
    """What is told of a token that was added or changed."""
    now = core.clock.now()
    data = {"token": told_as(token), "status": status_at(standing(core, token), now), "reason": reason}
    return Happened(type, now, actor=actor.name, data=data)


async def block(core: Core, request: BlockToken, actor: Actor) -> TokenView:
    return await _blocked(core, request, actor, True, request.reason)


async def unblock(core: Core, request: UnblockToken, actor: Actor) -> TokenView:
    return await _blocked(core, request, actor, False, None)


async def _blocked(
    core: Core, request: BlockToken | UnblockToken, actor: Actor, blocked: bool, why: str | None
) -> TokenView:
    async with core.books:
        token = evolve(find(core, request.token), blocked=blocked, blocked_reason=why)
        await _save(core, token, "token.changed", actor, request.reason)
    return _shown(core, token)


async def remove(core: Core, request: RemoveToken, actor: Actor) -> None:
    async with core.books:
        token = find(core, request.token)
        told = Happened("token.removed", core.clock.now(), actor=actor.name, data={"token": told_as(token)})
        await core.store.commit((DropToken(token.id),), (told,))
        core.tokens.pop(token.id.casefold(), None)

"""Tokens: who is known to the authorisation, effective with the very next card."""

from __future__ import annotations

import re
from datetime import datetime
from difflib import get_close_matches

from cms.contract.filters import keys_of, parse
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.contract.tokens import (
    AddToken,
    BlockToken,
    ListTokens,
    RemoveToken,
    ShowToken,
    TokenView,
    UnblockToken,
)
from cms.core import Actor, Core
from cms.domain.changes import DropToken, Happened, SaveToken
from cms.domain.evolve import evolve
from cms.domain.observations import TokenRef
from cms.domain.tokens import KINDS, Token, display, status_at

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
    )


async def list_(core: Core, request: ListTokens, actor: Actor) -> list[TokenView]:
    chosen = parse(request.filter or "", keys_of(TokenView))
    now = core.clock.now()
    views = (view(token, now) for _, token in sorted(core.tokens.items()))
    return [token for token in views if chosen(token)]


def _find(core: Core, token_id: str) -> Token:
    token = core.tokens.get(token_id.casefold())
    if token is None:
        raise NotFound(f"there is no token {token_id}", "see `cms tokens list`")
    return token


async def show(core: Core, request: ShowToken, actor: Actor) -> TokenView:
    return view(_find(core, request.token), core.clock.now())


async def add(core: Core, request: AddToken, actor: Actor) -> TokenView:
    if not request.token or len(request.token) > _MAX_LENGTH or not request.token.isprintable():
        raise Invalid(f"a token has 1 to {_MAX_LENGTH} printable characters")
    kind = kind_named(request.kind)
    if request.max_sessions is not None and request.max_sessions < 1:
        raise Invalid(f"max_sessions must be at least 1, not {request.max_sessions}")
    if request.valid_from and request.valid_to and request.valid_to <= request.valid_from:
        raise Invalid("the token would expire before it becomes valid")
    if request.master and not request.group:
        raise Invalid("a master pass has a group: stations know it by that (AuthCtrlr.MasterPassGroupId)")
    token = Token(
        id=request.token,
        kind=kind,
        driver=request.driver,
        group=request.group,
        valid_from=request.valid_from,
        valid_to=request.valid_to,
        visual_number=request.visual_number,
        max_sessions=request.max_sessions,
        added_at=core.clock.now(),
        places=tuple(_place(core, place) for place in request.places),
        master=request.master,
    )
    key = request.token.casefold()
    async with core.books:
        if key in core.tokens:
            raise Conflict(f"token {core.tokens[key].id} is registered already")
        await _save(core, token, "token.added", actor)
    return view(token, core.clock.now())


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


async def _save(core: Core, token: Token, type: str, actor: Actor, reason: str | None = None) -> None:
    now = core.clock.now()
    data = {"token": _told(token), "status": status_at(token, now), "reason": reason}
    told = Happened(type, now, actor=actor.name, data=data)
    await core.store.commit((SaveToken(token),), (told,))
    core.tokens[token.id.casefold()] = token


def _told(token: Token) -> str:
    """Its name in events, which are kept and sent on: never a key code (2.0.1 C04.FR.04)."""
    return display(TokenRef(token.id, token.kind), token)


async def block(core: Core, request: BlockToken, actor: Actor) -> TokenView:
    token = evolve(_find(core, request.token), blocked=True, blocked_reason=request.reason)
    await _save(core, token, "token.changed", actor, request.reason)
    return view(token, core.clock.now())


async def unblock(core: Core, request: UnblockToken, actor: Actor) -> TokenView:
    token = evolve(_find(core, request.token), blocked=False, blocked_reason=None)
    await _save(core, token, "token.changed", actor, request.reason)
    return view(token, core.clock.now())


async def remove(core: Core, request: RemoveToken, actor: Actor) -> None:
    token = _find(core, request.token)
    told = Happened("token.removed", core.clock.now(), actor=actor.name, data={"token": _told(token)})
    await core.store.commit((DropToken(token.id),), (told,))
    core.tokens.pop(token.id.casefold(), None)

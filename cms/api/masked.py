"""What an answer shows to whom: who may not see personal data gets it masked, who may leaves a row in the audit.

What is personal says ``domain.personal``.
"""

from __future__ import annotations

import asyncio
import dataclasses
import re
import typing
from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.requests import Request

from cms.contract.events import Event
from cms.contract.filters import Predicate, keys_of, parse
from cms.contract.refusals import Denied
from cms.contract.routes import ROUTES
from cms.core import Actor, Core, StoreDown
from cms.domain.audit import digest
from cms.domain.operators import Principal
from cms.domain.personal import PII, masked, may_show, shows, token
from cms.keys import LASTING
from cms.operations.auditing import Denials, Row, changes_something, seen

_AT_ONCE = 100
REQUEST_ID = "X-Request-Id"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


def request_id(core: Core, request: Request) -> str:
    """The asker's own name for this request, by which he finds it in the audit; else one of ours."""
    given = request.headers.get(REQUEST_ID, "")
    return given if _REQUEST_ID.fullmatch(given) else core.mint.id(core.clock.now())


async def note_denied(
    denials: Denials, core: Core, principal: Principal, asked: Any, permission: str, refused: Denied
) -> None:
    """Somebody may not do what he asks."""
    nobody = Actor(principal.name, "", frozenset(), via=principal.via, key=principal.key)
    await denials.denied(Row(core, nobody, asked, permission), refused)


@dataclasses.dataclass(frozen=True, slots=True)
class FollowEvents:
    """What the audit calls listening to events, and to the frames of a station."""

    station: str | None = None
    type: str | None = None
    frames: str | None = None


def blindly(row: Row) -> tuple[Any, Predicate]:
    """The request without its filter, and that filter for what is shown.

    A filter must not find what its asker may not see: he would read a card number by asking for it sign by sign.
    """
    asked = row.request
    if PII in row.actor.permissions or not getattr(asked, "filter", None):
        return asked, parse("")
    (view,) = typing.get_args(ROUTES[type(asked)].answers)
    if not may_show(view):
        return asked, parse("")
    return dataclasses.replace(asked, filter=None), parse(asked.filter, keys_of(view))


async def shown(row: Row, answer: Any, chosen: Predicate) -> Any:
    """The answer as its asker may see it. What cannot be noted in the audit is not shown."""
    if PII in row.actor.permissions:
        if changes_something(row.request) or not shows(answer):
            return answer  # what he changes has its row
        try:
            await seen(row)
            return answer
        except StoreDown:
            pass
    named = _naming(row.core)
    if not isinstance(answer, list):
        return masked(answer, named)
    clean: list[Any] = []
    for start in range(0, len(answer), _AT_ONCE):
        clean += filter(chosen, masked(answer[start : start + _AT_ONCE], named))
        await asyncio.sleep(0)  # stations do not wait for a long list
    return clean


def _naming(core: Core) -> Callable[[str], str]:
    """How tokens are written: by their end, and a keyed digest that tells those apart which end alike."""
    key = core.keys.key("masked names", LASTING)
    return lambda value: f"{token(value)}~{digest(key, value.casefold())[:6]}" if value else value


#: How an event or a frame is shown to one listener.
Shown = Callable[[Any], Any]


async def listening(row: Row) -> Shown:
    """How this listener is shown what happens: as it is, which is noted once, or masked."""
    hidden = partial(masked, named=_naming(row.core))
    if PII not in row.actor.permissions:
        return hidden
    try:
        await seen(row)
    except StoreDown:
        return hidden
    return _as_it_is


def _as_it_is(event: Event) -> Event:
    return event

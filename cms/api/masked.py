"""What an answer shows to whom: who may not see personal data gets it masked, who may leaves a row in the audit.

What is personal says ``domain.personal``.
"""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Callable
from typing import Any

from starlette.requests import Request

from cms.contract.events import Event
from cms.contract.filters import Predicate, keys_of, parse
from cms.contract.refusals import Denied
from cms.contract.routes import ROUTES
from cms.core import Actor, Core, StoreDown
from cms.domain.operators import Principal
from cms.domain.personal import PII, masked, may_show, shows
from cms.operations.auditing import Denials, Row, changes_something, seen

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
    clean = masked(answer)
    return [one for one in clean if chosen(one)] if isinstance(clean, list) else clean


#: How an event or a frame is shown to one listener.
Shown = Callable[[Any], Any]


async def listening(row: Row) -> Shown:
    """How this listener is shown what happens: as it is, which is noted once, or masked."""
    if PII not in row.actor.permissions:
        return masked
    try:
        await seen(row)
    except StoreDown:
        return masked
    return _as_it_is


def _as_it_is(event: Event) -> Event:
    return event

"""Asking somebody else whether a token may charge: what is asked, what may be said, what holds when nobody says it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from cms.domain.observations import TokenRef
from cms.domain.record import record
from cms.domain.tokens import Authorization, Ruling, Token

#: Who is asked about: tokens that nobody registered here, or all that we would accept ourselves too.
Whose = Literal["unknown", "all"]
#: What holds when there is no answer: what we know ourselves, nobody, everybody.
Offline = Literal["accept-known", "refuse", "accept"]
#: The name by which an outside answer goes where a rule's id would stand.
OUTSIDE = "outside"
# A station remembers an answer for a minute at least: until the session that it is for has begun.
_LEAST = timedelta(minutes=1)


@record
class Asked:
    """One question. ``purpose``: authorize (perhaps to stop) or start."""

    organisation: str
    token: str
    kind: str | None
    station: str
    evse: int | None
    purpose: str
    at: datetime


@record
class Told:
    """What was said; ``status`` None: nobody could be asked. ``holds_s`` is how long it may be remembered."""

    status: Authorization | None
    holds_s: int = 0
    group: str | None = None
    expires: datetime | None = None
    reason: str = ""


#: No answer.
SILENCE = Told(None, reason="whoever decides on it could not be asked")


def ruled(ruling: Ruling, told: Told, presented: TokenRef, offline: Offline, at: datetime) -> Ruling:
    """Our ruling with what was said outside. What we refuse ourselves, for a reason of its own, stays refused."""
    unknown = ruling.status is Authorization.UNKNOWN
    if not (unknown or ruling.accepted):
        return ruling
    if told.status is None:
        return _unanswered(ruling, told, presented, offline, at)
    if told.status is not Authorization.ACCEPTED:
        return Ruling(told.status, ruling.token, rule=OUTSIDE, reason=told.reason)
    until = at + max(timedelta(seconds=told.holds_s), _LEAST)
    expires = until if told.expires is None else min(until, told.expires)
    token = ruling.token or _stranger(presented, told)
    return Ruling(Authorization.ACCEPTED, token, ruling.evses, expires, OUTSIDE, told.reason)


def _unanswered(ruling: Ruling, told: Told, presented: TokenRef, offline: Offline, at: datetime) -> Ruling:
    if offline == "refuse":
        return Ruling(Authorization.INVALID, ruling.token, rule=OUTSIDE, reason=told.reason)
    if offline == "accept" and not ruling.accepted:
        token = _stranger(presented, told)
        return Ruling(Authorization.ACCEPTED, token, (), at + _LEAST, OUTSIDE, told.reason)
    return ruling


def _stranger(presented: TokenRef, told: Told) -> Token:
    """A token that is registered with somebody else."""
    return Token(presented.id, kind=presented.kind or "rfid", group=told.group)

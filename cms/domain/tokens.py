"""Tokens, and whether one may charge now."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from cms.domain.observations import TokenAnswer, TokenRef
from cms.domain.record import record

KINDS = ("rfid", "app", "central", "emaid", "key-code", "local", "mac", "no-authorization")


class Authorization(StrEnum):
    """What a driver is told. 1.6 says Invalid for ``unknown``; each version maps the rest to its own words."""

    ACCEPTED = "accepted"
    BLOCKED = "blocked"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    INVALID = "invalid"
    CONCURRENT = "concurrent"


@record
class Token:
    """One token. ``id`` keeps the registered spelling; tokens compare without case (1.6 errata 3.74)."""

    id: str
    kind: str = "rfid"
    blocked: bool = False
    blocked_reason: str | None = None
    driver: str | None = None
    group: str | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    visual_number: str | None = None
    max_sessions: int | None = None
    added_at: datetime | None = None


@record
class Ruling:
    """Whether a presented token may charge, and its group."""

    status: Authorization
    token: Token | None = None

    @property
    def accepted(self) -> bool:
        return self.status is Authorization.ACCEPTED

    def answer(self) -> TokenAnswer:
        """What the station is told."""
        token = self.token
        if token is None:
            return TokenAnswer(self.status)
        return TokenAnswer(self.status, group=token.group, expires=token.valid_to, kind=token.kind)


#: Presented kinds that match a registered kind other than their own name. A 1.6 station does not say its kind.
_SAME_KIND = {("central", "app"), ("app", "central")}


def rule(token: Token | None, presented: TokenRef, now: datetime, running: int | None = None) -> Ruling:
    """Decide on a presented token. ``running`` counts its other sessions; None where that must not matter.

    Authorize never answers concurrent: the driver may be about to stop (OCPP 1.6 section 7.2).
    """
    if presented.kind == "no-authorization":
        return Ruling(Authorization.ACCEPTED)
    if token is None or not _kind_fits(token.kind, presented.kind):
        return Ruling(Authorization.UNKNOWN)
    if token.blocked:
        return Ruling(Authorization.BLOCKED, token)
    if status_at(token, now) == "expired":
        return Ruling(Authorization.EXPIRED, token)
    if running is not None and token.max_sessions is not None and running >= token.max_sessions:
        return Ruling(Authorization.CONCURRENT, token)
    return Ruling(Authorization.ACCEPTED, token)


def _kind_fits(registered: str, presented: str | None) -> bool:
    return presented is None or presented == registered or (registered, presented) in _SAME_KIND


def status_at(token: Token, now: datetime) -> str:
    """accepted, blocked or expired (also before its validity begins)."""
    if token.blocked:
        return "blocked"
    early = token.valid_from is not None and now < token.valid_from
    late = token.valid_to is not None and now >= token.valid_to
    return "expired" if early or late else "accepted"


def display(presented: TokenRef, token: Token | None) -> str:
    """The token as it may be stored with a session and shown: a key code is never kept (2.0.1 C04.FR.04)."""
    if presented.kind == "key-code":
        return (token.visual_number if token else None) or "key-code"
    return token.id if token is not None else presented.id

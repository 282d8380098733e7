"""Tokens, and whether one may charge now."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum

from cms.domain.observations import TokenAnswer, TokenRef
from cms.domain.record import record

KINDS = ("rfid", "app", "central", "emaid", "key-code", "local", "mac", "no-authorization", "direct-payment")

KEY_CODE, MAC = "key-code", "mac"
#: What stands before the digest by which a key code is known: the code itself is kept nowhere (C04.FR.04).
KEY_CODE_PREFIX = "KC-"
#: Autocharge: what 1.6 stations write before a car's MAC address.
_VEHICLE = re.compile(r"(?:VID:?|MAC:?)", re.IGNORECASE)
_MAC = re.compile(r"[0-9A-F]{12}(?:[0-9A-F]{4})?")
_MAC_SEPARATORS = str.maketrans("", "", ":-. ")


def mac_of(text: str) -> str | None:
    """A MAC address (EUI-48 or EUI-64) in upper case without separators, as ``VID:AA-BB..`` too; None: it is none."""
    digits = _VEHICLE.sub("", text, count=1) if _VEHICLE.match(text) else text
    digits = digits.translate(_MAC_SEPARATORS).upper()
    return digits if _MAC.fullmatch(digits) else None


class Authorization(StrEnum):
    """What a driver is told. 1.6 says Invalid for ``unknown``; each version maps the rest to its own words."""

    ACCEPTED = "accepted"
    BLOCKED = "blocked"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    INVALID = "invalid"
    CONCURRENT = "concurrent"
    NOT_HERE = "not-at-this-location"
    WRONG_EVSE = "not-allowed-type-evse"
    NO_CREDIT = "no-credit"
    NOT_NOW = "not-at-this-time"


@record
class Token:
    """One token. ``id`` keeps the registered spelling; tokens compare without case (1.6 errata 3.74).

    ``places`` are where it may charge, ``STATION`` or ``STATION:EVSE``; none: everywhere. A ``master`` pass stops
    everybody's sessions and starts none; stations know it by its group (C16, AuthCtrlr.MasterPassGroupId).
    """

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
    places: tuple[str, ...] = ()
    master: bool = False

    @property
    def limited(self) -> bool:
        """Whether it matters where, and for what, it is presented."""
        return bool(self.places) or self.master


@record
class Presented:
    """Where a token is presented: to start (or go on with) a session at this EVSE, or to end one.

    ``starts``: False for Authorize and for an end, where a master pass is as good as any other.
    """

    station: str
    evse: int | None = None
    starts: bool = False


@record
class Ruling:
    """Whether a presented token may charge, its group, and the EVSEs it is good for (none: all)."""

    status: Authorization
    token: Token | None = None
    evses: tuple[int, ...] = ()
    expires: datetime | None = None
    """Until when a station may remember this ruling, where that is sooner than the token's end (C17.FR.01)."""
    rule: str | None = None
    """The access rule that decided, where one did."""
    reason: str = ""

    @property
    def accepted(self) -> bool:
        return self.status is Authorization.ACCEPTED

    def answer(self) -> TokenAnswer:
        """What the station is told."""
        token = self.token
        if token is None:
            return TokenAnswer(self.status)
        return TokenAnswer(
            self.status,
            group=token.group,
            expires=self.expires or token.valid_to,
            kind=token.kind,
            evses=self.evses,
        )


#: Nobody is asked about these: no token at all (C02), or the reference of a payment that was authorised (2.1 C18).
_UNASKED = frozenset({"no-authorization", "direct-payment"})

#: Presented kinds that match a registered kind other than their own name. A 1.6 station does not say its kind.
#: 2.0.1 has no word for a payment's reference: there it is a central one.
_SAME_KIND = {("central", "app"), ("app", "central"), ("direct-payment", "central")}


def rule(
    token: Token | None,
    presented: TokenRef,
    now: datetime,
    running: int | None = None,
    at: Presented | None = None,
) -> Ruling:
    """Decide on a presented token. ``running`` counts its other sessions; None where that must not matter.

    Authorize never answers concurrent: the driver may be about to stop (OCPP 1.6 section 7.2).
    """
    if presented.kind in _UNASKED:
        return Ruling(Authorization.ACCEPTED)
    if token is None or not _kind_fits(token.kind, presented.kind):
        return Ruling(Authorization.UNKNOWN)
    if token.blocked:
        return Ruling(Authorization.BLOCKED, token)
    if status_at(token, now) == "expired":
        return Ruling(Authorization.EXPIRED, token)
    if running is not None and token.max_sessions is not None and running >= token.max_sessions:
        return Ruling(Authorization.CONCURRENT, token)
    if at is not None and token.limited:
        return _ruled_there(token, at)
    return Ruling(Authorization.ACCEPTED, token)


def _ruled_there(token: Token, at: Presented) -> Ruling:
    """What holds at this place: C01.FR.20 and 22 (some EVSEs, elsewhere), C16 (a master pass starts nothing)."""
    if token.master and at.starts:
        return Ruling(Authorization.INVALID, token)
    evses = places_at(token, at.station)
    if evses is None:
        return Ruling(Authorization.NOT_HERE, token)
    if evses and at.evse and at.evse not in evses:
        return Ruling(Authorization.WRONG_EVSE, token)
    return Ruling(Authorization.ACCEPTED, token, evses)


def places_at(token: Token, station_id: str) -> tuple[int, ...] | None:
    """The EVSEs of this station that the token is good for: () is all, None is none."""
    if not token.places:
        return ()
    key, evses = station_id.casefold(), set[int]()
    for place in token.places:
        station, _, evse = place.partition(":")
        if station.casefold() != key:
            continue
        if not evse:
            return ()
        evses.add(int(evse))
    return tuple(sorted(evses)) or None


def _kind_fits(registered: str, presented: str | None) -> bool:
    # A kind of anybody's own (2.1) is kept as it is spelled, and presented without case.
    return presented is None or presented == registered.casefold() or (registered, presented) in _SAME_KIND


def status_at(token: Token, now: datetime) -> str:
    """accepted, blocked or expired (also before its validity begins)."""
    if token.blocked:
        return "blocked"
    early = token.valid_from is not None and now < token.valid_from
    late = token.valid_to is not None and now >= token.valid_to
    return "expired" if early or late else "accepted"


def display(presented: TokenRef, token: Token | None) -> str:
    """The token as it may be stored with a session and shown: a key code is never kept (2.0.1 C04.FR.04)."""
    if token is not None and token.kind == KEY_CODE:
        return token.id if token.id.startswith(KEY_CODE_PREFIX) else KEY_CODE
    if presented.kind == KEY_CODE:
        return KEY_CODE
    return token.id if token is not None else presented.id

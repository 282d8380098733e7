"""What is odd about a card that begins to charge: it is in two places, travelled too fast, or anybody can have it.

Numbers of cards are copied: nothing here proves anything, so that a doubt is a flag of the session unless somebody
decided that it is a no (setting ``suspicious_blocks``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import asin, cos, radians, sin, sqrt

from cms.domain.record import record
from cms.domain.sites import Site
from cms.domain.tokens import MAC, Authorization, Token

IN_TWO_PLACES = "in-two-places"
IMPOSSIBLE_TRAVEL = "impossible-travel"
MANY_SESSIONS = "many-sessions"
WEAK_IDENTITY = "weak-identity"
#: Flag -> what the driver is told where it is a no.
DOUBTS: dict[str, Authorization] = {
    IN_TWO_PLACES: Authorization.CONCURRENT,
    IMPOSSIBLE_TRAVEL: Authorization.BLOCKED,
    MANY_SESSIONS: Authorization.BLOCKED,
    WEAK_IDENTITY: Authorization.BLOCKED,
}
#: Nobody carries these about: an app starts from anywhere.
_NOT_CARRIED = frozenset({"app", "central", "local"})
#: Two stations closer than this are one place, whatever their coordinates are worth.
_NEAR_KM = 1.0
_EARTH_KM = 6371.0


@record
class Before:
    """Where the card began to charge last, at another station (site None: unknown), and when."""

    site: Site | None
    at: datetime


@record
class Now:
    """A card begins to charge. ``elsewhere``: it runs a session at another station; ``today``: sessions before this."""

    site: Site | None
    at: datetime
    elsewhere: bool = False
    today: int = 0


def doubts(
    token: Token, before: Before | None, now: Now, speed_kmh: float, most_a_day: int
) -> tuple[str, ...]:
    """The flags, in the order of DOUBTS; speed and number 0: they are not looked at."""
    found = []
    if now.elsewhere and (token.max_sessions is None or token.max_sessions < 2):
        found.append(IN_TWO_PLACES)
    if (
        before is not None
        and speed_kmh
        and token.kind not in _NOT_CARRIED
        and _too_fast(before, now, speed_kmh)
    ):
        found.append(IMPOSSIBLE_TRAVEL)
    if most_a_day and now.today >= most_a_day:
        found.append(MANY_SESSIONS)
    if token.kind == MAC:
        found.append(WEAK_IDENTITY)
    return tuple(found)


def refusal(found: Sequence[str], blocks: Sequence[str]) -> Authorization | None:
    """What the driver is told instead of yes, where one of these doubts is a no."""
    return next((DOUBTS[doubt] for doubt in found if doubt in blocks), None)


def _too_fast(before: Before, now: Now, speed_kmh: float) -> bool:
    if before.site is None or now.site is None:
        return False
    km = distance_km(before.site, now.site)
    if km is None or km < _NEAR_KM:
        return False
    hours = (now.at - before.at).total_seconds() / 3600
    return hours <= 0 or km / hours > speed_kmh


def distance_km(here: Site, there: Site) -> float | None:
    """The great circle between two sites (haversine); None where one's coordinates are not known."""
    if here.latitude is None or here.longitude is None or there.latitude is None or there.longitude is None:
        return None
    a, b = radians(here.latitude), radians(there.latitude)
    across = radians(there.longitude - here.longitude)
    half = sin((b - a) / 2) ** 2 + cos(a) * cos(b) * sin(across / 2) ** 2
    return 2 * _EARTH_KM * asin(min(1.0, sqrt(half)))

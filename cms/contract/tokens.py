"""What drivers identify themselves with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class TokenView:
    """One token; ``status`` now: accepted, blocked or expired (also before ``valid_from``)."""

    id: str
    kind: str
    status: str
    driver: str | None
    group: str | None
    valid_from: datetime | None
    valid_to: datetime | None
    visual_number: str | None
    max_sessions: int | None = None
    blocked_reason: str | None = None
    added_at: datetime | None = None
    places: tuple[str, ...] = ()
    """Where it may charge: ``STATION`` or ``STATION:EVSE``; none: everywhere."""
    master: bool = False
    """Stops everybody's sessions and starts none."""
    weak_identity: bool = False
    """Anybody can pretend to have it: a MAC address is sent in clear by every car."""


@dataclass(frozen=True, slots=True)
class ListTokens:
    filter: str | None = None


@dataclass(frozen=True, slots=True)
class ShowToken:
    token: str


@dataclass(frozen=True, slots=True)
class AddToken:
    """Register a token. ``kind``: rfid, app, central, emaid, key-code, local, mac, no-authorization,
    direct-payment, or (OCPP 2.1) a kind of somebody's own, ``other:NAME`` where its name resembles these.

    ``places`` as in TokenView. A ``master`` pass needs the group by which stations know it
    (AuthCtrlr.MasterPassGroupId). ``driver`` is registered (AddDriver). A key code is not kept: it is known by a
    digest afterwards, which is its id.
    """

    token: str
    kind: str = "rfid"
    driver: str | None = None
    group: str | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    visual_number: str | None = None
    max_sessions: int | None = None
    places: tuple[str, ...] = ()
    master: bool = False


@dataclass(frozen=True, slots=True)
class SetToken:
    """Change a token; what is null stays. ``clear`` names fields that are taken away: driver, group, valid_from,
    valid_to, visual_number, max_sessions, places.
    """

    token: str
    driver: str | None = None
    group: str | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    visual_number: str | None = None
    max_sessions: int | None = None
    places: tuple[str, ...] | None = None
    master: bool | None = None
    clear: tuple[str, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class BlockToken:
    token: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class UnblockToken:
    token: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RemoveToken:
    token: str

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


@dataclass(frozen=True, slots=True)
class UnknownCardView:
    """A card that was presented and nobody has registered; ``station`` and ``evse``: where it was last."""

    id: str
    kind: str
    station: str
    evse: int | None
    first_seen: datetime
    last_seen: datetime
    count: int


@dataclass(frozen=True, slots=True)
class ListUnknownCards:
    """The one presented last comes first."""

    station: str | None = None
    filter: str | None = None


@dataclass(frozen=True, slots=True)
class EnrolCard:
    """Register a card from the inbox; its kind is what the station said, or ``kind``."""

    token: str
    kind: str | None = None
    driver: str | None = None
    group: str | None = None
    visual_number: str | None = None
    valid_to: datetime | None = None
    max_sessions: int | None = None


@dataclass(frozen=True, slots=True)
class ForgetUnknownCard:
    token: str


@dataclass(frozen=True, slots=True)
class LearnToken:
    """Take down the next unknown card that is presented at a station; ``enrol`` registers it at once."""

    station: str
    timeout_s: float = 120.0
    driver: str | None = None
    group: str | None = None
    enrol: bool = False


@dataclass(frozen=True, slots=True)
class ShowLearning:
    station: str


@dataclass(frozen=True, slots=True)
class StopLearning:
    station: str


@dataclass(frozen=True, slots=True)
class LearningView:
    """``state``: waiting, learned, enrolled or over; ``token`` is the card that came."""

    station: str
    state: str
    until: datetime
    driver: str | None
    token: str | None
    kind: str | None

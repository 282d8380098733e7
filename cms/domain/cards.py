"""Cards that were presented and nobody has registered: the inbox to enrol them from."""

from __future__ import annotations

from datetime import datetime

from cms.domain.evolve import evolve
from cms.domain.observations import TokenRef
from cms.domain.record import record
from cms.domain.tokens import MAC, mac_of

KIND = "unknown-card"
#: How many are kept; the one presented longest ago goes first.
MOST = 200
#: Kinds that are nobody's card, or must not be written down.
_NEVER = frozenset({"key-code", "no-authorization", "direct-payment", "central"})


@record
class UnknownCard:
    """One card. ``station`` and ``evse`` are where it was presented last."""

    token: str
    kind: str
    station: str
    first_at: datetime
    last_at: datetime
    count: int = 1
    evse: int | None = None


def worth_keeping(presented: TokenRef) -> bool:
    return presented.kind not in _NEVER and bool(presented.id) and presented.id.isprintable()


def kind_of(presented: TokenRef) -> str:
    """1.6 stations do not say: what is written as a car's address is one, everything else a card."""
    if presented.kind is not None:
        return presented.kind
    car = presented.id[:3].upper() in ("VID", "MAC") and mac_of(presented.id) is not None
    return MAC if car else "rfid"


def presented_again(
    before: UnknownCard | None, presented: TokenRef, station: str, evse: int | None, now: datetime
) -> UnknownCard:
    """The card after it was presented once more."""
    if before is None:
        return UnknownCard(presented.id, kind_of(presented), station, now, now, 1, evse)
    return evolve(before, station=station, evse=evse or before.evse, last_at=now, count=before.count + 1)

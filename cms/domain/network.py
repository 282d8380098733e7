"""Network connection profiles: where and how a station finds us (2.x B09, A05)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from cms.domain import security
from cms.domain.changes import Decision, Keep
from cms.domain.observations import Noted
from cms.domain.orders import Order, OrderAnswer
from cms.domain.record import record
from cms.domain.stations import StationState

if TYPE_CHECKING:
    from cms.domain.intents import Intent

KIND = "network"
INTERFACES = tuple(f"{kind}{number}" for kind in ("Wired", "Wireless") for number in range(4))


@record
class SetNetworkProfile(Order):
    """Fill one configuration slot. ``identity`` and ``basic_auth_password`` are 2.1's."""

    slot: int
    url: str
    security_profile: int
    interface: str = "Wired0"
    message_timeout_s: int = 30
    identity: str | None = None
    basic_auth_password: str | None = None


@record
class NetworkProfile:
    """What a slot of the station holds as far as we filled it. ``status``: accepted, rejected, failed."""

    slot: int
    url: str
    security_profile: int
    interface: str
    message_timeout_s: int
    status: str
    at: datetime
    identity: str | None = None


def answered(
    state: StationState, intent: Intent, order: SetNetworkProfile, answer: OrderAnswer, now: datetime
) -> Decision:
    """The station's answer. A refused profile leaves in the slot what was there; a higher one is on its way (A05)."""
    key, word = str(order.slot), answer.word
    known: NetworkProfile | None = state.kept_of(KIND).get(key)
    profile = NetworkProfile(
        order.slot,
        order.url,
        order.security_profile,
        order.interface,
        order.message_timeout_s,
        word.casefold(),
        now,
        order.identity,
    )
    if word != "Accepted" and known is not None and known.status == "accepted":
        return Decision(Noted(), state)
    keep = Keep(state.station.id, KIND, key, profile, now)
    state = state.keeping(KIND, key, profile)
    rise = security.upgrading(state, order.security_profile if word == "Accepted" else 0, now)
    return Decision(Noted(), rise.state, (keep, *rise.changes), rise.events)

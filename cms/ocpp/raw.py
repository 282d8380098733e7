"""Orders that are OCPP already: any action with its payload."""

from __future__ import annotations

from collections.abc import Sequence

from cms.domain.orders import CallAction, OrderAnswer
from cms.ocpp.translation import Asked, Outgoing, shown
from cms.ocpp.values import Json


def call(order: CallAction) -> list[Asked]:
    return [(order.action, order.payload)]


def answered(_: CallAction, answers: Sequence[Json]) -> OrderAnswer:
    """Whatever the station says is what was asked for: a Rejected too."""
    return OrderAnswer("accepted", str(answers[0].get("status", "answered")), shown(answers))


OUTGOING = {CallAction: Outgoing(call, answered, ())}

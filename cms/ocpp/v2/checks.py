"""OCPP 2.x E14: GetTransactionStatus."""

from __future__ import annotations

from collections.abc import Sequence

from cms.domain.checks import CheckTransaction
from cms.domain.orders import OrderAnswer
from cms.ocpp.translation import Asked, Outgoing, shown
from cms.ocpp.values import Json


def get_transaction_status(order: CheckTransaction) -> list[Asked]:
    """Without an id it is asked about the whole queue, and must not say whether anything goes on (E14.FR.06)."""
    return [("GetTransactionStatus", {"transactionId": order.transaction_id} if order.transaction_id else {})]


def told(_: CheckTransaction, answers: Sequence[Json]) -> OrderAnswer:
    said = answers[0]
    words = [_GOING[said.get("ongoingIndicator")], _QUEUE[said["messagesInQueue"]]]
    return OrderAnswer("accepted", ", ".join(word for word in words if word), shown(answers))


_GOING = {True: "that it is ongoing", False: "that it is not ongoing", None: ""}
_QUEUE = {True: "that messages wait in its queue", False: "that no messages wait"}


OUTGOING = {CheckTransaction: Outgoing(get_transaction_status, told, ("GetTransactionStatus",))}

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
    going = {True: "ongoing", False: "not ongoing", None: "no transaction asked for"}[
        said.get("ongoingIndicator")
    ]
    queue = "messages wait in its queue" if said["messagesInQueue"] else "no messages wait in its queue"
    return OrderAnswer("accepted", f"{going}, {queue}", shown(answers))


OUTGOING = {CheckTransaction: Outgoing(get_transaction_status, told, ("GetTransactionStatus",))}

"""OCPP 1.6: DataTransfer to the station. The one from the station is in provisioning."""

from __future__ import annotations

from collections.abc import Sequence

from cms.domain.datatransfer import SendData
from cms.domain.orders import OrderAnswer
from cms.ocpp.translation import Asked, Outgoing, status_of
from cms.ocpp.values import Json


def send(order: SendData) -> list[Asked]:
    """Data is text in 1.6, whatever is in it (section 6.17)."""
    said: Json = {"vendorId": order.vendor}
    if order.message is not None:
        said["messageId"] = order.message
    if order.data is not None:
        said["data"] = order.data
    return [("DataTransfer", said)]


def sent(order: SendData, answers: Sequence[Json]) -> OrderAnswer:
    return status_of(order, answers)


OUTGOING = {SendData: Outgoing(send, sent, ("DataTransfer",))}

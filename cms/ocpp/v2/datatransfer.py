"""OCPP 2.x block P01: DataTransfer to the station. The one from the station is in provisioning."""

from __future__ import annotations

import json

from cms.contract.refusals import Invalid
from cms.domain.datatransfer import SendData
from cms.ocpp.translation import Asked, Outgoing
from cms.ocpp.v16.datatransfer import sent
from cms.ocpp.values import Json


def send(order: SendData) -> list[Asked]:
    """Data is any JSON in 2.x; a text stays one unless the order says that it is JSON."""
    said: Json = {"vendorId": order.vendor}
    if order.message is not None:
        said["messageId"] = order.message
    if order.data is not None:
        said["data"] = _value(order.data) if order.as_json else order.data
    return [("DataTransfer", said)]


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        raise Invalid(f"the data is not JSON: {error}") from None


OUTGOING = {SendData: Outgoing(send, sent, ("DataTransfer",))}

"""DataTransfer, the open door of OCPP: what vendors agreed on beside the standard (1.6 section 4.3, 2.x block P)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cms.domain.changes import Decision, Happened
from cms.domain.observations import DataAnswer, DataTransferred, Received
from cms.domain.orders import Order
from cms.domain.record import record
from cms.domain.stations import StationState


@record
class SendData(Order):
    """``data`` is text; a 2.x station gets it as the JSON value that it is, where it is one and ``as_json`` says so."""

    vendor: str
    message: str | None = None
    data: str | None = None
    as_json: bool = False


@record
class Transfer:
    """What a station transferred: ``station`` and its ``version`` tell whom an answer is for."""

    station: str
    ocpp_version: str
    vendor: str
    message: str | None
    data: str | None


#: Answers one message of a vendor. It may wait, not long: a station does.
Handler = Callable[[Transfer], Any]

#: A vendor without case -> its messages; "" answers those that are not named.
Vendors = Mapping[str, Mapping[str, Handler]]


def handler_for(vendors: Vendors, vendor: str, message: str | None) -> Handler | DataAnswer:
    """Who answers, or the answer when nobody does: never Accepted for what is not processed (P02.FR.06, 07)."""
    messages = vendors.get(vendor.casefold())
    if messages is None:
        return DataAnswer("unknown-vendor-id")
    return messages.get(message or "") or messages.get("") or DataAnswer("unknown-message-id")


def decided(state: StationState, received: Received, seen: DataTransferred) -> Decision:
    """DataTransfer from a station, as its vendor's handler answered it; what it says is the vendor's business."""
    answer = seen.answer or DataAnswer("unknown-vendor-id")
    data = {
        "vendor": seen.vendor,
        "message": seen.message,
        "status": answer.status,
        "size": len(seen.data or ""),
    }
    return Decision(answer, state, (), (Happened("station.data", received.at, state.station.id, data=data),))

"""Block L: firmware, installed here or published for others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cms.simulator.language import Order
from cms.simulator.v16.security import job_of
from cms.simulator.wire import Payload, Reply

if TYPE_CHECKING:
    from cms.simulator.station import Station


def _update(station: Station, order: Payload) -> Reply:
    word, then = station.firmware.order(job_of(order))
    return Reply({"status": word}, then)


def _publish(station: Station, order: Payload) -> Reply:
    then = station.publisher.publish(order["location"], order["checksum"], order["requestId"])
    return Reply({"status": "Accepted"}, then)


def _unpublish(station: Station, order: Payload) -> Reply:
    return Reply({"status": station.publisher.unpublish(order["checksum"])})


ORDERS: dict[str, Order] = {
    "UpdateFirmware": _update,
    "PublishFirmware": _publish,
    "UnpublishFirmware": _unpublish,
}

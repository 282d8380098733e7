"""N01: logs are uploaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cms.simulator.language import Order
from cms.simulator.v16.security import upload_of
from cms.simulator.wire import Payload, Reply

if TYPE_CHECKING:
    from cms.simulator.station import Station


def _get_log(station: Station, order: Payload) -> Reply:
    if "no-logs" in station.faults:
        return Reply({"status": "Rejected"})
    wanted = upload_of(station, order)
    word = "AcceptedCanceled" if station.logs.busy else "Accepted"

    async def begin() -> None:
        station.logs.order(wanted)

    return Reply({"status": word, "filename": wanted.name}, begin)


ORDERS: dict[str, Order] = {"GetLog": _get_log}

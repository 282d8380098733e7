"""Block O: messages on the station's display."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cms.simulator.language import Order
from cms.simulator.pace import moment
from cms.simulator.wire import Payload, Reply

if TYPE_CHECKING:
    from cms.simulator.station import Station

PART = 5
"""Messages in one NotifyDisplayMessages."""
MOST = 10


def _words(station: Station, variable: str) -> list[str]:
    return station.configuration[f"DisplayMessageCtrlr.{variable}"].value.split(",")


def _set(station: Station, order: Payload) -> Reply:
    message = order["message"]
    word = _objection(station, message)
    if word is not None:
        return Reply({"status": word})
    if message["priority"] == "AlwaysFront":  # O01.FR.08: there is one of these
        for other in [id for id, told in station.kept.displays.items() if told["priority"] == "AlwaysFront"]:
            del station.kept.displays[other]
    station.kept.displays[message["id"]] = message
    station.news(station, "shows", message["message"]["content"])
    return Reply({"status": "Accepted"}, lambda: _take_down(station, message))


def _objection(station: Station, message: Payload) -> str | None:
    transaction = message.get("transactionId")
    known = transaction is None or station.evse_in(lambda running: running.id == transaction) is not None
    full = len(station.kept.displays) >= MOST and message["id"] not in station.kept.displays
    rules = (
        (
            message["message"]["format"] not in _words(station, "SupportedFormats"),
            "NotSupportedMessageFormat",
        ),
        (message["priority"] not in _words(station, "SupportedPriorities"), "NotSupportedPriority"),
        (message.get("state", "Idle") not in _words(station, "SupportedStates"), "NotSupportedState"),
        (not known, "UnknownTransaction"),
        (full, "Rejected"),
    )
    return next((word for holds, word in rules if holds), None)


async def _take_down(station: Station, message: Payload) -> None:
    """O01.FR.07: after its time it goes."""
    if "endDateTime" not in message:
        return
    await station.pace.sleep((moment(message["endDateTime"]) - station.pace.now()).total_seconds())
    if station.kept.displays.get(message["id"]) is message:
        del station.kept.displays[message["id"]]


def _get(station: Station, order: Payload) -> Reply:
    found = [
        message
        for message in station.kept.displays.values()
        if message["id"] in order.get("id", (message["id"],))
        and order.get("priority") in (None, message["priority"])
        and order.get("state") in (None, message.get("state"))
    ]
    if not found:
        return Reply({"status": "Unknown"})

    async def tell() -> None:
        parts = [found[start : start + PART] for start in range(0, len(found), PART)]
        for number, part in enumerate(parts, 1):
            await station.say(
                "NotifyDisplayMessages",
                {"requestId": order["requestId"], "tbc": number < len(parts), "messageInfo": part},
            )

    return Reply({"status": "Accepted"}, tell)


def _clear(station: Station, order: Payload) -> Reply:
    known = station.kept.displays.pop(order["id"], None)
    return Reply({"status": "Accepted" if known is not None else "Unknown"})


ORDERS: dict[str, Order] = {
    "SetDisplayMessage": _set,
    "GetDisplayMessages": _get,
    "ClearDisplayMessage": _clear,
}

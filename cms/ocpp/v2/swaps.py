"""OCPP 2.1 block S: BatterySwap, RequestBatterySwap."""

from __future__ import annotations

from cms.domain.swaps import BatteryData, BatterySwapped, RequestBatterySwap
from cms.ocpp.schemas import TOLD
from cms.ocpp.translation import Asked, Incoming, Outgoing, nothing, status_of
from cms.ocpp.v2.authorization import id_token, token
from cms.ocpp.values import Json, Remarks, exact, instant, text, whole

_KINDS = {"BatteryIn": "in", "BatteryOut": "out", "BatteryOutTimeout": "out-timeout"}


def battery_swapped(payload: Json, remarks: Remarks) -> BatterySwapped:
    return BatterySwapped(
        kind=_KINDS[payload["eventType"]],
        request_id=int(payload["requestId"]),
        token=token(payload["idToken"]),
        batteries=tuple(_battery(item, remarks) for item in payload["batteryData"]),
    )


def _battery(item: Json, remarks: Remarks) -> BatteryData:
    return BatteryData(
        evse=whole(item["evseId"]) or 0,
        serial=text(item["serialNumber"]) or "",
        soc_percent=exact(item["soC"]),
        soh_percent=exact(item["soH"]),
        produced=instant(item.get("productionDate"), remarks),
        vendor_info=text(item.get("vendorInfo")),
    )


def request(order: RequestBatterySwap) -> list[Asked]:
    said = {"requestId": order.request_id, "idToken": id_token(order.token, order.token_kind)}
    return [("RequestBatterySwap", said)]


INCOMING_21 = {"BatterySwap": Incoming(TOLD, battery_swapped, nothing)}
OUTGOING_21 = {RequestBatterySwap: Outgoing(request, status_of, ("RequestBatterySwap",))}

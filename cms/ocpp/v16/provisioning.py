"""OCPP 1.6: BootNotification, Heartbeat, DataTransfer."""

from __future__ import annotations

from cms.domain.observations import Alive, AliveAnswer, BootAnswer, Booted, DataAnswer, DataTransferred
from cms.ocpp.schemas import KEPT, TOLD
from cms.ocpp.translation import Incoming
from cms.ocpp.values import Json, Remarks, digest, rfc3339, text

_DATA_STATUS = {
    "accepted": "Accepted",
    "rejected": "Rejected",
    "unknown-message-id": "UnknownMessageId",
    "unknown-vendor-id": "UnknownVendorId",
}


def booted(payload: Json, _: Remarks) -> Booted:
    return Booted(
        vendor=text(payload["chargePointVendor"]) or "",
        model=text(payload["chargePointModel"]) or "",
        # chargeBoxSerialNumber is deprecated and still the only one some fill in.
        serial=text(payload.get("chargePointSerialNumber")) or text(payload.get("chargeBoxSerialNumber")),
        firmware=text(payload.get("firmwareVersion")),
        iccid=text(payload.get("iccid")),
        imsi=text(payload.get("imsi")),
        meter_type=text(payload.get("meterType")),
        meter_serial=text(payload.get("meterSerialNumber")),
    )


def boot_answer(answer: BootAnswer) -> Json:
    return {
        "status": answer.status.capitalize(),
        "currentTime": rfc3339(answer.now),
        "interval": answer.interval_s,
    }


def alive(_: Json, __: Remarks) -> Alive:
    return Alive()


def alive_answer(answer: AliveAnswer) -> Json:
    return {"currentTime": rfc3339(answer.now)}


def data_transferred(payload: Json, _: Remarks) -> DataTransferred:
    return DataTransferred(
        payload["vendorId"], payload.get("messageId"), payload.get("data"), digest(payload)
    )


def data_answer(answer: DataAnswer) -> Json:
    said: Json = {"status": _DATA_STATUS[answer.status]}
    if answer.data is not None:
        said["data"] = answer.data
    return said


INCOMING = {
    "BootNotification": Incoming(KEPT, booted, boot_answer),
    "Heartbeat": Incoming(TOLD, alive, alive_answer),
    "DataTransfer": Incoming(TOLD, data_transferred, data_answer),
}

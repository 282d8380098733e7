"""OCPP 2.x block B and P: BootNotification, Heartbeat, DataTransfer."""

from __future__ import annotations

import msgspec

from cms.domain.observations import Booted, DataTransferred
from cms.ocpp.schemas import KEPT, TOLD
from cms.ocpp.translation import Incoming
from cms.ocpp.v16.provisioning import alive, alive_answer, boot_answer, data_answer
from cms.ocpp.values import Json, Remarks, digest, text

_encode = msgspec.json.Encoder(decimal_format="number").encode


def booted(payload: Json, _: Remarks) -> Booted:
    station = payload["chargingStation"]
    modem = station.get("modem") or {}
    return Booted(
        vendor=text(station["vendorName"]) or "",
        model=text(station["model"]) or "",
        serial=text(station.get("serialNumber")),
        firmware=text(station.get("firmwareVersion")),
        reason=payload["reason"],
        iccid=text(modem.get("iccid")),
        imsi=text(modem.get("imsi")),
    )


def data_transferred(payload: Json, _: Remarks) -> DataTransferred:
    """``data`` is any JSON in 2.x: a text as it is, everything else as JSON text."""
    content = payload.get("data")
    written = content if content is None or isinstance(content, str) else _encode(content).decode()
    return DataTransferred(payload["vendorId"], payload.get("messageId"), written, digest(payload))


INCOMING = {
    "BootNotification": Incoming(KEPT, booted, boot_answer),
    "Heartbeat": Incoming(TOLD, alive, alive_answer),
    "DataTransfer": Incoming(TOLD, data_transferred, data_answer),
}

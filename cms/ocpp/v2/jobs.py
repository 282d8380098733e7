"""OCPP 2.x block L and N01: firmware updates, publication on a local controller, logs."""

from __future__ import annotations

from cms.contract.refusals import NotSupported
from cms.domain.jobs import FirmwarePublished, GetLog, PublishFirmware, UnpublishFirmware, UpdateFirmware
from cms.ocpp.schemas import TOLD
from cms.ocpp.translation import Asked, Incoming, Outgoing, nothing, status_of
from cms.ocpp.v16.jobs import firmware, log_request, retries
from cms.ocpp.values import Json, Remarks, digest, whole

_LOG_TYPES_201 = {"diagnostics": "DiagnosticsLog", "security": "SecurityLog"}
_LOG_TYPES_21 = _LOG_TYPES_201 | {"data-collector": "DataCollectorLog"}


def update_firmware(order: UpdateFirmware) -> list[Asked]:
    said: Json = {"requestId": order.request_id, "firmware": firmware(order)}
    return [("UpdateFirmware", said | retries(order.retries, order.retry_interval_s))]


def publish_firmware(order: PublishFirmware) -> list[Asked]:
    said: Json = {"requestId": order.request_id, "location": order.location, "checksum": order.checksum}
    return [("PublishFirmware", said | retries(order.retries, order.retry_interval_s))]


def unpublish_firmware(order: UnpublishFirmware) -> list[Asked]:
    return [("UnpublishFirmware", {"checksum": order.checksum})]


def _get_log(order: GetLog, version: str, types: dict[str, str]) -> list[Asked]:
    if order.log_type not in types:
        raise NotSupported(f"OCPP {version} has no {order.log_type} log", f"one of {', '.join(types)}")
    return [("GetLog", log_request(order, types[order.log_type]))]


def get_log_201(order: GetLog) -> list[Asked]:
    return _get_log(order, "2.0.1", _LOG_TYPES_201)


def get_log_21(order: GetLog) -> list[Asked]:
    return _get_log(order, "2.1", _LOG_TYPES_21)


def firmware_published(payload: Json, _: Remarks) -> FirmwarePublished:
    locations = payload.get("location") or ()
    return FirmwarePublished(
        payload["status"],
        digest(payload),
        whole(payload.get("requestId")),
        tuple(str(location) for location in locations),
    )


INCOMING = {"PublishFirmwareStatusNotification": Incoming(TOLD, firmware_published, nothing)}

OUTGOING_201 = {
    UpdateFirmware: Outgoing(update_firmware, status_of, ("UpdateFirmware",)),
    PublishFirmware: Outgoing(publish_firmware, status_of, ("PublishFirmware",)),
    UnpublishFirmware: Outgoing(unpublish_firmware, status_of, ("UnpublishFirmware",)),
    GetLog: Outgoing(get_log_201, status_of, ("GetLog",)),
}
OUTGOING_21 = {GetLog: Outgoing(get_log_21, status_of, ("GetLog",))}

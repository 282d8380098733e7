"""OCPP 1.6: UpdateFirmware, GetDiagnostics; SignedUpdateFirmware, GetLog of the security whitepaper."""

from __future__ import annotations

from collections.abc import Sequence

from cms.contract.refusals import NotSupported
from cms.domain.jobs import GetLog, UpdateFirmware
from cms.domain.orders import OrderAnswer
from cms.ocpp.translation import Asked, Outgoing, shown, status_of
from cms.ocpp.values import Json, rfc3339

_LOG_TYPES = {"diagnostics": "DiagnosticsLog", "security": "SecurityLog"}


def update_firmware(order: UpdateFirmware) -> list[Asked]:
    again = retries(order.retries, order.retry_interval_s)
    if order.signature is not None:
        return [
            ("SignedUpdateFirmware", {"requestId": order.request_id, "firmware": firmware(order)} | again)
        ]
    if order.install_at is not None:
        raise NotSupported(
            "OCPP 1.6 cannot say when to install an unsigned firmware", "leave the installation time out"
        )
    said = {"location": order.location, "retrieveDate": rfc3339(order.retrieve_at)}
    return [("UpdateFirmware", said | again)]


def firmware(order: UpdateFirmware) -> Json:
    """FirmwareType, alike in the whitepaper and in 2.x."""
    said: Json = {"location": order.location, "retrieveDateTime": rfc3339(order.retrieve_at)}
    if order.install_at is not None:
        said["installDateTime"] = rfc3339(order.install_at)
    if order.signature is not None:
        said |= {"signingCertificate": order.certificate, "signature": order.signature}
    return said


def retries(times: int | None, interval_s: int | None) -> Json:
    said: Json = {}
    if times is not None:
        said["retries"] = times
    if interval_s is not None:
        said["retryInterval"] = interval_s
    return said


def get_log(order: GetLog) -> list[Asked]:
    """Diagnostics by the action that every 1.6 station has, other logs by that of the security extension."""
    if order.log_type == "diagnostics":
        said: Json = {"location": order.location} | retries(order.retries, order.retry_interval_s)
        if order.oldest is not None:
            said["startTime"] = rfc3339(order.oldest)
        if order.latest is not None:
            said["stopTime"] = rfc3339(order.latest)
        return [("GetDiagnostics", said)]
    if order.log_type not in _LOG_TYPES:
        raise NotSupported(f"OCPP 1.6 has no {order.log_type} log", "one of diagnostics, security")
    return [("GetLog", log_request(order, _LOG_TYPES[order.log_type]))]


def log_request(order: GetLog, log_type: str) -> Json:
    """GetLogRequest, alike in the whitepaper and in 2.x."""
    log: Json = {"remoteLocation": order.location}
    if order.oldest is not None:
        log["oldestTimestamp"] = rfc3339(order.oldest)
    if order.latest is not None:
        log["latestTimestamp"] = rfc3339(order.latest)
    said: Json = {"logType": log_type, "requestId": order.request_id, "log": log}
    return said | retries(order.retries, order.retry_interval_s)


def taken(_: object, answers: Sequence[Json]) -> OrderAnswer:
    """Answers without a status are a yes (UpdateFirmware, GetDiagnostics)."""
    if "status" in answers[0]:
        return status_of(_, answers)
    return OrderAnswer("accepted", "Accepted", shown(answers))


OUTGOING = {
    UpdateFirmware: Outgoing(update_firmware, taken, ("UpdateFirmware", "SignedUpdateFirmware")),
    GetLog: Outgoing(get_log, taken, ("GetDiagnostics", "GetLog")),
}

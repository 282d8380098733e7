"""Firmware and diagnostics of 1.6 (section 5.6, 5.17), without request ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cms.simulator.firmware import Job
from cms.simulator.language import Message, Order
from cms.simulator.logs import Upload
from cms.simulator.pace import moment
from cms.simulator.wire import Payload, Reply, Slow

if TYPE_CHECKING:
    from cms.simulator.station import Station

#: Our words (2.x) that plain 1.6 has too; SignedFirmwareStatusNotification has all of them.
PLAIN = frozenset(
    {"Downloaded", "DownloadFailed", "Downloading", "Idle", "InstallationFailed", "Installing", "Installed"}
)
DIAGNOSTICS = {
    "Idle": "Idle",
    "Uploading": "Uploading",
    "Uploaded": "Uploaded",
    "UploadFailure": "UploadFailed",
}


def status(word: str, job: Job | None) -> Message | None:
    if job is not None and job.request_id is not None:
        return "SignedFirmwareStatusNotification", {"status": word, "requestId": job.request_id}
    return ("FirmwareStatusNotification", {"status": word}) if word in PLAIN else None


def diagnostics(word: str) -> Message | None:
    return ("DiagnosticsStatusNotification", {"status": DIAGNOSTICS[word]}) if word in DIAGNOSTICS else None


def _update(station: Station, order: Payload) -> Reply:
    job = Job(
        order["location"],
        moment(order["retrieveDate"]),
        retries=order.get("retries", 1),
        retry_s=float(order.get("retryInterval", 30)),
    )
    _, then = station.firmware.order(job)
    return Reply({}, then)


def _get_diagnostics(station: Station, order: Payload) -> Reply | Slow:
    name = station.logs.name("diagnostics")
    wanted = Upload(
        order["location"],
        name,
        plain=True,
        since=moment(order["startTime"]) if "startTime" in order else None,
        until=moment(order["stopTime"]) if "stopTime" in order else None,
        retries=order.get("retries", 1),
        retry_s=float(order.get("retryInterval", 30)),
    )
    if "no-logs" in station.faults:
        return Reply({})  # 5.6: without a file name there is nothing to upload
    if "status-before-answer" in station.faults:
        return Slow(lambda: _status_first(station, wanted))

    async def begin() -> None:
        station.logs.order(wanted)

    return Reply({"fileName": name}, begin)


async def _status_first(station: Station, wanted: Upload) -> Reply:
    """The answer only after the upload is done."""
    station.logs.order(wanted)
    await station.logs.done()
    return Reply({"fileName": wanted.name})


ORDERS: dict[str, Order] = {"UpdateFirmware": _update, "GetDiagnostics": _get_diagnostics}

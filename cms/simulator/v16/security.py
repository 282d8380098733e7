"""The security extension of 1.6: certificates, logs, signed firmware (security whitepaper, edition 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cms.simulator.firmware import Job
from cms.simulator.language import Message, Order
from cms.simulator.logs import Upload
from cms.simulator.pace import moment
from cms.simulator.wire import Payload, Reply

if TYPE_CHECKING:
    from cms.simulator.station import Station

#: Our words (2.x) that have no place in LogStatusNotification of 1.6.
UNSAID = frozenset({"AcceptedCanceled"})


def log(word: str, request_id: int | None) -> Message | None:
    if word in UNSAID:
        return None
    told: Payload = {"status": word}
    return "LogStatusNotification", told if request_id is None else {**told, "requestId": request_id}


def _get_log(station: Station, order: Payload) -> Reply:
    if "no-logs" in station.faults:
        return Reply({"status": "Rejected"})
    wanted = upload_of(station, order)
    word = "AcceptedCanceled" if station.logs.busy else "Accepted"

    async def begin() -> None:
        station.logs.order(wanted)

    return Reply({"status": word, "filename": wanted.name}, begin)


def upload_of(station: Station, order: Payload) -> Upload:
    """A GetLog, which 2.x has the same."""
    log = order["log"]
    return Upload(
        log["remoteLocation"],
        station.logs.name(order["logType"]),
        order["logType"],
        order["requestId"],
        since=moment(log["oldestTimestamp"]) if "oldestTimestamp" in log else None,
        until=moment(log["latestTimestamp"]) if "latestTimestamp" in log else None,
        retries=order.get("retries", 1),
        retry_s=float(order.get("retryInterval", 30)),
    )


def _update(station: Station, order: Payload) -> Reply:
    word, then = station.firmware.order(job_of(order))
    return Reply({"status": word}, then)


def job_of(order: Payload) -> Job:
    """A SignedUpdateFirmware, which is UpdateFirmware in 2.x."""
    told = order["firmware"]
    return Job(
        told["location"],
        moment(told["retrieveDateTime"]),
        moment(told["installDateTime"]) if "installDateTime" in told else None,
        order["requestId"],
        told.get("signingCertificate"),
        told.get("signature"),
        order.get("retries", 1),
        float(order.get("retryInterval", 30)),
    )


def _install(station: Station, order: Payload) -> Reply:
    word = station.certificates.install(order["certificateType"], order["certificate"])
    return Reply({"status": word})


def _delete(station: Station, order: Payload) -> Reply:
    return Reply({"status": station.certificates.delete(order["certificateHashData"])})


def _installed(station: Station, order: Payload) -> Reply:
    found = station.certificates.of_kinds([order["certificateType"]])
    if not found:
        return Reply({"status": "NotFound"})
    return Reply({"status": "Accepted", "certificateHashData": [kept.hashes[0] for kept in found]})


def _signed(station: Station, order: Payload) -> Reply:
    word = station.certificates.signed(order["certificateChain"], None)
    if word == "Accepted":
        return Reply({"status": word})
    event = station.language.security_event(station, "InvalidChargePointCertificate")
    return Reply({"status": word}, lambda: station.report(*event))


ORDERS: dict[str, Order] = {
    "GetLog": _get_log,
    "SignedUpdateFirmware": _update,
    "InstallCertificate": _install,
    "DeleteCertificate": _delete,
    "GetInstalledCertificateIds": _installed,
    "CertificateSigned": _signed,
}

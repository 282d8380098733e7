"""Blocks A and M: certificates installed, listed, deleted, signed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cms.simulator.certificates import ROOTS, Installed
from cms.simulator.language import Order, info
from cms.simulator.wire import Payload, Reply

if TYPE_CHECKING:
    from cms.simulator.station import Station

#: What GetInstalledCertificateIds can tell of (the station's own certificate it cannot).
LISTED = ROOTS | {"V2GCertificateChain"}


def _install(station: Station, order: Payload) -> Reply:
    return Reply({"status": station.certificates.install(order["certificateType"], order["certificate"])})


def _delete(station: Station, order: Payload) -> Reply:
    return Reply({"status": station.certificates.delete(order["certificateHashData"])})


def _installed(station: Station, order: Payload) -> Reply:
    found = [
        kept for kept in station.certificates.of_kinds(order.get("certificateType")) if kept.kind in LISTED
    ]
    if not found:
        return Reply({"status": "NotFound"})
    return Reply({"status": "Accepted", "certificateHashDataChain": [_chain(kept) for kept in found]})


def _chain(kept: Installed) -> Payload:
    told: Payload = {"certificateType": kept.kind, "certificateHashData": kept.hashes[0]}
    if len(kept.hashes) > 1:
        told["childCertificateHashData"] = list(kept.hashes[1:5])
    return told


def _signed(station: Station, order: Payload) -> Reply:
    word = station.certificates.signed(order["certificateChain"], order.get("certificateType"))
    if word == "Accepted":
        return Reply({"status": word})
    event = station.language.security_event(station, "InvalidChargingStationCertificate")
    return Reply({"status": word, **info("InvalidCertificate")}, lambda: station.report(*event))


ORDERS: dict[str, Order] = {
    "InstallCertificate": _install,
    "DeleteCertificate": _delete,
    "GetInstalledCertificateIds": _installed,
    "CertificateSigned": _signed,
}

"""Certificates: installed, listed with their hashes, deleted; requests signed."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

from cms.simulator.console import do
from cms.simulator.station import Station
from tests.simulator.desk import Desk
from tests.simulator.papers import Authority, pem
from tests.simulator.stage import VERSIONS, online, settle, story

ROOT = {"1.6": "CentralSystemRootCertificate", "2.0.1": "CSMSRootCertificate", "2.1": "CSMSRootCertificate"}


def asked(version: str) -> dict[str, Any]:
    return {"certificateType": ROOT[version] if version == "1.6" else [ROOT[version]]}


def hash_data_in(answer: dict[str, Any]) -> list[dict[str, Any]]:
    if "certificateHashData" in answer:
        return list(answer["certificateHashData"])
    return [chain["certificateHashData"] for chain in answer["certificateHashDataChain"]]


@pytest.mark.parametrize("version", VERSIONS)
def test_roots_are_installed_listed_by_their_hashes_and_deleted(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        root = Authority.new().root
        await online(desk)
        assert await desk.order("CP-1", "GetInstalledCertificateIds", asked(version)) == {
            "status": "NotFound"
        }
        order = {"certificateType": ROOT[version], "certificate": pem(root)}
        assert await desk.order("CP-1", "InstallCertificate", order) == {"status": "Accepted"}
        answer = await desk.order("CP-1", "GetInstalledCertificateIds", asked(version))
        [told] = hash_data_in(answer)
        request = ocsp.OCSPRequestBuilder().add_certificate(root, root, hashes.SHA256()).build()
        assert told["issuerNameHash"] == request.issuer_name_hash.hex()
        assert told["issuerKeyHash"] == request.issuer_key_hash.hex()
        assert int(told["serialNumber"], 16) == root.serial_number
        other = {"certificateHashData": {**told, "hashAlgorithm": "SHA512"}}
        assert await desk.order("CP-1", "DeleteCertificate", other) == {"status": "NotFound"}
        right = {"certificateHashData": told}
        assert await desk.order("CP-1", "DeleteCertificate", right) == {"status": "Accepted"}
        assert await desk.order("CP-1", "GetInstalledCertificateIds", asked(version)) == {
            "status": "NotFound"
        }

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_station_asks_for_its_certificate_and_takes_no_other(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        authority = Authority.new()
        await online(desk)
        message = "SignChargePointCertificate" if version == "1.6" else "SignChargingStationCertificate"
        action = "ExtendedTriggerMessage" if version == "1.6" else "TriggerMessage"
        assert await desk.order("CP-1", action, {"requestedMessage": message}) == {"status": "Accepted"}
        request = await desk.next("SignCertificate")
        csr = x509.load_pem_x509_csr(request["csr"].encode())
        [name] = csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        assert name.value == station.make.serial
        await do([station], "sign")
        newer = await desk.next("SignCertificate")
        if version == "2.1":
            assert newer["requestId"] != request["requestId"]
        stale = {"certificateChain": authority.sign(request["csr"])}
        assert (await desk.order("CP-1", "CertificateSigned", stale))["status"] == "Rejected"
        assert "Invalid" in (await desk.next("SecurityEventNotification"))["type"]
        right = {"certificateChain": authority.sign(newer["csr"])}
        assert await desk.order("CP-1", "CertificateSigned", right) == {"status": "Accepted"}
        assert station.place.chain == right["certificateChain"] and station.place.key
        again = await desk.order("CP-1", "CertificateSigned", right)
        assert again["status"] == "Rejected"

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_certificate_that_is_over_is_not_taken(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        await do([station], "sign")
        csr = (await desk.next("SignCertificate"))["csr"]
        over = {"certificateChain": Authority.new().sign(csr, days=-1)}
        assert (await desk.order("CP-1", "CertificateSigned", over))["status"] == "Rejected"
        await settle()

    story(tell, version)


def test_a_v2g_chain_is_listed_with_its_children() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        await do([station], "sign V2GCertificate")
        csr = (await desk.next("SignCertificate", certificateType="V2GCertificate"))["csr"]
        order = {"certificateChain": Authority.new().sign(csr), "certificateType": "V2GCertificate"}
        assert await desk.order("CP-1", "CertificateSigned", order) == {"status": "Accepted"}
        answer = await desk.order(
            "CP-1", "GetInstalledCertificateIds", {"certificateType": ["V2GCertificateChain"]}
        )
        [chain] = answer["certificateHashDataChain"]
        assert len(chain["childCertificateHashData"]) == 1

    story(tell, "2.0.1")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_request_that_nobody_signs_is_repeated_twice_and_given_up(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        await do([station], "sign")
        await settle(10_000)
        requests = desk.all("SignCertificate")
        assert len(requests) == 3
        assert len({request["csr"] for request in requests}) == 1

    story(tell, version)

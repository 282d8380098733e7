"""Plug and charge: contracts shown, certificates asked about, and a provider that answers cars."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.x509 import ocsp

from cms.contract.tokens import AddToken, BlockToken
from cms.domain.certificates import HashData
from cms.domain.iso15118 import (
    ChainAsked,
    ContractAnswer,
    ContractCertificateAsked,
    ContractPresented,
    Named,
    Source,
    StandingAsked,
)
from cms.domain.observations import TokenRef
from cms.ocpp.dialect import V21, V201
from cms.operations import tokens
from cms.pki import Trust, TrustSources
from cms.pki.fetch import Outward
from cms.pki.reading import hash_data
from tests.operations.small import ANA, Small
from tests.pki.world import NOON, Made, Responder, make, responding, revocation_list


class Road:
    """A core that trusts a mobility operator's root, and the responder that speaks for it."""

    def __init__(self, small: Small, root: Made, responder: Responder) -> None:
        self.small, self.root, self.responder = small, root, responder
        self.leaf = make("DE-VLT-C0-1", root, responder=responder.url)

    def named(self, leaf: Made | None = None) -> Named:
        certificate = (leaf or self.leaf).certificate
        return Named(hash_data(certificate, self.root.certificate), self.responder.url)

    async def hear(self, said: Any, version: str = "2.0.1") -> Any:
        return await self.small.hear("CP1", said, version)


@pytest.fixture
async def road(small: Small, tmp_path: Path) -> AsyncIterator[Road]:
    root = make("MO root", authority=True)
    (tmp_path / "mo.pem").write_text(root.pem)
    small.clock.time = NOON
    await tokens.add(small.core, AddToken("DE-VLT-C0-1", kind="emaid"), ANA)
    async with responding(root) as responder:
        sources = TrustSources(
            tmp_path / "pki", contract_roots=(tmp_path / "mo.pem",), outward=Outward((responder.host,))
        )
        small.core.trust = Trust(sources)
        yield Road(small, root, responder)


EMAID = TokenRef("DE-VLT-C0-1", "emaid")


async def shown(road: Road, **said: Any) -> tuple[str, str]:
    answer = await road.hear(ContractPresented(EMAID, **said))
    assert isinstance(answer, ContractAnswer)
    return str(answer.token.status), answer.certificate


async def test_a_good_contract_with_a_good_certificate_is_accepted(road: Road) -> None:
    assert await shown(road, named=(road.named(),)) == ("accepted", "good")
    assert await shown(road, chain=road.leaf.pem) == ("accepted", "good")


async def test_a_certificate_that_does_not_hold_makes_the_token_invalid(road: Road) -> None:
    revoked = make("DE-VLT-C0-1", road.root, responder=road.responder.url)
    road.responder.revoked.add(revoked.certificate.serial_number)
    assert await shown(road, named=(road.named(revoked),)) == ("invalid", "revoked")
    assert await shown(road, chain=make("DE-VLT-C0-1").pem) == ("invalid", "broken")
    assert await shown(road, chain="garbage") == ("invalid", "unreadable")
    expired = make("DE-VLT-C0-1", road.root, ends=NOON.replace(year=2025, month=12))
    assert await shown(road, chain=expired.pem) == ("expired", "expired")
    road.responder.silent = True
    unknown = make("DE-VLT-C0-1", road.root)
    assert await shown(road, named=(road.named(unknown),)) == ("invalid", "broken")


async def test_a_cancelled_contract_is_said_to_be_one(road: Road) -> None:
    await tokens.block(road.small.core, BlockToken("DE-VLT-C0-1", reason="left"), ANA)
    assert await shown(road, named=(road.named(),)) == ("blocked", "cancelled")
    answer = await road.hear(ContractPresented(TokenRef("NOBODY", "emaid"), named=(road.named(),)))
    assert (answer.token.status, answer.certificate) == ("unknown", "none")


async def test_a_responders_answer_is_handed_on_and_silence_is_a_failure(road: Road) -> None:
    answer = await road.hear(StandingAsked(road.named()))
    said = V201.incoming["GetCertificateStatus"].answer(answer)
    assert said["status"] == "Accepted"
    told = ocsp.load_der_ocsp_response(base64.b64decode(said["ocspResult"]))
    assert told.certificate_status is ocsp.OCSPCertStatus.GOOD
    road.responder.silent = True
    answer = await road.hear(StandingAsked(road.named(make("SECC", road.root))))
    assert V201.incoming["GetCertificateStatus"].answer(answer) == {"status": "Failed"}


async def test_a_vehicle_chain_is_told_one_standing_for_each_question(road: Road) -> None:
    good, gone = make("Car 1", road.root), make("Car 2", road.root)
    road.responder.files["/crl"] = revocation_list(road.root, gone)
    crl = (road.responder.url + "none", road.responder.url + "crl")
    nowhere = HashData("SHA256", "aa", "bb", "1")
    asked = ChainAsked(
        (
            Source(road.named(good).hash_data, "ocsp", (road.responder.url,)),
            Source(road.named(gone).hash_data, "crl", crl[1:]),
            Source(road.named(good).hash_data, "crl", crl[1:]),
            Source(nowhere, "ocsp", (road.responder.url,)),
        )
    )
    said = V21.incoming["GetCertificateChainStatus"].answer(await road.hear(asked, "2.1"))
    assert [each["status"] for each in said["certificateStatus"]] == ["Good", "Revoked", "Good", "Failed"]
    assert [each["source"] for each in said["certificateStatus"]] == ["OCSP", "CRL", "CRL", "OCSP"]
    assert all(each["nextUpdate"] for each in said["certificateStatus"])


async def test_a_car_gets_what_the_provider_answers_and_nothing_without_one(
    road: Road, tmp_path: Path
) -> None:
    asked = ContractCertificateAsked("urn:iso:15118:2:2013:MsgDef", "Install", "AA==", 2, ("DE-VLT-C0-1",))
    answer = await road.hear(asked)
    said = V201.incoming["Get15118EVCertificate"].answer(answer)
    assert said == {"status": "Failed", "exiResponse": ""}
    told = {"status": "Accepted", "exiResponse": "BB==", "remainingContracts": 1}
    road.responder.files["/contracts"] = json.dumps(told).encode()
    sources = TrustSources(tmp_path / "pki", provider=road.responder.url + "contracts")
    road.small.core.trust = Trust(sources)
    answer = await road.hear(asked)
    said = V21.incoming["Get15118EVCertificate"].answer(answer)
    assert said == {"status": "Accepted", "exiResponse": "BB==", "remainingContracts": 1}
    assert "remainingContracts" not in V201.incoming["Get15118EVCertificate"].answer(answer)
    road.responder.files["/contracts"] = b"[]"
    answer = await road.hear(asked)
    assert V21.incoming["Get15118EVCertificate"].answer(answer)["status"] == "Failed"


def test_authorize_with_a_certificate_is_read_as_one_and_answered_in_the_words_of_ocpp() -> None:
    box = {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": "aa",
        "issuerKeyHash": "bb",
        "serialNumber": "1",
        "responderURL": "http://ocsp.test/",
    }
    row = V201.incoming["Authorize"]
    payload = {"idToken": {"idToken": "E", "type": "eMAID"}, "iso15118CertificateHashData": [box]}
    seen = row.read(payload, [])
    assert isinstance(seen, ContractPresented) and seen.named[0].responder == "http://ocsp.test/"
    assert not isinstance(row.read({"idToken": payload["idToken"]}, []), ContractPresented)

"""OCPP 2.x C07 and block M: contract certificates, and the standing of certificates that stations ask about."""

from __future__ import annotations

import base64
from functools import partial

from cms.domain.certificates import Contract
from cms.domain.iso15118 import (
    CANCELLED,
    NONE,
    ChainAnswer,
    ChainAsked,
    ContractAnswer,
    ContractCertificateAnswer,
    ContractCertificateAsked,
    ContractPresented,
    Named,
    Source,
    StandingAnswer,
    StandingAsked,
)
from cms.domain.observations import TokenRef
from cms.ocpp.schemas import LOOKED_UP
from cms.ocpp.translation import Incoming
from cms.ocpp.v16.security import hash_data, hash_words
from cms.ocpp.values import Json, Remarks, rfc3339, whole

#: AuthorizeCertificateStatusEnumType.
_CERTIFICATE = {
    Contract.GOOD: "Accepted",
    Contract.REVOKED: "CertificateRevoked",
    Contract.EXPIRED: "CertificateExpired",
    Contract.BROKEN: "CertChainError",
    Contract.UNREADABLE: "CertChainError",
    CANCELLED: "ContractCancelled",
    NONE: "NoCertificateAvailable",
}
_STANDING = {"good": "Good", "revoked": "Revoked", "unknown": "Unknown"}
_SOURCES = {"OCSP": "ocsp", "CRL": "crl"}
#: 2.0.1 GetCertificateStatusResponse.ocspResult, Get15118EVCertificateResponse.exiResponse; 2.1 has more room.
_MOST_OCSP_201, _MOST_OCSP_21 = 5_500, 18_000
_MOST_EXI_201, _MOST_EXI_21 = 7_500, 17_000


def contract(payload: Json, token: TokenRef) -> ContractPresented | None:
    """What an Authorize says of a contract certificate; None when it says nothing of one."""
    if "certificate" not in payload and "iso15118CertificateHashData" not in payload:
        return None
    named = tuple(_named(each) for each in payload.get("iso15118CertificateHashData") or ())
    return ContractPresented(token, payload.get("certificate"), named)


def _named(box: Json) -> Named:
    return Named(hash_data(box), box.get("responderURL"))


def certificate_status(answer: ContractAnswer) -> str:
    return _CERTIFICATE[answer.certificate]


def standing_asked(payload: Json, _: Remarks) -> StandingAsked:
    return StandingAsked(_named(payload["ocspRequestData"]))


def standing_answer(answer: StandingAnswer, most: int) -> Json:
    """Base64 of the responder's DER (M06.FR.03); what does not fit was not given."""
    text = base64.b64encode(answer.ocsp).decode() if answer.ocsp else ""
    if not text or len(text) > most:
        return {"status": "Failed"}
    return {"status": "Accepted", "ocspResult": text}


def chain_asked(payload: Json, _: Remarks) -> ChainAsked:
    return ChainAsked(
        tuple(
            Source(hash_data(each["certificateHashData"]), _SOURCES[each["source"]], tuple(each["urls"]))
            for each in payload["certificateStatusRequests"]
        )
    )


def chain_answer(answer: ChainAnswer) -> Json:
    words = {kind: word for word, kind in _SOURCES.items()}
    return {
        "certificateStatus": [
            {
                "certificateHashData": hash_words(source.hash_data),
                "source": words[source.kind],
                "status": _STANDING[source.standing.word] if source.standing else "Failed",
                "nextUpdate": rfc3339(source.standing.until if source.standing else answer.now),
            }
            for source in answer.sources
        ]
    }


def certificate_asked(payload: Json, _: Remarks) -> ContractCertificateAsked:
    return ContractCertificateAsked(
        payload["iso15118SchemaVersion"],
        payload["action"],
        payload["exiRequest"],
        whole(payload.get("maximumContractCertificateChains")),
        tuple(payload.get("prioritizedEMAIDs") or ()),
    )


def certificate_answer(answer: ContractCertificateAnswer, most: int, *, counts: bool) -> Json:
    """A failure has an exiResponse too, and an empty one will do. 2.1 counts the contracts that remain."""
    given = answer.given
    if given is None or len(given.exi) > most:
        return {"status": "Failed", "exiResponse": ""}
    said: Json = {"status": "Accepted", "exiResponse": given.exi}
    if counts and given.remaining is not None:
        said["remainingContracts"] = given.remaining
    return said


def _incoming(most_ocsp: int, most_exi: int, *, counts: bool) -> dict[str, Incoming]:
    standing = partial(standing_answer, most=most_ocsp)
    given = partial(certificate_answer, most=most_exi, counts=counts)
    return {
        "GetCertificateStatus": Incoming(LOOKED_UP, standing_asked, standing),
        "Get15118EVCertificate": Incoming(LOOKED_UP, certificate_asked, given),
    }


INCOMING_201 = _incoming(_MOST_OCSP_201, _MOST_EXI_201, counts=False)
INCOMING_21 = _incoming(_MOST_OCSP_21, _MOST_EXI_21, counts=True) | {
    "GetCertificateChainStatus": Incoming(LOOKED_UP, chain_asked, chain_answer),
}

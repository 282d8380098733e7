"""OCPP 1.6 security whitepaper: SignCertificate, CertificateSigned, and the certificates in a station's store."""

from __future__ import annotations

from collections.abc import Sequence

from cms.contract.refusals import NotSupported
from cms.domain.certificates import HashData
from cms.domain.installed import (
    CSMS_ROOT,
    MANUFACTURER_ROOT,
    DeleteCertificate,
    Found,
    InstallCertificate,
    InstalledAnswer,
    ListInstalled,
)
from cms.domain.signing import CertificateAnswer, CertificateRequested, TakeCertificate
from cms.ocpp.schemas import LOOKED_UP
from cms.ocpp.translation import Asked, Incoming, Outgoing, shown, status_of
from cms.ocpp.values import Json, Remarks

_TYPES = {CSMS_ROOT: "CentralSystemRootCertificate", MANUFACTURER_ROOT: "ManufacturerRootCertificate"}


def requested(payload: Json, _: Remarks) -> CertificateRequested:
    return CertificateRequested(payload["csr"])


def request_answer(answer: CertificateAnswer) -> Json:
    return {"status": "Accepted" if answer.accepted else "Rejected"}


def certificate_signed(order: TakeCertificate) -> list[Asked]:
    return [("CertificateSigned", {"certificateChain": order.chain})]


def install(order: InstallCertificate) -> list[Asked]:
    said = {"certificateType": _word(order.type), "certificate": order.pem}
    return [("InstallCertificate", said)]


def list_installed(order: ListInstalled) -> list[Asked]:
    """1.6 asks for one type at a time."""
    types = order.types or tuple(_TYPES)
    return [("GetInstalledCertificateIds", {"certificateType": _word(type_)}) for type_ in types]


def _word(type_: str) -> str:
    try:
        return _TYPES[type_]
    except KeyError:
        raise NotSupported(f"OCPP 1.6 knows no {type_} certificates", f"one of {', '.join(_TYPES)}") from None


def installed(order: ListInstalled, answers: Sequence[Json]) -> InstalledAnswer:
    """NotFound is no refusal: the station has none."""
    types = order.types or tuple(_TYPES)
    found = tuple(
        Found(type_, hash_data(each))
        for type_, answer in zip(types, answers, strict=True)
        for each in answer.get("certificateHashData") or ()
    )
    word = "Accepted" if any(answer["status"] == "Accepted" for answer in answers) else "NotFound"
    return InstalledAnswer("accepted", word, shown(answers), found=found)


def delete(order: DeleteCertificate) -> list[Asked]:
    return [("DeleteCertificate", {"certificateHashData": hash_words(order.named)})]


def hash_data(box: Json) -> HashData:
    return HashData(box["hashAlgorithm"], box["issuerNameHash"], box["issuerKeyHash"], box["serialNumber"])


def hash_words(named: HashData) -> Json:
    return {
        "hashAlgorithm": named.algorithm,
        "issuerNameHash": named.issuer_name_hash,
        "issuerKeyHash": named.issuer_key_hash,
        "serialNumber": named.serial_number,
    }


INCOMING = {"SignCertificate": Incoming(LOOKED_UP, requested, request_answer)}
OUTGOING = {
    TakeCertificate: Outgoing(certificate_signed, status_of, ("CertificateSigned",)),
    InstallCertificate: Outgoing(install, status_of, ("InstallCertificate",)),
    ListInstalled: Outgoing(list_installed, installed, ("GetInstalledCertificateIds",)),
    DeleteCertificate: Outgoing(delete, status_of, ("DeleteCertificate",)),
}

"""OCPP 2.x blocks A and M03 to M05: signing, the certificates in a station's store; B09: network profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from cms.contract.refusals import Invalid, NotSupported
from cms.domain.installed import (
    CSMS_ROOT,
    MANUFACTURER_ROOT,
    MO_ROOT,
    OEM_ROOT,
    V2G_CHAIN,
    V2G_ROOT,
    DeleteCertificate,
    Found,
    InstallCertificate,
    InstalledAnswer,
    ListInstalled,
)
from cms.domain.network import SetNetworkProfile
from cms.domain.signing import CertificateRequested, TakeCertificate
from cms.ocpp.schemas import LOOKED_UP
from cms.ocpp.translation import Asked, Incoming, Outgoing, shown, status_of
from cms.ocpp.v16.security import delete, hash_data, request_answer
from cms.ocpp.values import Json, Remarks, whole

_TYPES_201 = {
    CSMS_ROOT: "CSMSRootCertificate",
    MANUFACTURER_ROOT: "ManufacturerRootCertificate",
    V2G_ROOT: "V2GRootCertificate",
    MO_ROOT: "MORootCertificate",
    V2G_CHAIN: "V2GCertificateChain",
}
_TYPES_21 = _TYPES_201 | {OEM_ROOT: "OEMRootCertificate"}
_OURS = {word: type_ for type_, word in _TYPES_21.items()}
Types = Mapping[str, str]


def requested(payload: Json, _: Remarks) -> CertificateRequested:
    return CertificateRequested(
        payload["csr"], payload.get("certificateType"), whole(payload.get("requestId"))
    )


def certificate_signed(order: TakeCertificate) -> list[Asked]:
    """The use that the station named, and in 2.1 its request id (A02.FR.25), come back as they came."""
    said: Json = {"certificateChain": order.chain}
    if order.kind is not None:
        said["certificateType"] = order.kind
    if order.request_id is not None:
        said["requestId"] = order.request_id
    return [("CertificateSigned", said)]


def _word(type_: str, types: Types, version: str) -> str:
    try:
        return types[type_]
    except KeyError:
        hint = f"one of {', '.join(types)}"
        raise NotSupported(f"OCPP {version} knows no {type_} certificates", hint) from None


def install(order: InstallCertificate, *, types: Types, version: str) -> list[Asked]:
    if order.type == V2G_CHAIN:
        raise Invalid("a V2G chain is the station's own: have it ask for one (SignV2GCertificate)")
    said = {"certificateType": _word(order.type, types, version), "certificate": order.pem}
    return [("InstallCertificate", said)]


def list_installed(order: ListInstalled, *, types: Types, version: str) -> list[Asked]:
    """Without a type every certificate is told (M03.FR.02)."""
    said: Json = {}
    if order.types:
        said["certificateType"] = [_word(type_, types, version) for type_ in order.types]
    return [("GetInstalledCertificateIds", said)]


def installed(_: ListInstalled, answers: Sequence[Json]) -> InstalledAnswer:
    """NotFound is no refusal: the station has none."""
    found = tuple(
        Found(
            _OURS.get(chain["certificateType"], "unknown"),
            hash_data(chain["certificateHashData"]),
            tuple(hash_data(child) for child in chain.get("childCertificateHashData") or ()),
        )
        for chain in answers[0].get("certificateHashDataChain") or ()
    )
    return InstalledAnswer("accepted", str(answers[0]["status"]), shown(answers), found=found)


def set_network_profile(order: SetNetworkProfile, *, version: str, ocpp: str) -> list[Asked]:
    """All fields that B09 asks for; 2.0.1 means itself by OCPP20."""
    if version == "2.0.1" and (order.identity or order.basic_auth_password):
        raise NotSupported("OCPP 2.0.1 network profiles carry neither an identity nor a password")
    data: Json = {
        "ocppVersion": ocpp,
        "ocppTransport": "JSON",
        "ocppCsmsUrl": order.url,
        "messageTimeout": order.message_timeout_s,
        "securityProfile": order.security_profile,
        "ocppInterface": order.interface,
    }
    if order.identity is not None:
        data["identity"] = order.identity
    if order.basic_auth_password is not None:
        data["basicAuthPassword"] = order.basic_auth_password
    return [("SetNetworkProfile", {"configurationSlot": order.slot, "connectionData": data})]


def _outgoing(version: str, types: Types, ocpp: str) -> dict[type, Outgoing]:
    network = partial(set_network_profile, version=version, ocpp=ocpp)
    listing = partial(list_installed, types=types, version=version)
    return {
        InstallCertificate: Outgoing(
            partial(install, types=types, version=version), status_of, ("InstallCertificate",)
        ),
        ListInstalled: Outgoing(listing, installed, ("GetInstalledCertificateIds",)),
        SetNetworkProfile: Outgoing(network, status_of, ("SetNetworkProfile",)),
    }


INCOMING = {"SignCertificate": Incoming(LOOKED_UP, requested, request_answer)}
OUTGOING = {
    TakeCertificate: Outgoing(certificate_signed, status_of, ("CertificateSigned",)),
    DeleteCertificate: Outgoing(delete, status_of, ("DeleteCertificate",)),
}
OUTGOING_201 = _outgoing("2.0.1", _TYPES_201, "OCPP20")
OUTGOING_21 = _outgoing("2.1", _TYPES_21, "OCPP21")

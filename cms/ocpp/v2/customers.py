"""OCPP 2.x N09, N10: CustomerInformation, NotifyCustomerInformation."""

from __future__ import annotations

from cms.domain.customers import AskCustomer, CertificateHash, CustomerTold
from cms.ocpp.schemas import TOLD
from cms.ocpp.translation import Asked, Incoming, Outgoing, nothing, status_of
from cms.ocpp.v2.authorization import id_token
from cms.ocpp.values import Json, Remarks


def customer_information(order: AskCustomer) -> list[Asked]:
    """Exactly one way to name the customer (N09.FR.04, N10.FR.08); the operation saw to it."""
    said: Json = {"requestId": order.request_id, "report": order.report, "clear": order.clear}
    if order.token is not None:
        said["idToken"] = id_token(order.token, order.token_kind or "rfid")
    elif order.certificate is not None:
        said["customerCertificate"] = _hashes(order.certificate)
    else:
        said["customerIdentifier"] = order.identifier
    return [("CustomerInformation", said)]


def _hashes(certificate: CertificateHash) -> Json:
    return {
        "hashAlgorithm": certificate.algorithm,
        "issuerNameHash": certificate.issuer_name,
        "issuerKeyHash": certificate.issuer_key,
        "serialNumber": certificate.serial,
    }


def customer_told(payload: Json, _: Remarks) -> CustomerTold:
    return CustomerTold(
        request_id=int(payload["requestId"]),
        seq_no=int(payload["seqNo"]),
        text=payload["data"],
        more=payload.get("tbc") is True,
    )


INCOMING = {"NotifyCustomerInformation": Incoming(TOLD, customer_told, nothing)}

OUTGOING = {AskCustomer: Outgoing(customer_information, status_of, ("CustomerInformation",))}

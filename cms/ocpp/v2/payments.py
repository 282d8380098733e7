"""OCPP 2.1 block C17 to C25: NotifySettlement, VatNumberValidation, NotifyWebPaymentStarted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from decimal import Decimal

from cms.domain.orders import OrderAnswer
from cms.domain.payments import (
    Company,
    NotifyWebPaymentStarted,
    SettlementAnswer,
    SettlementNotified,
    VatAnswer,
    VatNumberPresented,
)
from cms.ocpp.schemas import KEPT, LOOKED_UP
from cms.ocpp.translation import Asked, Incoming, Outgoing, shown
from cms.ocpp.values import Json, Remarks, exact, instant, text, whole


def settlement_notified(payload: Json, remarks: Remarks) -> SettlementNotified:
    return SettlementNotified(
        psp_ref=payload["pspRef"][:255],
        status=payload["status"].casefold()[:20],
        amount=exact(payload["settlementAmount"]) or Decimal(0),
        at=instant(payload["settlementTime"], remarks),
        transaction_id=text(payload.get("transactionId")),
        detail=text(payload.get("statusInfo")),
        receipt_id=text(payload.get("receiptId")),
        receipt_url=text(payload.get("receiptUrl")),
        vat_number=text(payload.get("vatNumber")),
    )


def settlement_answer(answer: SettlementAnswer) -> Json:
    return {} if answer.receipt_url is None else {"receiptUrl": answer.receipt_url}


def vat_number_presented(payload: Json, _: Remarks) -> VatNumberPresented:
    return VatNumberPresented(payload["vatNumber"], whole(payload.get("evseId")))


#: Field of a company -> its name and most characters in AddressType.
_ADDRESS = {
    "name": ("name", 50),
    "address1": ("address1", 100),
    "address2": ("address2", 100),
    "city": ("city", 100),
    "postal_code": ("postalCode", 20),
    "country": ("country", 50),
}


def vat_answer(answer: VatAnswer) -> Json:
    said: Json = {"vatNumber": answer.number, "status": "Accepted" if answer.accepted else "Rejected"}
    if answer.evse is not None:
        said["evseId"] = answer.evse
    if answer.company is not None:
        said["company"] = _address(answer.company)
    if answer.reason is not None:
        said["statusInfo"] = {"reasonCode": "VatNumber", "additionalInfo": answer.reason[:1024]}
    return said


def _address(company: Company) -> Json:
    said: Json = {}
    for field in fields(company):
        name, most = _ADDRESS[field.name]
        value = getattr(company, field.name)
        if value is not None:
            said[name] = value[:most]
    return said


def web_payment_started(order: NotifyWebPaymentStarted) -> list[Asked]:
    return [("NotifyWebPaymentStarted", {"evseId": order.evse, "timeout": order.timeout_s})]


def _heard(_: NotifyWebPaymentStarted, answers: Sequence[Json]) -> OrderAnswer:
    return OrderAnswer("accepted", "Accepted", shown(answers))


INCOMING_21 = {
    "NotifySettlement": Incoming(KEPT, settlement_notified, settlement_answer),
    # Said back in the answer, so it must be one.
    "VatNumberValidation": Incoming(LOOKED_UP, vat_number_presented, vat_answer),
}
OUTGOING_21 = {NotifyWebPaymentStarted: Outgoing(web_payment_started, _heard, ("NotifyWebPaymentStarted",))}

"""OCPP 1.6: Authorize, StartTransaction, StopTransaction, MeterValues."""

from __future__ import annotations

from datetime import datetime

from cms.domain.observations import (
    Metered,
    TokenAnswer,
    TokenPresented,
    TokenRef,
    TransactionAnswer,
    TransactionPhase,
    TransactionReported,
)
from cms.ocpp.schemas import KEPT, LOOKED_UP
from cms.ocpp.translation import AUTHORIZATION_V16, Incoming, nothing, word_for
from cms.ocpp.v16.availability import place
from cms.ocpp.v16.meters import readings
from cms.ocpp.values import Json, Remarks, digest, instant, rfc3339, whole

_MAX_ID_TAG = 20
_REFUSED = TokenAnswer("invalid")


#: What a station writes that never learned the id of its transaction: one stop among many.
_NO_ID = frozenset({"0", "-1"})


def token_presented(payload: Json, _: Remarks) -> TokenPresented:
    return TokenPresented(TokenRef(payload["idTag"]))


def started(payload: Json, remarks: Remarks) -> TransactionReported:
    evse, connector = place(payload["connectorId"])
    reservation = whole(payload.get("reservationId"))
    meter_wh = int(payload["meterStart"])
    at = instant(payload["timestamp"], remarks)
    key = (
        f"start|{evse}|{payload['idTag'].casefold()}|{_moment(at, payload)}|{meter_wh}"
        f"|{'' if reservation is None else reservation}"
    )
    return TransactionReported(
        phase=TransactionPhase.STARTED,
        key=key,
        # All of a start is in its key: one that is only spelled otherwise when it is repeated is the same start.
        digest=digest({"key": key}),
        at=at,
        evse=evse,
        connector=connector,
        token=TokenRef(payload["idTag"]),
        meter_wh=meter_wh,
        # 0 and -1 are written by stations that mean none.
        reservation_id=reservation if reservation and reservation > 0 else None,
        flags=tuple(remarks),
    )


def _moment(at: datetime | None, payload: Json) -> str:
    """The instant however it is written; where it is none, the text."""
    return at.isoformat() if at else str(payload["timestamp"])


def stopped(payload: Json, remarks: Remarks) -> TransactionReported:
    # 0 and -1 mean that the station never learned its id: kept as text, so that it can still be placed.
    transaction_id = str(int(payload["transactionId"]))
    at = instant(payload["timestamp"], remarks)
    meter_values = readings(payload.get("transactionData"), remarks)
    id_tag = payload.get("idTag")
    key = f"stop|{transaction_id}"
    if transaction_id in _NO_ID:
        key += f"|{_moment(at, payload)}|{payload['meterStop']}"
    return TransactionReported(
        phase=TransactionPhase.ENDED,
        key=key,
        digest=digest(payload),
        at=at,
        transaction_id=transaction_id,
        token=TokenRef(id_tag) if id_tag else None,
        meter_wh=int(payload["meterStop"]),
        readings=meter_values,
        stop_reason=payload.get("reason"),
        flags=tuple(remarks),
    )


def metered(payload: Json, remarks: Remarks) -> Metered:
    transaction_id = whole(payload.get("transactionId"))
    meter_values = readings(payload["meterValue"], remarks)
    return Metered(
        evse=place(payload["connectorId"])[0],
        readings=meter_values,
        transaction_id=str(transaction_id) if transaction_id is not None else None,
        flags=tuple(remarks),
    )


def id_tag_info(token: TokenAnswer) -> Json:
    said: Json = {"status": word_for(token, AUTHORIZATION_V16)}
    # A longer group cannot be said in 1.6; a cut one would be another group.
    if token.group is not None and len(token.group) <= _MAX_ID_TAG:
        said["parentIdTag"] = token.group
    if token.expires is not None:
        said["expiryDate"] = rfc3339(token.expires)
    return said


def token_answer(answer: TokenAnswer) -> Json:
    return {"idTagInfo": id_tag_info(answer)}


def start_answer(answer: TransactionAnswer) -> Json:
    assert answer.transaction_id is not None, "a 1.6 start is always answered with an id"
    return {"transactionId": int(answer.transaction_id), "idTagInfo": id_tag_info(answer.token or _REFUSED)}


def stop_answer(answer: TransactionAnswer) -> Json:
    return {} if answer.token is None else {"idTagInfo": id_tag_info(answer.token)}


INCOMING = {
    "Authorize": Incoming(LOOKED_UP, token_presented, token_answer),
    "StartTransaction": Incoming(KEPT, started, start_answer),
    "StopTransaction": Incoming(KEPT, stopped, stop_answer),
    "MeterValues": Incoming(KEPT, metered, nothing),
}

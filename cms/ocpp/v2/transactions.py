"""OCPP 2.x block E: TransactionEvent."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from cms.domain.observations import TransactionAnswer, TransactionPhase, TransactionReported
from cms.ocpp.schemas import KEPT
from cms.ocpp.translation import Incoming
from cms.ocpp.v2.authorization import MAX_ID_TOKEN_21, MAX_ID_TOKEN_201, id_token_info, token
from cms.ocpp.v2.meters import readings
from cms.ocpp.values import Json, Remarks, digest, instant, whole

_PHASES = {
    "Started": TransactionPhase.STARTED,
    "Updated": TransactionPhase.UPDATED,
    "Ended": TransactionPhase.ENDED,
}
_BARE: Json = {}


def transaction_reported(payload: Json, remarks: Remarks) -> TransactionReported:
    transaction = payload["transactionInfo"]
    transaction_id = transaction["transactionId"]
    seq_no = int(payload["seqNo"])
    # Sent once per transaction; without a connector it is not connector 1 (2.0.1 E01, E02).
    evse = payload.get("evse") or _BARE
    id_token = payload.get("idToken")
    at = instant(payload["timestamp"], remarks)
    meter_values = readings(payload.get("meterValue"), remarks)
    return TransactionReported(
        phase=_PHASES[payload["eventType"]],
        key=f"tx|{transaction_id}|{seq_no}",
        digest=digest(payload),
        at=at,
        transaction_id=transaction_id,
        seq_no=seq_no,
        evse=whole(evse.get("id")),
        connector=whole(evse.get("connectorId")),
        token=token(id_token) if id_token else None,
        readings=meter_values,
        offline=payload.get("offline") is True,
        trigger=payload["triggerReason"],
        charging_state=transaction.get("chargingState"),
        stop_reason=transaction.get("stoppedReason"),
        reservation_id=whole(payload.get("reservationId")) or None,
        remote_start_id=whole(transaction.get("remoteStartId")),
        flags=tuple(remarks),
    )


def transaction_answer(answer: TransactionAnswer, max_id_token: int) -> Json:
    return {} if answer.token is None else {"idTokenInfo": id_token_info(answer.token, max_id_token)}


def _incoming(max_id_token: int) -> dict[str, Incoming]:
    say: Callable[[TransactionAnswer], Json] = partial(transaction_answer, max_id_token=max_id_token)
    return {"TransactionEvent": Incoming(KEPT, transaction_reported, say)}


INCOMING_201 = _incoming(MAX_ID_TOKEN_201)
INCOMING_21 = _incoming(MAX_ID_TOKEN_21)

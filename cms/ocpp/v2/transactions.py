"""OCPP 2.x block E: TransactionEvent."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from cms.contract.payments import Limit
from cms.domain.accounts import MARKS
from cms.domain.evolve import evolve
from cms.domain.observations import (
    TransactionAnswer,
    TransactionMore,
    TransactionPhase,
    TransactionReported,
)
from cms.ocpp.schemas import KEPT
from cms.ocpp.translation import Incoming
from cms.ocpp.v2.authorization import MAX_ID_TOKEN_21, MAX_ID_TOKEN_201, id_token_info, token
from cms.ocpp.v2.meters import readings
from cms.ocpp.v2.tariffs import message, station_costs
from cms.ocpp.values import Json, Remarks, digest, exact, instant, whole

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


#: What only 2.1 tells, beside the transaction and within it.
_MORE = frozenset({"costDetails", "preconditioningStatus", "evseSleep"})
_MORE_WITHIN = frozenset({"transactionLimit", "tariffId"})


def transaction_reported_21(payload: Json, remarks: Remarks) -> TransactionReported:
    mark = MARKS.get(payload["triggerReason"])
    if mark is not None:
        remarks.append(mark)
    report = transaction_reported(payload, remarks)
    transaction = payload["transactionInfo"]
    # The mode is said again and again: only a new one is news.
    moded = payload["triggerReason"] == "OperationModeChanged"
    if not moded and _MORE.isdisjoint(payload) and _MORE_WITHIN.isdisjoint(transaction):
        return report
    return evolve(report, more=_more(payload, transaction))


def _more(payload: Json, transaction: Json) -> TransactionMore:
    details, limit = payload.get("costDetails"), transaction.get("transactionLimit")
    return TransactionMore(
        costs=station_costs(details) if details else None,
        limit=_limit(limit) if limit else None,
        tariff=transaction.get("tariffId"),
        preconditioning=payload.get("preconditioningStatus"),
        evse_sleep=payload.get("evseSleep"),
        operation_mode=transaction.get("operationMode"),
    )


def _limit(said: Json) -> Limit:
    return Limit(
        max_cost=exact(said.get("maxCost")),
        max_energy_wh=exact(said.get("maxEnergy")),
        max_time_s=whole(said.get("maxTime")),
        max_soc=whole(said.get("maxSoC")),
    )


def transaction_answer(answer: TransactionAnswer, max_id_token: int) -> Json:
    said: Json = {} if answer.token is None else {"idTokenInfo": id_token_info(answer.token, max_id_token)}
    account = answer.account
    if account is not None and account.total is not None:
        said["totalCost"] = account.total  # I02, I03: 0 is free, absent is unknown
    if account is not None and account.text is not None:
        said["updatedPersonalMessage"] = message(account.text)  # I06
    return said


_LIMITS = {
    "max_cost": "maxCost",
    "max_energy_wh": "maxEnergy",
    "max_time_s": "maxTime",
    "max_soc": "maxSoC",
}


def transaction_answer_21(answer: TransactionAnswer, max_id_token: int) -> Json:
    said = transaction_answer(answer, max_id_token)
    limit = answer.account.limit if answer.account is not None else None
    if limit is not None:
        known = {word: getattr(limit, name) for name, word in _LIMITS.items()}
        said["transactionLimit"] = {word: value for word, value in known.items() if value is not None}
    return said


def _incoming(
    read: Callable[[Json, Remarks], TransactionReported],
    answer: Callable[..., Json],
    max_id_token: int,
) -> dict[str, Incoming]:
    say: Callable[[TransactionAnswer], Json] = partial(answer, max_id_token=max_id_token)
    return {"TransactionEvent": Incoming(KEPT, read, say)}


INCOMING_201 = _incoming(transaction_reported, transaction_answer, MAX_ID_TOKEN_201)
INCOMING_21 = _incoming(transaction_reported_21, transaction_answer_21, MAX_ID_TOKEN_21)

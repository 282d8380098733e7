"""Block E: transaction events, their meter values, and what a CSMS answers to them."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from cms.simulator.evse import CARD, Evse, Measured, Transaction
from cms.simulator.language import End, Queued
from cms.simulator.metering import in_its_units, shown
from cms.simulator.ocmf import as_type, of_transaction
from cms.simulator.v2.authorization import verdict
from cms.simulator.v2.payment import settle
from cms.simulator.v2.tariff import cost_details
from cms.simulator.wire import Payload

if TYPE_CHECKING:
    from cms.simulator.station import Station

#: A token of the station's own payment terminal (2.1 C18).
DIRECT = "DirectPayment"
#: Triggers whose token asks to charge; another token stops.
ADMITTING = frozenset({"Authorized", "CablePluggedIn", "RemoteStart"})
#: Triggers that a meter value's context answers to.
TRIGGERS = {"Trigger": "Trigger", "Sample.Clock": "MeterValueClock"}


def token(station: Station, transaction: Transaction) -> Payload:
    """The transaction's IdToken as this station sends it."""
    written = transaction.token
    if "token-suffix" in station.faults and transaction.token_kind == CARD:
        written = f"{written[:16]}_LM1"
    if "token-case" in station.faults:
        written = written.lower()
    return {"idToken": written, "type": transaction.token_kind}


def started(station: Station, evse: Evse, transaction: Transaction, trigger: str) -> Queued:
    transaction.id = str(uuid.UUID(int=station.rng.getrandbits(128), version=4))
    more: Payload = {"evse": {"id": evse.id, "connectorId": evse.connector}, **_who(station, transaction)}
    return _event(station, evse, transaction, "Started", trigger, "Transaction.Begin", more)


def _who(station: Station, transaction: Transaction) -> Payload:
    """Whom it is for, and by which order or reservation: told once (E01, E02)."""
    if not transaction.token:
        return {}
    more: Payload = {"idToken": token(station, transaction)}
    if transaction.reservation_id is not None:
        more["reservationId"] = transaction.reservation_id
    if transaction.remote_start_id is not None:
        more["transactionInfo"] = {"remoteStartId": transaction.remote_start_id}
    return more


def metered(station: Station, evse: Evse, transaction: Transaction, context: str) -> Queued:
    if "meter-values-instead" in station.faults:
        values = meter_value(station, station.stamp(), evse.measure(), context)
        payload = {"evseId": evse.id, "meterValue": [values]}
        return Queued(transaction, lambda: ("MeterValues", payload), lambda _: None, meter=True)
    trigger = TRIGGERS.get(context, "MeterValuePeriodic")
    queued = _event(station, evse, transaction, "Updated", trigger, context, {})
    queued.meter = True
    return queued


def changed(station: Station, evse: Evse, transaction: Transaction, trigger: str) -> Queued:
    more: Payload = {}
    if trigger in ("Authorized", "RemoteStart"):
        more = _who(station, transaction)
    if trigger == "StopAuthorized":
        more = {"idToken": token(station, transaction)}
    if trigger == "LimitSet":
        limits = {
            name: limit if name == "maxCost" else int(limit) for name, limit in transaction.limits.items()
        }
        more = {"transactionInfo": {"transactionLimit": limits}}
    return _event(station, evse, transaction, "Updated", trigger, None, more)


def ended(station: Station, evse: Evse, transaction: Transaction, end: End) -> Queued:
    more: Payload = {"transactionInfo": {"stoppedReason": end.v2}}
    if end.trigger == "StopAuthorized":
        more["idToken"] = token(station, transaction)
    details = cost_details(station, transaction) if station.version == "2.1" else None
    if details is not None:
        more["costDetails"] = details
    if station.version == "2.0.1" and end.trigger not in V201_TRIGGERS:
        end = End(end.v16, end.v2, "AbnormalCondition")
    return _event(station, evse, transaction, "Ended", end.trigger, "Transaction.End", more)


#: How a transaction may end in 2.0.1, which has no triggers for limits.
V201_TRIGGERS = frozenset(
    {
        "EVConnectTimeout",
        "AbnormalCondition",
        "Deauthorized",
        "EVCommunicationLost",
        "RemoteStop",
        "ResetCommand",
        "StopAuthorized",
        "UnlockCommand",
    }
)


def _state(evse: Evse, transaction: Transaction, kind: str) -> str:
    if evse.car is None:
        return "Idle"
    if kind == "Ended" or not transaction.authorized:
        return "EVConnected"
    if evse.told_full:
        return "SuspendedEV"
    return "SuspendedEVSE" if evse.paused else "Charging"


def _event(
    station: Station,
    evse: Evse,
    transaction: Transaction,
    kind: str,
    trigger: str,
    context: str | None,
    more: Payload,
) -> Queued:
    times = {"Started": transaction.started_at, "Ended": transaction.ended_at}
    if "stop-before-start" in station.faults:
        times["Ended"] = transaction.started_at - timedelta(hours=1)
    at = station.stamp(times.get(kind))
    payload: Payload = {
        "eventType": kind,
        "timestamp": at,
        "triggerReason": trigger,
        "seqNo": transaction.next_seq_no(),
        **more,
        "transactionInfo": {
            "transactionId": transaction.id,
            "chargingState": _state(evse, transaction, kind),
            **more.get("transactionInfo", {}),
        },
    }
    if not station.online:
        payload["offline"] = True
    if context is not None:
        payload["meterValue"] = [meter_value(station, at, evse.measure(), context)]
        text = of_transaction(station, transaction) if kind == "Ended" else None
        if text is not None:
            payload["meterValue"][0]["sampledValue"][0]["signedMeterValue"] = as_type(station.id, text)
    return Queued(
        transaction,
        lambda: ("TransactionEvent", payload),
        lambda answer: _settle(station, evse, transaction, kind, trigger, answer),
    )


def _settle(
    station: Station, evse: Evse, transaction: Transaction, kind: str, trigger: str, answer: Payload
) -> None:
    """What the CSMS said of this transaction: cost, words for the driver, limits, and whether he may charge."""
    if "totalCost" in answer:
        station.kept.costs[str(transaction.id)] = float(answer["totalCost"])
        station.news(station, "cost", f"EVSE {evse.id} {answer['totalCost']}")
    if "updatedPersonalMessage" in answer:
        station.news(station, "shows", str(answer["updatedPersonalMessage"]["content"]))
    if "transactionLimit" in answer and evse.transaction is transaction:
        told = answer["transactionLimit"]
        transaction.limits |= {name: float(limit) for name, limit in told.items() if name != "customData"}
        transaction.stirred.set()
        station.charging.tell(evse, "LimitSet")  # 2.1 E16.FR.06
    if kind == "Ended" and _paid_here(station, transaction):
        amount = station.kept.costs.get(str(transaction.id), 0.0)
        station.do(lambda: settle(station, transaction, amount))
    if "idTokenInfo" in answer and trigger in ADMITTING:
        station.charging.judged(transaction, verdict(answer["idTokenInfo"], transaction.tariff))


def _paid_here(station: Station, transaction: Transaction) -> bool:
    """At the station's own terminal, not on the web: there the CSMS settles (2.1 C25.FR.40)."""
    by_terminal = transaction.token_kind == DIRECT and transaction.remote_start_id is None
    return by_terminal and station.version == "2.1"


def meter_value(station: Station, at: str, measured: list[Measured], context: str) -> Payload:
    samples = [_sample(station, value, context) for value in shown(station, measured)]
    if "signed-data" in station.faults:
        samples = [{**one, "signedMeterValue": SIGNED[station.version]} for one in samples]
    return {"timestamp": at, "sampledValue": samples}


#: A blob as a signing meter sends it, Base64; 2.1 made two of its members optional.
_BLOB = {"signedMeterData": "T0NNRnx7IkZWIjoiMS4wIn18e30=", "encodingMethod": "OCMF"}
SIGNED = {
    "2.0.1": {**_BLOB, "signingMethod": "ECDSA-secp256r1-SHA256", "publicKey": ""},
    "2.1": _BLOB,
}


def _sample(station: Station, measured: Measured, context: str) -> Payload:
    value, unit = in_its_units(station, measured)
    if "bare-values" in station.faults:
        return {"value": float(value)}
    sample: Payload = {
        "value": float(value),
        "context": context,
        "measurand": measured.measurand,
        "location": measured.location,
        "unitOfMeasure": {"unit": unit},
    }
    if measured.phase is not None:
        sample["phase"] = measured.phase
    return sample

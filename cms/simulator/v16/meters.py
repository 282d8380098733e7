"""Transactions and meter values of 1.6."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from cms.simulator.evse import Evse, Measured, Transaction
from cms.simulator.language import End, Queued, nothing
from cms.simulator.metering import in_its_units, shown
from cms.simulator.ocmf import of_transaction
from cms.simulator.v16.core import verdict
from cms.simulator.wire import Payload

if TYPE_CHECKING:
    from cms.simulator.station import Station

#: What real meters have been seen to send for a value.
NONSENSE = ("", " ", "NaN", "--", "12,5")


def started(station: Station, evse: Evse, transaction: Transaction) -> Queued:
    payload = {
        "connectorId": evse.id,
        "idTag": written(station, transaction.token),
        "meterStart": transaction.meter_start_wh,
        "timestamp": station.stamp(transaction.started_at),
    }
    if transaction.reservation_id is not None:
        payload["reservationId"] = transaction.reservation_id
    elif "reservation-0" in station.faults:
        payload["reservationId"] = 0

    def settle(answer: Payload) -> None:
        transaction.number = int(answer["transactionId"])
        transaction.id = str(transaction.number)
        station.charging.judged(transaction, verdict(answer["idTagInfo"]))

    return Queued(transaction, lambda: ("StartTransaction", payload), settle)


def metered(station: Station, evse: Evse, transaction: Transaction, context: str) -> Queued:
    values = meter_value(station, station.stamp(), evse.measure(), context)
    return Queued(
        transaction,
        lambda: (
            "MeterValues",
            {
                "connectorId": evse.id,
                "transactionId": meter_number(station, transaction),
                "meterValue": [values],
            },
        ),
        nothing,
        meter=True,
    )


def ended(station: Station, evse: Evse, transaction: Transaction, end: End) -> Queued:
    at = station.stamp(transaction.ended_at)
    payload: Payload = {
        "idTag": written(station, transaction.token),
        "meterStop": transaction.meter_stop_wh,
        "timestamp": at,
        "reason": end.v16,
        "transactionData": [meter_value(station, at, evse.measure()[:1], "Transaction.End")],
    }
    text = of_transaction(station, transaction)
    if text is not None:
        value = {"value": text, "format": "SignedData", "context": "Transaction.End"}
        payload["transactionData"].append({"timestamp": at, "sampledValue": [value]})
    if "stop-before-start" in station.faults:
        payload["timestamp"] = station.stamp(transaction.started_at - timedelta(hours=1))
    if "stop-below-start" in station.faults:
        payload["meterStop"] = max(0, transaction.meter_start_wh - 100)
    if "unknown-stop" in station.faults:
        payload["transactionId"] = 424242
        return Queued(transaction, lambda: ("StopTransaction", payload), nothing)
    return Queued(
        transaction,
        lambda: ("StopTransaction", {**payload, "transactionId": number(transaction)}),
        nothing,
    )


def number(transaction: Transaction) -> int:
    """The CSMS's number; -1 when it never gave one (1.6 errata 3.18)."""
    return -1 if transaction.number is None else transaction.number


def meter_number(station: Station, transaction: Transaction) -> int:
    """The number in meter values; some say 0 for none, or always."""
    return 0 if "transaction-0" in station.faults else number(transaction)


def written(station: Station, token: str) -> str:
    """An idTag as this station sends it: at most 20 characters."""
    if "token-suffix" in station.faults:
        return f"{token[:16]}_LM1"
    if "token-cut" in station.faults:
        return token[:16]
    return token.lower() if "token-case" in station.faults else token


def meter_value(station: Station, at: str, measured: list[Measured], context: str) -> Payload:
    samples = [_sample(station, value, context) for value in shown(station, measured)]
    if "celcius" in station.faults:
        samples.append({"value": "31.5", "measurand": "Temperature", "unit": "Celcius", "location": "Body"})
    return {"timestamp": at, "sampledValue": samples}


def _sample(station: Station, measured: Measured, context: str) -> Payload:
    value, unit = in_its_units(station, measured)
    if "meter-nonsense" in station.faults and measured.measurand != "Energy.Active.Import.Register":
        value = NONSENSE[station.next_number() % len(NONSENSE)]
    if "signed-data" in station.faults and measured.measurand == "Voltage":
        return {"value": 'OCMF|{"FV":"1.0"}|{}', "format": "SignedData"}
    if "bare-values" in station.faults:
        return {"value": value}
    sample: Payload = {
        "value": value,
        "context": context,
        "format": "Raw",
        "measurand": measured.measurand,
        "location": measured.location,
        "unit": unit,
    }
    if measured.phase is not None:
        sample["phase"] = measured.phase
    return sample

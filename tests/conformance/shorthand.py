"""Short words for what stations say often, in the frames of each version.

Each word makes one step of the plain language: ``{Action: payload, answer: subset}``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tests.conformance.language import Mistaken, Scope

Step = dict[str, Any]

#: 1.6 connector status -> 2.x connector status.
_STATUS_2: Final = {
    **dict.fromkeys(
        ("Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing", "Occupied"), "Occupied"
    ),
    **{status: status for status in ("Available", "Reserved", "Unavailable", "Faulted")},
}
_TOKEN_TYPE: Final = "ISO14443"


def boot(value: Any, scope: Scope) -> Step:
    """``boot`` or ``boot: {reason:, firmware:, serial:, vendor:, model:}``: BootNotification, answered Accepted."""
    told = {
        "vendor": "V",
        "model": "M",
        "serial": "SN-1",
        "firmware": "1.0",
        "reason": "PowerUp",
        **(value or {}),
    }
    about = {"model": told["model"], "serialNumber": told["serial"], "firmwareVersion": told["firmware"]}
    payload: dict[str, Any]
    if scope.version == "1.6":
        names = ("chargePointModel", "chargePointSerialNumber", "firmwareVersion")
        payload = {"chargePointVendor": told["vendor"], **dict(zip(names, about.values(), strict=True))}
    else:
        payload = {"reason": told["reason"], "chargingStation": {"vendorName": told["vendor"], **about}}
    return {"BootNotification": payload, "answer": {"status": "Accepted"}}


def status(value: Any, scope: Scope) -> Step:
    """``status: Charging`` or ``{is:, evse: 1, connector: 1, at: $clock, more: {}}``: StatusNotification."""
    told = value if isinstance(value, dict) else {"is": value}
    at, evse, more = told.get("at", "$clock"), told.get("evse", 1), told.get("more", {})
    if scope.version == "1.6":
        payload = {"connectorId": evse, "errorCode": "NoError", "status": told["is"], "timestamp": at}
    else:
        connector = told.get("connector", 1)
        word = _STATUS_2[told["is"]]
        payload = {"evseId": evse, "connectorId": connector, "connectorStatus": word, "timestamp": at}
    return {"StatusNotification": {**payload, **more}}


def authorize(value: Any, scope: Scope) -> Step:
    """``authorize: TAG_OK`` or ``{token:, is: Accepted, type: ISO14443}``: Authorize, answered so."""
    told = value if isinstance(value, dict) else {"token": value}
    wanted = {"status": told.get("is", "Accepted")}
    if scope.version == "1.6":
        return {"Authorize": {"idTag": told["token"]}, "answer": {"idTagInfo": wanted}}
    token = _token(told["token"], told.get("type"))
    return {"Authorize": {"idToken": token}, "answer": {"idTokenInfo": wanted}}


def start(value: Any, scope: Scope) -> Step:
    """``start: TAG_OK`` or ``{token:, wh: 0, evse: 1, tx: tx, at: $clock, is: Accepted, more: {}}``.

    1.6 StartTransaction, 2.x TransactionEvent Started; ``$tx`` is the transaction's id afterwards.
    """
    told = value if isinstance(value, dict) else {"token": value}
    tx, evse, wanted = told.get("tx", "tx"), told.get("evse", 1), {"status": told.get("is", "Accepted")}
    if scope.version == "1.6":
        payload = {
            "connectorId": evse,
            "idTag": told["token"],
            "meterStart": told.get("wh", 0),
            "timestamp": told.get("at", "$clock"),
            **told.get("more", {}),
        }
        # A new id each time: what was captured under this name before is another transaction.
        scope.names.pop(tx, None)
        return {"StartTransaction": payload, "answer": {"transactionId": f"$int:{tx}", "idTagInfo": wanted}}
    about = {**told, "tx": tx, "evse": evse, "wh": told.get("wh", 0), "context": "Transaction.Begin"}
    begun = event(["Started", told.get("trigger", "Authorized"), about], scope)
    return {**begun, "answer": {"idTokenInfo": wanted}}


def meter(value: Any, scope: Scope) -> Step:
    """``meter: 3500`` (the register, Wh) or ``{wh:, evse: 1, tx: tx, at: $clock, values: [sampledValue]}``.

    1.6 MeterValues, 2.x TransactionEvent Updated.
    """
    told = value if isinstance(value, dict) else {"wh": value}
    if scope.version != "1.6":
        return event(["Updated", told.get("trigger", "MeterValuePeriodic"), told], scope)
    tx = told.get("tx", "tx")
    payload = {"connectorId": told.get("evse", 1), "meterValue": [_meter_value(told, scope)]}
    return {"MeterValues": payload if tx is None else {**payload, "transactionId": f"${tx}"}}


def stop(value: Any, scope: Scope) -> Step:
    """``stop: 6000`` (the register, Wh) or ``{wh:, tx: tx, token:, reason:, at: $clock, more: {}}``.

    1.6 StopTransaction, 2.x TransactionEvent Ended (``trigger``: StopAuthorized).
    """
    told = value if isinstance(value, dict) else {"wh": value}
    if scope.version != "1.6":
        info = {"stoppedReason": told["reason"]} if "reason" in told else {}
        about = {"wh": 0, **told, "info": info, "context": "Transaction.End"}
        return event(["Ended", told.get("trigger", "StopAuthorized"), about], scope)
    payload = {
        "transactionId": f"${told.get('tx', 'tx')}",
        "meterStop": told.get("wh", 0),
        "timestamp": told.get("at", "$clock"),
        **({"idTag": told["token"]} if "token" in told else {}),
        **({"reason": told["reason"]} if "reason" in told else {}),
        **told.get("more", {}),
    }
    return {"StopTransaction": payload}


def event(value: Any, scope: Scope) -> Step:
    """``event: [Updated, ChargingStateChanged, {state:, token:, type:, evse:, wh:, values:, ...}]``: 2.x alone.

    Also ``tx: tx`` (the transaction's name), ``seq`` (counted otherwise), ``at: $clock``, ``offline``, ``info``
    (members of transactionInfo) and ``more`` (members of the payload).
    """
    if scope.version == "1.6":
        raise Mistaken("`event` is TransactionEvent, which 1.6 has not")
    kind, trigger, told = value[0], value[1], value[2] if len(value) > 2 else {}
    tx = told.get("tx", "tx")
    if kind == "Started" and "seq" not in told:
        scope.names[tx] = f"{tx}{scope.suffix}-{scope.count('transactions')}"
    seq = told["seq"] if "seq" in told else scope.count(f"seq {scope.names.get(tx, tx)}")
    info = {"transactionId": scope.names.get(tx, f"$str:{tx}"), **told.get("info", {})}
    payload: dict[str, Any] = {
        "eventType": kind,
        "triggerReason": trigger,
        "timestamp": told.get("at", "$clock"),
        "seqNo": seq,
        "transactionInfo": {**info, **({"chargingState": told["state"]} if "state" in told else {})},
    }
    if "token" in told:
        payload["idToken"] = _token(told["token"], told.get("type"))
    if "evse" in told:
        evse = told["evse"]
        payload["evse"] = evse if isinstance(evse, dict) else {"id": evse, "connectorId": 1}
    if "wh" in told or "values" in told:
        payload["meterValue"] = [_meter_value(told, scope)]
    if "offline" in told:
        payload["offline"] = told["offline"]
    return {"TransactionEvent": {**payload, **told.get("more", {})}}


def _token(token: Any, kind: str | None) -> Any:
    return token if isinstance(token, dict) else {"idToken": token, "type": kind or _TOKEN_TYPE}


def _meter_value(told: dict[str, Any], scope: Scope) -> dict[str, Any]:
    """One MeterValue: the samples in ``values``, or the register at ``wh``."""
    sample: dict[str, Any] = (
        {"value": str(told["wh"]) if scope.version == "1.6" else told["wh"]} if "wh" in told else {}
    )
    if "context" in told:
        sample["context"] = told["context"]
    return {"timestamp": told.get("at", "$clock"), "sampledValue": told.get("values", [sample])}


SHORTHAND: Final[dict[str, Callable[[Any, Scope], Step]]] = {
    word.__name__: word for word in (boot, status, authorize, start, meter, stop, event)
}

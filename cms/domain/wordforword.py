"""What a call that is OCPP already amounts to among our own orders, where a rule or an effect hangs on it.

Payloads come from a person and were not checked yet: what does not look as it should amounts to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cms.domain.evolve import evolve

if TYPE_CHECKING:
    from cms.domain.intents import Intent

Payload = Mapping[str, Any]
Params = dict[str, Any]


def own(intent: Intent) -> Intent:
    """The intent as the order of ours that its call amounts to; itself where there is none, or it is one of ours."""
    if intent.order != "call":
        return intent
    payload = intent.params.get("payload")
    meant = own_order(str(intent.params.get("action")), payload if isinstance(payload, dict) else {})
    return intent if meant is None else evolve(intent, order=meant[0], params=meant[1])


def own_order(action: str, payload: Payload) -> tuple[str, Params] | None:
    """The order's name in orderbook.ORDERS with those of its fields that rules and effects look at."""
    row = _MEANT.get(action)
    return None if row is None else (row[0], row[1](payload))


def _nothing(_: Payload) -> Params:
    return {}


def _triggered(payload: Payload) -> Params:
    return {"message": str(payload.get("requestedMessage")), "custom": "customTrigger" in payload}


def _key(payload: Payload) -> Params:
    return {"values": {str(payload.get("key")): str(payload.get("value"))}}


def _variables(payload: Payload) -> Params:
    items = payload.get("setVariableData")
    values = {
        f"{_name(item, 'component')}.{_name(item, 'variable')}": str(item.get("attributeValue"))
        for item in (items if isinstance(items, list) else ())
        if isinstance(item, dict)
    }
    return {"values": values}


def _name(item: Payload, of: str) -> str:
    named = item.get(of)
    return str(named.get("name")) if isinstance(named, dict) else ""


def _base_report(payload: Payload) -> Params:
    base = _BASES.get(str(payload.get("reportBase")))
    return {"request_id": payload.get("requestId"), "base": base}


def _report(payload: Payload) -> Params:
    return {"request_id": payload.get("requestId"), "base": None}


def _monitors(payload: Payload) -> Params:
    some = "monitoringCriteria" in payload or "componentVariable" in payload
    return {"request_id": payload.get("requestId"), "some": some}


_BASES = {"FullInventory": "full", "ConfigurationInventory": "configuration", "SummaryInventory": "summary"}

_MEANT: dict[str, tuple[str, Callable[[Payload], Params]]] = {
    "RemoteStartTransaction": ("start", _nothing),
    "RequestStartTransaction": ("start", _nothing),
    "RemoteStopTransaction": ("stop", _nothing),
    "RequestStopTransaction": ("stop", _nothing),
    "TriggerMessage": ("trigger", _triggered),
    "ExtendedTriggerMessage": ("trigger", _triggered),
    "ChangeConfiguration": ("config-set", _key),
    "SetVariables": ("config-set", _variables),
    "GetBaseReport": ("config-report", _base_report),
    "GetReport": ("config-report", _report),
    "GetMonitoringReport": ("monitors-report", _monitors),
}

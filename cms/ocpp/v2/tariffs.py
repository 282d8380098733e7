"""OCPP 2.x block I: CostUpdated, and the tariffs of 2.1 stations (SetDefaultTariff, GetTariffs, ClearTariffs ...)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from cms.contract.tariffs import Bound, Component, Tariff, TariffText, Tax, When
from cms.domain.observations import StationCosts
from cms.domain.orders import OrderAnswer
from cms.domain.tariffs import (
    ChangeTransactionTariff,
    ClearTariffs,
    GetTariffs,
    SetDefaultTariff,
    UpdateCost,
    components,
    plain,
)
from cms.ocpp.translation import Asked, Outgoing, shown, status_of
from cms.ocpp.values import Json, exact, rfc3339, text, whole

#: Field of a tariff -> (its name in TariffType, the name of its price).
_COMPONENTS = {
    "energy": ("energy", "priceKwh"),
    "charging_time": ("chargingTime", "priceMinute"),
    "idle_time": ("idleTime", "priceMinute"),
    "fixed_fee": ("fixedFee", "priceFixed"),
    "reservation_time": ("reservationTime", "priceMinute"),
    "reservation_fixed": ("reservationFixed", "priceFixed"),
}
_CONDITIONS = {
    "from_time": "startTimeOfDay",
    "to_time": "endTimeOfDay",
    "days": "dayOfWeek",
    "from_date": "validFromDate",
    "to_date": "validToDate",
    "evse_kind": "evseKind",
    "payment_brand": "paymentBrand",
    "payment_recognition": "paymentRecognition",
    "min_energy_wh": "minEnergy",
    "max_energy_wh": "maxEnergy",
    "min_current_a": "minCurrent",
    "max_current_a": "maxCurrent",
    "min_power_w": "minPower",
    "max_power_w": "maxPower",
    "min_time_s": "minTime",
    "max_time_s": "maxTime",
    "min_charging_s": "minChargingTime",
    "max_charging_s": "maxChargingTime",
    "min_idle_s": "minIdleTime",
    "max_idle_s": "maxIdleTime",
}
#: What a fixed price can depend on (TariffConditionsFixedType).
_FIXED = frozenset(
    {
        "startTimeOfDay",
        "endTimeOfDay",
        "dayOfWeek",
        "validFromDate",
        "validToDate",
        "evseKind",
        "paymentBrand",
        "paymentRecognition",
    }
)
_BY_BRAND = frozenset({"paymentBrand", "paymentRecognition"})


def tariff(said: Tariff, *, valid_from: bool = True) -> Json:
    """A TariffType. A driver's tariff has no validFrom (I08.FR.09)."""
    written: Json = {"tariffId": said.id, "currency": said.currency}
    if said.texts:
        written["description"] = [message(content) for content in said.texts[:10]]
    if valid_from and said.valid_from is not None:
        written["validFrom"] = rfc3339(said.valid_from)
    for name, component in components(plain(said)):
        key, price = _COMPONENTS[name]
        written[key] = _component(component, price)
    for key, bound in (("minCost", said.min_cost), ("maxCost", said.max_cost)):
        if bound is not None:
            written[key] = _bound(bound)
    return written


def _component(component: Component, name: str) -> Json:
    written: Json = {"prices": [_price(price.amount, price.when, name) for price in component.prices]}
    if component.taxes:
        written["taxRates"] = _taxes(component.taxes)
    return written


def _price(amount: Decimal, when: When | None, name: str) -> Json:
    conditions = {} if when is None else _conditions(when, fixed=name == "priceFixed")
    return {name: amount} | ({"conditions": conditions} if conditions else {})


def _conditions(when: When, *, fixed: bool) -> Json:
    known = {written: getattr(when, name) for name, written in _CONDITIONS.items()}
    said = {name: value for name, value in known.items() if value not in (None, ())}
    if fixed:
        said = {name: value for name, value in said.items() if name in _FIXED}
    else:
        said = {name: value for name, value in said.items() if name not in _BY_BRAND}
    return said | ({"dayOfWeek": list(when.days)} if when.days else {})


def _taxes(taxes: tuple[Tax, ...]) -> list[Json]:
    return [{"type": tax.kind, "tax": tax.percent, "stack": tax.stack} for tax in taxes]


def _bound(bound: Bound) -> Json:
    known = {"exclTax": bound.excl_tax, "inclTax": bound.incl_tax}
    written: Json = {name: value for name, value in known.items() if value is not None}
    return written | ({"taxRates": _taxes(bound.taxes)} if bound.taxes else {})


def message(said: TariffText) -> Json:
    """A MessageContentType; longer than it may be (1024) it is cut."""
    written: Json = {"format": said.format, "content": said.content[:1024]}
    return written | ({"language": said.language} if said.language else {})


#: Member of CostDetails.totalCost -> what we call it.
_PARTS = {
    "fixed": "fixed-fee",
    "energy": "energy",
    "chargingTime": "charging-time",
    "idleTime": "idle-time",
    "reservationTime": "reservation-time",
    "reservationFixed": "reservation-fixed",
}
_KINDS = {"NormalCost": "normal", "MinCost": "minimum", "MaxCost": "maximum"}


def station_costs(details: Json) -> StationCosts:
    """The costDetails of a TransactionEvent. Energy is in kWh there."""
    costs, usage = details["totalCost"], details["totalUsage"]
    excl, incl = _amounts(costs["total"])
    named = {str(p["tariffId"])[:60] for p in details.get("chargingPeriods") or () if p.get("tariffId")}
    failed = details.get("failureToCalculate") is True
    return StationCosts(
        currency=str(costs["currency"])[:3],
        excl_tax=excl,
        incl_tax=incl,
        kind=_KINDS.get(costs["typeOfCost"], "normal"),
        energy_wh=(exact(usage["energy"]) or Decimal(0)) * 1000,
        charging_s=whole(usage["chargingTime"]) or 0,
        idle_s=whole(usage["idleTime"]) or 0,
        parts=tuple((what, *_amounts(costs[key])) for key, what in _PARTS.items() if costs.get(key)),
        tariffs=tuple(sorted(named)[:20]),
        failure=(text(details.get("failureReason")) or "no reason given")[:500] if failed else None,
    )


def _amounts(price: Json) -> tuple[Decimal, Decimal]:
    """(Before taxes, with taxes): a station that names one of them means both."""
    excl, incl = exact(price.get("exclTax")), exact(price.get("inclTax"))
    return (
        excl if excl is not None else incl or Decimal(0),
        incl if incl is not None else excl or Decimal(0),
    )


def update_cost(order: UpdateCost) -> list[Asked]:
    return [("CostUpdated", {"totalCost": order.total, "transactionId": order.transaction_id})]


def set_default(order: SetDefaultTariff) -> list[Asked]:
    return [("SetDefaultTariff", {"evseId": order.evse, "tariff": tariff(order.tariff)})]


def get(order: GetTariffs) -> list[Asked]:
    return [("GetTariffs", {"evseId": order.evse})]


def clear(order: ClearTariffs) -> list[Asked]:
    said: Json = {}
    if order.tariffs:
        said["tariffIds"] = list(order.tariffs)
    if order.evse is not None:
        said["evseId"] = order.evse
    return [("ClearTariffs", said)]


def change(order: ChangeTransactionTariff) -> list[Asked]:
    said = {"transactionId": order.transaction_id, "tariff": tariff(order.tariff, valid_from=False)}
    return [("ChangeTransactionTariff", said)]


def _done(_: Any, answers: Sequence[Json]) -> OrderAnswer:
    """An empty answer says that it was heard."""
    return OrderAnswer("accepted", "Accepted", shown(answers))


def _got(_: GetTariffs, answers: Sequence[Json]) -> OrderAnswer:
    """NoTariff is an answer as good as a list."""
    word = str(answers[0]["status"])
    heard = word in ("Accepted", "NoTariff")
    return OrderAnswer("accepted" if heard else "rejected", word, shown(answers))


def _cleared(_: ClearTariffs, answers: Sequence[Json]) -> OrderAnswer:
    """A tariff that is not there is cleared too (I10)."""
    words = [str(item["status"]) for item in answers[0]["clearTariffsResult"]]
    # None of them is there: nothing is left to clear.
    word = next((word for word in words if word == "Rejected"), words[0] if words else "NoTariff")
    return OrderAnswer("rejected" if word == "Rejected" else "accepted", word, shown(answers))


def _row(calls: Callable[[Any], list[Asked]], understand: Any, action: str) -> Outgoing:
    return Outgoing(calls, understand, (action,))


OUTGOING = {UpdateCost: _row(update_cost, _done, "CostUpdated")}

OUTGOING_21 = {
    SetDefaultTariff: _row(set_default, status_of, "SetDefaultTariff"),
    GetTariffs: _row(get, _got, "GetTariffs"),
    ClearTariffs: _row(clear, _cleared, "ClearTariffs"),
    ChangeTransactionTariff: _row(change, status_of, "ChangeTransactionTariff"),
}

"""Block I: cost that the CSMS tells, and tariffs that a 2.1 station calculates with (I07 to I12)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cms.simulator.evse import Transaction
from cms.simulator.language import Order, info
from cms.simulator.pace import moment, stamp
from cms.simulator.wire import Payload, Reply

if TYPE_CHECKING:
    from cms.simulator.station import Station

#: Parts of a tariff that hold prices, and the price's own name.
PRICES = {
    "energy": "priceKwh",
    "chargingTime": "priceMinute",
    "idleTime": "priceMinute",
    "fixedFee": "priceFixed",
    "reservationTime": "priceMinute",
    "reservationFixed": "priceFixed",
}
MOST_ELEMENTS = 10


def _cost_updated(station: Station, order: Payload) -> Reply:
    station.kept.costs[order["transactionId"]] = float(order["totalCost"])
    evse = station.evse_in(lambda transaction: transaction.id == order["transactionId"])
    if evse is not None:
        station.news(station, "cost", f"EVSE {evse.id} {order['totalCost']}")
        if evse.transaction is not None:
            evse.transaction.stirred.set()
    return Reply({})


def _elements(tariff: Payload) -> list[Payload]:
    return [price for part in PRICES for price in tariff.get(part, {}).get("prices", ())]


def _objection(tariff: Payload) -> str | None:
    """This station has one price of a kind at any time: conditions are beyond it (I07.FR.06)."""
    elements = _elements(tariff)
    if len(elements) > MOST_ELEMENTS:
        return "TooManyElements"
    return "ConditionNotSupported" if any("conditions" in element for element in elements) else None


def _set_default(station: Station, order: Payload) -> Reply:
    tariff, evses = order["tariff"], station.evses_named(order["evseId"] or None)
    if not evses:
        return Reply({"status": "Rejected", **info("UnknownEvse")})
    word = _objection(tariff)
    same_id = [kept for kept in station.kept.tariffs.values() if kept["tariffId"] == tariff["tariffId"]]
    if any(kept != tariff for kept in same_id):
        word = word or "DuplicateTariffId"  # I07.FR.09: one id, one content
    if word is not None:
        return Reply({"status": word})
    for evse in evses:
        station.kept.tariffs[evse.id] = tariff
    return Reply({"status": "Accepted"})


def _get(station: Station, order: Payload) -> Reply:
    evses = [evse.id for evse in station.evses_named(order["evseId"] or None)]
    by_id: dict[str, Payload] = {}
    for evse_id in evses:
        tariff = station.kept.tariffs.get(evse_id)
        if tariff is not None:
            assigned = by_id.setdefault(
                tariff["tariffId"],
                {"tariffId": tariff["tariffId"], "tariffKind": "DefaultTariff", "evseIds": []},
            )
            assigned["evseIds"].append(evse_id)
    return Reply(
        {"status": "Accepted", "tariffAssignments": list(by_id.values())} if by_id else {"status": "NoTariff"}
    )


def _clear(station: Station, order: Payload) -> Reply:
    evses = [evse.id for evse in station.evses_named(order.get("evseId"))]
    there = {
        evse_id: tariff["tariffId"] for evse_id, tariff in station.kept.tariffs.items() if evse_id in evses
    }
    asked = order.get("tariffIds") or sorted(set(there.values()))
    results = []
    for tariff_id in asked:
        gone = [evse_id for evse_id, kept in there.items() if kept == tariff_id]
        for evse_id in gone:
            del station.kept.tariffs[evse_id]
        results.append({"tariffId": tariff_id, "status": "Accepted" if gone else "NoTariff"})
    return Reply({"clearTariffsResult": results or [{"status": "NoTariff"}]})


def _change(station: Station, order: Payload) -> Reply:
    evse = station.evse_in(lambda transaction: transaction.id == order["transactionId"])
    if evse is None or evse.transaction is None:
        return Reply({"status": "TxNotFound"})
    former = tariff_of(station, evse.transaction)
    if former is not None and former["currency"] != order["tariff"]["currency"]:
        return Reply({"status": "NoCurrencyChange"})  # I11.FR.05
    word = _objection(order["tariff"])
    if word is not None:
        return Reply({"status": word})
    evse.transaction.tariff = order["tariff"]

    async def tell() -> None:
        station.charging.tell(evse, "TariffChanged")

    return Reply({"status": "Accepted"}, tell)


def tariff_of(station: Station, transaction: Transaction) -> Payload | None:
    """The driver's own tariff, else the EVSE's (I08)."""
    tariff = transaction.tariff or station.kept.tariffs.get(transaction.evse)
    if tariff is None or ("validFrom" in tariff and moment(tariff["validFrom"]) > transaction.started_at):
        return None
    return tariff


def cost_details(station: Station, transaction: Transaction) -> Payload | None:
    """I12: the bill as this station makes it; None without a tariff."""
    tariff = tariff_of(station, transaction)
    if tariff is None:
        return None
    seconds = 0
    if transaction.ended_at is not None:
        seconds = int((transaction.ended_at - transaction.started_at).total_seconds())
    quantities = {"energy": transaction.energy_wh / 1000, "chargingTime": seconds / 60, "fixedFee": 1.0}
    costs = {
        NAMES.get(part, part): _price(tariff[part], quantity, PRICES[part])
        for part, quantity in quantities.items()
        if part in tariff
    }
    total = {key: round(sum(cost[key] for cost in costs.values()), 6) for key in ("exclTax", "inclTax")}
    kind, total = _bounded(tariff, total)
    cost: dict[str, Any] = {"currency": tariff["currency"], "typeOfCost": kind, "total": total, **costs}
    usage = {"energy": transaction.energy_wh / 1000, "chargingTime": seconds, "idleTime": 0}
    period = {
        "startPeriod": stamp(transaction.started_at),
        "tariffId": tariff["tariffId"],
        "dimensions": [{"type": "Energy", "volume": transaction.energy_wh / 1000}],
    }
    return {"totalCost": cost, "totalUsage": usage, "chargingPeriods": [period]}


#: TotalCost calls one part otherwise than Tariff does.
NAMES = {"fixedFee": "fixed"}


def _price(part: Payload, quantity: float, key: str) -> dict[str, float]:
    net = quantity * float(part["prices"][0][key])
    taxes = sum(float(rate["tax"]) for rate in part.get("taxRates", ()))
    return {"exclTax": round(net, 6), "inclTax": round(net * (1 + taxes / 100), 6)}


def _bounded(tariff: Payload, total: dict[str, float]) -> tuple[str, dict[str, float]]:
    """The least and the most that a transaction costs."""
    for kind, key, beyond in (("MinCost", "minCost", 1), ("MaxCost", "maxCost", -1)):
        bound = tariff.get(key)
        if bound is None:
            continue
        limit = float(bound.get("exclTax", bound.get("inclTax", 0)))
        if (limit - total["exclTax"]) * beyond > 0:
            return kind, {"exclTax": limit, "inclTax": float(bound.get("inclTax", limit))}
    return "NormalCost", total


ORDERS: dict[str, Order] = {"CostUpdated": _cost_updated}
MORE_ORDERS: dict[str, Order] = {
    "SetDefaultTariff": _set_default,
    "GetTariffs": _get,
    "ClearTariffs": _clear,
    "ChangeTransactionTariff": _change,
}

"""Costs for 1.6 stations that show them: DataTransfer of the Open Charge Alliance's "OCPP & California Pricing
Requirements" (section 3), where OCPP 1.6 itself has no words.

Amounts are with taxes, as drivers see them; numbers are JSON numbers in a text.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from cms.contract.tariffs import Component, Price, Tariff
from cms.domain.accounts import Account
from cms.domain.datatransfer import SendData
from cms.domain.sessions import Session, SessionStatus
from cms.domain.tariffs import gross

VENDOR = "org.openchargealliance.costmsg"
#: The key by which a station says that it shows costs, and the one with the price it shows while nobody charges.
KEY, DEFAULT_PRICE = "CustomDisplayCostAndPrice", "DefaultPrice"
_LONGEST_TEXT = 512

_encoder = msgspec.json.Encoder(decimal_format="number")


def _message(name: str, said: dict[str, Any]) -> SendData:
    return SendData(VENDOR, name, _encoder.encode(said).decode())


def user_price(token: str, text: str) -> SendData:
    """What the holder of a card pays, before he begins (SetUserPrice, table 2)."""
    return _message("SetUserPrice", {"idToken": token, "priceText": text[:_LONGEST_TEXT]})


def running_cost(account: Account, session: Session, tariff: Tariff, at: datetime) -> SendData:
    """What a session costs so far, and its present prices (RunningCost, table 4); the register in Wh."""
    said: dict[str, Any] = {
        "transactionId": _number(session),
        "timestamp": at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "meterValue": session.register_wh if session.register_wh is not None else session.energy_wh,
        "cost": account.total,
        "state": "Charging" if session.status == SessionStatus.CHARGING else "Idle",
        "chargingPrice": _charging(account, tariff),
    }
    idle = _idle(account, tariff)
    return _message("RunningCost", said | ({"idlePrice": idle} if idle else {}))


def final_cost(account: Account, session: Session, text: str) -> SendData:
    """What a session came to (FinalCost, table 3)."""
    return _message(
        "FinalCost",
        {"transactionId": _number(session), "cost": account.total, "priceText": text[:_LONGEST_TEXT]},
    )


def default_price(tariff: Tariff, text: str) -> str:
    """The value of DefaultPrice (table 1): what charging costs for everybody."""
    said: dict[str, Any] = {"priceText": text[:_LONGEST_TEXT]}
    prices = _charging(None, tariff)
    return _encoder.encode(said | ({"chargingPrice": prices} if prices else {})).decode()


def _number(session: Session) -> int | str:
    """The transaction's number (1.6)."""
    text = session.transaction_id
    return int(text) if text.isascii() and text.isdecimal() else text


def _charging(account: Account | None, tariff: Tariff) -> dict[str, Decimal]:
    fields = {"kWhPrice": "energy", "hourPrice": "charging_time", "flatFee": "fixed_fee"}
    prices = {name: _present(account, tariff, field) for name, field in fields.items()}
    return {name: price for name, price in prices.items() if price is not None}


def _idle(account: Account, tariff: Tariff) -> dict[str, Decimal | int]:
    price = _present(account, tariff, "idle_time")
    if price is None or tariff.idle_time is None:
        return {}
    said: dict[str, Decimal | int] = {"hourPrice": price}
    grace = [p.when.min_idle_s for p in tariff.idle_time.prices if p.when is not None and p.when.min_idle_s]
    return said | ({"graceMinutes": min(grace) // 60} if grace else {})


def _present(account: Account | None, tariff: Tariff, field: str) -> Decimal | None:
    """What a unit costs now: the price that was last counted, else the one that would hold without conditions."""
    component: Component | None = getattr(tariff, field)
    if component is None:
        return None
    counted = [v for v in account.progress.volumes if v.component == field] if account is not None else []
    if counted and counted[-1].tariff == tariff.id and counted[-1].price < len(component.prices):
        price = component.prices[counted[-1].price]
    else:
        price = next((price for price in component.prices if price.when is None), component.prices[0])
    return _hourly(gross(tariff, component, price), price, field).normalize() + 0


def _hourly(amount: Decimal, price: Price, field: str) -> Decimal:
    return amount * 60 if field.endswith("_time") and not price.per_hour else amount

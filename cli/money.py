"""Money in tables of the command line, as the user's locale writes it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from cms.contract import money as written

money = written.money


def amount(value: Any) -> str:
    """A cell with ``{"amount": "12.50", "currency": "EUR"}``."""
    if not value:
        return ""
    return money(Decimal(value["amount"]), value.get("currency"))

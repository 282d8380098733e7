"""What of an order may be written down: passwords and addresses with credentials may not."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from cms.domain.masking import MASK, masked
from cms.domain.orders import Order

_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


def params_of(order: Order) -> tuple[dict[str, Any], bool]:
    """The order's fields as plain JSON values without its secrets, and whether it had any."""
    fields = {name: value for name, value in msgspec.to_builtins(order).items() if value is not None}
    clean = without_credentials(masked(fields))
    return clean, clean != fields


def without_credentials(value: Any) -> Any:
    """``ftp://user:password@host`` as ``ftp://***@host``, wherever it stands."""
    match value:
        case str():
            return _CREDENTIALS.sub(f"{MASK}@", value)
        case list():
            return [without_credentials(item) for item in value]
        case dict():
            return {key: without_credentials(item) for key, item in value.items()}
    return value

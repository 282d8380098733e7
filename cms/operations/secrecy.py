"""What of an order may be written down: passwords and addresses with credentials may not."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from cms.domain.masking import MASK, masked
from cms.domain.orders import Order
from cms.operations import uploads

_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


def params_of(order: Order) -> tuple[dict[str, Any], bool]:
    """The order's fields as plain JSON values without its secrets, and whether it had any that must be kept.

    The key of an upload address of ours is none of them: it is made anew when the order is sent.
    """
    fields = {name: value for name, value in msgspec.to_builtins(order).items() if value is not None}
    clean = without_credentials(masked(fields))
    return _in_texts(uploads.shown, clean), clean != fields


def without_credentials(value: Any) -> Any:
    """``ftp://user:password@host`` as ``ftp://***@host``, wherever it stands."""
    return _in_texts(lambda text: _CREDENTIALS.sub(f"{MASK}@", text), value)


def _in_texts(change: Callable[[str], str], value: Any) -> Any:
    match value:
        case str():
            return change(value)
        case list():
            return [_in_texts(change, item) for item in value]
        case dict():
            return {key: _in_texts(change, item) for key, item in value.items()}
    return value

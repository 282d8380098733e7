"""What may be written down: of an order neither passwords nor addresses with credentials; a kept secret only sealed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from cms.core import Core
from cms.domain.atrest import Sealed, place
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


def sealed(core: Core, kind: str, station: str, key: str, field: str, secret: str) -> Sealed:
    """A secret as this field of this kept record may hold it."""
    return Sealed(core.keys.seal(*place(kind, station, key), field, secret.encode()))


def opened(core: Core, kind: str, station: str, key: str, field: str, kept: Sealed) -> str:
    """The secret in this field of this kept record."""
    return core.keys.open(*place(kind, station, key), field, kept).decode()


def _in_texts(change: Callable[[str], str], value: Any) -> Any:
    match value:
        case str():
            return change(value)
        case list():
            return [_in_texts(change, item) for item in value]
        case dict():
            return {key: _in_texts(change, item) for key, item in value.items()}
    return value

"""What is imported when it is needed, or when nothing else is to be done: the first picture waits for none of it."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Callable, Iterable
from typing import Any

#: Between two imports of what is not needed yet: keys go first.
REST_S = 0.15


def later(module: str, name: str) -> Callable[..., Any]:
    """What ``name`` of the module makes; the module is imported when it is made."""

    def make(*given: Any, **named: Any) -> Any:
        return getattr(importlib.import_module(module), name)(*given, **named)

    return make


async def fetch_in_advance(modules: Iterable[str]) -> None:
    """Import them one by one, so that no key that opens a screen waits for them."""
    for module in modules:
        if module not in sys.modules:
            await asyncio.sleep(REST_S)
            importlib.import_module(module)

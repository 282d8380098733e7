"""A daemon that writes the row of the audit after the change, to show that the story of the kills finds it.

``python -m tests.security.afterwards --data-dir DIR --ocpp-host H --ocpp-port N``.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from cms.api import app
from cms.core import Core
from cms.daemon import Daemon, serve
from cms.logs import set_up
from cms.operations.auditing import Row, changes_something
from cms.settings import Settings


async def afterwards(row: Row, work: Callable[[Core], Awaitable[Any]]) -> Any:
    """Done first; noted when it is done, in a transaction of its own."""
    answer = await work(row.core)
    if changes_something(row.request):
        await row.core.store.commit((row.ended("changed"),), ())
    return answer


async def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--ocpp-host")
    parser.add_argument("--ocpp-port", type=int)
    set_up("error", "json")
    app.carried_out = afterwards  # type: ignore[attr-defined]
    return await serve(Daemon(Settings(**vars(parser.parse_args()))))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))

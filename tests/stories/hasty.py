"""A daemon that answers before the record is durable, to show that the crash story would find it.

``python -m tests.stories.hasty --data-dir DIR --ocpp-host H --ocpp-port N``. Without ``STORY_EARLY_ACK`` it
is the daemon as it is.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cms.daemon import Daemon, serve
from cms.domain.changes import Change, Happened
from cms.logs import set_up
from cms.settings import Settings

LATE_S = 0.1


class EarlyStore:
    """Everything as the real store does it, but a commit returns before it has begun."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self._tasks: set[asyncio.Task[None]] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, changes: Sequence[Change], events: Sequence[Happened]) -> None:
        task = asyncio.create_task(self._commit_later(changes, events))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _commit_later(self, changes: Sequence[Change], events: Sequence[Happened]) -> None:
        await asyncio.sleep(LATE_S)
        await self._store.commit(changes, events)


class HastyDaemon(Daemon):
    async def start(self) -> None:
        await super().start()
        self.core.store = EarlyStore(self.core.store)


async def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--ocpp-host")
    parser.add_argument("--ocpp-port", type=int)
    set_up("error", "json")
    kind = HastyDaemon if os.environ.get("STORY_EARLY_ACK") else Daemon
    return await serve(kind(Settings(**vars(parser.parse_args()))))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))

"""A child process that commits as fast as it can and says on stdout what it was told is durable.

``python -m tests.store.crashing URL``: ten writers, one line per acknowledged delivery key. It runs until it
is killed.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from collections.abc import Sequence

from cms.contract.events import Event
from cms.store.engine import SqlStore, open_store
from tests.store.things import SetClock, delivery, happened


async def writer(store: SqlStore, number: int) -> None:
    for count in itertools.count():
        key = f"{os.getpid()}/{number}/{count}"
        await store.commit([delivery(key)], [happened(data={"key": key})])
        os.write(1, f"{key}\n".encode())


def ignore(events: Sequence[Event]) -> None:
    """Nobody listens."""


async def main(url: str) -> None:
    store = await open_store(url, SetClock(), ignore)
    await asyncio.gather(*(writer(store, number) for number in range(10)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))

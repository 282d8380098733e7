"""The bare minimum: a websocket server that parses JSON and answers it. Nothing is kept."""

from __future__ import annotations

import asyncio
import json

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed


async def answer(link: ServerConnection) -> None:
    try:
        async for text in link:
            frame = json.loads(text)
            await link.send(json.dumps([3, frame[1], {"currentTime": "2026-03-02T00:00:00Z"}]))
    except ConnectionClosed:
        pass


async def main() -> None:
    async with serve(
        answer, "127.0.0.1", 0, subprotocols=["ocpp1.6", "ocpp2.0.1"], compression=None
    ) as server:
        print(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ocpp", flush=True)
        await asyncio.Future()


if __name__ == "__main__":
    asyncio.run(main())

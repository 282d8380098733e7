"""A central system on the ``ocpp`` package's ChargePoint, answering from memory. Nothing is kept."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime
from typing import Any

from ocpp.routing import on
from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call_result as answer16
from ocpp.v16.datatypes import IdTagInfo
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call_result as answer201
from ocpp.v201.datatypes import IdTokenInfoType
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

NUMBERS = itertools.count(1)


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Old(ChargePoint16):
    @on("BootNotification")
    def booted(self, **_: Any) -> Any:
        return answer16.BootNotification(current_time=now(), interval=300, status="Accepted")

    @on("StatusNotification")
    def status(self, **_: Any) -> Any:
        return answer16.StatusNotification()

    @on("Authorize")
    def authorize(self, **_: Any) -> Any:
        return answer16.Authorize(id_tag_info=IdTagInfo(status="Accepted"))

    @on("StartTransaction")
    def started(self, **_: Any) -> Any:
        return answer16.StartTransaction(
            transaction_id=next(NUMBERS), id_tag_info=IdTagInfo(status="Accepted")
        )

    @on("MeterValues")
    def metered(self, **_: Any) -> Any:
        return answer16.MeterValues()

    @on("StopTransaction")
    def stopped(self, **_: Any) -> Any:
        return answer16.StopTransaction()


class New(ChargePoint201):
    @on("BootNotification")
    def booted(self, **_: Any) -> Any:
        return answer201.BootNotification(current_time=now(), interval=300, status="Accepted")

    @on("StatusNotification")
    def status(self, **_: Any) -> Any:
        return answer201.StatusNotification()

    @on("Authorize")
    def authorize(self, **_: Any) -> Any:
        return answer201.Authorize(id_token_info=IdTokenInfoType(status="Accepted"))

    @on("TransactionEvent")
    def transaction(self, **_: Any) -> Any:
        return answer201.TransactionEvent()


async def answer(link: ServerConnection) -> None:
    assert link.request is not None
    kind = Old if link.subprotocol == "ocpp1.6" else New
    try:
        await kind(link.request.path.rsplit("/", 1)[1], link).start()
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

"""T30: after somebody was erased his card is nowhere: not in the database, not in its journal, not in the log.

The daemon is a process of its own, with a station that speaks 1.6 and one that speaks 2.0.1.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from cms.client import Address, AsyncClient
from cms.contract.audit import VerifyAudit
from cms.contract.drivers import AddDriver, AddDriverNote, EraseDriver, ExportDriver
from cms.contract.sessions import ListSessions
from cms.contract.stations import AddStation, ListMessages
from cms.contract.tokens import AddToken, BlockToken, UnblockToken
from tests.fleet import serving
from tests.ocpp.test_endpoint import basic

CARD, NAME, MAIL = "CANARY04A1B2C3D4", "Canary Wharf-Jones 3rd", "canary@example.org"
NEEDLES = (b"canary04a1", b"canary wharf", b"canary@example")


def holding(folder: Path) -> list[str]:
    """Files in which he is named."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {"cms.db", "log"} <= {path.name for path in files}
    return [p.name for p in files if any(needle in p.read_bytes().lower() for needle in NEEDLES)]


class Station:
    """Says one thing after the other and hears the answers."""

    def __init__(self, socket: Any) -> None:
        self.socket, self.number = socket, 0

    async def say(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        self.number += 1
        await self.socket.send(json.dumps([2, str(self.number), action, payload]))
        while True:
            frame = json.loads(await self.socket.recv())
            if frame[0] == 3 and frame[1] == str(self.number):
                answer: dict[str, Any] = frame[2]
                return answer
            assert frame[0] == 2
            await self.socket.send(json.dumps([4, frame[1], "NotSupported", "", {}]))


async def charges_16(url: str, headers: Any) -> None:
    async with connect(
        url, subprotocols=[Subprotocol("ocpp1.6")], proxy=None, additional_headers=headers
    ) as socket:
        station, at = Station(socket), "2026-05-04T12:00:00Z"
        await station.say("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
        assert (await station.say("Authorize", {"idTag": CARD.lower()}))["idTagInfo"]["status"] == "Accepted"
        begun = {"connectorId": 1, "idTag": CARD, "meterStart": 0, "timestamp": at}
        number = (await station.say("StartTransaction", begun))["transactionId"]
        over = {"transactionId": number, "idTag": CARD, "meterStop": 4200, "timestamp": at}
        await station.say("StopTransaction", over)
        lost = {"transactionId": 4711, "idTag": CARD, "meterStop": 1, "timestamp": at}
        await station.say("StopTransaction", lost)


async def charges_201(socket: Any) -> None:
    station, at = Station(socket), "2026-05-04T12:00:00Z"
    boot = {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}}
    await station.say("BootNotification", boot)
    token = {"idToken": CARD, "type": "ISO14443"}
    await station.say("Authorize", {"idToken": token})
    for number, kind in enumerate(("Started", "Ended")):
        said = {
            "eventType": kind,
            "timestamp": at,
            "triggerReason": "Authorized",
            "seqNo": number,
            "transactionInfo": {"transactionId": "tx-1"},
            "idToken": token,
            "evse": {"id": 1, "connectorId": 1},
        }
        await station.say("TransactionEvent", said)


async def test_after_erasure_the_card_is_nowhere(tmp_path: Path) -> None:
    with serving(tmp_path, environ={"CMS_LOG_LEVEL": "debug"}) as (process, status):
        async with AsyncClient(Address(socket=str(tmp_path / "cms.sock")), timeout_s=60) as client:
            old, new = [await client.ask(AddStation(name)) for name in ("CP1", "CP2")]
            await client.ask(AddDriver("D-1", name=NAME, email=MAIL))
            await client.ask(AddToken(CARD, driver="D-1", visual_number="CANARY04A1"))
            await client.ask(AddDriverNote("D-1", f"{NAME} wrote from {MAIL}"))
            await client.ask(BlockToken(CARD, reason="lost"))
            await client.ask(UnblockToken(CARD))
            await charges_16(f"{status['ocpp_url']}/CP1", basic("CP1", old.password))
            async with connect(
                f"{status['ocpp_url']}/CP2",
                subprotocols=[Subprotocol("ocpp2.0.1")],
                proxy=None,
                additional_headers=basic("CP2", new.password),
            ) as socket:
                await charges_201(socket)
                told = await client.ask(ExportDriver("D-1"))
                assert (told.driver.name, len(told.sessions)) == (NAME, 2)
                assert holding(tmp_path), "before, he is everywhere: else this test proves nothing"
                done = await client.ask(EraseDriver("D-1", reason="asked for it"))
                assert done.done and done.rows.keys() >= {"sessions", "events", "deliveries", "quarantine"}
                frames = await client.ask(ListMessages("CP2"))
                assert CARD not in str(frames) and len(frames) >= 2, "frames without him stay"
                assert holding(tmp_path) == []
            sessions = await client.ask(ListSessions())
            assert sorted(session.energy_wh for session in sessions) == [0, 4200], "totals are kept"
            assert len({session.token for session in sessions}) == 1, "one alias for one card"
            assert (await client.ask(VerifyAudit())).rows > 5
        process.terminate()
        process.wait(30)
    assert holding(tmp_path) == []

"""Station software that is not ours completes sessions; every frame both ways is valid by the published schemas.

The ``ocpp`` package's ChargePoint for 1.6 and 2.0.1, and ``ocpp-rpc`` (npm, strict mode) where it is installed:
see ocpp_rpc/README.md. Every single action: test_orders.py and test_said_by_stations.py.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ocpp.routing import after, on
from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call as call16
from ocpp.v16 import call_result as answer16
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call as call201
from ocpp.v201 import call_result as answer201
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from cms.client import AsyncClient
from cms.contract.intents import AwaitIntent, IntentView
from cms.contract.sessions import ListSamples, ListSessions, SessionView, StartSession, StopSession
from cms.contract.stations import ResetStation, ShowStation
from cms.daemon import Daemon
from tests.fleet import client_of, ended, enrol, running
from tests.stories.peers import RPC, Checked, ocpp_rpc, until_closed

CARD = "04A1B2C3"
logging.getLogger("ocpp").setLevel(logging.ERROR)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Station16(ChargePoint16):
    """A 1.6 station of one connector; what it is told to do it does after its answer."""

    meter_wh = 1000
    number: int | None = None

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.told_to_reset = asyncio.Event()

    @on("RemoteStartTransaction")
    def remote_start(self, **_: Any) -> Any:
        return answer16.RemoteStartTransaction(status="Accepted")

    @after("RemoteStartTransaction")
    async def then_start(self, id_tag: str, **_: Any) -> None:
        await self.begin(id_tag)

    @on("RemoteStopTransaction")
    def remote_stop(self, transaction_id: int) -> Any:
        known = transaction_id == self.number
        return answer16.RemoteStopTransaction(status="Accepted" if known else "Rejected")

    @after("RemoteStopTransaction")
    async def then_stop(self, **_: Any) -> None:
        await self.end("Remote")

    @on("Reset")
    def reset(self, type: str) -> Any:
        return answer16.Reset(status="Accepted")

    @after("Reset")
    def then_reset(self, **_: Any) -> None:
        self.told_to_reset.set()

    async def boot(self) -> None:
        answer = await self.call(
            call16.BootNotification(charge_point_vendor="Independent", charge_point_model="Sixteen"),
            suppress=False,
        )
        assert answer.status == "Accepted"
        for connector in (0, 1):
            await self.status("Available", connector)

    async def status(self, word: str, connector: int = 1) -> None:
        await self.call(
            call16.StatusNotification(
                connector_id=connector, error_code="NoError", status=word, timestamp=now()
            ),
            suppress=False,
        )

    async def authorize(self) -> None:
        answer = await self.call(call16.Authorize(id_tag=CARD), suppress=False)
        assert answer.id_tag_info["status"] == "Accepted"

    async def begin(self, token: str = CARD) -> None:
        answer = await self.call(
            call16.StartTransaction(connector_id=1, id_tag=token, meter_start=self.meter_wh, timestamp=now()),
            suppress=False,
        )
        assert answer.id_tag_info["status"] == "Accepted"
        self.number = answer.transaction_id
        await self.status("Charging")

    async def measure(self) -> None:
        self.meter_wh += 500
        sample = {"value": str(self.meter_wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
        await self.call(
            call16.MeterValues(
                connector_id=1,
                transaction_id=self.number,
                meter_value=[{"timestamp": now(), "sampled_value": [sample]}],
            ),
            suppress=False,
        )

    async def end(self, reason: str = "Local") -> None:
        await self.call(
            call16.StopTransaction(
                meter_stop=self.meter_wh,
                timestamp=now(),
                transaction_id=self.number,
                reason=reason,
                id_tag=CARD,
            ),
            suppress=False,
        )
        await self.status("Available")


class Station201(ChargePoint201):
    """A 2.0.1 station of one EVSE; what it is told to do it does after its answer."""

    meter_wh = 1000
    transaction = ""
    seq_no = 0

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.told_to_reset = asyncio.Event()

    @on("RequestStartTransaction")
    def request_start(self, **_: Any) -> Any:
        return answer201.RequestStartTransaction(status="Accepted")

    @after("RequestStartTransaction")
    async def then_start(self, id_token: dict[str, Any], remote_start_id: int, **_: Any) -> None:
        await self.begin(id_token["id_token"], id_token["type"], "RemoteStart", remote_start_id)

    @on("RequestStopTransaction")
    def request_stop(self, transaction_id: str) -> Any:
        known = transaction_id == self.transaction
        return answer201.RequestStopTransaction(status="Accepted" if known else "Rejected")

    @after("RequestStopTransaction")
    async def then_stop(self, **_: Any) -> None:
        await self.end("Remote", "RemoteStop")

    @on("Reset")
    def reset(self, type: str, **_: Any) -> Any:
        return answer201.Reset(status="Accepted")

    @after("Reset")
    def then_reset(self, **_: Any) -> None:
        self.told_to_reset.set()

    async def boot(self) -> None:
        answer = await self.call(
            call201.BootNotification(
                charging_station={"vendor_name": "Independent", "model": "TwoOhOne"}, reason="PowerUp"
            ),
            suppress=False,
        )
        assert answer.status == "Accepted"
        await self.status("Available")

    async def status(self, word: str) -> None:
        await self.call(
            call201.StatusNotification(timestamp=now(), connector_status=word, evse_id=1, connector_id=1),
            suppress=False,
        )

    async def authorize(self) -> None:
        token = {"id_token": CARD, "type": "ISO14443"}
        answer = await self.call(call201.Authorize(id_token=token), suppress=False)
        assert answer.id_token_info["status"] == "Accepted"

    async def begin(
        self,
        token: str = CARD,
        kind: str = "ISO14443",
        trigger: str = "Authorized",
        remote_start_id: int | None = None,
    ) -> None:
        self.transaction, self.seq_no = str(uuid.uuid4()), 0
        remote = {} if remote_start_id is None else {"remote_start_id": remote_start_id}
        answer = await self._event(
            "Started",
            trigger,
            remote,
            evse={"id": 1, "connector_id": 1},
            id_token={"id_token": token, "type": kind},
        )
        assert answer.id_token_info["status"] == "Accepted"
        await self.status("Occupied")

    async def measure(self) -> None:
        self.meter_wh += 500
        await self._event("Updated", "MeterValuePeriodic", {})

    async def end(self, reason: str = "Local", trigger: str = "StopAuthorized") -> None:
        await self._event("Ended", trigger, {"stopped_reason": reason})
        await self.status("Available")

    async def _event(self, kind: str, trigger: str, info: dict[str, Any], **more: Any) -> Any:
        sample = {
            "value": float(self.meter_wh),
            "measurand": "Energy.Active.Import.Register",
            "context": {"Started": "Transaction.Begin", "Ended": "Transaction.End"}.get(
                kind, "Sample.Periodic"
            ),
        }
        event = call201.TransactionEvent(
            event_type=kind,
            timestamp=now(),
            trigger_reason=trigger,
            seq_no=self.seq_no,
            transaction_info={"transaction_id": self.transaction, **info},
            meter_value=[{"timestamp": now(), "sampled_value": [sample]}],
            **more,
        )
        self.seq_no += 1
        return await self.call(event, suppress=False)


STATIONS = {"1.6": Station16, "2.0.1": Station201}


class Bench:
    """A daemon with one independent station, which may connect again and again."""

    def __init__(self, daemon: Daemon, client: AsyncClient, version: str, password: str) -> None:
        self._url = f"{daemon.endpoint.url}/IND-1"
        self._login = b64encode(f"IND-1:{password}".encode()).decode()
        self._version = version
        self.client = client
        self.checked: list[str] = []

    @asynccontextmanager
    async def station(self) -> AsyncIterator[Any]:
        """The station while it is connected; at the end every frame must have been valid."""
        async with connect(
            self._url,
            subprotocols=[Subprotocol(f"ocpp{self._version}")],
            additional_headers={"Authorization": f"Basic {self._login}"},
            proxy=None,
        ) as socket:
            checked = Checked(socket, self._version)
            station = STATIONS[self._version]("IND-1", checked)
            reading = asyncio.create_task(until_closed(station))
            try:
                yield station
            finally:
                await ended(reading)
                self.checked += checked.checked
                assert checked.wrong == []

    async def effect(self, order: Any) -> IntentView:
        """Give an order and wait until its effect was seen."""
        intent = await self.client.ask(order)
        seen: IntentView = await self.client.ask(AwaitIntent(intent.id, wait_s=20))
        assert seen.status == "confirmed", seen
        return seen

    async def sessions(self) -> list[SessionView]:
        """Oldest first."""
        return list(reversed(await self.client.ask(ListSessions())))


@asynccontextmanager
async def a_bench(folder: Path, version: str) -> AsyncIterator[Bench]:
    async with running(folder) as daemon, client_of(daemon) as client:
        passwords = await enrol(client, ["IND-1"], [CARD])
        yield Bench(daemon, client, version, passwords["IND-1"])


@pytest.mark.parametrize("version", STATIONS)
async def test_the_ocpp_package_completes_a_session(version: str, tmp_path: Path) -> None:
    async with a_bench(tmp_path, version) as bench:
        async with bench.station() as station:
            await station.boot()
            await station.authorize()
            await station.begin()
            await station.measure()
            await station.measure()
            await station.end()
        [session] = await bench.sessions()
        assert (session.status, session.energy_wh, session.token) == ("ended", 1000, CARD)
        assert session.meter_start_wh == 1000 and session.meter_stop_wh == 2000
        assert len(await bench.client.ask(ListSamples(session.id))) >= 2
        told = await bench.client.ask(ShowStation("IND-1"))
        assert told.vendor == "Independent" and told.ocpp_version == version
    start = "StartTransaction" if version == "1.6" else "TransactionEvent"
    assert {"BootNotification", "Authorize answer", f"{start} answer"} <= set(bench.checked)


@pytest.mark.parametrize("version", STATIONS)
async def test_the_ocpp_package_obeys_start_stop_and_reset(version: str, tmp_path: Path) -> None:
    async with a_bench(tmp_path, version) as bench:
        async with bench.station() as station:
            await station.boot()
            await bench.effect(StartSession(station="IND-1", token=CARD, evse=1))
            [session] = await bench.sessions()
            assert session.status in ("pending", "charging")
            await station.measure()
            await bench.effect(StopSession(session=session.id))
            [session] = await bench.sessions()
            assert (session.status, session.energy_wh, session.stop_reason) == ("ended", 500, "Remote")
            reset = await bench.client.ask(ResetStation(station="IND-1"))
            await station.told_to_reset.wait()
            assert reset.status == "accepted"
        async with bench.station() as station:
            await station.boot()
            seen = await bench.client.ask(AwaitIntent(reset.id, wait_s=20))
        assert seen.status == "confirmed"
    assert "Reset" in bench.checked


@pytest.mark.parametrize("version", STATIONS)
async def test_ocpp_rpc_in_strict_mode_completes_a_session(version: str, tmp_path: Path) -> None:
    environ = ocpp_rpc()
    async with running(tmp_path) as daemon, client_of(daemon) as client:
        passwords = await enrol(client, ["RPC-1"], [CARD])
        station = await asyncio.create_subprocess_exec(
            "node",
            str(RPC / "station.js"),
            *(daemon.endpoint.url, "RPC-1", passwords["RPC-1"], f"ocpp{version}", CARD),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environ,
        )
        said, wrong = await station.communicate()
        assert station.returncode == 0, wrong.decode()
        [session] = await client.ask(ListSessions())
        assert (session.status, session.energy_wh, session.token) == ("ended", 1500, CARD)
        assert json.loads(said)["energy_wh"] == 1500

"""What a real station, a driver's record and a stranger supply to a real daemon, on the screens and in the commands."""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from cms.client import Address, ask
from cms.contract.drivers import AddDriver
from cms.contract.refusals import Refusal
from cms.contract.sites import AddSite
from cms.contract.stations import AddStation, ListStations
from cms.contract.tokens import AddToken
from tests.fleet import serving
from tests.security.commands import Teller
from tests.security.consoles import console
from tests.security.hosts import cms
from tests.security.strings import HOSTILE, MARK
from tests.security.terminal import COMMAND, screened

__all__ = ["cms"]

STATION = "CP1"


def attack(number: int, longest: int) -> str:
    """One of the hostile texts that OCPP's field has room for."""
    fitting = [text for text in HOSTILE if len(text) <= longest]
    return fitting[number % len(fitting)]


class Station:
    """A station over OCPP 1.6J that says what it likes."""

    def __init__(self, line: ClientConnection) -> None:
        self._line = line
        self._count = 0

    def says(self, action: str, **told: Any) -> Any:
        """Send a call and give what came in answer; calls of the other side meanwhile are refused."""
        self._count += 1
        self._line.send(json.dumps([2, f"{MARK}{self._count}", action, told]))
        while True:
            kind, key, *rest = json.loads(self._line.recv(10))
            if kind == 2:
                self._line.send(json.dumps([4, key, "NotSupported", attack(1, 255), {"a": attack(2, 255)}]))
            elif key == f"{MARK}{self._count}":
                return rest


def live(url: str, password: str) -> None:
    """A station's life in a minute, every text of it an attack."""
    proof = base64.b64encode(f"{STATION}:{password}".encode()).decode()
    protocols = [Subprotocol("ocpp1.6")]
    headers = {"Authorization": f"Basic {proof}"}
    with connect(f"{url}/{STATION}", subprotocols=protocols, additional_headers=headers) as line:
        station = Station(line)
        now = datetime.now(UTC).isoformat()
        station.says(
            "BootNotification",
            chargePointVendor=attack(0, 20),
            chargePointModel=attack(1, 20),
            chargePointSerialNumber=attack(2, 25),
            firmwareVersion=attack(3, 50),
            iccid=attack(4, 20),
        )
        for number in range(1, 9):
            station.says(
                "StatusNotification",
                connectorId=number,
                errorCode="OtherError",
                status="Faulted" if number % 2 else "Available",
                info=attack(number, 50),
                vendorId=attack(number + 1, 255),
                vendorErrorCode=attack(number + 2, 50),
                timestamp=now,
            )
        for number in range(len(HOSTILE)):
            station.says("Authorize", idTag=attack(number, 20))
            station.says(
                "DataTransfer",
                vendorId=attack(number, 255),
                messageId=attack(number, 50),
                data=HOSTILE[number],
            )
            station.says(
                "SecurityEventNotification",
                type=attack(number, 50),
                timestamp=now,
                techInfo=attack(number, 255),
            )
        started = station.says(
            "StartTransaction", connectorId=2, idTag=attack(3, 20), meterStart=0, timestamp=now
        )
        values = [{"timestamp": now, "sampledValue": [{"value": attack(1, 50), "format": "Raw"}]}]
        station.says("MeterValues", connectorId=2, meterValue=values)
        station.says(
            "StopTransaction",
            transactionId=started[0]["transactionId"],
            idTag=attack(4, 20),
            meterStop=5,
            timestamp=now,
        )
        station.says("DiagnosticsStatusNotification", status="Uploaded")
        station.says(MARK + "[/]", **{MARK: attack(5, 255)})


@pytest.fixture(scope="module")
def supplied() -> Iterator[str]:
    """The socket of a daemon that was told all this."""
    with tempfile.TemporaryDirectory(prefix="cms-") as folder, serving(Path(folder)) as (_, status):
        address = Address(socket=status["socket"])
        password = ask(AddStation(STATION), address)["password"]
        for text in HOSTILE:
            with suppress(Refusal):  # what is refused is supplied nowhere
                ask(AddDriver(name=text), address)
            with suppress(Refusal):
                ask(AddToken(text), address)
            with suppress(Refusal):
                ask(AddSite(site=text, name=text), address)
            with suppress(InvalidStatus):
                connect(f"{status['ocpp_url']}/{quote(text, safe='')}", subprotocols=[Subprotocol("ocpp1.6")])
        live(status["ocpp_url"], password)
        assert ask(ListStations(), address)[0]["vendor"]
        yield status["socket"]


def test_the_screens_of_a_real_daemon_are_harmless(supplied: str) -> None:
    with console(supplied) as seat:
        seat.sees("● live", MARK)
        for key in "2345":
            seat.press(key)
            seat.sees(MARK)
        seat.goes("2", "Stations")
        seat.leaves("\r")
        seat.sees("Frames", MARK)


@pytest.mark.parametrize(
    "words",
    [
        "status", "stations list", f"stations show {STATION}", "stations unknown", f"stations messages {STATION}",
        "events",
        "sessions list", "sessions quarantine", "drivers list", "tokens list", "sites list", "security events",
        "audit list", "monitoring problems", "tokens unknown list", f"security show {STATION}",
    ],
)  # fmt: skip
def test_the_commands_of_a_real_daemon_are_harmless(supplied: str, cms: Teller, words: str) -> None:
    for output in ("table", "wide", "csv", "jsonl"):
        code, sent = cms("--socket", supplied, "-o", output, *words.split())
        assert screened(sent, COMMAND) == []
        assert code in (0, 2), sent

"""T5, T12, T29: a secret that passed through the daemon is in no log, no table, no journal, no event and no audit row.

The daemon is a process of its own that says all it can; then every file that it wrote is searched.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from cms.client import Address, AsyncClient
from cms.contract.audit import ListAudit
from cms.contract.events import ListEvents
from cms.contract.payments import SetUpWebPayment
from cms.contract.security import RotatePassword
from cms.contract.stations import AddStation, SetConfiguration
from tests.fleet import serving, stations_url
from tests.ocpp.test_endpoint import basic

CHOSEN, GUESSED, BY_HAND = "canary-chosen-by-a-person", "canary-guessed-by-a-thief", "canary-set-by-hand"


def spellings(secret: str) -> Iterator[bytes]:
    raw = secret.encode()
    yield raw
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    yield base64.b64encode(raw).rstrip(b"=")[:-1]


def found(folder: Path, secrets: set[str]) -> list[str]:
    """Where a secret lies readable: file and the secret."""
    files = [(path, path.read_bytes()) for path in folder.rglob("*") if path.is_file()]
    assert any(path.name == "cms.db" for path, _ in files) and any(path.name == "log" for path, _ in files)
    return [
        f"{path.relative_to(folder)}: {secret}"
        for path, content in files
        for secret in secrets
        if any(spelling in content for spelling in spellings(secret))
    ]


class Station:
    """A station that accepts whatever it is told, and remembers the secrets in it."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.told: set[str] = set()

    async def come(self, url: str, identity: str, password: str) -> ClientConnection:
        return await connect(
            f"{url}/{identity}",
            subprotocols=[Subprotocol(f"ocpp{self.version}")],
            proxy=None,
            additional_headers=basic(identity, password),
        )

    async def obey(self, client: ClientConnection) -> None:
        message = json.loads(await client.recv())
        payload = message[3]
        if message[2] == "ChangeConfiguration":
            self.told.add(payload["value"])
            answer: dict[str, Any] = {"status": "Accepted"}
        else:
            sets = payload["setVariableData"]
            secret = {"SharedSecret", "BasicAuthPassword"}
            self.told |= {s["attributeValue"] for s in sets if s["variable"]["name"] in secret}
            results = [
                {"attributeStatus": "Accepted", **{k: s[k] for k in ("component", "variable")}} for s in sets
            ]
            answer = {"setVariableResult": results}
        await client.send(json.dumps([3, message[1], answer]))


async def ordered(http: AsyncClient, station: Station, client: ClientConnection, request: Any) -> None:
    asked = asyncio.create_task(http.ask(request))
    await station.obey(client)
    await asked


async def everything(folder: Path, url: str) -> set[str]:
    """One life with secrets; all that must be found nowhere."""
    old, new = Station("1.6"), Station("2.1")
    async with AsyncClient(Address(socket=str(folder / "cms.sock"))) as http:
        await http.ask(AddStation("CP-1", password=CHOSEN))
        generated = (await http.ask(AddStation("CP-2"))).password
        with pytest.raises(InvalidStatus):
            await old.come(url, "CP-1", GUESSED)
        async with await old.come(url, "CP-1", CHOSEN) as client:
            await ordered(http, old, client, RotatePassword(station="CP-1"))
            values = {"AuthorizationKey": BY_HAND}
            await ordered(http, old, client, SetConfiguration(station="CP-1", values=values))
        async with await new.come(url, "CP-2", generated) as client:
            await ordered(http, new, client, RotatePassword(station="CP-2"))
            await ordered(http, new, client, SetUpWebPayment(station="CP-2"))
        heard = json.dumps(
            [str(await http.ask(ListEvents(limit=500))), str(await http.ask(ListAudit(limit=500)))]
        )
    secrets = {CHOSEN, GUESSED, BY_HAND, generated, *old.told, *new.told}
    assert len(secrets) == 7, "every one of them crossed the daemon"
    assert not any(secret in heard for secret in secrets)
    return secrets


async def test_no_secret_lies_readable_in_anything_that_the_daemon_writes(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with serving(data, "--log-level", "debug") as (process, status):
        secrets = await everything(data, stations_url(status["ocpp_url"]))
        assert found(data, secrets) == [], "while it runs, its journal of the database included"
        process.terminate()
        process.wait(20)
    assert found(data, secrets) == []


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "cms.db").write_bytes(b"..." + CHOSEN.encode().hex().encode())
    (tmp_path / "log").write_bytes(
        base64.b64encode(b"CP-1:" + CHOSEN.encode()) + base64.b64encode(GUESSED.encode())
    )
    assert found(tmp_path, {CHOSEN}) == [f"cms.db: {CHOSEN}"]
    assert found(tmp_path, {GUESSED}) == [f"log: {GUESSED}"]

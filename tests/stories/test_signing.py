"""A station that asks for a certificate hears the answer first: many lose what comes before it (2.x A02.FR.11)."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect

from cms.client import Address, AsyncClient
from cms.contract.certificates import CreateAuthority, ListCertificates
from cms.contract.stations import AddStation
from tests.fleet import running
from tests.ocpp.test_endpoint import basic
from tests.pki.world import csr

BOOT = {
    "ocpp1.6": {"chargePointVendor": "V", "chargePointModel": "M", "chargePointSerialNumber": "SN-1"},
    "ocpp2.0.1": {
        "reason": "PowerUp",
        "chargingStation": {"vendorName": "V", "model": "M", "serialNumber": "SN-1"},
    },
}


async def heard(client: ClientConnection) -> list[object]:
    frame: list[object] = json.loads(await client.recv())
    return frame


@pytest.mark.parametrize("protocol", list(BOOT))
async def test_the_answer_comes_before_the_certificate_every_time(tmp_path: Path, protocol: str) -> None:
    async with running(tmp_path) as daemon, AsyncClient(Address(socket=str(tmp_path / "cms.sock"))) as ask:
        await ask.ask(CreateAuthority())
        credential = await ask.ask(AddStation("CP1"))
        async with connect(
            f"{daemon.endpoint.url}/CP1",
            subprotocols=[protocol],  # type: ignore[list-item]
            additional_headers=basic("CP1", credential.password),
            proxy=None,
        ) as client:
            await client.send(json.dumps([2, "b", "BootNotification", BOOT[protocol]]))
            assert (await heard(client))[:2] == [3, "b"]
            for number in range(20):
                asked, _ = csr("SN-1")
                await client.send(json.dumps([2, f"s{number}", "SignCertificate", {"csr": asked}]))
                assert await heard(client) == [3, f"s{number}", {"status": "Accepted"}]
                order = await heard(client)
                assert order[2] == "CertificateSigned"
                await client.send(json.dumps([3, order[1], {"status": "Accepted"}]))
                async with asyncio.timeout(5):
                    while any(one.status != "installed" for one in await ask.ask(ListCertificates())):
                        pass  # the next request would find this one in work

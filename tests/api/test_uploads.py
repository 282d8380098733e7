"""Stations put their logs at our own address, over real sockets."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from cms.client import AsyncClient
from cms.contract.jobs import GetLog, ListJobs, ReadUpload
from tests.fleet import client_of, enrol, running, stations_url

BOOT = {"chargePointVendor": "V", "chargePointModel": "M"}


@asynccontextmanager
async def asked_for_a_log(folder: Path, **settings: Any) -> AsyncIterator[tuple[AsyncClient, str]]:
    """A daemon, and the address that its station was told to put its diagnostics at."""
    settings = {"upload_port": 0, "upload_host": "127.0.0.1", **settings}
    async with running(folder, **settings) as daemon, client_of(daemon) as client:
        password = (await enrol(client, ["CP1"], []))["CP1"]
        basic = base64.b64encode(f"CP1:{password}".encode()).decode()
        url = stations_url(daemon.core.terms.ocpp_url) + "/CP1"
        headers = {"Authorization": f"Basic {basic}"}
        async with connect(url, subprotocols=["ocpp1.6"], additional_headers=headers) as station:
            await station.send(json.dumps([2, "1", "BootNotification", BOOT]))
            await station.recv()
            order = asyncio.create_task(client.ask(GetLog(station="CP1")))
            _, message_id, action, payload = json.loads(await station.recv())
            assert action == "GetDiagnostics"
            await station.send(json.dumps([3, message_id, {"fileName": "d.zip"}]))
            await order
            yield client, payload["location"]


async def uploads(client: AsyncClient) -> list[Any]:
    (job,) = await client.ask(ListJobs("CP1", "log"))
    return [(upload.name, upload.size) for upload in job.uploads]


async def put(url: str, **how: Any) -> httpx.Response:
    async with httpx.AsyncClient() as http:
        return await http.put(url, **how)


async def post(url: str, **how: Any) -> httpx.Response:
    async with httpx.AsyncClient() as http:
        return await http.post(url, **how)


async def test_a_file_comes_by_put_by_form_and_by_bare_post(tmp_path: Path) -> None:
    async with asked_for_a_log(tmp_path) as (client, url):
        assert (await put(url + "/one.log", content=b"1" * 700_000)).status_code == 201
        assert (await post(url, files={"file": ("two.log", b"22")})).status_code == 201
        named = {"Content-Disposition": 'attachment; filename="../three.log"'}
        assert (await post(url, content=b"333", headers=named)).status_code == 201
        assert await uploads(client) == [("one.log", 700_000), ("two.log", 2), ("three.log", 3)]
        (job,) = await client.ask(ListJobs("CP1", "log"))
        part = await client.ask(ReadUpload("CP1", job.request_id, "three.log"))
        assert (base64.b64decode(part.content), part.next_offset) == (b"333", None)


async def test_a_file_without_a_name_is_kept_under_the_name_that_the_station_told(tmp_path: Path) -> None:
    async with asked_for_a_log(tmp_path) as (client, url):
        assert (await put(url, content=b"1")).status_code == 201
        assert await uploads(client) == [("d.zip", 1)]


async def test_only_the_right_address_takes_a_file_and_nothing_is_redirected(tmp_path: Path) -> None:
    async with asked_for_a_log(tmp_path) as (client, url):
        wrong = url[:-1] + ("0" if url[-1] != "0" else "1")
        assert (await put(wrong, content=b"x")).status_code == 403
        assert (await put(url.replace("/CP1/", "/CP2/"), content=b"x")).status_code == 403
        async with httpx.AsyncClient() as http:
            assert (await http.get(url)).status_code == 405
        assert (await put(url.partition("/uploads")[0] + "/", content=b"x")).status_code == 404
        assert await uploads(client) == []


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_file_that_is_too_long_is_refused_and_leaves_nothing(tmp_path: Path, chunked: bool) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(8):
            yield b"x" * 100

    async with asked_for_a_log(tmp_path, upload_max_bytes=500) as (client, url):
        content = parts() if chunked else b"x" * 800
        assert (await put(url, content=content)).status_code == 413
        assert await uploads(client) == []
        assert not [path for path in (tmp_path / "uploads").rglob("*") if path.is_file()]

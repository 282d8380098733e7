"""Who may come in."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import httpx
import pytest

from cms.api.app import create_app
from cms.api.metrics import Metrics
from cms.api.server import RunningApi, serve_api
from cms.api.who import Access, Peer, peer_of
from cms.contract.refusals import Denied
from cms.houses import Houses
from tests.api.small import House


def test_the_kernel_says_who_is_at_the_other_end() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        peer = peer_of(ours)
    assert peer is not None
    assert (peer.uid, peer.pid) == (os.getuid(), os.getpid())
    assert peer.gids == {os.getgid(), *os.getgroups()}


async def test_a_page_in_a_browser_is_refused(http: httpx.AsyncClient) -> None:
    answer = await http.get("/v1/status", headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403
    assert answer.json()["error"]["refusal"] == "Denied"


@pytest.mark.parametrize("path", ["/v1/status", "/v1/events", "/openapi.json", "/v1/nothing"])
async def test_over_tcp_nothing_of_the_business_is_told(api: RunningApi, path: str) -> None:
    assert api.tcp is not None
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{api.tcp[1]}") as http:
        answer = await http.get(path)
    assert answer.status_code == 401
    assert "control socket" in answer.json()["error"]["hint"]
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_over_tcp_probes_and_figures_are_told(api: RunningApi, path: str) -> None:
    assert api.tcp is not None
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{api.tcp[1]}") as http:
        assert (await http.get(path)).status_code == 200


async def test_a_user_without_a_role_is_told_how_to_get_one(house: House) -> None:
    access = Access(Houses(house.core, house.core), frozenset({"read"}), own_uid=0)
    somebody = access.principal({"type": "http", "headers": [], "cms.peer": Peer(65_534, 1)})
    with pytest.raises(Denied, match="no role was given") as refused:
        access.core(somebody, None)
    assert "cms access map uid:" in str(refused.value.hint)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
async def test_a_process_of_another_user_gets_no_answer(folder: Path, house: House) -> None:
    """The file is 0600; even where somebody opened it up, the kernel's word counts."""
    import asyncio
    import sys

    running = await serve_api(create_app(house.core, house.operations(), Metrics()), folder / "cms.sock")
    folder.chmod(0o755)
    running.socket_path.chmod(0o666)
    asking = (
        "import os, socket; os.setuid(65534); s = socket.socket(socket.AF_UNIX);"
        f"s.connect({str(running.socket_path)!r});"
        "s.sendall(b'GET /v1/status HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n');"
        "print(s.makefile().read())"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", asking, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await process.communicate()
    await running.close()
    assert b"403" in told.split(b"\r\n")[0]
    assert b"may not use this daemon" in told

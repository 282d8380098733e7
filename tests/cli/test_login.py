"""Coming to a daemon elsewhere, and being one of its operators: the commands against a whole daemon."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backends import fail
from structlog.testing import capture_logs

from cli.main import run
from cms.client import Address, AsyncClient
from cms.contract.operators import AddApiToken, ApprovePairing
from cms.daemon import Daemon
from cms.settings import Settings
from tests.cli.conftest import Cms, Said, Terminal


@pytest.fixture
async def daemon(folder: Path) -> AsyncIterator[Daemon]:
    told: dict[str, Any] = {"ocpp_host": "127.0.0.1", "ocpp_port": 0, "api_host": "127.0.0.1", "api_port": 0}
    daemon = Daemon(Settings(data_dir=folder, **told))
    with capture_logs():
        await daemon.start()
        yield daemon
        await daemon.stop()


@pytest.fixture
def address(daemon: Daemon) -> Address:
    return Address(socket=str(daemon.settings.socket))


@pytest.fixture
def url(daemon: Daemon) -> str:
    assert daemon.api.tcp is not None
    return f"https://127.0.0.1:{daemon.api.tcp[1]}"


Far = Callable[..., Awaitable[Said]]


@pytest.fixture
def far(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Far:
    """``cms`` of somebody elsewhere: no socket, a home of his own, no keyring."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(keyring, "get_keyring", fail.Keyring)

    async def call(*arguments: str, stdin: str = "", types: str | None = None) -> Said:
        monkeypatch.setattr("sys.stdin", Terminal(types) if types is not None else io.StringIO(stdin))
        code = await asyncio.to_thread(run, list(arguments))
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call


async def secret(address: Address, role: str) -> str:
    async with AsyncClient(address) as root:
        return str((await root.ask(AddApiToken("bob", role))).secret)


async def test_a_token_is_kept_and_used_from_then_on(far: Far, address: Address, url: str) -> None:
    token = await secret(address, "operator")
    refused = await far("login", url, "--token-stdin", "--insecure-storage", stdin=token)
    assert (refused.code, "--pin" in refused.err) == (3, True)
    pin = re.search(r"--pin ([0-9a-f]{64})", refused.err)
    assert pin is not None
    login = ("login", url, "--token-stdin", "--context", "lab", "--pin", pin[1])
    assert (await far(*login, stdin=token)).code == 3  # nowhere to keep it
    said = await far(*login, "--insecure-storage", stdin=token)
    assert (said.code, "as bob (operator)" in said.err) == (0, True)
    assert token not in said.out + said.err
    assert (await far("stations", "add", "CP-1", "-o", "json")).code == 0
    assert (await far("stations", "list", "-o", "name")).out == "CP-1\n"
    told = (await far("auth", "status", "-o", "json")).told
    assert (told["name"], told["roles"], told["daemon"]) == ("bob", ["operator"], url)
    assert told["token_in"].endswith("(in clear)")
    assert (await far("access", "mapped")).code == 3
    assert [row["name"] for row in (await far("context", "list", "-o", "json")).told] == ["lab"]
    assert (await far("logout")).code == 0
    assert (await far("context", "list", "-o", "json")).told == []


async def test_somebody_at_a_keyboard_is_asked_whom_to_believe_and_where_to_keep(
    far: Far, address: Address, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await secret(address, "viewer")
    monkeypatch.setattr("cli.login._paired", lambda *_: token)
    said = await far("login", url, types="y\ny\n")
    assert said.code == 0
    assert re.search(r"([0-9A-F]{2}:){31}", said.err)
    assert (await far("status")).code == 0
    assert (await far("login", url, types="n\n")).code == 130


async def test_a_code_that_is_approved_lets_somebody_in(
    far: Far, daemon: Daemon, address: Address, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cms.joining._ASKED_EVERY_S", 0.01)

    async def approve() -> None:
        while not daemon.core.pairings:
            await asyncio.sleep(0)
        async with AsyncClient(address) as root:
            await root.ask(ApprovePairing(next(iter(daemon.core.pairings)), "technician", "tim"))

    approving = asyncio.ensure_future(approve())
    said = await far("login", url, "--yes", "--insecure-storage")
    await approving
    assert (said.code, "as tim (technician)" in said.err) == (0, True)
    assert (await far("auth", "status", "-o", "json")).told["roles"] == ["technician"]


async def test_operators_are_mapped_and_unmapped(cms: Cms) -> None:
    mapped = (await cms("access", "map", "uid:54321", "technician", "-o", "json")).told
    assert (mapped["who"], mapped["role"]) == ("uid:54321", "technician")
    assert (await cms("access", "mapped", "-o", "name")).out == "uid:54321\n"
    assert (await cms("access", "map", "uid:54321", "king")).code == 2
    assert (await cms("access", "unmap", "uid:54321")).code == 0
    assert (await cms("access", "unmap", "uid:54321")).code == 4


async def test_tokens_are_made_listed_and_revoked(cms: Cms) -> None:
    made = (await cms("access", "token", "add", "bob", "--role", "viewer", "--for", "30d", "-o", "json")).told
    assert made["secret"].startswith("cms_live_")
    listed = await cms("access", "token", "list", "-o", "json")
    assert made["secret"] not in listed.out
    assert (await cms("access", "token", "revoke", made["id"])).code == 0
    assert (await cms("access", "token", "list", "-o", "json")).told == []


async def test_rights_are_granted_for_a_while(cms: Cms) -> None:
    await cms("stations", "add", "CP-1")
    words = ("grant", "uid:54321", "technician", "--station", "CP-1", "--for", "2h")
    assert (await cms(*words)).code == 2  # why?
    granted = (await cms(*words, "--reason", "noise", "-o", "json")).told
    assert (granted["station"], granted["role"], granted["reason"]) == ("CP-1", "technician", "noise")
    assert (await cms("grants", "list", "-o", "name")).out == f"{granted['id']}\n"
    assert (await cms("grants", "revoke", granted["id"])).code == 0
    assert (await cms("grants", "list", "-o", "json")).told == []


async def test_nothing_waits_for_a_second_person_unless_somebody_asked(cms: Cms) -> None:
    assert (await cms("approvals", "list", "-o", "json")).told == []
    assert (await cms("approvals", "approve", "nope", "--yes")).code == 4
    assert (await cms("approvals", "reject", "nope")).code == 4


async def test_an_organisation_that_is_not_there_is_not_found(cms: Cms) -> None:
    said = await cms("stations", "list", "--org", "nowhere")
    assert (said.code, "no organisation nowhere" in said.err) == (4, True)

"""The control API for those who come over a network: TLS, tokens, and how much of it one may have."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from cms.api import remote, server, who
from cms.api.server import RunningApi
from cms.api.who import MOST_BYTES
from cms.client import Address, AsyncClient, Back, ask
from cms.contract.approvals import Approve, ListApprovals
from cms.contract.intents import ListIntents
from cms.contract.operators import AddApiToken, ApiTokenCredential, MapOperator, RevokeApiToken, ShowIdentity
from cms.contract.refusals import Conflict, Denied, Unreachable
from cms.contract.stations import AddStation, ListStations, RemoveStation, ResetStation
from cms.daemon import Daemon
from cms.tls import shown_by
from tests.fleet import client_of, running


@asynccontextmanager
async def over_tls(folder: Path, **settings: Any) -> AsyncIterator[tuple[Daemon, str]]:
    """A daemon with its API on a port of its own certificate, and the URL."""
    async with running(folder, api_host="127.0.0.1", api_port=0, **settings) as daemon:
        assert daemon.api.tcp is not None
        yield daemon, f"https://127.0.0.1:{daemon.api.tcp[1]}"


@pytest.fixture
async def served(folder: Path) -> AsyncIterator[tuple[Daemon, str]]:
    async with over_tls(folder) as served:
        yield served


async def token(daemon: Daemon, role: str, name: str = "bob", **more: Any) -> ApiTokenCredential:
    async with client_of(daemon) as root:
        made: ApiTokenCredential = await root.ask(AddApiToken(name, role, **more))
    return made


async def at(url: str, secret: str | None) -> Address:
    pin = await asyncio.to_thread(shown_by, url) if url.startswith("https") else None
    return Address(url=url, token=secret, pin=pin)


async def test_a_token_opens_the_daemon_over_tls(served: tuple[Daemon, str]) -> None:
    daemon, url = served
    made = await token(daemon, "viewer")
    address = await at(url, made.secret)
    told = await asyncio.to_thread(ask, ShowIdentity(), address)
    assert (told["name"], told["roles"], told["organisation"]) == ("bob", ["viewer"], "main")
    assert told["via"] == f"token:{made.id} 127.0.0.1"
    async with AsyncClient(address) as client:
        assert await client.ask(ListStations()) == []
        with pytest.raises(Denied, match=r"stations\.enrol"):
            await client.ask(AddStation("CP1"))


async def test_another_certificate_is_refused_before_the_token_is_sent(served: tuple[Daemon, str]) -> None:
    daemon, url = served
    made = await token(daemon, "viewer")
    wrong = Address(url=url, token=made.secret, pin="00" * 32)
    with pytest.raises(Denied, match="not the daemon that was trusted"):
        await asyncio.to_thread(ask, ShowIdentity(), wrong)
    with pytest.raises(Denied, match="not the daemon that was trusted"):
        await asyncio.to_thread(
            ask, ShowIdentity(), replace(wrong, pin=None)
        )  # nor by the system's authorities
    async with AsyncClient(wrong) as client:
        with pytest.raises(Denied):
            await client.ask(ShowIdentity())
    core = daemon.core
    assert core.kept["api-token"][made.id].last_used_at is None


async def test_an_authority_can_vouch_for_the_daemon(served: tuple[Daemon, str], folder: Path) -> None:
    daemon, url = served
    made = await token(daemon, "viewer")
    from cms.domain.certificates import Use

    (folder / "root.pem").write_text("".join(daemon.trust.trusted(Use.STATION)))
    address = Address(url=url, token=made.secret, ca=str(folder / "root.pem"))
    assert (await asyncio.to_thread(ask, ShowIdentity(), address))["name"] == "bob"


async def test_a_token_never_travels_in_clear() -> None:
    with pytest.raises(Denied, match="in clear"):
        await asyncio.to_thread(ask, ShowIdentity(), Address(url="http://192.0.2.1", token="secret"))


async def test_old_tls_and_no_tls_get_nowhere(served: tuple[Daemon, str]) -> None:
    _, url = served
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    async with httpx.AsyncClient(verify=old) as http:
        with pytest.raises(httpx.HTTPError):
            await http.get(f"{url}/healthz")
    async with httpx.AsyncClient() as http:
        with pytest.raises(httpx.HTTPError):
            await http.get(f"{url.replace('https', 'http')}/healthz")


async def test_what_is_wrong_with_a_token_is_not_told(served: tuple[Daemon, str]) -> None:
    daemon, url = served
    made = await token(daemon, "viewer")
    elsewhere = await token(daemon, "viewer", networks=("192.0.2.0/24",))
    revoked = await token(daemon, "viewer")
    async with client_of(daemon) as root:
        await root.ask(RevokeApiToken(revoked.id))
    said = set()
    async with httpx.AsyncClient(verify=False, base_url=url) as http:
        for wrong in (
            made.secret[:-1] + ("1" if made.secret.endswith("0") else "0"),
            elsewhere.secret,
            revoked.secret,
            "nonsense",
        ):
            got = await http.get("/v1/status", headers={"Authorization": f"Bearer {wrong}"})
            said.add((got.status_code, got.headers["WWW-Authenticate"], got.text))
        assert len(said) == 1
        assert said.pop()[0] == 401
        basic = await http.get("/v1/status", headers={"Authorization": "Basic Ym9iOmJvYg=="})
        assert basic.status_code == 401


async def test_whoever_guesses_is_slowed_down_and_the_right_token_never(served: tuple[Daemon, str]) -> None:
    daemon, url = served
    made = await token(daemon, "viewer")
    async with httpx.AsyncClient(verify=False, base_url=url) as http:
        guess = {"Authorization": f"Bearer {made.secret[:20]}{'0' * 40}"}
        codes = [(await http.get("/v1/status", headers=guess)).status_code for _ in range(8)]
        assert codes == [401] * 5 + [429] * 3
        slowed = await http.get("/v1/status", headers=guess)
        assert int(slowed.headers["Retry-After"]) > 0
        right = {"Authorization": f"Bearer {made.secret}"}
        assert (await http.get("/v1/identity", headers=right)).status_code == 200


async def test_a_token_asks_so_often_and_no_more(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(who, "_REQUESTS", 3)
    monkeypatch.setattr(who, "_REQUESTS_PER_S", 0.01)
    async with over_tls(folder) as (daemon, url):
        made, other = await token(daemon, "viewer"), await token(daemon, "viewer")
        async with httpx.AsyncClient(verify=False, base_url=url) as http:
            right = {"Authorization": f"Bearer {made.secret}"}
            codes = [(await http.get("/v1/nothing", headers=right)).status_code for _ in range(5)]
            assert codes == [404] * 3 + [429] * 2
            another = {"Authorization": f"Bearer {other.secret}"}
            assert (await http.get("/v1/nothing", headers=another)).status_code == 404


async def test_a_station_is_given_so_many_orders_a_minute(folder: Path) -> None:
    async with over_tls(folder, orders_per_minute=2) as (daemon, url):
        made = await token(daemon, "operator")
        async with AsyncClient(await at(url, made.secret)) as client, client_of(daemon) as root:
            await client.ask(AddStation("CP1"))
            await client.ask(AddStation("CP2"))
            for station in ("CP1", "CP1", "CP2"):
                await client.ask(ResetStation(station=station, queue_s=60))
            with pytest.raises(Unreachable, match="too many orders for CP1"):
                await client.ask(ResetStation(station="CP1", queue_s=60))
            await client.ask(ResetStation(station="CP1", dry_run=True))
            await root.ask(ResetStation(station="CP1", queue_s=60))


async def test_an_open_stream_ends_when_its_token_is_revoked(served: tuple[Daemon, str]) -> None:
    daemon, url = served
    made = await token(daemon, "viewer")
    async with (
        AsyncClient(await at(url, made.secret), backoff_s=(0.01,)) as client,
        client_of(daemon) as root,
    ):
        follow = client.follow("0")
        await anext(follow)
        await root.ask(RevokeApiToken(made.id))
        async with asyncio.timeout(5):
            with pytest.raises(Denied):
                async for item in follow:
                    assert not isinstance(item, Back)


async def test_a_ninth_stream_of_a_token_is_refused(served: tuple[Daemon, str]) -> None:
    daemon, url = served
    made = await token(daemon, "viewer")
    async with AsyncClient(await at(url, made.secret)) as client:
        follows: list[Any] = [client.follow("0") for _ in range(9)]
        for follow in follows[:8]:
            await anext(follow)
        with pytest.raises(Unreachable, match="8 event streams"):
            await anext(follows[8])
        for follow in follows:
            await follow.aclose()


async def test_frames_are_for_those_who_may_see_them(served: tuple[Daemon, str]) -> None:
    daemon, url = served
    made = await token(daemon, "viewer")
    async with client_of(daemon) as root:
        await root.ask(AddStation("CP1"))
    async with AsyncClient(await at(url, made.secret)) as client:
        with pytest.raises(Denied, match=r"messages\.read"):
            await anext(client.follow(frames="CP1"))


async def test_a_connection_that_says_nothing_is_closed(
    served: tuple[Daemon, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "HEAD_WITHIN_S", 0.1)
    _, url = served
    port = int(url.rpartition(":")[2])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    writer.write(b"GET /v1/status HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    async with asyncio.timeout(5):
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError, ssl.SSLError)):
            if not await reader.read(1):
                raise ConnectionResetError
    writer.close()


async def test_a_handshake_that_does_not_begin_is_closed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HANDSHAKE_WITHIN_S", 0.1)
    async with over_tls(folder) as (_, url):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        async with asyncio.timeout(5):
            with suppress(ConnectionError):
                assert await reader.read(1) == b""
        writer.close()


async def test_one_address_has_so_many_connections(
    served: tuple[Daemon, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "MOST_PER_ADDRESS", 1)
    _, url = served
    async with httpx.AsyncClient(verify=False, base_url=url) as first:
        assert (await first.get("/healthz")).status_code == 200
        async with httpx.AsyncClient(verify=False, base_url=url) as second:
            with pytest.raises(httpx.HTTPError):
                await second.get("/healthz")
        assert (await first.get("/healthz")).status_code == 200


async def test_a_body_has_an_end(api: RunningApi) -> None:
    reader, writer = await asyncio.open_unix_connection(str(api.socket_path))
    writer.write(
        f"POST /v1/stations HTTP/1.1\r\nHost: x\r\nContent-Length: {MOST_BYTES + 1}\r\n\r\n".encode()
    )
    assert b" 413 " in await reader.readline()
    writer.close()


async def test_figures_over_plain_http_are_for_this_machine_and_tokens_too(folder: Path) -> None:
    async with running(folder, api_host="127.0.0.1", api_port=0, api_plain=True) as daemon:
        assert daemon.api.tcp is not None
        url = f"http://127.0.0.1:{daemon.api.tcp[1]}"
        made = await token(daemon, "viewer")
        async with httpx.AsyncClient(base_url=url) as http:
            assert (await http.get("/metrics")).status_code == 200
        assert (await asyncio.to_thread(ask, ShowIdentity(), Address(url=url, token=made.secret)))[
            "name"
        ] == "bob"


async def test_a_group_of_the_machine_may_connect_where_the_settings_say_so(folder: Path) -> None:
    async with running(folder, socket_group="0") as daemon:
        told = daemon.settings.socket.stat()
        assert (told.st_mode & 0o777, told.st_gid) == (0o660, 0)


async def test_a_mapped_user_works_with_the_rights_of_his_role(api: RunningApi, folder: Path) -> None:
    """A real process of another user, over the real socket."""
    import os
    import sys

    if os.getuid() != 0:
        pytest.skip("only root can become somebody else")
    async with running(folder / "d") as daemon:
        async with client_of(daemon) as root:
            await root.ask(MapOperator("gid:65534", "viewer"))
        folder.chmod(0o755)
        (folder / "d").chmod(0o755)
        daemon.settings.socket.chmod(0o666)
        asking = (
            "import os, socket; os.setgroups([65534]); os.setgid(12345); os.setuid(54321);"
            "s = socket.socket(socket.AF_UNIX);"
            f"s.connect({str(daemon.settings.socket)!r});"
            "s.sendall(b'GET /v1/identity HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n');"
            "print(s.makefile().read())"
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", asking, stdout=asyncio.subprocess.PIPE
        )
        told, _ = await process.communicate()
        assert b'"roles":["viewer"]' in told
        assert b'"via":"uid:54321' in told


async def test_a_whole_fleet_takes_two_people_where_the_organisation_wants_it(folder: Path) -> None:
    async with over_tls(folder, four_eyes=("main",)) as (daemon, url):
        made, other = await token(daemon, "operator", "otto"), await token(daemon, "operator", "olga")
        async with (
            AsyncClient(await at(url, made.secret)) as otto,
            AsyncClient(await at(url, other.secret)) as olga,
        ):
            for number in range(11):
                await otto.ask(AddStation(f"CP{number}"))
            for number in range(10):
                await otto.ask(ResetStation(station=f"CP{number}", queue_s=600))
            with pytest.raises(Conflict, match="second person"):
                await otto.ask(ResetStation(station="CP10", queue_s=600))
            (waiting,) = await olga.ask(ListApprovals())
            with pytest.raises(Denied, match="second person must agree"):
                await otto.ask(Approve(waiting.id))
            agreed = await olga.ask(Approve(waiting.id))
            assert (agreed.asked_by, agreed.decided_by) == ("otto", "olga")
            (intent,) = await olga.ask(ListIntents(station="CP10"))
            assert intent.requested_by == "otto"
            with pytest.raises(Conflict, match="second person"):
                await otto.ask(RemoveStation("CP10"))


async def test_nobody_is_a_second_person_with_a_token_that_he_made_himself(folder: Path) -> None:
    async with over_tls(folder, four_eyes=("main",)) as (daemon, url):
        ada, ben = await token(daemon, "admin", "ada"), await token(daemon, "admin", "ben")
        async with (
            AsyncClient(await at(url, ada.secret)) as asks,
            AsyncClient(await at(url, ben.secret)) as other,
        ):
            await asks.ask(AddStation("CP1"))
            puppet, second = (
                await asks.ask(AddApiToken("eve", "admin")),
                await asks.ask(AddApiToken("ned", "admin")),
            )
            async with (
                AsyncClient(await at(url, puppet.secret)) as eve,
                AsyncClient(await at(url, second.secret)) as ned,
            ):
                of_eve = await eve.ask(AddApiToken("ivy", "admin"))
                async with AsyncClient(await at(url, of_eve.secret)) as ivy:
                    everybody = (asks, eve, ned, ivy)
                    for asker in everybody:
                        with pytest.raises(Conflict, match="second person"):
                            await asker.ask(RemoveStation("CP1"))
                        waiting = (await waiting_for(other))[-1]
                        for one in everybody:
                            with pytest.raises(Denied, match="second person"):
                                await one.ask(Approve(waiting))
            agreed = await other.ask(Approve(waiting))
            assert (agreed.status, agreed.decided_by) == ("approved", "ben")


async def waiting_for(client: AsyncClient) -> list[str]:
    """What waits, the latest last."""
    return [approval.id for approval in await client.ask(ListApprovals())]


async def test_streams_that_are_opened_all_at_once_are_as_few(served: tuple[Daemon, str]) -> None:
    daemon, url = served
    bearer = {"Authorization": f"Bearer {(await token(daemon, 'viewer')).secret}"}
    enough = asyncio.Event()
    codes: list[int] = []

    async def open_one(http: httpx.AsyncClient) -> None:
        async with http.stream("GET", "/v1/events", headers=bearer) as answer:
            codes.append(answer.status_code)
            if len(codes) == 12:
                enough.set()
            await enough.wait()

    async with httpx.AsyncClient(verify=False, base_url=url, timeout=30) as http:
        await asyncio.gather(*(open_one(http) for _ in range(12)))
    assert sorted(codes) == [200] * 8 + [429] * 4


async def test_a_moment_that_is_none_is_invalid_and_nothing_breaks_on_it(served: tuple[Daemon, str]) -> None:
    daemon, url = served
    bearer = {"Authorization": f"Bearer {(await token(daemon, 'viewer')).secret}"}
    async with httpx.AsyncClient(verify=False, base_url=url, headers=bearer) as http:
        for moment in (
            "2026-05-01",
            "2026-05-01T12:00:00",
            "0001-01-01T00:00:00+23:59",
            "9999-12-31T23:59:59-23:59",
        ):
            for path in ("/v1/sessions?since=", "/v1/access/explanation?token=CARD&station=CP1&at="):
                told = await http.get(path + moment.replace("+", "%2B"))
                assert (told.status_code, told.json()["error"]["refusal"]) == (422, "Invalid"), path + moment
        assert (await http.get("/v1/sessions?since=2026-05-01T12:00:00Z")).json() == []

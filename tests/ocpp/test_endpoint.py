"""Real sockets: the handshake, replacement, compression, bounds, the end."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from cms.contract.refusals import Unreachable
from cms.core import StoreDown
from cms.domain.observations import TokenPresented, TokenRef
from cms.domain.orders import Reset
from cms.ocpp import Admitted, Endpoint, Limits, Turned
from tests.ocpp.fakes import Backend, FixedClock

HEARTBEAT = '[2,"h","Heartbeat",{}]'
ALIVE = [3, "h", {"currentTime": "2026-01-01T12:00:00.000Z"}]


@asynccontextmanager
async def listening(backend: Backend, **limits: Any) -> AsyncIterator[Endpoint]:
    endpoint = Endpoint(
        "127.0.0.1", 0, backend.admit, backend.hooks_of, FixedClock(), Limits(close_s=1, **limits)
    )
    await endpoint.start()
    try:
        yield endpoint
    finally:
        await endpoint.close(1001, "the test is over")


def station(endpoint: Endpoint, identity: str = "CP-7", *protocols: str, **options: Any) -> connect:
    options.setdefault("compression", None)
    url = f"{endpoint.url}/{identity}"
    return connect(
        url, subprotocols=list(protocols or ("ocpp1.6",)), proxy=None, ping_interval=None, **options
    )


async def ask(client: ClientConnection, frame: Any = HEARTBEAT) -> Any:
    await client.send(frame if isinstance(frame, str) else json.dumps(frame))
    async with asyncio.timeout(5):
        return json.loads(await client.recv())


async def closed(client: ClientConnection) -> tuple[int | None, str | None]:
    async with asyncio.timeout(5):
        await client.wait_closed()
    return client.close_code, client.close_reason


async def refused(connecting: connect) -> InvalidStatus:
    with pytest.raises(InvalidStatus) as caught:
        await connecting
    return caught.value


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.mark.parametrize(
    ("protocol", "version"), [("ocpp1.6", "1.6"), ("ocpp2.0.1", "2.0.1"), ("ocpp2.1", "2.1")]
)
async def test_a_station_connects_talks_and_leaves(protocol: str, version: str):
    backend = Backend()
    async with listening(backend) as endpoint:
        async with station(endpoint, "CP-7", protocol) as client:
            assert client.subprotocol == protocol
            assert await ask(client) == ALIVE
            assert endpoint.online() == 1
            link = endpoint.link("cp-7")
            assert link is not None and (link.ocpp_version, link.address) == (version, "127.0.0.1")
            assert [message.action for message in endpoint.messages("CP-7")] == ["Heartbeat", "Heartbeat"]
        await backend.until("disconnected", "CP-7", "closed by the station (1000)")
        assert endpoint.link("CP-7") is None and endpoint.online() == 0 and endpoint.messages("CP-7") == []
    assert backend.events[0] == ("connected", "CP-7", version, "127.0.0.1")
    assert len(backend.events) == 2


async def test_the_stations_preference_wins():
    async with listening(Backend()) as endpoint:
        async with station(endpoint, "CP-7", "ocpp0.1", "ocpp2.1", "ocpp1.6") as client:
            assert client.subprotocol == "ocpp2.1"
        async with station(endpoint, "CP-7", "ocpp1.6", "ocpp2.1") as client:
            assert client.subprotocol == "ocpp1.6"


async def test_no_common_subprotocol_is_refused():
    backend = Backend()
    async with listening(backend) as endpoint:
        assert (await refused(station(endpoint, "CP-7", "ocpp0.1"))).response.status_code == 400
        assert backend.knocks == []
        connecting = connect(f"{endpoint.url}/CP-7", proxy=None)
        assert (await refused(connecting)).response.status_code == 400


async def test_a_version_may_be_assumed_of_a_station_that_offers_none():
    backend = Backend()
    backend.admitting = lambda knock: Admitted("CP-7", subprotocol="ocpp1.6")
    async with listening(backend) as endpoint, connect(f"{endpoint.url}/CP-7", proxy=None) as client:
        assert client.subprotocol is None
        assert await ask(client) == ALIVE
        assert backend.received[0].ocpp_version == "1.6"


async def test_what_is_assumed_counts_only_where_nothing_is_offered():
    backend = Backend()
    backend.admitting = lambda knock: Admitted("CP-7", subprotocol="ocpp1.6")
    async with listening(backend) as endpoint, station(endpoint, "CP-7", "ocpp2.0.1") as client:
        await ask(client)
        assert backend.received[0].ocpp_version == "2.0.1"


async def test_a_station_may_be_forgiven_words_that_are_too_long():
    backend = Backend()
    long = [2, "m", "Authorize", {"idTag": "T" * 30}]
    async with listening(backend) as endpoint:
        async with station(endpoint) as client:
            assert (await ask(client, long))[2] == "PropertyConstraintViolation"
        backend.admitting = lambda knock: Admitted("CP-7", lenient=True)
        async with station(endpoint) as client:
            assert (await ask(client, long))[0] == 3
    assert backend.received[-1].observation == TokenPresented(TokenRef("T" * 30))


async def test_the_daemon_decides_who_comes_in():
    backend = Backend()
    backend.admitting = lambda knock: Admitted("cp-7") if knock.password == b"p:w" else Turned(401, "no")
    async with listening(backend) as endpoint:
        refusal = await refused(station(endpoint))
        assert refusal.response.status_code == 401
        assert refusal.response.headers["WWW-Authenticate"].startswith("Basic ")
        wrong = await refused(station(endpoint, additional_headers=basic("OTHER", "p:w")))
        assert wrong.response.status_code == 401
        async with station(endpoint, "CP%2D7", additional_headers=basic("cp-7", "p:w")) as client:
            assert await ask(client) == ALIVE
            assert endpoint.link("CP-7") is not None
    assert backend.events[0][:2] == ("connected", "cp-7")


async def test_a_station_is_turned_away_for_a_while():
    backend = Backend()
    backend.admitting = lambda knock: Turned(503, "busy", retry_after_s=45)
    async with listening(backend) as endpoint:
        refusal = await refused(station(endpoint))
        assert (refusal.response.status_code, refusal.response.headers["Retry-After"]) == (503, "45")

        def down(_: object) -> Turned:
            raise StoreDown

        backend.admitting = down
        assert (await refused(station(endpoint))).response.status_code == 503


async def test_a_bug_at_the_door_is_logged_and_answered(caplog: pytest.LogCaptureFixture):
    backend = Backend()

    def bug(_: object) -> Turned:
        raise ZeroDivisionError

    async with listening(backend) as endpoint:
        backend.admitting = bug
        assert (await refused(station(endpoint))).response.status_code == 500
    assert "could not decide about 'CP-7'" in caplog.text


async def test_a_station_that_cannot_be_welcomed_is_sent_away(caplog: pytest.LogCaptureFixture):
    backend = Backend(unwelcome=StoreDown())
    async with listening(backend) as endpoint:
        assert (await closed(await station(endpoint)))[0] == 1013
        backend.unwelcome = ZeroDivisionError()
        assert (await closed(await station(endpoint)))[0] == 1011
        backend.unwelcome = None
        async with station(endpoint) as client:
            assert await ask(client) == ALIVE
    assert "could not welcome 'CP-7'" in caplog.text


async def test_the_newest_connection_wins_and_the_late_close_changes_nothing():
    backend = Backend()
    async with listening(backend) as endpoint:
        old = await station(endpoint)
        await backend.until("connected")
        ordering = asyncio.create_task(endpoint.give("CP-7", Reset("hard"), 5))
        await old.recv()
        async with station(endpoint) as new:
            assert await closed(old) == (1008, "replaced by a newer connection")
            with pytest.raises(Unreachable, match="replaced"):
                await ordering
            assert await ask(new) == ALIVE
            ordering = asyncio.create_task(endpoint.give("CP-7", Reset("hard"), 5))
            _, message_id, _, _ = json.loads(await new.recv())
            await new.send(json.dumps([3, message_id, {"status": "Accepted"}]))
            assert (await ordering).verdict == "accepted"
            assert endpoint.online() == 1
        await backend.until("disconnected")
    assert [event[0] for event in backend.events] == ["connected", "connected", "disconnected"]


async def test_a_refused_connection_does_not_disturb_the_first():
    backend = Backend()
    async with listening(backend) as endpoint, station(endpoint) as client:
        assert await ask(client) == ALIVE
        backend.admitting = lambda knock: Turned(401, "no")
        for _ in range(5):
            await refused(station(endpoint))
        assert await ask(client) == ALIVE


async def test_two_that_throw_each_other_out_are_stopped():
    backend = Backend()
    async with listening(backend) as endpoint:
        clients = [
            await station(endpoint, local_addr=(f"127.0.0.{2 + number % 2}", 0)) for number in range(4)
        ]
        refusal = await refused(station(endpoint, local_addr=("127.0.0.2", 0)))
        assert (refusal.response.status_code, refusal.response.headers["Retry-After"]) == (429, "60")
        assert backend.contests == [("CP-7", "127.0.0.3", "127.0.0.2")], "it is told once"
        await refused(station(endpoint, local_addr=("127.0.0.2", 0)))
        assert len(backend.contests) == 1
        assert await ask(clients[-1]) == ALIVE
        # The one that is served may redial from where it is.
        async with station(endpoint, local_addr=("127.0.0.3", 0)) as again:
            assert await ask(again) == ALIVE


async def test_orders_to_a_station_that_is_away_are_unreachable():
    async with listening(Backend()) as endpoint:
        with pytest.raises(Unreachable, match="CP-7 is off line"):
            await endpoint.give("CP-7", Reset("hard"), 5)


async def test_pings_are_ponged_and_are_no_messages():
    backend = Backend()
    async with listening(backend) as endpoint, station(endpoint) as client:
        await (await client.ping(b"payload"))
        assert backend.counts == []


async def test_a_silent_station_is_pinged_and_a_dead_one_given_up():
    backend = Backend()
    async with listening(backend, ping_s=0.02, pong_s=0.1) as endpoint:
        async with station(endpoint) as client:
            await backend.until("connected")
            # The client's transport stops reading: no pong, no FIN, as behind a broken router.
            client.transport.pause_reading()
            await backend.until("disconnected", "CP-7")
            assert backend.events[-1][2].startswith("no sign of life")
            client.transport.abort()
        async with station(endpoint) as client:
            async with asyncio.timeout(5):
                while endpoint._connections["main/cp-7"]._pinged_at == 0:
                    await asyncio.sleep(0.01)
            assert await ask(client) == ALIVE


@pytest.mark.parametrize("compressed", [True, False])
async def test_compression_is_offered_and_not_required(compressed: bool):
    compression = "deflate" if compressed else None
    async with listening(Backend()) as endpoint, station(endpoint, compression=compression) as client:
        extensions = client.response.headers.get("Sec-WebSocket-Extensions", "")
        assert ("permessage-deflate" in extensions) is compressed
        assert ("no_context_takeover" in extensions) is compressed
        assert await ask(client) == ALIVE
        said = await ask(client, [2, "d", "DataTransfer", {"vendorId": "v", "data": "y" * 50_000}])
        assert said == [3, "d", {"status": "UnknownVendorId"}]


async def test_an_inflated_bomb_is_refused():
    async with listening(Backend()) as endpoint, station(endpoint, compression="deflate") as client:
        await client.send("[" * 10_000_000)
        assert (await closed(client))[0] == 1009


async def test_many_small_bombs_in_one_read_are_refused_too():
    async with listening(Backend()) as endpoint, station(endpoint, compression="deflate") as client:
        bomb = json.dumps([2, "1", "DataTransfer", {"vendorId": "v", "data": "x" * 200_000}])
        with suppress(ConnectionClosed):
            for _ in range(40):
                await client.send(bomb)
        await client.wait_closed()
        assert client.close_code == 1009


async def test_a_message_just_under_the_limit_works_and_one_above_closes():
    backend = Backend()
    async with listening(backend, max_frame_bytes=10_000) as endpoint:
        async with station(endpoint) as client:
            assert (await ask(client, [2, "d", "DataTransfer", {"vendorId": "v", "data": "y" * 9_900}]))[
                0
            ] == 3
            await client.send("x" * 10_001)
            assert (await closed(client))[0] == 1009
        async with station(endpoint) as client:
            assert await ask(client) == ALIVE


async def test_binary_frames_close_and_bad_text_does_too():
    async with listening(Backend()) as endpoint:
        async with station(endpoint) as client:
            await client.send(HEARTBEAT.encode())
            assert (await closed(client))[0] == 1003
        async with station(endpoint) as client:
            await client.send(b'[2,"h\xff","Heartbeat",{}]', text=True)
            assert (await closed(client))[0] == 1007


async def test_fragments_are_put_together():
    text = '[2,"é","Heartbeat",{}]'.encode()
    async with listening(Backend(), max_fragments=50) as endpoint, station(endpoint) as client:
        await client.send([text[:5], text[5:9], text[9:]], text=True)
        assert json.loads(await client.recv())[1] == "é"
        client.protocol.send_text(b"[", fin=False)
        for _ in range(60):
            client.protocol.send_continuation(b"", fin=False)
        client.send_data()
        assert (await closed(client))[0] == 1009


def frame(payload: bytes, head: int = 0x81) -> bytes:
    """A frame as a client sends it, masked with a key that is not zero."""
    key = b"\x01\x02\x03\x04"
    length = len(payload)
    size = bytes((0x80 | length,)) if length < 126 else bytes((0xFE,)) + length.to_bytes(2, "big")
    return bytes((head,)) + size + key + bytes(byte ^ key[n % 4] for n, byte in enumerate(payload))


async def test_frames_are_read_the_same_however_they_are_cut():
    backend = Backend()
    long = json.dumps([2, "long", "DataTransfer", {"vendorId": "x" * 200}]).encode()
    async with listening(backend) as endpoint, station(endpoint) as client:
        await ask(client)
        connection = endpoint._connections["main/cp-7"]
        whole = frame(long) + frame(HEARTBEAT.encode())
        for cut in range(1, len(whole)):
            connection.data_received(whole[:cut])
            connection.data_received(whole[cut:])
            answers = [json.loads(await client.recv())[1] for _ in range(2)]
            assert answers == ["long", "h"], cut


async def test_a_payload_that_looks_like_a_frame_is_none():
    async with listening(Backend()) as endpoint, station(endpoint) as client:
        await ask(client)
        connection = endpoint._connections["main/cp-7"]
        inner = frame(HEARTBEAT.encode())
        connection.data_received(bytes((0x81, 0x80 | len(inner), 0, 0, 0, 0)))
        connection.data_received(inner)
        assert (await closed(client))[0] == 1007


async def test_a_message_within_the_fragments_of_another_is_refused():
    async with listening(Backend()) as endpoint, station(endpoint) as client:
        await ask(client)
        connection = endpoint._connections["main/cp-7"]
        connection.data_received(frame(HEARTBEAT[:5].encode(), head=0x01))
        connection.data_received(frame(HEARTBEAT.encode()))
        assert (await closed(client))[0] == 1002


async def test_a_message_followed_at_once_by_a_close_is_handled():
    backend = Backend()
    async with listening(backend) as endpoint, station(endpoint) as client:
        client.protocol.send_text(HEARTBEAT.encode())
        client.protocol.send_close(1000)
        client.transport.write(b"".join(client.protocol.data_to_send()))
        await backend.until("disconnected")
        assert len(backend.received) == 1


async def test_a_station_that_floods_is_slowed_and_loses_nothing():
    backend = Backend()
    async with (
        listening(backend, rate_per_s=2000, burst=20, queue=4) as endpoint,
        station(endpoint) as client,
    ):
        for number in range(200):
            await client.send(f'[2,"m{number}","Heartbeat",{{}}]')
        async with asyncio.timeout(10):
            answers = [json.loads(await client.recv())[1] for _ in range(200)]
    assert answers == [f"m{number}" for number in range(200)]


async def test_a_store_that_is_down_closes_with_1013():
    backend = Backend(failing=StoreDown())
    async with listening(backend) as endpoint, station(endpoint) as client:
        await client.send(HEARTBEAT)
        assert (await closed(client))[0] == 1013
        await backend.until("disconnected", "CP-7", "cannot store now, try again later")


async def test_all_stations_can_be_sent_away_while_we_go_on_listening():
    backend = Backend()
    async with listening(backend) as endpoint:
        clients = [await station(endpoint, f"CP-{number}") for number in range(3)]
        endpoint.close_all(1013, "the store is down")
        assert [await closed(client) for client in clients] == [(1013, "the store is down")] * 3
        async with station(endpoint, "CP-0") as client:
            assert await ask(client) == ALIVE
            endpoint.disconnect("CP-0", 1000, "by an operator")
            assert await closed(client) == (1000, "by an operator")


async def test_draining_answers_what_was_received_and_refuses_newcomers():
    backend = Backend(gate=asyncio.Event())
    async with listening(backend) as endpoint:
        client = await station(endpoint)
        await client.send(HEARTBEAT)
        async with asyncio.timeout(5):
            while not backend.received:
                await asyncio.sleep(0.001)
        draining = asyncio.create_task(endpoint.drain(5))
        await asyncio.sleep(0)
        assert not draining.done()
        assert backend.gate is not None
        backend.gate.set()
        await draining
        assert json.loads(await client.recv()) == ALIVE
        with pytest.raises((OSError, InvalidStatus)):
            await station(endpoint, "CP-8")
        await endpoint.close(1001, "going away")
        assert await closed(client) == (1001, "going away")


async def test_half_a_handshake_is_ended_in_time():
    async with listening(Backend(), handshake_s=0.05) as endpoint:
        reader, writer = await asyncio.open_connection("127.0.0.1", endpoint.port)
        writer.write(b"GET /ocpp/CP-7 HTTP/1.1\r\n")
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()


async def test_only_so_many_handshakes_at_a_time():
    async with listening(Backend(), handshakes=1) as endpoint:
        first, second = [await asyncio.open_connection("127.0.0.1", endpoint.port) for _ in range(2)]
        async with asyncio.timeout(5):
            with pytest.raises(ConnectionResetError):
                if await second[0].read() == b"":
                    raise ConnectionResetError
        first[1].close()
        second[1].close()


async def test_idle_sockets_of_one_network_keep_no_station_of_another_out():
    async with listening(Backend(), handshakes=8) as endpoint:
        crowd = [
            await asyncio.open_connection("127.0.0.1", endpoint.port, local_addr=("127.0.9.1", 0))
            for _ in range(20)
        ]
        async with station(endpoint, local_addr=("127.0.7.1", 0)) as client:
            assert await ask(client) == ALIVE
        for _, writer in crowd:
            writer.close()


async def test_when_files_run_short_newcomers_are_sent_away_and_the_others_stay():
    async with listening(Backend()) as endpoint:
        async with station(endpoint) as client:
            endpoint._gate._last_file = 3
            with pytest.raises((ConnectionError, InvalidMessage)):
                await station(endpoint, "CP-8")
            assert await ask(client) == ALIVE


async def test_a_browser_is_told_what_this_is():
    async with listening(Backend()) as endpoint:
        reader, writer = await asyncio.open_connection("127.0.0.1", endpoint.port)
        writer.write(b"GET /ocpp/CP-7 HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(5):
            assert b"426" in (await reader.readline())
        writer.close()


async def test_a_station_that_takes_nothing_is_given_up():
    backend = Backend()
    async with listening(
        backend, rate_per_s=1e9, burst=1e9, max_unsent_bytes=100_000, write_s=0.2
    ) as endpoint:
        client = await station(endpoint)
        client.transport.pause_reading()
        with pytest.raises((ConnectionClosed, TimeoutError, ConnectionError)):
            async with asyncio.timeout(10):
                while True:
                    await client.send(f'[2,"{"x" * 200}","Heartbeat",{{}}]')
                    if endpoint.online() == 0:
                        raise ConnectionError
        await backend.until("disconnected", "CP-7")
        client.transport.abort()


async def test_a_proxy_of_ours_is_believed_and_nobody_else():
    backend = Backend()
    headers = {"X-Forwarded-For": "10.9.9.9, 192.0.2.7", "X-Forwarded-Proto": "https"}
    for proxies, told in (((), ("127.0.0.1", False)), (("127.0.0.1",), ("192.0.2.7", True))):
        limits = Limits(close_s=1)
        endpoint = Endpoint(
            "127.0.0.1", 0, backend.admit, backend.hooks_of, FixedClock(), limits, proxies=proxies
        )
        await endpoint.start()
        async with station(endpoint, additional_headers=headers):
            link = endpoint.link("CP-7")
            assert link is not None and link.address == told[0]
        await endpoint.close(1001, "the test is over")
        assert (backend.knocks[-1].address, backend.knocks[-1].secure) == told

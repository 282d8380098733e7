"""Addresses that others name lead nowhere inward (T11): no connection is even tried, as a spy on sockets sees."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from cms.contract.refusals import Denied, Invalid, Refusal, Unreachable
from cms.operations.jobs import _url
from cms.pki.fetch import Outward, is_public

#: Hosts that are this machine, its neighbours or its cloud's metadata, in every spelling that resolvers take.
INWARD = (
    "127.0.0.1", "127.1", "127.0.1", "127.255.255.254", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1",
    "017700000001", "0x7f.0x0.0x0.0x1", "0", "0.0.0.0", "00000.0.0.0", "localhost", "LOCALHOST", "localhost.",
    "10.0.0.1", "10.1", "167772161", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.1", "3232235521",
    "100.64.0.1", "100.127.255.254", "169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376",
    "169.254.0.1", "192.0.0.1", "192.0.0.170", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]", "[::ffff:10.0.0.1]", "[::127.0.0.1]", "[::169.254.169.254]", "[64:ff9b::7f00:1]",
    "[64:ff9b::169.254.169.254]", "[64:ff9b::10.0.0.1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::]", "[2002:c0a8:1::1]", "[2001:0:7f00:1::]", "[fc00::1]", "[fd00:ec2::254]", "[fd12::1]",
    "[fe80::1]", "[fe80::1%25lo]", "[fec0::1]", "[ff02::1]", "[ff05::2]", "[ff0e::1]", "[100::1]", "[2001:db8::1]",
    "user@127.0.0.1", "public.example@127.0.0.1", "127.0.0.1#public.example", "127.0.0.1?public.example",
)  # fmt: skip
#: Addresses that are no http at all, or hide what they are.
ODD = (
    "", " ", "/", "//127.0.0.1/", "127.0.0.1", "localhost:80", "http:", "http:/", "http://", "http:///path",
    "http:127.0.0.1", "http:/127.0.0.1", "http://:80/", "http://user:pass@/", "http://@/", "http://?", "http://#",
    "file:///etc/passwd", "file://localhost/etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:70/_x",
    "dict://127.0.0.1:11211/", "unix:///run/cms.sock", "http+unix://%2Frun%2Fcms.sock/", "jar:http://127.0.0.1!/",
    "data:text/plain,x", "javascript:alert(1)", "ldap://127.0.0.1/", "tftp://127.0.0.1/", "ws://127.0.0.1/",
    "http://user:pass@93.184.215.14/", "http://93.184.215.14@127.0.0.1/", "http://127.0.0.1:99999/",
    "http://127.0.0.1:-1/", "http://127.0.0.1:x/", "http://[::1", "http://::1/", "http://[127.0.0.1]/",
    "http://127.0.0.1\\@93.184.215.14/", "http://93.184.215.14\\@127.0.0.1/", "http://ⓛocalhost/", "http://１２７.0.0.1/",
    "http://127。0。0。1/", "http://127.0.0.1%00.public.example/", "http://local\thost/", "http://\x00127.0.0.1/",
)  # fmt: skip
HOSTILE_URLS = (*(f"http://{host}/latest/meta-data/" for host in INWARD), *ODD)

#: What no station is told to fetch or to put a log to.
NO_FILES = (
    "", " ", "/", "//host/x", "host", "http:", "http://", "http:///path", "http://@/", "http://user:pass@/", "http://?x",
    "http://:80/x", "file:///etc/passwd", "file://host/x", "gopher://host/_x", "scp://host/x", "ssh://-oProxyCommand=x/",
    "data:text/plain,x", "javascript:alert(1)", "-o/etc/passwd", "http://[::1", "http://host\\@other/x",
    "http://host/a b", "http://host/\n", "http://host/\r\nX: y", "http://ho\tst/", "https://host/\x1b]0;x\x07",
    "ftp://host/\u202ex", "http://host/\u200b", "http://host/\x00", "http://host/" + "x" * 600,
)  # fmt: skip

PUBLIC = "93.184.215.14"


class Spy:
    """Every connection over IP that anything in this process tries; none succeeds while it watches."""

    def __init__(self) -> None:
        self.tried: list[Any] = []
        self.watches = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.watches and event == "socket.connect" and arguments[0].family != socket.AF_UNIX:
            self.tried.append(arguments[1])
            raise ConnectionRefusedError("nobody leaves while the spy watches")


_SPY = Spy()
sys.addaudithook(_SPY)  # for as long as the process lives: it cannot be taken away, only be told to rest


@pytest.fixture
def spy() -> Iterator[Spy]:
    _SPY.tried.clear()
    _SPY.watches = True
    yield _SPY
    _SPY.watches = False


class Resolver:
    """A name server under somebody else's hand: each name's answers in turn, the last one for ever."""

    def __init__(self, **answers: list[str]) -> None:
        self.answers = {name.replace("_", "."): told for name, told in answers.items()}
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        self.asked.append(host)
        told = self.answers[host]
        addresses = (told.pop(0) if len(told) > 1 else told[0]).split()
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]


@pytest.mark.parametrize("url", HOSTILE_URLS)
async def test_no_hostile_address_is_even_tried(spy: Spy, url: str) -> None:
    for method in ("GET", "POST"):
        with pytest.raises(Refusal):
            await Outward(timeout_s=5).ask(method, url, b"x")
    assert spy.tried == []


def test_there_are_as_many_as_were_promised() -> None:
    assert len(set(HOSTILE_URLS)) >= 120


async def test_a_public_address_is_tried_where_it_was_looked_up(
    spy: Spy, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolver = Resolver(ocsp_example=[PUBLIC])
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    with pytest.raises(Unreachable):
        await Outward().ask("GET", "http://ocsp.example/")
    assert spy.tried == [(PUBLIC, 80)]


@pytest.mark.parametrize("second", ["127.0.0.1", "169.254.169.254", "10.0.0.1"])
async def test_a_name_that_is_bound_anew_leads_nowhere_else(
    spy: Spy, monkeypatch: pytest.MonkeyPatch, second: str
) -> None:
    resolver = Resolver(rebound_example=[PUBLIC, second])
    monkeypatch.setattr("cms.pki.fetch.socket.getaddrinfo", resolver)
    with pytest.raises(Unreachable):
        await Outward().ask("GET", "http://rebound.example/")
    assert resolver.asked.count("rebound.example") == 1
    assert {host for host, *_ in spy.tried} <= {PUBLIC}


async def test_a_name_with_one_inward_address_among_public_ones_is_not_asked(
    spy: Spy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Resolver(mixed_example=[f"{PUBLIC} 127.0.0.1"]))
    with pytest.raises(Denied):
        await Outward().ask("GET", "http://mixed.example/")
    assert spy.tried == []


async def test_the_naive_fetch_that_looks_first_and_connects_by_name_is_caught(
    spy: Spy, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolver = Resolver(rebound_example=[PUBLIC, "127.0.0.1"])
    monkeypatch.setattr(socket, "getaddrinfo", resolver)

    async def naive(host: str) -> None:
        first = socket.getaddrinfo(host, 80)[0][4][0]
        if is_public(str(first)):
            await asyncio.open_connection(host, 80)

    with pytest.raises(OSError, match="nobody leaves"):
        await naive("rebound.example")
    assert ("127.0.0.1", 80) in spy.tried


class Redirector:
    """A public server that sends everybody to where it wants; it counts who came."""

    def __init__(self, status: int, to: str) -> None:
        self.status, self.to = status, to
        self.came = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.came += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {self.status} X\r\nLocation: {self.to}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    inside = Redirector(200, "")
    target = await asyncio.start_server(inside, "127.0.0.1", 0)
    port = target.sockets[0].getsockname()[1]
    outside = Redirector(status, f"http://127.0.0.1:{port}/secret")
    door = await asyncio.start_server(outside, "127.0.0.1", 0)
    listed = f"127.0.0.1:{door.sockets[0].getsockname()[1]}"
    async with target, door:
        with pytest.raises(Unreachable):
            await Outward((listed,)).ask("GET", f"http://{listed}/")
    assert (outside.came, inside.came) == (1, 0)


@pytest.mark.parametrize("url", NO_FILES)
def test_a_station_is_not_sent_to_what_is_no_plain_address(url: str) -> None:
    with pytest.raises(Invalid):
        _url(url)


def test_a_file_address_of_the_trade_is_taken() -> None:
    for url in (
        "https://files.example/fw.bin?v=2",
        "ftp://user:p%40ss@files.example/a/",
        "sftp://files.example:22/x",
    ):
        assert _url(url) == url


@pytest.mark.parametrize(
    "address", [PUBLIC, "8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "2002:808:808::1"]
)
def test_a_public_address_is_one(address: str) -> None:
    assert is_public(address)

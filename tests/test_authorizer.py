"""What another system says of tokens, over a real socket: answers, silence, and a pause after too much of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cms.authorizer import Authorizer
from cms.contract.refusals import Invalid
from cms.domain.evolve import evolve
from cms.domain.outside import SILENCE, Asked

AT = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
CARD = Asked("main", "CARD1", "rfid", "CP1", 1, "start", AT)


@dataclass
class Service:
    """Answers what it is told to, and remembers what it was asked."""

    says: Any = field(default_factory=lambda: {"status": "accepted"})
    status: str = "200 OK"
    heard: list[tuple[dict[str, str], Any]] = field(default_factory=list)
    port: int = 0
    silent: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/authorize"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                lines = head.split("\r\n")[1:]
                headers = dict(line.lower().split(": ", 1) for line in lines if line)
                question = await reader.readexactly(int(headers["content-length"]))
                self.heard.append((headers, json.loads(question)))
                if self.silent:
                    await asyncio.Event().wait()
                body = self.says if isinstance(self.says, bytes) else json.dumps(self.says).encode()
                writer.write(f"HTTP/1.1 {self.status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    service = Service()
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0)
    service.port = server.sockets[0].getsockname()[1]
    yield service
    server.close()


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_a_question_says_who_where_and_what_for(service: Service, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("s3cret\n")
    authorizer = Authorizer(service.url, key_file=key)
    service.says = {
        "status": "accepted",
        "group": "G",
        "cache_s": 0,
        "expires": "2027-01-01T00:00:00Z",
        "x": 1,
    }
    told = await authorizer.ask(CARD)
    ((headers, question),) = service.heard
    assert headers["authorization"] == "bearer s3cret"
    assert question == {
        "organisation": "main",
        "token": "CARD1",
        "kind": "rfid",
        "station": "CP1",
        "evse": 1,
        "purpose": "start",
        "at": "2026-05-04T12:00:00Z",
    }
    assert (told.status, told.group, told.expires) == ("accepted", "G", datetime(2027, 1, 1, tzinfo=UTC))
    await authorizer.close()


@pytest.mark.parametrize(
    "says",
    [
        b"",
        b"<html>",
        b"[]",
        {"status": "maybe"},
        {"status": 5},
        {"status": "accepted", "expires": "2027-01-01T00:00:00"},
        {"status": "accepted", "reason": "x" * 20_000},
    ],
)
async def test_what_is_no_answer_is_silence(service: Service, says: Any) -> None:
    authorizer = Authorizer(service.url)
    service.says = says
    assert await authorizer.ask(CARD) is SILENCE
    await authorizer.close()


async def test_a_redirect_is_not_followed(service: Service) -> None:
    authorizer = Authorizer(service.url)
    service.status = "302 Found\r\nLocation: http://127.0.0.1:1/"
    assert await authorizer.ask(CARD) is SILENCE
    await authorizer.close()


async def test_who_is_silent_is_waited_for_no_longer_than_was_said(service: Service) -> None:
    authorizer = Authorizer(service.url, timeout_s=0.05)
    service.silent = True
    assert await asyncio.wait_for(authorizer.ask(CARD), 5) is SILENCE
    await authorizer.close()


async def test_an_answer_is_remembered_as_long_as_it_says_for_its_place(service: Service) -> None:
    clock = Clock()
    authorizer = Authorizer(service.url, clock_s=clock)
    service.says = {"status": "blocked", "cache_s": 60, "reason": "lost\n"}
    assert [(await authorizer.ask(CARD)).status for _ in range(3)] == ["blocked"] * 3
    assert (await authorizer.ask(evolve(CARD, token="card1"))).reason == "lost"
    assert len(service.heard) == 1
    await authorizer.ask(evolve(CARD, station="CP2"))
    await authorizer.ask(evolve(CARD, organisation="other"))
    assert len(service.heard) == 3
    clock.now += 60
    await authorizer.ask(CARD)
    assert len(service.heard) == 4
    await authorizer.close()


async def test_after_five_silences_nobody_is_asked_for_a_while_and_then_one_question(
    service: Service,
) -> None:
    clock = Clock()
    authorizer = Authorizer(service.url, clock_s=clock)
    service.status = "500 Oops"
    for _ in range(9):
        assert await authorizer.ask(CARD) is SILENCE
    assert len(service.heard) == 5
    clock.now += 5
    for _ in range(3):
        assert await authorizer.ask(CARD) is SILENCE
    assert len(service.heard) == 6
    clock.now += 10
    service.status = "200 OK"
    assert (await authorizer.ask(CARD)).status == "accepted"
    assert (await authorizer.ask(CARD)).status == "accepted"
    await authorizer.close()


async def test_no_more_questions_wait_than_there_are_places(service: Service) -> None:
    authorizer = Authorizer(service.url, timeout_s=30)
    service.silent = True
    asking = [asyncio.create_task(authorizer.ask(evolve(CARD, token=f"T{n}"))) for n in range(64)]
    await asyncio.sleep(0)
    assert await authorizer.ask(CARD) is SILENCE
    for one in asking:
        one.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    service.silent = False
    assert (await authorizer.ask(CARD)).status == "accepted"
    await authorizer.close()


@pytest.mark.parametrize(
    "url", ["http://example.com/x", "ftp://a/", "https://u:p@a/", "a", "http://127.0.0.1.evil/"]
)
def test_tokens_are_not_sent_in_the_clear_or_to_nowhere(url: str) -> None:
    with pytest.raises(Invalid):
        Authorizer(url)


def test_a_key_file_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot be read"):
        Authorizer("https://example.com/", key_file=tmp_path / "none")

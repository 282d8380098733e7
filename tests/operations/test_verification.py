"""Registering by e-mail, with a real mail server that listens on this machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from cms.contract.drivers import RegisterDriver, SendVerification, VerifyDriver
from cms.contract.refusals import Conflict, Invalid, Unreachable
from cms.contract.tokens import AddToken
from cms.domain.observations import TokenPresented, TokenRef
from cms.domain.verification import Mail
from cms.mail import Post
from cms.operations import tokens, verification
from tests.conformance.house import a_free_port
from tests.operations.small import ANA, Small


class Letters:
    """A mail server's memory."""

    def __init__(self) -> None:
        self.got: list[Message] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.got.append(message_from_bytes(envelope.content))
        return "250 taken"

    def code(self) -> str:
        found = re.search(r"\d{6}", str(self.got[-1].get_payload()))
        assert found is not None
        return found[0]


@pytest.fixture
def letters(small: Small) -> Iterator[Letters]:
    got = Letters()
    port = a_free_port()
    controller = Controller(got, hostname="127.0.0.1", port=port)
    controller.start()
    small.core.mail = Post(f"smtp://127.0.0.1:{port}", "charge@volt.example").send
    yield got
    controller.stop()


async def register(small: Small, **more: Any) -> str:
    view = await verification.register(small.core, RegisterDriver("ada@example.org", **more), ANA)
    assert view.status == "unverified"
    return view.id


async def send(small: Small, id: str) -> None:
    await verification.send(small.core, SendVerification(id), ANA)


async def verify(small: Small, id: str, code: str) -> str:
    return (await verification.verify(small.core, VerifyDriver(id, code), ANA)).status


async def test_who_registers_charges_once_his_address_is_verified(small: Small, letters: Letters) -> None:
    id = await register(small, name="Ada", language="de-DE")
    await tokens.add(small.core, AddToken("AA", kind="app", driver=id), ANA)
    assert (await small.hear("CP1", TokenPresented(TokenRef("AA")))).status == "blocked"
    await send(small, id)
    assert (letters.got[0]["To"], letters.got[0]["From"]) == ("ada@example.org", "charge@volt.example")
    assert "Ihr Code" in letters.got[0]["Subject"]
    assert await verify(small, id, f" {letters.code()} ") == "active"
    assert (await small.hear("CP1", TokenPresented(TokenRef("AA")))).status == "accepted"
    assert await verify(small, id, "000000") == "active", "once is enough"


async def test_a_code_is_good_for_five_tries_and_a_quarter_of_an_hour(small: Small, letters: Letters) -> None:
    id = await register(small)
    await send(small, id)
    code = letters.code()
    wrong = "000000" if code != "000000" else "000001"
    for left in (4, 3, 2, 1, 0):
        with pytest.raises(Invalid, match="not the code") as refused:
            await verify(small, id, wrong)
        assert refused.value.hint == f"{left} more tries"
    with pytest.raises(Conflict, match="no code"):
        await verify(small, id, code)
    small.clock.pass_(minutes=2)
    await send(small, id)
    small.clock.pass_(minutes=15)
    with pytest.raises(Conflict, match="no code"):
        await verify(small, id, letters.code())


async def test_codes_are_sent_once_a_minute_and_five_times_an_hour(small: Small, letters: Letters) -> None:
    id = await register(small)
    for _ in range(5):
        await send(small, id)
        with pytest.raises(Conflict, match="just now"):
            await send(small, id)
        small.clock.pass_(minutes=2)
    with pytest.raises(Conflict, match="just now"):
        await send(small, id)
    small.clock.pass_(minutes=51)
    await send(small, id)
    assert len(letters.got) == 6


async def test_an_address_registers_once(small: Small, letters: Letters) -> None:
    await register(small)
    with pytest.raises(Conflict, match="already"):
        await verification.register(small.core, RegisterDriver("ADA@example.org"), ANA)
    with pytest.raises(Invalid):
        await verification.register(small.core, RegisterDriver("a@b.c\nBcc: all@example.org"), ANA)


async def test_neither_the_code_nor_the_address_is_written_down_in_clear(
    small: Small, letters: Letters
) -> None:
    id = await register(small)
    await send(small, id)
    await small.close()
    written = b"".join(path.read_bytes() for path in small.folder.glob("cms.db*"))
    assert b"ada@example.org" not in written
    assert letters.code().encode() not in written
    await small.open()
    assert await verify(small, id, letters.code()) == "active", "it is good after a restart"


async def test_without_a_mail_server_nothing_is_promised(small: Small) -> None:
    id = await register(small)
    with pytest.raises(Conflict, match="no mail"):
        await send(small, id)


async def test_a_mail_server_that_is_not_there_is_said_in_one_sentence() -> None:
    with pytest.raises(Unreachable, match="mail server"):
        await Post("smtp://127.0.0.1:9", "charge@volt.example").send(Mail("ada@example.org", "x", "x"))
    with pytest.raises(Invalid, match="smtp_url"):
        Post("https://mail.example", "charge@volt.example")

"""The audit log proves itself, and what is personal is shown to those alone who may see it, who are noted."""

from __future__ import annotations

import asyncio
import json
import os
import random
import sqlite3
import stat
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from cms.api.app import create_app
from cms.api.metrics import Metrics
from cms.api.who import PEER, Peer
from cms.client import Address, AsyncClient
from cms.contract.audit import VerifyAudit
from cms.contract.operators import MapOperator
from cms.contract.refusals import Conflict, Denied, Refusal
from cms.contract.stations import ResetStation, SetStation
from cms.contract.tokens import AddToken, BlockToken, UnblockToken
from cms.core import StoreDown
from cms.domain.audit import Sealed, Wanted
from cms.domain.observations import TokenPresented, TokenRef
from cms.operations import OPERATIONS, audit, auditing, heads, operators, tokens
from cms.operations.auditing import Row, carried_out
from tests.fleet import CMS, started
from tests.operations.small import ANA, Small

CARD = "04A2B3C4D5E6F7"
UIDS = {"viewer": 4001, "technician": 4002, "operator": 4003}


class Door:
    """The API as a process of some user meets it."""

    def __init__(self, small: Small) -> None:
        self.small = small
        self._app = create_app(small.core, OPERATIONS, Metrics(), own_uid=0)

    def as_(self, role: str) -> httpx.AsyncClient:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await self._app({**scope, PEER: Peer(UIDS[role], 1)}, receive, send)

        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://cms")

    async def get(self, role: str, path: str, **query: str) -> httpx.Response:
        async with self.as_(role) as http:
            return await http.get(path, params=query)

    async def rows(self, **wanted: Any) -> list[Sealed]:
        return await self.small.core.store.audit_rows("main", Wanted(**wanted))


@pytest.fixture
async def door(small: Small) -> AsyncIterator[Door]:
    for role, uid in UIDS.items():
        await operators.map_(small.core, MapOperator(f"uid:{uid}", role), ANA)
    await tokens.add(small.core, AddToken(CARD), ANA)
    await small.hear("CP1", TokenPresented(TokenRef(CARD, "rfid")))
    yield Door(small)


@pytest.mark.parametrize("path", ["/v1/tokens", "/v1/events/list", f"/v1/tokens/{CARD}"])
async def test_a_card_number_is_shown_to_who_may_see_it_and_that_is_noted(door: Door, path: str) -> None:
    hidden = await door.get("viewer", path)
    assert hidden.status_code == 200
    assert CARD not in hidden.text and "***E6F7" in hidden.text
    assert await door.rows() == []
    shown = await door.get("operator", path)
    assert CARD in shown.text
    (row,) = await door.rows()
    assert (row.entry.result, row.entry.via, row.entry.role) == ("read", "uid:4003", "operator")


async def test_what_shows_nobody_is_not_noted(door: Door) -> None:
    assert (await door.get("operator", "/v1/stations")).status_code == 200
    assert await door.rows() == []


async def test_nobody_finds_a_card_by_asking_for_it_sign_by_sign(door: Door) -> None:
    for filter in (f"id={CARD}", "id~04A2B3", "04A2B3C4", "id>=04A2B3C4"):
        found = await door.get("viewer", "/v1/tokens", filter=filter)
        assert CARD not in found.text
        assert "E6F7" not in found.text, filter
    assert "E6F7" in (await door.get("viewer", "/v1/tokens", filter="id~E6F7")).text, (
        "what he sees he may find"
    )
    assert CARD in (await door.get("operator", "/v1/tokens", filter="id~04A2B3")).text
    assert (await door.get("viewer", "/v1/tokens", filter="colour=red")).status_code == 422


async def test_what_cannot_be_noted_is_not_shown(door: Door) -> None:
    class Down:
        def __init__(self, store: Any) -> None:
            self._store = store

        def __getattr__(self, name: str) -> Any:
            return getattr(self._store, name)

        async def commit(self, changes: Sequence[Any], events: Sequence[Any]) -> None:
            raise StoreDown("disk full")

    door.small.core.store = Down(door.small.core.store)
    shown = await door.get("operator", "/v1/tokens")
    assert shown.status_code == 200
    assert CARD not in shown.text and "***E6F7" in shown.text


async def test_who_may_not_is_noted_but_not_a_thousand_times(door: Door) -> None:
    async with door.as_("viewer") as http:
        for _ in range(20):
            assert (await http.post("/v1/stations/CP1/reset", json={})).status_code == 403
        assert (await http.get("/v1/audit")).status_code == 403
    assert [(row.entry.operation, row.entry.result, row.entry.actor) for row in await door.rows()] == [
        ("ResetStation", "Denied", "4001"),
        ("ListAudit", "Denied", "4001"),
    ]


async def test_the_askers_own_name_of_a_request_is_in_its_row(door: Door) -> None:
    async with door.as_("operator") as http:
        answer = await http.post(f"/v1/tokens/{CARD}/block", json={}, headers={"X-Request-Id": "job-7.2"})
        assert answer.status_code == 200
        await http.post(f"/v1/tokens/{CARD}/unblock", json={}, headers={"X-Request-Id": "a b\x7f"})
    first, second = await door.rows()
    assert first.entry.request_id == "job-7.2"
    assert second.entry.request_id.isalnum(), "ours"


async def test_a_listener_sees_what_he_may(door: Door) -> None:
    from cms.api.follow import Wanted as Followed
    from cms.api.follow import stream
    from cms.api.masked import FollowEvents, listening

    async def first(role: str, permissions: frozenset[str]) -> str:
        core = door.small.core
        actor = replace(ANA, name=role, permissions=permissions)
        shown = await listening(Row(core, actor, FollowEvents(type="token.*"), "events.read"))
        events = stream(core, "0", Followed(type="token.presented"), asyncio.Event(), shown=shown)
        async with asyncio.timeout(5):
            await anext(events)
            told = (await anext(events)).decode()
        await events.aclose()
        return told

    assert CARD not in await first("viewer", frozenset())
    assert await door.rows() == []
    assert CARD in await first("operator", frozenset({"pii.read"}))
    (row,) = await door.rows()
    assert (row.entry.operation, row.entry.request) == ("FollowEvents", '{"type":"token.*"}')


# The chain, and its end


async def asked(small: Small, request: Any) -> None:
    function = OPERATIONS[type(request)].function
    row = Row(small.core, ANA, request, OPERATIONS[type(request)].permission)
    try:
        await carried_out(row, lambda core: function(core, request, ANA))
    except Refusal:
        pass


async def a_history(small: Small) -> None:
    """Six rows, the last one told where the record does not reach."""
    small.core.terms = replace(small.core.terms, data_dir=str(small.folder))
    for n in range(4):
        await asked(small, SetStation("CP1", note=str(n)))
    await asked(small, ResetStation(station="CP1"))
    await asked(small, ResetStation(station="CP9"))
    await heads.tell(small.core)


def tamper(small: Small, *statements: str) -> None:
    """As somebody with the file does, who takes the triggers away first."""
    with sqlite3.connect(small.folder / "cms.db") as connection:
        for trigger in ("audit_no_update", "audit_no_delete"):
            connection.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            connection.execute(statement)
    connection.close()


async def verdict(small: Small) -> str:
    try:
        return f"{(await audit.verify(small.core, VerifyAudit(), ANA)).rows} rows"
    except Conflict as conflict:
        return conflict.message


async def test_an_untouched_log_is_whole(small: Small) -> None:
    await a_history(small)
    assert await verdict(small) == "6 rows"
    path = small.folder / "audit.head"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_bytes())["main"]["seq"] == 6


#: What is done to the record -> what the verdict says.
TAMPERING = {
    "drop": (["DELETE FROM audit WHERE seq = 3"], "row 3 of the audit log is not there"),
    "edit": (["UPDATE audit SET actor = 'eve' WHERE seq = 2"], "row 2 of the audit log is not as it was written"),
    "reorder": (
        ["UPDATE audit SET seq = -seq WHERE seq IN (4, 5)", "UPDATE audit SET seq = 9 + seq WHERE seq < 0"],
        "row 4 of the audit log is not as it was written",
    ),
    "add": (
        ["INSERT INTO audit SELECT organisation, 7, at, 'eve', via, role, permission, operation, target, result,"
         " detail, reason, request_id, intent, request, before, after, times, target_key, mac FROM audit WHERE"
         " seq = 6", "UPDATE audit_head SET seq = 7"],
        "row 7 of the audit log is not as it was written",
    ),
    "add beyond the end": (
        ["INSERT INTO audit SELECT organisation, 9, at, 'eve', via, role, permission, operation, target, result,"
         " detail, reason, request_id, intent, request, before, after, times, target_key, mac FROM audit WHERE"
         " seq = 6"],
        "row 9 of the audit log was not written by the daemon",
    ),
    "no time": (["UPDATE audit SET at = 'never' WHERE seq = 3"], "row 3 of the audit log cannot be read"),
    "a time that is none": (["UPDATE audit SET at = 1 << 62 WHERE seq = 1"], "row 1 of the audit log cannot be read"),
    "no text": (
        ["UPDATE audit SET actor = CAST(x'ff' AS TEXT) WHERE seq = 4"],
        "row 4 of the audit log cannot be read",
    ),
    "no seal": (["UPDATE audit SET mac = 'ä' WHERE seq = 2"], "row 2 of the audit log is not as it was written"),
    "truncate": (["DELETE FROM audit WHERE seq > 4"], "row 5 of the audit log is not there"),
    "truncate, and move the head": (
        ["DELETE FROM audit WHERE seq > 4",
         "UPDATE audit_head SET seq = 4, mac = (SELECT mac FROM audit WHERE seq = 4)"],
        "row 5 of the audit log is not there: it once went on to row 6",
    ),
    "truncate, and forget the head": (
        ["DELETE FROM audit", "DELETE FROM audit_head"],
        "row 1 of the audit log is not there: it once went on to row 6",
    ),
    "wrong head": (["UPDATE audit_head SET mac = ''"], "row 6 of the audit log is not the last one that was written"),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERING)
async def test_whoever_changes_the_record_is_found_out(small: Small, name: str) -> None:
    statements, said = TAMPERING[name]
    await a_history(small)
    tamper(small, *statements)
    assert await verdict(small) == said


async def test_a_log_that_was_cut_off_and_went_on_is_found_out(small: Small) -> None:
    """The told head stays where it is, although the chain that goes on is whole in itself."""
    await a_history(small)
    tamper(
        small,
        "DELETE FROM audit WHERE seq > 4",
        "UPDATE audit_head SET seq = 4, mac = (SELECT mac FROM audit WHERE seq = 4)",
    )
    for n in range(5):
        await asked(small, SetStation("CP1", note=f"later {n}"))
    assert await verdict(small) == (
        "row 6 of the audit log is not the one that was told: it was written anew"
    )


async def test_a_shorter_log_does_not_replace_the_told_head(small: Small) -> None:
    await a_history(small)
    tamper(small, "DELETE FROM audit WHERE seq > 4", "UPDATE audit_head SET seq = 4")
    await heads.tell(small.core)
    assert json.loads((small.folder / "audit.head").read_bytes())["main"]["seq"] == 6


# Kills

KILLS = int(os.environ.get("STORY_KILLS", "2"))
SEED = int(os.environ.get("STORY_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)


async def killed_again_and_again(folder: Path, command: Sequence[str], kills: int) -> tuple[int, int]:
    """Tokens are blocked and unblocked without a pause while the daemon is killed: (changes, rows of them)."""
    rng = random.Random(SEED)
    address = Address(socket=str(folder / "cms.sock"))
    for turn in range(kills):
        with started(folder, "--ocpp-port", "0", command=command) as process:
            async with AsyncClient(address) as client:
                if turn == 0:
                    for n in range(8):
                        await client.ask(AddToken(f"CARD{n}"))
                busy = [asyncio.create_task(_without_pause(client, f"CARD{n}")) for n in range(8)]
                await asyncio.sleep(rng.uniform(0.15, 0.5))  # anywhere within a request
                process.kill()
                await asyncio.gather(*busy)
    with sqlite3.connect(folder / "cms.db") as connection:
        (changes,) = connection.execute("SELECT count(*) FROM events WHERE type = 'token.changed'").fetchone()
        (rows,) = connection.execute(
            "SELECT count(*) FROM audit WHERE operation IN ('BlockToken', 'UnblockToken') AND result = 'changed'"
        ).fetchone()
    connection.close()
    return changes, rows


async def _without_pause(client: AsyncClient, token: str) -> None:
    try:
        while True:
            await client.ask(BlockToken(token))
            await client.ask(UnblockToken(token))
    except (Refusal, OSError, httpx.HTTPError):
        return  # the daemon is gone


@pytest.mark.timeout(300)
async def test_what_was_changed_before_a_kill_has_its_row(tmp_path: Path) -> None:
    print(f"STORY_SEED={SEED}")
    changes, rows = await killed_again_and_again(tmp_path, (*CMS, "serve"), KILLS)
    assert changes > 20
    assert changes == rows


@pytest.mark.timeout(300)
async def test_a_row_that_is_written_afterwards_would_be_missed(tmp_path: Path) -> None:
    print(f"STORY_SEED={SEED}")
    afterwards = (sys.executable, "-m", "tests.security.afterwards")
    changes, rows = await killed_again_and_again(tmp_path, afterwards, KILLS)
    assert changes > rows


async def test_wrong_tokens_are_noted_sparingly_and_by_address(small: Small) -> None:
    app = create_app(small.core, OPERATIONS, Metrics())

    async def bring(token: str | None, address: str) -> int:
        transport = httpx.ASGITransport(app, client=(address, 40_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://cms") as http:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            return (await http.get("/v1/status", headers=headers)).status_code

    for n in range(5):
        assert await bring(f"cms_live_abcdefghij_{'x' * 43}_00000{n}", "192.0.2.7") in (401, 429)
    await bring("nonsense", "198.51.100.1")
    await bring(None, "203.0.113.9")
    rows = await small.core.store.audit_rows("main", Wanted())
    assert [(row.entry.operation, row.entry.result, row.entry.via) for row in rows] == [
        ("BringToken", "Denied", "192.0.2.7"),
        ("BringToken", "Denied", "198.51.100.1"),
    ]
    assert "x" * 20 not in rows[0].entry.request


async def test_ten_thousand_addresses_do_not_fill_the_record(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditing, "_MOST_DENIALS", 10)
    denials = auditing.Denials()
    for n in range(500):
        nobody = replace(ANA, name="nobody", key=f"2001:db8::{n}")
        await denials.denied(Row(small.core, nobody, ResetStation(station="CP1"), ""), Denied("no"))
    small.clock.pass_(minutes=1)
    await denials.tell(small.clock.now())
    rows = await small.core.store.audit_rows("main", Wanted())
    assert sum(row.entry.times for row in rows) == 500
    assert len(rows) == 12
    assert (rows[-1].entry.actor, rows[-1].entry.times) == ("others", 489)

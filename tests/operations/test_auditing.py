"""Every request that changes something leaves exactly one row, in the transaction of what it changes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from cms.contract.audit import AuditView, ListAudit, VerifyAudit
from cms.contract.configuration import ReportConfiguration
from cms.contract.refusals import Conflict, Denied, Invalid, NotFound, Refusal, Rejected, Unreachable
from cms.contract.stations import AddStation, RemoveStation, ResetStation, SetConfiguration, SetStation
from cms.contract.tokens import AddToken, BlockToken, ListTokens, RemoveToken, UnblockToken
from cms.core import Actor, Clash, Core, StoreDown
from cms.domain.audit import Wanted
from cms.domain.changes import Change, Happened, Keep
from cms.domain.orders import OrderAnswer
from cms.operations import OPERATIONS, audit
from cms.operations.auditing import Denials, Row, carried_out, changes_something, seen
from tests.operations.drafts import draft
from tests.operations.small import ANA, Small

EVE = Actor("eve", "viewer", frozenset(), via="uid:1001 login:7", key="uid:1001")
CHANGING = [kind for kind in OPERATIONS if changes_something(draft(kind))]


def row_of(small: Small, request: Any, actor: Actor = ANA) -> Row:
    return Row(small.core, actor, request, OPERATIONS[type(request)].permission, "r-1")


async def ask(small: Small, request: Any, actor: Actor = ANA) -> Any:
    function = OPERATIONS[type(request)].function
    return await carried_out(row_of(small, request, actor), lambda core: function(core, request, actor))


async def rows(small: Small, **wanted: Any) -> list[AuditView]:
    return await audit.list_(small.core, ListAudit(**wanted), ANA)


#: Last, so that the others find what they are about.
TAKING_AWAY = ("Remove", "Drop", "Forget", "Erase", "Close", "Revoke", "Unmap", "Delete")


async def noted(small: Small, kind: type[Any]) -> str | None:
    """What is wrong with the rows that the smallest request of this kind leaves; None: it is one, and right."""
    before = len(await rows(small, limit=10_000))
    refused: Exception | None = None
    try:
        await ask(small, draft(kind))
    except Exception as error:
        refused = error
    await small.settled()
    added = (await rows(small, limit=10_000))[before:]
    if [row.operation for row in added] != [kind.__name__]:
        return f"{kind.__name__}: {len(added)} rows"
    (row,) = added
    if (row.actor, row.permission) != ("ana", OPERATIONS[kind].permission):
        return f"{kind.__name__}: {row}"
    if isinstance(refused, Refusal) and (row.result, row.detail) != (refused.name, refused.message):
        return None if row.result in ("ordered", "changed", "held") else f"{kind.__name__}: {row} {refused}"
    return None


async def test_every_operation_that_may_change_something_leaves_one_row(small: Small) -> None:
    order = sorted(CHANGING, key=lambda kind: kind.__name__.startswith(TAKING_AWAY))
    assert [wrong for kind in order if (wrong := await noted(small, kind)) is not None] == []
    results = {row.result for row in await rows(small, limit=10_000)}
    assert {"changed", "ordered", "NotFound", "Invalid"} <= results
    await audit.verify(small.core, VerifyAudit(), ANA)


async def test_a_row_tells_who_did_what_to_what_why_and_what_came_of_it(small: Small) -> None:
    who = Actor("ana", "operator", frozenset(), via="uid:1000", key="uid:1000", approved_by="bob")
    await ask(small, SetStation("cp1", note="by the door", reason="moved"), who)
    (row,) = await rows(small, target="CP1")
    assert (row.seq, row.actor, row.via, row.role) == (1, "ana", "uid:1000 approved by bob", "operator")
    assert (row.operation, row.permission, row.target) == ("SetStation", "stations.enrol", "cp1")
    assert (row.result, row.detail, row.reason, row.request_id) == ("changed", None, "moved", "r-1")
    assert row.request == {"station": "cp1", "note": "by the door", "reason": "moved"}
    assert row.before and row.after and row.before != row.after
    await ask(small, SetStation("CP1", note="by the gate"))
    assert (await rows(small))[1].before == row.after, "the same thing has the same digest"


async def test_an_order_is_told_by_its_intent(small: Small) -> None:
    intent = await ask(small, ResetStation(station="CP1"))
    small.stations.answer = OrderAnswer("rejected", "Rejected", {"status": "Rejected"})
    with pytest.raises(Rejected):
        await ask(small, ResetStation(station="CP1", reason="it hangs"))
    ordered, refused = await rows(small)
    assert (ordered.result, ordered.intent) == ("ordered", intent.id)
    assert (refused.result, refused.reason) == ("ordered", "it hangs"), (
        "what the station said, the intent knows"
    )
    assert refused.intent not in (None, intent.id)


async def test_what_is_refused_or_changes_nothing_has_a_row_of_its_own(small: Small) -> None:
    with pytest.raises(NotFound):
        await ask(small, RemoveStation("CP9"))
    small.stations.links.clear()
    with pytest.raises(Unreachable):
        await ask(small, ResetStation(station="CP1"))
    missing, offline = await rows(small)
    assert (missing.result, missing.target) == ("NotFound", "CP9")
    assert missing.detail is not None and missing.detail.startswith("there is no station CP9")
    assert (offline.result, offline.intent) == ("Unreachable", None)


async def test_a_look_and_a_dry_run_leave_no_row(small: Small) -> None:
    await ask(small, ListTokens())
    await ask(small, ResetStation(station="CP1", dry_run=True))
    assert await rows(small) == []


class Interrupted(Exception):
    pass


class Failing:
    """A store whose commits fail in a given order: an exception each, None for one that works."""

    def __init__(self, store: Any, *outcomes: Exception | None) -> None:
        self.store = store
        self.outcomes = list(outcomes)
        self.carried: list[list[str]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    async def commit(self, changes: Sequence[Change], events: Sequence[Happened]) -> None:
        self.carried.append([type(change).__name__ for change in changes])
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if outcome is not None:
            raise outcome
        await self.store.commit(changes, events)


async def test_the_row_is_written_with_the_change_or_not_at_all(small: Small) -> None:
    """Whoever wrote it afterwards would lose it when the daemon is killed in between."""
    failing = Failing(small.core.store, None, Interrupted())
    small.core.store = failing
    await ask(small, BlockToken("CARD1"))
    assert failing.carried == [["SaveToken", "Audit"]], "one transaction: nothing comes after it"
    assert [row.operation for row in await rows(small)] == ["BlockToken"]


async def afterwards(small: Small, request: Any) -> None:
    """The naive way: done first, noted when it is done."""
    await OPERATIONS[type(request)].function(small.core, request, ANA)
    await small.core.store.commit((row_of(small, request).ended("changed"),), ())


async def test_a_row_in_a_transaction_of_its_own_would_be_lost(small: Small) -> None:
    small.core.store = Failing(small.core.store, None, Interrupted())
    with pytest.raises(Interrupted):
        await afterwards(small, BlockToken("CARD1"))
    assert small.core.tokens["card1"].blocked
    assert await rows(small) == [], "changed, and nobody knows by whom"


async def test_who_tries_again_after_a_clash_leaves_the_row_with_what_is_written(small: Small) -> None:
    failing = Failing(small.core.store, Clash("taken"))
    small.core.store = failing

    async def again(core: Core) -> None:
        for _ in range(2):
            try:
                await core.store.commit((Keep("", "site", "a", None, core.clock.now()),), ())
            except Clash:
                continue

    await carried_out(row_of(small, BlockToken("CARD1")), again)
    assert failing.carried == [["Keep", "Audit"], ["Keep", "Audit"]]
    assert [row.result for row in await rows(small)] == ["changed"]


async def test_when_the_record_is_down_nothing_is_changed_and_nothing_noted(small: Small) -> None:
    small.core.store = Failing(small.core.store, StoreDown("disk full"), StoreDown("disk full"))
    with pytest.raises(StoreDown):
        await ask(small, BlockToken("CARD1"))
    assert not small.core.tokens["card1"].blocked
    assert await rows(small) == []


async def test_what_is_begun_beside_the_request_adds_no_row(small: Small) -> None:
    async def work(core: Core) -> None:
        async def beside() -> None:
            await core.store.commit((Keep("", "site", "b", None, core.clock.now()),), ())

        core.spawn(beside())
        await asyncio.sleep(0.01)  # it commits before we do
        await core.store.commit((Keep("", "site", "a", None, core.clock.now()),), ())
        core.spawn(beside())

    failing = Failing(small.core.store)
    small.core.store = failing
    await carried_out(row_of(small, BlockToken("CARD1")), work)
    await small.settled()
    assert failing.carried == [["Keep"], ["Keep", "Audit"], ["Keep"]]


async def test_of_several_commits_at_once_one_carries_the_row(small: Small) -> None:
    async def work(core: Core) -> None:
        await asyncio.gather(
            *(core.store.commit((Keep("", "site", str(n), None, core.clock.now()),), ()) for n in range(5))
        )

    await carried_out(row_of(small, BlockToken("CARD1")), work)
    assert len(await rows(small)) == 1


async def test_the_core_of_the_operation_is_the_same_world(small: Small) -> None:
    seen_: list[Core] = []

    async def look(core: Core) -> None:
        core.terms = replace(core.terms, version="new")
        seen_.append(core)

    await carried_out(row_of(small, BlockToken("CARD1")), look)
    (core,) = seen_
    for name in (
        "lanes",
        "tokens",
        "kept",
        "books",
        "active",
        "keys",
        "terms",
        "stations",
        "bus",
        "clock",
        "trust",
    ):
        assert getattr(core, name) is getattr(small.core, name), name


async def test_tokens_are_named_so_that_they_are_found_and_not_told(small: Small) -> None:
    await ask(small, AddToken("04A2B3C4D5E6F7", visual_number="DE-8AA-C12345678-X"))
    await ask(small, BlockToken("04a2b3c4d5e6f7"))
    added, blocked = await rows(small, target="04A2B3C4D5E6F7")
    assert added.target is not None and added.target.startswith("*E6F7#")
    assert blocked.target is not None and blocked.target.casefold() == added.target.casefold()
    assert "04A2B3C4D5" not in msgspec.json.encode([added, blocked]).decode().upper()
    assert "C1234567" not in msgspec.json.encode(added).decode()


CANARY = "canary-4711-geheim"


@pytest.mark.parametrize(
    "request_",
    [
        AddStation("CP2", password=CANARY * 2),
        SetConfiguration(station="CP1", values={"AuthorizationKey": CANARY * 2}),
        SetConfiguration(station="CP1", values={"SecurityCtrlr.BasicAuthPassword": CANARY * 2}),
    ],
    ids=lambda request: type(request).__name__,
)
async def test_no_secret_stands_in_the_audit_log(small: Small, request_: Any) -> None:
    with_refusal = None
    try:
        await ask(small, request_)
    except Refusal as refusal:
        with_refusal = refusal
    found = await small.core.store.audit_rows("main", Wanted())
    assert len(found) == 1, with_refusal
    assert CANARY.encode() not in msgspec.json.encode(found)


@pytest.mark.parametrize(
    ("noun", "name", "fields"),
    [
        ("ocpp", "CallStation", {"action": "SetVariables", "payload": {"setVariableData": [
            {"attributeValue": CANARY, "variable": {"name": "BasicAuthPassword"}}]}}),
        ("ocpp", "SendRaw", {"lab": True,
            "text": f'[2,"1","ChangeConfiguration",{{"key":"AuthorizationKey","value":"{CANARY}"}}]'}),
        ("jobs", "UpdateFirmware", {"location": f"ftp://user:{CANARY}@host/fw.bin"}),
        ("jobs", "GetLog", {"location": f"ftp://user:{CANARY}@host/"}),
        ("tokens", "AddToken", {"token": CANARY, "kind": "key-code"}),
        ("drivers", "AddDriver", {"driver": "d1", "name": CANARY, "email": f"{CANARY}@example.org",
            "phone": CANARY, "street": CANARY}),
        ("drivers", "AddDriverNote", {"driver": "d1", "text": CANARY}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
async def test_nothing_secret_or_personal_stands_in_a_request_of_the_audit(
    small: Small, noun: str, name: str, fields: dict[str, Any]
) -> None:
    kind = next(kind for kind in OPERATIONS if kind.__name__ == name)
    try:
        await ask(small, draft(kind, **fields))
    except Refusal:
        pass
    found = await small.core.store.audit_rows("main", Wanted())
    assert len(found) == 1
    assert CANARY not in found[0].entry.request + str(found[0].entry.target)


async def test_a_request_that_is_too_long_is_known_by_its_digest(small: Small) -> None:
    note = "x" * 10_000
    await ask(small, SetStation("CP1", note=note, reason="r"))
    (row,) = await rows(small)
    assert row.request["station"] == "CP1"
    assert "note" not in row.request
    assert row.request["cut"]["bytes"] > 10_000
    assert len(row.request["cut"]["sha256"]) == 64


async def test_hostile_text_is_kept_as_text(small: Small) -> None:
    hostile = "a\0b\x1b]52;c;\ud800[/]"
    with pytest.raises(Refusal):
        await ask(small, RemoveStation(hostile), replace(EVE, name=hostile))
    (row,) = await rows(small)
    assert row.target is not None and "\0" not in row.target and "\x1b]52" in row.target
    await audit.verify(small.core, VerifyAudit(), ANA)


async def test_who_is_denied_again_and_again_fills_no_record(small: Small) -> None:
    denials = Denials()
    refused = Denied("eve may not do this")
    request = ResetStation(station="CP1")
    for _ in range(1000):
        await denials.denied(row_of(small, request, EVE), refused)
    await denials.denied(row_of(small, BlockToken("CARD1"), EVE), refused)
    assert [(row.operation, row.times) for row in await rows(small)] == [
        ("ResetStation", 1),
        ("BlockToken", 1),
    ]
    await denials.tell(small.clock.now())
    assert len(await rows(small)) == 2
    small.clock.pass_(minutes=1)
    await denials.tell(small.clock.now())
    late = (await rows(small))[-1]
    assert (late.operation, late.result, late.times, late.via) == (
        "ResetStation",
        "Denied",
        999,
        "uid:1001 login:7",
    )
    assert len(await rows(small)) == 3


async def test_a_denial_after_a_quiet_minute_is_told_at_once(small: Small) -> None:
    denials = Denials()
    for _ in range(3):
        await denials.denied(row_of(small, BlockToken("CARD1"), EVE), Denied("no"))
        small.clock.pass_(minutes=2)
    assert [row.times for row in await rows(small)] == [1, 1, 1]


async def test_the_verdict_names_the_first_wrong_row_and_knows_told_heads(small: Small) -> None:
    for n in range(3):
        await ask(small, SetStation("CP1", note=str(n)))
    whole = await audit.verify(small.core, VerifyAudit(), ANA)
    assert (whole.rows, whole.heads) == (3, 0)
    again = await audit.verify(small.core, VerifyAudit(f"{whole.seq}:{whole.mac}"), ANA)
    assert again.heads == 1
    with pytest.raises(Conflict, match="row 3 of the audit log is not the one that was told"):
        await audit.verify(small.core, VerifyAudit("3:" + "0" * 64), ANA)
    with pytest.raises(Conflict, match="row 4 of the audit log is not there: it once went on to row 9"):
        await audit.verify(small.core, VerifyAudit("9:" + "0" * 64), ANA)
    with pytest.raises(Invalid, match="no head"):
        await audit.verify(small.core, VerifyAudit("9"), ANA)


async def test_somebody_is_shown_personal_data(small: Small) -> None:
    await seen(row_of(small, ListTokens(filter="id=CARD1"), EVE))
    (row,) = await rows(small, result="read")
    assert await rows(small, looks=False) == []
    assert (row.actor, row.operation, row.request) == ("eve", "ListTokens", {"filter": "id=CARD1"})


async def test_rows_are_listed_by_page(small: Small) -> None:
    for n in range(5):
        await ask(small, (BlockToken if n % 2 else UnblockToken)("CARD1"))
    await ask(small, RemoveToken("CARD1"))

    async def numbers(**wanted: Any) -> list[int]:
        return [row.seq for row in await rows(small, **wanted)]

    assert await numbers(limit=2) == [5, 6]
    assert await numbers(limit=2, before=5) == [3, 4]
    assert await numbers(limit=4, after=0) == [1, 2, 3, 4]
    assert await numbers(operation="BlockToken") == [2, 4]
    assert await numbers(since=small.clock.now() + timedelta(seconds=1)) == []
    with pytest.raises(Invalid, match="limit"):
        await rows(small, limit=0)
    with pytest.raises(Invalid, match="after"):
        await rows(small, after=2**63)
    with pytest.raises(Invalid, match="offset"):
        await rows(small, since=small.clock.now().replace(tzinfo=None))


def test_reports_count_as_changing_something() -> None:
    assert ReportConfiguration in CHANGING and ListTokens not in CHANGING and ListAudit not in CHANGING

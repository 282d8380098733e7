from __future__ import annotations

import asyncio
import contextlib
import random
from datetime import timedelta
from typing import Any

import pytest

from cms.contract.drivers import AddDriver
from cms.contract.intents import IntentView, Preview
from cms.contract.lists import (
    AskListVersion,
    ClearCache,
    ListLists,
    ListView,
    SetList,
    ShowList,
    SyncList,
)
from cms.contract.refusals import Conflict, Invalid, NotSupported, Refusal, Rejected, Unreachable
from cms.contract.stations import AddStation
from cms.contract.tokens import AddToken, BlockToken, RemoveToken, UnblockToken
from cms.domain.changes import SaveVariables
from cms.domain.lists import AskListVersion as VersionAsked
from cms.domain.lists import Entry, SendList, Update
from cms.domain.observations import ConnectorReported, VariableReported
from cms.domain.orders import Order, OrderAnswer
from cms.operations import admission, drivers, lists, stations, tokens
from tests.domain.build import NOON, after
from tests.operations.small import ANA, Small, ToldStations

LOST = Unreachable("CP1 did not answer SendLocalList within 30 s")


class ListKeepers(ToldStations):
    """Stations that hold what they are sent, unless they are told to say no."""

    def __init__(self, small: Small) -> None:
        super().__init__(small.clock)
        self.held: dict[str, Entry] = {}
        self.no: Refusal | str | None = None
        self.answer_is_lost = False
        self.version = 0
        self._sent = asyncio.Event()

    @property
    def updates(self) -> list[Update]:
        return [order.update for _, order in self.given if isinstance(order, SendList) and order.update]

    async def until(self, held: set[str]) -> None:
        """Wait until the station holds exactly these tokens."""
        while set(self.held) != held:
            self._sent.clear()
            await self._sent.wait()

    async def give(self, station_id: str, order: Order, timeout_s: float) -> OrderAnswer:
        answer = await super().give(station_id, order, timeout_s)
        if isinstance(order, VersionAsked) and not answer.word.lstrip("-").isdecimal():
            return OrderAnswer("accepted", str(self.version), {"listVersion": self.version})
        if not isinstance(order, SendList):
            return answer
        assert order.update is not None
        no, self.no = self.no, None
        if isinstance(no, Refusal):
            raise no
        if no is not None:
            return OrderAnswer("rejected", no, {"status": no})
        if order.update.full:
            self.held = {}
        for gone in order.update.removed:
            assert self.held.pop(gone.token, None), f"{gone.token} is not there to be removed"
        self.version = order.update.version
        self.held |= {entry.token: entry for entry in order.update.entries}
        self._sent.set()
        if self.answer_is_lost:
            raise LOST
        return OrderAnswer("accepted", "Accepted", {"status": "Accepted", "version": order.update.version})


@pytest.fixture
def keepers(small: Small) -> ListKeepers:
    told = ListKeepers(small)
    small.stations = told
    small.core.stations = told
    told.connect("CP1")
    return told


async def sync(small: Small, **fields: Any) -> IntentView:
    answer = await lists.sync(small.core, SyncList(**{"station": "CP1"} | fields), ANA)
    assert isinstance(answer, IntentView)
    return answer


async def shown(small: Small) -> ListView:
    return (await lists.show(small.core, ShowList("CP1"), ANA)).list


async def add(small: Small, token: str, **fields: Any) -> None:
    if "driver" in fields:
        await drivers.add(small.core, AddDriver(fields["driver"]), ANA)
    await tokens.add(small.core, AddToken(token, **fields), ANA)


async def test_the_first_update_is_full_and_later_ones_send_what_changed(
    small: Small, keepers: ListKeepers
) -> None:
    await add(small, "CARD2")
    await sync(small)
    await add(small, "CARD3")
    await tokens.remove(small.core, RemoveToken("CARD2"), ANA)
    await tokens.block(small.core, BlockToken("CARD1"), ANA)
    assert (await shown(small)).state == "stale"
    await sync(small)
    first, second = keepers.updates
    assert (first.full, first.version, [e.token for e in first.entries]) == (True, 1, ["CARD1", "CARD2"])
    assert (second.full, second.version) == (False, 2)
    assert [(e.token, e.status) for e in second.entries] == [("CARD1", "blocked"), ("CARD3", "accepted")]
    assert [e.token for e in second.removed] == ["CARD2"]
    assert ((await shown(small)).state, (await shown(small)).version) == ("current", 2)


async def test_what_an_order_holds_is_not_kept_with_the_intent(small: Small, keepers: ListKeepers) -> None:
    assert (await sync(small)).params == {"full": False}


async def test_a_list_that_is_what_it_should_be_is_only_asked_for_its_version(
    small: Small, keepers: ListKeepers
) -> None:
    await sync(small)
    keepers.answer = OrderAnswer("accepted", "1", {"listVersion": 1})
    assert (await sync(small)).order == "list-version"
    assert (await shown(small)).state == "current"


async def test_another_version_than_ours_means_that_somebody_changed_the_list(
    small: Small, keepers: ListKeepers
) -> None:
    await sync(small)
    keepers.answer = OrderAnswer("accepted", "40", {"listVersion": 40})
    await lists.version(small.core, AskListVersion(station="CP1"), ANA)
    assert (await shown(small)).trouble == "the station has version 40, not 1"
    await sync(small)
    assert (keepers.updates[-1].full, keepers.updates[-1].version) == (True, 41)


@pytest.mark.parametrize("word", ["Failed", "VersionMismatch"])
async def test_a_difference_that_is_not_taken_is_followed_by_the_whole_list(
    small: Small, keepers: ListKeepers, word: str
) -> None:
    await sync(small)
    await add(small, "CARD2")
    keepers.no = word
    assert (await sync(small)).status == "confirmed"
    assert [update.full for update in keepers.updates] == [True, False, True]
    assert set(keepers.held) == {"CARD1", "CARD2"}


async def test_the_version_rises_only_when_the_station_accepted(small: Small, keepers: ListKeepers) -> None:
    keepers.no = "Failed"
    with pytest.raises(Rejected, match="Failed"):
        await sync(small)
    assert ((await shown(small)).version, (await shown(small)).state) == (0, "none")


async def test_after_a_lost_link_nobody_knows_what_the_station_holds(
    small: Small, keepers: ListKeepers
) -> None:
    await sync(small)
    await add(small, "CARD2")
    keepers.no = LOST
    with pytest.raises(Unreachable):
        await sync(small)
    assert (await shown(small)).state == "stale"
    await small.restart()
    small.core.stations = keepers
    await sync(small)
    assert keepers.updates[-1].full


async def test_a_station_without_lists_is_remembered_as_one(small: Small, keepers: ListKeepers) -> None:
    keepers.no = "NotSupported"
    with pytest.raises(NotSupported):
        await sync(small)
    with pytest.raises(NotSupported, match="keeps no local list"):
        await sync(small)
    assert len(keepers.updates) == 1
    await sync(small, full=True)
    assert (await shown(small)).state == "current"


async def test_a_station_that_fails_at_a_list_keeps_lists_again(small: Small, keepers: ListKeepers) -> None:
    keepers.no = "NotSupported"
    with pytest.raises(NotSupported):
        await sync(small)
    keepers.no = "Failed"
    with pytest.raises(Rejected):
        await sync(small, full=True)
    assert (await shown(small)).state == "none"


async def test_a_station_that_knows_no_lists_at_all_is_remembered_too(
    small: Small, keepers: ListKeepers
) -> None:
    keepers.no = NotSupported("CP1 said NotImplemented")
    with pytest.raises(NotSupported):
        await sync(small)
    assert ((await shown(small)).state, (await shown(small)).trouble) == (
        "unsupported",
        "CP1 said NotImplemented",
    )
    with pytest.raises(NotSupported, match="keeps no local list"):
        await sync(small)
    assert len(keepers.updates) == 1


async def test_one_update_at_a_time_is_sent_to_a_station(small: Small, keepers: ListKeepers) -> None:
    async def again() -> None:
        with pytest.raises(Conflict, match="under way"):
            await sync(small)

    keepers.before_answer = again
    await sync(small)
    assert len(keepers.updates) == 1


async def test_a_queued_update_sends_the_tokens_of_the_day_it_is_sent(
    small: Small, keepers: ListKeepers
) -> None:
    keepers.links.clear()
    assert (await sync(small, queue_s=3600)).status == "queued"
    await add(small, "CARD2")
    keepers.connect("CP1")
    await admission.connected(small.core, "CP1", "1.6", "127.0.0.1")
    await small.settled()
    assert set(keepers.held) == {"CARD1", "CARD2"}


async def test_a_list_holds_the_tokens_that_were_chosen(small: Small, keepers: ListKeepers) -> None:
    await add(small, "CARD2", driver="ada")
    await lists.set_(small.core, SetList("CP1", "driver=ada"), ANA)
    await sync(small)
    assert set(keepers.held) == {"CARD2"}
    await lists.set_(small.core, SetList("CP1", "none"), ANA)
    await sync(small, full=True)
    assert (keepers.held, (await shown(small)).tokens) == ({}, "none")
    with pytest.raises(Invalid):
        await lists.set_(small.core, SetList("CP1", "driver=("), ANA)


async def test_what_is_not_good_there_is_not_in_the_list(small: Small, keepers: ListKeepers) -> None:
    await stations.add(small.core, AddStation("CP2"), ANA)
    await add(small, "OLD", valid_to=after(1))
    await add(small, "4711", kind="key-code")
    await add(small, "MASTER", group="MP", master=True)
    await add(small, "ELSEWHERE", places=("CP2",))
    await add(small, "HERE", places=("CP1",))
    await add(small, "EVSE2", places=("CP1:2",))
    await add(small, "T" * 21)
    await add(small, "BADGE", kind="other:company-badge")
    small.clock.pass_(minutes=5)
    await sync(small)
    assert set(keepers.held) == {"CARD1", "HERE", "BADGE"}
    keepers.connect("CP1", "2.0.1")
    await sync(small)
    assert set(keepers.held) == {"CARD1", "HERE", "EVSE2", "T" * 21}
    keepers.connect("CP1", "2.1")
    await sync(small)
    assert set(keepers.held) == {"CARD1", "HERE", "EVSE2", "T" * 21, "BADGE"}
    assert keepers.held["EVSE2"].evses == (2,)


async def test_more_tokens_than_fit_are_refused_before_anything_is_sent(
    small: Small, keepers: ListKeepers
) -> None:
    await add(small, "CARD2")
    room = VariableReported("LocalAuthListMaxLength", "1", readonly=True)
    await small.core.store.commit((SaveVariables("CP1", (room,), NOON),), ())
    with pytest.raises(Conflict, match="takes 1 tokens, and 2 should be in it"):
        await sync(small)
    assert not keepers.updates


async def test_a_station_that_tells_no_limit_is_sent_small_messages(
    small: Small, keepers: ListKeepers
) -> None:
    await sync(small)
    assert keepers.updates[-1].per_message == 100
    most = VariableReported("SendLocalListMaxLength", "250", readonly=True)
    await small.core.store.commit((SaveVariables("CP1", (most,), NOON),), ())
    await sync(small, full=True)
    assert keepers.updates[-1].per_message == 250


async def test_a_conflict_that_the_station_reports_makes_its_list_stale(
    small: Small, keepers: ListKeepers
) -> None:
    await sync(small)
    await small.hear("CP1", ConnectorReported(0, 0, "available", NOON, error_code="LocalListConflict"))
    assert [v.station for v in await lists.list_(small.core, ListLists(stale=True), ANA)] == ["CP1"]
    await lists.sync_stale(small.core)
    assert keepers.updates[-1].full


async def test_stale_lists_are_told_without_reading_what_stations_hold(
    small: Small, keepers: ListKeepers
) -> None:
    await sync(small)
    for change in (BlockToken("CARD1"), None):
        if change is not None:
            await tokens.block(small.core, change, ANA)
        else:
            await tokens.unblock(small.core, UnblockToken("CARD1"), ANA)
        stale = await lists.list_(small.core, ListLists(stale=True), ANA)
        assert bool(stale) is (change is not None)
    await small.restart()
    assert await lists.list_(small.core, ListLists(stale=True), ANA) == []


async def test_lists_follow_the_tokens_where_that_is_wanted(small: Small, keepers: ListKeepers) -> None:
    await sync(small)
    await add(small, "CARD2")
    keepers.links.clear()
    await lists.sync_stale(small.core)
    assert set(keepers.held) == {"CARD1"}
    keepers.connect("CP1")
    await lists.sync_stale(small.core)
    assert set(keepers.held) == {"CARD1", "CARD2"}
    await lists.sync_stale(small.core)
    assert len(keepers.updates) == 2


async def test_lists_are_sent_by_themselves_when_tokens_change(small: Small, keepers: ListKeepers) -> None:
    await sync(small)
    await add(small, "CARD2")
    following = asyncio.create_task(lists.follow(small.core, rest_s=0))
    async with asyncio.timeout(10):
        await keepers.until({"CARD1", "CARD2"})
        await add(small, "CARD3")
        await keepers.until({"CARD1", "CARD2", "CARD3"})
        await tokens.remove(small.core, RemoveToken("CARD1"), ANA)
        await keepers.until({"CARD2", "CARD3"})
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following


async def test_a_dry_run_says_what_would_be_sent(small: Small, keepers: ListKeepers) -> None:
    shown_ = await lists.sync(small.core, SyncList(station="CP1", dry_run=True), ANA)
    assert isinstance(shown_, Preview)
    assert shown_.impact == "its list becomes these 1 tokens"
    assert not keepers.updates


async def test_a_token_that_expires_leaves_the_list(small: Small, keepers: ListKeepers) -> None:
    await add(small, "GUEST", valid_to=NOON + timedelta(hours=1))
    await sync(small)
    small.clock.pass_(hours=2)
    await sync(small)
    assert [e.token for e in keepers.updates[-1].removed] == ["GUEST"]


async def test_a_cache_is_cleared_by_the_station_or_not(small: Small) -> None:
    answer = await lists.clear_cache(small.core, ClearCache(station="CP1"), ANA)
    assert isinstance(answer, IntentView)
    assert answer.status == "confirmed"
    small.stations.answer = OrderAnswer("rejected", "Rejected", {"status": "Rejected"})
    with pytest.raises(Rejected):
        await lists.clear_cache(small.core, ClearCache(station="CP1"), ANA)


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_goes_wrong_the_station_ends_up_with_the_tokens_it_should_hold(
    small: Small, keepers: ListKeepers, seed: int
) -> None:
    dice = random.Random(seed)
    for step in range(25):
        known = sorted(token.id for token in small.core.tokens.values())
        match dice.choice(["add", "add", "remove", "block", "restart", "sync", "sync", "sync"]):
            case "add":
                await add(small, f"T{step}", group=dice.choice([None, "G"]))
            case "remove" if known:
                await tokens.remove(small.core, RemoveToken(dice.choice(known)), ANA)
            case "block" if known:
                await tokens.block(small.core, BlockToken(dice.choice(known)), ANA)
            case "restart":
                await small.restart()
                small.core.stations = keepers
            case "sync":
                keepers.no = dice.choice([None, None, "Failed", "VersionMismatch", LOST])
                keepers.answer_is_lost = dice.random() < 0.3
                with contextlib.suppress(Rejected, Unreachable):
                    await sync(small)
    keepers.no, keepers.answer_is_lost = None, False
    if (await shown(small)).state != "current":
        await sync(small)
    versions = [update.version for update in keepers.updates]
    assert (await shown(small)).state == "current"
    assert {e.token: e.status for e in keepers.held.values()} == {
        token.id: "blocked" if token.blocked else "accepted" for token in small.core.tokens.values()
    }
    assert versions == sorted(versions) and versions[0] == 1

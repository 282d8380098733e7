from __future__ import annotations

import pytest

from cms.domain.lists import Entry, entry, mark
from cms.domain.observations import TokenRef
from cms.domain.tokens import Presented, Token, places_at, rule
from tests.domain.build import NOON, Desk, event

EVSE2 = Token("CARD", places=("CP1:2", "CP1:3", "CP9"))
MASTER = Token("BOSS", group="MASTERPASS", master=True)


@pytest.mark.parametrize(
    ("station", "evses"), [("cp1", (2, 3)), ("CP9", ()), ("CP2", None), ("CP1:2", None), ("", None)]
)
def test_a_token_is_good_at_its_places(station: str, evses: tuple[int, ...] | None) -> None:
    assert places_at(EVSE2, station) == evses


def test_a_token_without_places_is_good_everywhere() -> None:
    assert places_at(Token("CARD"), "CP1") == ()


@pytest.mark.parametrize(
    ("at", "status", "evses"),
    [
        (Presented("CP1"), "accepted", (2, 3)),
        (Presented("CP1", 2, starts=True), "accepted", (2, 3)),
        (Presented("CP1", 1, starts=True), "not-allowed-type-evse", ()),
        (Presented("CP9", 1, starts=True), "accepted", ()),
        (Presented("CP2"), "not-at-this-location", ()),
        (None, "accepted", ()),
    ],
)
def test_where_a_token_is_presented_matters(
    at: Presented | None, status: str, evses: tuple[int, ...]
) -> None:
    ruling = rule(EVSE2, TokenRef("CARD"), NOON, at=at)
    assert (ruling.status, ruling.answer().evses) == (status, evses)


def test_a_master_pass_is_accepted_with_its_group_and_starts_nothing() -> None:
    shown = rule(MASTER, TokenRef("BOSS"), NOON, at=Presented("CP1")).answer()
    assert (shown.status, shown.group) == ("accepted", "MASTERPASS")
    assert rule(MASTER, TokenRef("BOSS"), NOON, at=Presented("CP1", 1, starts=True)).status == "invalid"


def test_a_master_pass_that_stops_a_session_does_not_pay_for_it() -> None:
    desk = Desk(tokens=(MASTER,))
    desk.tell(event("started", 0, NOON, evse=1), version="2.0.1")
    desk.tell(event("updated", 1, NOON, token=TokenRef("BOSS"), trigger="StopAuthorized"), version="2.0.1")
    (session,) = desk.state.sessions.values()
    assert (session.token, session.stop_token) == (None, "BOSS")


def test_a_list_is_the_same_in_whatever_order_and_another_with_every_difference() -> None:
    one, two = Entry("A", "rfid", "accepted"), Entry("B", "rfid", "accepted")
    assert mark([one, two]) == mark([two, one])
    assert mark([one]) ^ mark([two]) == mark([one, two])
    assert len({mark([one]), mark([two]), mark([Entry("A", "rfid", "blocked")]), mark([])}) == 4


def test_a_token_without_a_place_here_has_no_entry() -> None:
    assert entry(EVSE2, "CP2", NOON, 20, by_evse=True) is None
    assert entry(EVSE2, "CP1", NOON, 20, by_evse=False) is None
    assert entry(EVSE2, "CP1", NOON, 20, by_evse=True) == Entry("CARD", "rfid", "accepted", evses=(2, 3))

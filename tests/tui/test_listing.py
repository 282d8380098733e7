"""Rows that are judged as changes come and move only when a person rests."""

from __future__ import annotations

from tests.tui.fake import station
from tui.listing import Listing


def listing_of(*names: str) -> tuple[dict[str, object], Listing]:
    views: dict[str, object] = {name: station(name) for name in names}
    listing = Listing(views, lambda view: view.id)
    listing.rebuild()
    return views, listing


def test_rows_are_shown_in_the_order_of_the_key() -> None:
    _, listing = listing_of("B", "A", "C")
    assert listing.shown == ["A", "B", "C"]
    assert listing.positions == {"A": 0, "B": 1, "C": 2}


def test_a_new_row_waits_until_the_list_settles() -> None:
    views, listing = listing_of("A", "C")
    views["B"] = station("B")
    listing.touch(["B"])
    assert listing.shown == ["A", "C"]
    assert listing.unsettled
    assert listing.settle()
    assert listing.shown == ["A", "B", "C"]
    assert not listing.unsettled


def test_a_row_that_stops_matching_leaves_when_the_list_settles() -> None:
    views, listing = listing_of("A", "B")
    listing.choose(predicate=lambda view: view.online, sort=lambda view: view.id, down=False)
    views["A"] = station("A", online=False)
    listing.touch(["A"])
    assert listing.shown == ["A", "B"]
    listing.settle()
    assert listing.shown == ["B"]


def test_a_row_that_is_gone_leaves() -> None:
    views, listing = listing_of("A", "B")
    del views["A"]
    listing.touch(["A"])
    listing.settle()
    assert listing.shown == ["B"]


def test_a_change_that_moves_nothing_leaves_the_list_settled() -> None:
    views, listing = listing_of("A", "B")
    views["A"] = station("A", note="other")
    listing.touch(["A"])
    assert not listing.unsettled


def test_the_order_can_be_turned_round() -> None:
    _, listing = listing_of("A", "B", "C")
    listing.choose(predicate=None, sort=lambda view: view.id, down=True)
    assert listing.shown == ["C", "B", "A"]

"""How often somebody may ask."""

from __future__ import annotations

import pytest

from cms.contract.refusals import TooMany
from cms.limits import AtOnce, Buckets, Spread


class Hand:
    """A clock that is set by hand, seconds."""

    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_a_bucket_gives_its_burst_and_then_what_comes_in() -> None:
    hand = Hand()
    buckets = Buckets(50, 100, hand)
    assert [buckets.wait_s("a") for _ in range(101)] == [0.0] * 100 + [pytest.approx(0.02)]
    assert buckets.wait_s("b") == 0
    hand.now_s += 1
    assert [buckets.wait_s("a") > 0 for _ in range(51)] == [False] * 50 + [True]


def test_asking_in_vain_costs_nothing() -> None:
    hand = Hand()
    buckets = Buckets(5 / 60, 5, hand)
    for _ in range(100):
        buckets.wait_s("a")
    hand.now_s += 12
    assert buckets.wait_s("a") == 0


def test_who_comes_from_many_addresses_does_not_fill_the_memory() -> None:
    buckets = Buckets(1, 1, Hand())
    for number in range(25_000):
        buckets.wait_s(number)
    assert len(buckets._full_at) <= 10_000


def test_so_many_at_once_and_room_again_afterwards() -> None:
    exports = AtOnce(2, "exports")
    with exports.one("a"):
        with exports.one("a"):
            with pytest.raises(TooMany, match="2 exports"), exports.one("a"):
                pass
            with exports.one("b"):
                pass
        with exports.one("a"):
            pass


def test_a_fleet_is_seen_by_looking_back() -> None:
    hand = Hand()
    spread = Spread(10, 600, hand)
    assert [spread.too_far("ana", number) for number in range(12)] == [False] * 10 + [True] * 2
    assert not spread.too_far("ana", 3)  # the same one again
    assert not spread.too_far("eve", 11)
    hand.now_s += 601
    assert not spread.too_far("ana", 11)

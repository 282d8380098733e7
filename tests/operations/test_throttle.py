"""Guessing at the door: counted by identity, network and altogether, and never to the cost of a right password."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cms.contract.security import RotatePassword, ShowSecurity
from cms.contract.stations import AddStation, SetConfiguration, SetStation
from cms.core import Admission
from cms.domain.networks import network_of
from cms.operations import configuration, security, stations
from cms.operations.admission import Approach, Knocks, admit, connected
from cms.operations.throttle import Buckets, Guesses
from tests.domain.build import NOON
from tests.operations.small import ANA, Small
from tests.operations.test_security import told

CHOSEN = "charging-station-7"
HOME, ELSEWHERE = "10.0.0.7", "198.51.100.9"


async def knock(
    small: Small, knocks: Knocks, password: str | None, address: str, identity: str = "CP9"
) -> Admission:
    said = None if password is None else password.encode()
    admission = await admit(small.core, knocks, Approach(identity, ("ocpp1.6",), said, address))
    if admission.station is not None:
        await connected(small.core, admission.station, "1.6", address)
    return admission


async def guess(small: Small, knocks: Knocks, times: int, identity: str = "CP9") -> None:
    for number in range(times):
        await knock(small, knocks, f"guess-{number}", ELSEWHERE, identity)


def test_a_bucket_is_emptied_and_refills() -> None:
    bucket = Buckets(burst=3, per_s=0.5)
    assert [bucket.take("a", NOON) for _ in range(5)] == [True] * 3 + [False] * 2
    assert bucket.take("b", NOON)
    assert not bucket.take("a", NOON + timedelta(seconds=1))
    assert bucket.take("a", NOON + timedelta(seconds=2.1))
    assert bucket.left("a", NOON - timedelta(days=1)) < 3, "a clock that jumps back refills nothing"


def test_a_flood_of_names_makes_nobody_forget_who_is_being_guessed() -> None:
    guesses, now = Guesses(), NOON
    for _ in range(60):
        guesses.too_many("CP9", ELSEWHERE, now)
    for number in range(40_000):
        now += timedelta(microseconds=500)
        guesses.too_many(f"GHOST-{number}", f"10.{number % 250}.{number // 250 % 250}.1", now)
    assert guesses.going_on("CP9", now)
    assert len(guesses.identities._left) <= 10_000


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.1.2.3", "10.1.2.0"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::"),
        ("::ffff:10.1.2.3", "10.1.2.0"),
        ("unix", "unix"),
    ],
)
def test_addresses_are_counted_by_what_one_subscriber_has(address: str, network: str) -> None:
    assert network_of(address) == network


async def test_a_generated_password_opens_from_anywhere_however_much_is_guessed(small: Small) -> None:
    credential = await stations.add(small.core, AddStation("CP9"), ANA)
    knocks = Knocks()
    await guess(small, knocks, 200)
    assert (await knock(small, knocks, "wrong", ELSEWHERE)).status == 429
    for address in (ELSEWHERE, HOME):
        assert (await knock(small, knocks, credential.password, address)).station == "CP9"


async def test_a_password_that_somebody_chose_opens_from_its_home_alone_while_it_is_guessed(
    small: Small,
) -> None:
    await stations.add(small.core, AddStation("CP9", password=CHOSEN), ANA)
    knocks = Knocks()
    assert (await knock(small, knocks, CHOSEN, HOME)).station == "CP9"
    await small.restart()
    await guess(small, knocks, 60)
    assert (await knock(small, knocks, CHOSEN, ELSEWHERE)).status == 429, "the guess that hits"
    assert (await knock(small, knocks, CHOSEN, HOME)).station == "CP9"
    small.clock.pass_(minutes=1)
    assert (await knock(small, knocks, CHOSEN, ELSEWHERE)).station == "CP9", "the guessing has stopped"


def test_whoever_tries_one_name_after_the_other_is_counted_by_his_network() -> None:
    guesses = Guesses()
    told = [guesses.too_many(f"CP-{n}", ELSEWHERE, NOON + timedelta(seconds=n / 100)) for n in range(1_100)]
    assert sum(told) > 90 and not any(told[:1_000])
    assert not guesses.too_many("CP-1", HOME, NOON + timedelta(seconds=11))


async def test_guessing_does_not_keep_the_first_one_out_who_has_the_password_that_somebody_chose(
    small: Small,
) -> None:
    await stations.add(small.core, AddStation("CP9", password=CHOSEN), ANA)
    knocks = Knocks()
    await guess(small, knocks, 60)
    assert (await knock(small, knocks, CHOSEN, HOME)).station == "CP9"


async def entropy(small: Small) -> str | None:
    return (await security.show(small.core, ShowSecurity("CP9"), ANA)).entropy


async def test_a_chosen_password_is_called_low_until_it_is_rotated(small: Small) -> None:
    await stations.add(small.core, AddStation("CP9", password=CHOSEN), ANA)
    await small.restart()
    assert await entropy(small) == "low"
    small.stations.connect("CP9")
    small.stations.answer = told("AuthorizationKey", "Accepted")
    await security.rotate(small.core, RotatePassword(station="CP9"), ANA)
    assert await entropy(small) == "high"


async def test_a_password_set_by_hand_over_ocpp_is_a_chosen_one(small: Small) -> None:
    await stations.add(small.core, AddStation("CP9"), ANA)
    small.stations.connect("CP9")
    assert await entropy(small) == "high"
    small.stations.answer = told("AuthorizationKey", "Accepted")
    values = {"AuthorizationKey": "summer-of-2026-again"}
    await configuration.set_(small.core, SetConfiguration(station="CP9", values=values), ANA)
    assert await entropy(small) == "low"
    await stations.set_(small.core, SetStation("CP9", new_password=True), ANA)
    assert await entropy(small) == "high"

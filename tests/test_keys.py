"""Keys by purpose, organisation and version: what is sealed opens in its own place alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.keys import Keys, Roots, version_of

PLACES = st.tuples(st.text(), st.text(), st.text())


def keys(organisation: str = "main") -> Keys:
    return Keys(Roots({0: b"0" * 32, 1: b"r" * 32}), organisation)


def test_no_two_purposes_organisations_or_versions_share_a_key() -> None:
    ours, theirs = keys(), keys("other")
    ours.roots.renew()
    made = {
        ours.key("audit"),
        ours.key("audit", 1),
        ours.key("station password"),
        theirs.key("audit"),
        b"r" * 32,
    }
    assert len(made) == 5
    assert ours.key("audit", 1) == keys().key("audit"), "and a restart makes the same"


@given(PLACES, PLACES, st.binary())
def test_a_secret_opens_in_its_own_place_alone(
    place: tuple[str, str, str], other: tuple[str, str, str], secret: bytes
) -> None:
    sealed = keys().seal(*place, secret)
    assert keys().open(*place, sealed) == secret
    for stranger, there in ((keys("other"), place), *([(keys(), other)] if other != place else [])):
        with pytest.raises(Invalid):
            stranger.open(*there, sealed)


@given(st.integers(min_value=0), st.integers(min_value=0, max_value=7))
def test_a_changed_bit_is_found(place: int, bit: int) -> None:
    sealed = bytearray(keys().seal("kept", "CP1", "secret", b"canary"))
    sealed[place % len(sealed)] ^= 1 << bit
    with pytest.raises((Invalid, NotFound)):
        keys().open("kept", "CP1", "secret", bytes(sealed))


@given(st.binary(max_size=80))
def test_any_other_bytes_are_no_sealed_secret(garbage: bytes) -> None:
    with pytest.raises((Invalid, NotFound)):
        keys().open("kept", "CP1", "secret", garbage)


def test_what_was_sealed_before_a_renewal_opens_until_its_key_is_forgotten() -> None:
    ours = keys()
    old = ours.seal("kept", "CP1", "secret", b"old")
    assert ours.roots.renew() == 2
    new = ours.seal("kept", "CP1", "secret", b"new")
    assert (version_of(old), version_of(new)) == (1, 2)
    assert (ours.open("kept", "CP1", "secret", old), ours.open("kept", "CP1", "secret", new)) == (
        b"old",
        b"new",
    )
    ours.roots.forget(1)
    with pytest.raises(NotFound, match="version 1"):
        ours.open("kept", "CP1", "secret", old)


def test_the_key_in_force_is_not_forgotten_and_a_version_never_comes_again() -> None:
    ours = keys()
    with pytest.raises(Conflict, match="in force"):
        ours.roots.forget(1)
    ours.roots.renew()
    ours.roots.forget(1)
    assert ours.roots.renew() == 3
    with pytest.raises(Conflict, match="never"):
        ours.roots.forget(0)
    assert ours.lasting == b"0" * 32


def test_a_change_that_cannot_be_kept_is_none() -> None:
    def full(_: object) -> None:
        raise OSError("disk full")

    roots = Roots({0: b"0" * 32, 1: b"r" * 32}, full)
    with pytest.raises(OSError, match="disk full"):
        roots.renew()
    assert roots.versions == (1,)

"""Who somebody is, and what a token is worth."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms.contract import apitokens
from cms.contract.refusals import Invalid
from cms.domain import pairing
from cms.domain.evolve import evolve
from cms.domain.grants import Grant, granted
from cms.domain.operators import (
    ApiToken,
    Operator,
    Principal,
    check_role,
    key_of,
    network,
    opens,
    reaches,
    roles_of,
    within,
)
from tests.domain.build import NOON

TOKEN = ApiToken("A" * 10, "bob", "viewer", apitokens.digest_of("s"), NOON, "root", NOON + timedelta(days=1))
ALICE = Principal("alice", uid=1000, gids=frozenset({1000, 50}), login_uid=7)
BOB = Principal("bob", token=TOKEN, home="main", address="192.0.2.1")


@given(st.binary(min_size=40, max_size=40))
def test_a_token_is_read_as_it_was_written(randomness: bytes) -> None:
    id_, secret = apitokens.new_id(randomness), apitokens.new_secret(randomness)
    text = apitokens.written("live", id_, secret)
    assert apitokens.read(text) == (id_, secret)
    assert text.startswith("cms_live_")


@given(st.text(max_size=90))
def test_no_other_text_is_a_token(text: str) -> None:
    assert apitokens.read(text) is None


def test_a_token_that_was_copied_in_half_is_none() -> None:
    text = apitokens.written("live", "A" * 10, "b" * 43)
    assert all(apitokens.read(text[:cut]) is None for cut in range(len(text)))
    assert apitokens.read(text.replace("b", "c", 1)) is None


def test_a_token_opens_with_its_secret_until_it_expires() -> None:
    assert opens(TOKEN, "s", "192.0.2.1", NOON)
    assert not opens(TOKEN, "S", "192.0.2.1", NOON)
    assert not opens(TOKEN, "s", "192.0.2.1", TOKEN.expires_at)


@pytest.mark.parametrize(
    ("address", "networks", "inside"),
    [
        ("10.1.2.3", (), True),
        ("10.1.2.3", ("10.0.0.0/8",), True),
        ("::ffff:10.1.2.3", ("10.0.0.0/8",), True),
        ("11.1.2.3", ("10.0.0.0/8", "2001:db8::/32"), False),
        ("2001:db8::1", ("10.0.0.0/8", "2001:db8::/32"), True),
        ("", ("10.0.0.0/8",), False),
        ("nonsense", ("10.0.0.0/8",), False),
    ],
)
def test_a_token_is_taken_from_its_networks(address: str, networks: tuple[str, ...], inside: bool) -> None:
    assert within(address, networks) is inside


def test_a_network_is_written_as_such() -> None:
    assert network("10.1.2.3/8") == "10.0.0.0/8"
    with pytest.raises(Invalid):
        network("10.0.0.0/99")


def test_groups_count_like_the_user_and_roles_add_up() -> None:
    def mapped(who: str, role: str) -> Operator:
        return Operator(who, who, role, NOON, "root")

    roles = {"uid:1000": mapped("uid:1000", "technician"), "gid:50": mapped("gid:50", "finance")}
    assert roles_of(ALICE, "main", [roles]) == ("technician", "finance")
    assert roles_of(evolve(ALICE, uid=1001, gids=frozenset({51})), "main", [roles]) == ()
    platform = {"uid:1000": mapped("uid:1000", "admin")}  # holds, whatever an organisation says
    assert roles_of(ALICE, "main", [platform, roles]) == ("technician", "finance", "admin")


@pytest.mark.parametrize(
    ("home", "named", "organisation", "opened"),
    [
        ("main", (), "main", True),
        ("main", (), "city", False),
        ("main", (), "", False),
        ("main", ("*",), "city", False),
        ("", ("*",), "city", True),
        ("", ("*",), "", True),
        ("", ("city",), "city", True),
        ("", ("city",), "main", False),
        ("", ("city",), "", False),
        ("", (), "main", False),
    ],
)
def test_a_token_opens_its_own_organisation_alone(
    home: str, named: tuple[str, ...], organisation: str, opened: bool
) -> None:
    assert reaches(evolve(TOKEN, organisations=named), home, organisation) is opened


def test_the_audit_knows_who_logged_in_before_sudo_and_from_where_a_token_came() -> None:
    assert ALICE.via == "uid:1000 login:7"
    assert BOB.via == f"token:{'A' * 10} 192.0.2.1"


def test_roles_and_keys_are_checked() -> None:
    assert key_of("uid:01000") == "uid:1000"
    for wrong in ("uid:", "1000", "user:1", "uid:-1"):
        with pytest.raises(Invalid):
            key_of(wrong)
    with pytest.raises(Invalid):
        check_role("owner")


GRANT = Grant(
    "g", "uid:1000", "alice", "technician", "CP7", ("stations.command",), "why", "root", NOON,
    NOON + timedelta(hours=2),
)  # fmt: skip


@pytest.mark.parametrize(
    ("principal", "station", "permission", "minutes", "allowed"),
    [
        (ALICE, "CP7", "stations.command", 0, True),
        (ALICE, "cp7", "stations.command", 119, True),
        (ALICE, "CP7", "stations.command", 120, False),
        (ALICE, "CP8", "stations.command", 0, False),
        (ALICE, None, "stations.command", 0, False),
        (ALICE, "CP7", "stations.firmware", 0, False),
        (BOB, "CP7", "stations.command", 0, False),
    ],
)
def test_a_grant_is_for_one_and_one_station_and_ends(
    principal: Principal, station: str | None, permission: str, minutes: int, allowed: bool
) -> None:
    now = NOON + timedelta(minutes=minutes)
    assert (granted([GRANT], principal.keys_in("main"), station, permission, now) is not None) is allowed


def test_a_code_is_read_as_it_was_typed() -> None:
    code = pairing.code_of(2**100 + 12345)
    assert len(code) == 8
    assert set(code) <= set(pairing.ALPHABET)
    assert pairing.typed(f" {pairing.shown(code).lower()} ") == code

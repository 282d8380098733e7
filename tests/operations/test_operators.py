"""Roles, API tokens, pairing, grants and approvals, as operations do them."""

from __future__ import annotations

import os
from typing import Any

import msgspec
import pytest

from cms.contract import apitokens
from cms.contract.approvals import Approve, ListApprovals, Reject, ShowApproval
from cms.contract.audit import ListAudit
from cms.contract.grants import AddGrant, ListGrants, RevokeGrant
from cms.contract.jobs import UpdateFirmware
from cms.contract.operators import (
    AddApiToken,
    ApprovePairing,
    ListApiTokens,
    ListOperators,
    MapOperator,
    RevokeApiToken,
    UnmapOperator,
)
from cms.contract.refusals import Conflict, Denied, Invalid, NotFound, Refusal
from cms.contract.sessions import StopSession
from cms.contract.stations import RemoveStation, ResetStation
from cms.contract.tariffs import UseTariff
from cms.core import Actor, Core
from cms.domain.approvals import KIND
from cms.domain.operators import Principal
from cms.domain.roles import OWNER, PERMISSIONS, permissions_of, proposals_of
from cms.operations import OPERATIONS, approvals, audit, grants, operators
from cms.operations.grants import place_of
from tests.operations.small import Small


def somebody(name: str, role: str, key: str = "") -> Actor:
    permissions = frozenset(PERMISSIONS) if role == OWNER else permissions_of((role,))
    return Actor(name, role, permissions, key or f"uid:{name}", key or f"uid:{name}", proposals_of((role,)))


ROOT, ADA, OTTO, TIM, FAY = (
    somebody("root", OWNER, "uid:0"),
    somebody("ada", "admin"),
    somebody("otto", "operator"),
    somebody("tim", "technician"),
    somebody("fay", "finance"),
)


def comes(core: Core, principal: Principal, everything: frozenset[str] = frozenset()) -> Actor | None:
    return operators.rights(core, core, principal, frozenset({0}), everything)


class TestMapping:
    async def test_a_user_has_a_role_from_the_moment_it_is_given_until_it_is_taken(
        self, small: Small
    ) -> None:
        nobody = Principal("nobody", uid=65_534)
        assert comes(small.core, nobody) is None
        told = await operators.map_(small.core, MapOperator("uid:65534", "technician"), ADA)
        assert (told.who, told.role, told.added_by) == ("uid:65534", "technician", "ada")
        actor = comes(small.core, nobody)
        assert actor is not None
        assert actor.permissions == permissions_of(("technician",))
        await small.restart()
        assert comes(small.core, nobody) is not None
        await operators.unmap(small.core, UnmapOperator("uid:65534"), ADA)
        assert comes(small.core, nobody) is None
        assert await operators.list_(small.core, ListOperators(), ADA) == []

    async def test_a_name_is_the_machines_and_one_it_does_not_know_is_not_found(self, small: Small) -> None:
        told = await operators.map_(small.core, MapOperator("uid:root", "viewer"), ADA)
        assert (told.who, told.name) == ("uid:0", "root")
        with pytest.raises(NotFound, match="no user no-such-user"):
            await operators.map_(small.core, MapOperator("uid:no-such-user", "viewer"), ADA)
        with pytest.raises(Invalid):
            await operators.map_(small.core, MapOperator("root", "viewer"), ADA)

    async def test_who_owns_the_daemon_keeps_everything_whatever_is_mapped(self, small: Small) -> None:
        await operators.map_(small.core, MapOperator("uid:0", "viewer"), ADA)
        actor = comes(small.core, Principal("root", uid=0), frozenset({"a", "b"}))
        assert actor is not None
        assert (actor.role, actor.permissions) == (OWNER, frozenset({"a", "b"}))

    async def test_nobody_gives_himself_a_role(self, small: Small) -> None:
        with pytest.raises(Denied, match="himself"):
            await operators.map_(
                small.core, MapOperator("uid:1000", "finance"), somebody("ada", "admin", "uid:1000")
            )

    async def test_a_role_that_cannot_be_given_is_refused(self, small: Small) -> None:
        with pytest.raises(Invalid, match="no role"):
            await operators.map_(small.core, MapOperator("uid:1000", "owner"), ADA)


class TestApiTokens:
    async def test_a_token_is_good_until_it_is_revoked_and_is_kept_as_a_digest(self, small: Small) -> None:
        core = small.core
        made = await operators.add_token(core, AddApiToken("bob", "viewer"), ADA)
        found = operators.bearer([core], made.secret, "192.0.2.1", small.clock.now())
        assert found is not None
        assert comes(core, found) is not None
        secret = made.secret.split("_")[3]
        assert secret not in msgspec.json.encode(core.kept).decode()
        assert secret not in repr(made)
        await operators.revoke_token(core, RevokeApiToken(made.id), ADA)
        assert operators.bearer([core], made.secret, "192.0.2.1", small.clock.now()) is None
        assert comes(core, found) is None  # also where it had come in before

    async def test_a_token_ends_and_its_use_is_noted_now_and_then(self, small: Small) -> None:
        core = small.core
        made = await operators.add_token(core, AddApiToken("bob", "viewer", days=1), ADA)
        operators.bearer([core], made.secret, "192.0.2.1", small.clock.now())
        first = small.clock.now()
        small.clock.pass_(minutes=1)
        operators.bearer([core], made.secret, "192.0.2.1", small.clock.now())
        await small.settled()
        await small.restart()
        (token,) = await operators.tokens(small.core, ListApiTokens(), ADA)
        assert token.last_used_at == first
        small.clock.pass_(days=1)
        assert operators.bearer([small.core], made.secret, "192.0.2.1", small.clock.now()) is None
        (token,) = await operators.tokens(small.core, ListApiTokens(), ADA)
        assert token.status == "expired"

    async def test_a_token_can_do_no_more_than_whoever_makes_it(self, small: Small) -> None:
        with pytest.raises(Denied, match="could do more"):
            await operators.add_token(small.core, AddApiToken("ada", "finance"), ADA)
        assert await operators.add_token(small.core, AddApiToken("fay", "finance"), ROOT)

    @pytest.mark.parametrize(
        "request_",
        [
            AddApiToken("bob", "viewer", days=367),
            AddApiToken("bob", "viewer", days=0),
            AddApiToken("", "viewer"),
            AddApiToken("a\x1bb", "viewer"),
            AddApiToken("bob", "owner"),
            AddApiToken("bob", "viewer", networks=("nonsense",)),
            AddApiToken("bob", "viewer", organisations=("city",)),
        ],
    )
    async def test_what_cannot_be_a_token_is_invalid(self, small: Small, request_: AddApiToken) -> None:
        with pytest.raises(Invalid):
            await operators.add_token(small.core, request_, ADA)

    async def test_nobody_has_more_than_twenty(self, small: Small) -> None:
        for _ in range(20):
            await operators.add_token(small.core, AddApiToken("bob", "viewer"), ADA)
        with pytest.raises(Conflict, match="20 tokens"):
            await operators.add_token(small.core, AddApiToken("Bob", "viewer"), ADA)


class TestPairing:
    async def test_who_shows_the_code_gets_a_token_whose_secret_never_travelled(self, small: Small) -> None:
        core, secret = small.core, apitokens.new_secret(os.urandom(40))
        digest = apitokens.digest_of(secret)
        asked = operators.ask_pairing(core, digest, "tim@bench", "192.0.2.1")
        assert operators.fetch_pairing(core, asked.code, digest) == ("waiting", "live", "")
        with pytest.raises(NotFound):
            operators.fetch_pairing(core, asked.code, "0" * 64)
        told = await operators.approve_pairing(core, ApprovePairing(asked.code, "technician"), ADA)
        status, environment, id_ = operators.fetch_pairing(core, asked.code, digest)
        assert (status, id_, told.name) == ("approved", told.id, "tim@bench")
        token = apitokens.written(environment, id_, secret)
        assert operators.bearer([core], token, "192.0.2.1", small.clock.now()) is not None

    async def test_a_code_is_good_once_and_for_ten_minutes(self, small: Small) -> None:
        core = small.core
        first = operators.ask_pairing(core, "0" * 64, "tim", "192.0.2.1")
        await operators.approve_pairing(core, ApprovePairing(first.code, "viewer"), ADA)
        late = operators.ask_pairing(core, "1" * 64, "tim", "192.0.2.1")
        small.clock.pass_(minutes=10)
        for code in (first.code, late.code, "nonsense"):
            with pytest.raises(NotFound):
                await operators.approve_pairing(core, ApprovePairing(code, "viewer"), ADA)


class TestGrants:
    async def test_a_grant_opens_one_station_for_a_while(self, small: Small) -> None:
        core, nobody = small.core, Principal("nobody", uid=65_534)
        told = await grants.add(core, AddGrant("uid:65534", "technician", "cp1", 7200, "noise"), OTTO)
        assert (told.station, told.granted_by) == ("CP1", "otto")
        now = small.clock.now()
        actor = operators.with_grant(core, nobody, "CP1", "stations.command", now)
        assert actor is not None
        assert f"grant:{told.id}" in actor.via
        assert operators.with_grant(core, nobody, "CP2", "stations.command", now) is None
        assert len(await grants.list_(core, ListGrants(), ADA)) == 1
        small.clock.pass_(hours=2)
        assert operators.with_grant(core, nobody, "CP1", "stations.command", small.clock.now()) is None
        assert await grants.list_(core, ListGrants(), ADA) == []

    async def test_a_grant_that_is_revoked_ends_at_once(self, small: Small) -> None:
        told = await grants.add(small.core, AddGrant("uid:65534", "viewer", "CP1", 60, "look"), OTTO)
        await grants.revoke(small.core, RevokeGrant(told.id), OTTO)
        assert not operators.has_grant(small.core, Principal("nobody", uid=65_534), small.clock.now())
        with pytest.raises(NotFound):
            await grants.revoke(small.core, RevokeGrant(told.id), OTTO)

    async def test_nobody_grants_more_than_he_has_nor_rights_themselves(self, small: Small) -> None:
        await grants.add(small.core, AddGrant("uid:65534", "admin", "CP1", 60, "help"), OTTO)
        (grant,) = small.core.kept["grant"].values()
        assert set(grant.permissions) <= OTTO.permissions
        assert not {"grants.write", "operators.write", "tokens.write", "stations.enrol"} & set(
            grant.permissions
        )
        with pytest.raises(Denied):
            await grants.add(small.core, AddGrant("uid:65534", "app", "CP1", 60, "help"), OTTO)

    @pytest.mark.parametrize(
        ("request_", "refusal"),
        [
            (AddGrant("uid:65534", "viewer", "CP9", 60, "x"), NotFound),
            (AddGrant("uid:65534", "viewer", "CP1", 0, "x"), Invalid),
            (AddGrant("uid:65534", "viewer", "CP1", 8 * 86_400, "x"), Invalid),
            (AddGrant("uid:65534", "viewer", "CP1", 60, " "), Invalid),
            (AddGrant("no-such-user", "viewer", "CP1", 60, "x"), NotFound),
            (AddGrant("token:nope", "viewer", "CP1", 60, "x"), NotFound),
        ],
    )
    async def test_what_cannot_be_granted(
        self, small: Small, request_: AddGrant, refusal: type[Refusal]
    ) -> None:
        with pytest.raises(refusal):
            await grants.add(small.core, request_, OTTO)

    async def test_a_name_on_a_token_can_be_meant(self, small: Small) -> None:
        made = await operators.add_token(small.core, AddApiToken("Tim", "viewer"), ADA)
        await grants.add(small.core, AddGrant("tim", "technician", "CP1", 60, "x"), OTTO)
        found = operators.bearer([small.core], made.secret, "", small.clock.now())
        assert found is not None
        assert operators.with_grant(small.core, found, "CP1", "stations.command", small.clock.now())

    async def test_a_running_session_is_at_its_station(self, small: Small) -> None:
        await grants.add(small.core, AddGrant("uid:65534", "viewer", "CP1", 60, "x"), OTTO)
        assert place_of(small.core, ResetStation(station="CP1")) == "CP1"
        assert place_of(small.core, StopSession(session="nope")) is None


async def held(small: Small, request: Any, actor: Actor) -> str:
    operation = OPERATIONS[type(request)]
    assert approvals.needs_two(small.core, request, actor, operation)
    with pytest.raises(Conflict, match="second person"):
        await approvals.hold(small.core, request, actor, operation)
    (waiting,) = await approvals.list_(small.core, ListApprovals(), ADA)
    return waiting.id


FIRMWARE = UpdateFirmware(station="CP1", location="ftp://user:canary@files.example/f.bin")


class TestApprovals:
    async def test_what_a_technician_proposes_is_done_when_an_operator_agrees(self, small: Small) -> None:
        id_ = await held(small, FIRMWARE, TIM)
        assert small.stations.given == []
        told = await approvals.approve(small.core, Approve(id_), OTTO)
        assert (told.status, told.decided_by, told.asked_by) == ("approved", "otto", "tim")
        assert [station for station, _ in small.stations.given] == ["CP1"]
        with pytest.raises(Conflict, match="approved by otto"):
            await approvals.approve(small.core, Approve(id_), ADA)
        assert len(small.stations.given) == 1

    async def test_the_audit_names_both(self, small: Small) -> None:
        await approvals.approve(small.core, Approve(await held(small, FIRMWARE, TIM)), OTTO)
        rows = await audit.list_(small.core, ListAudit(operation="UpdateFirmware"), ADA)
        assert [(row.actor, row.via) for row in rows] == [("tim", "uid:tim approved by otto")]

    async def test_addresses_with_passwords_are_nowhere_in_clear(self, small: Small) -> None:
        id_ = await held(small, FIRMWARE, TIM)
        assert b"canary" not in msgspec.json.encode(small.core.kept[KIND])
        shown = await approvals.show(small.core, ShowApproval(id_), ADA)
        assert shown.request["location"] == "ftp://***@files.example/f.bin"
        await approvals.approve(small.core, Approve(id_), OTTO)
        assert small.core.kept[KIND][id_].sealed == ""

    async def test_nobody_agrees_to_what_he_asked_for_by_whatever_way_he_comes(self, small: Small) -> None:
        id_ = await held(small, FIRMWARE, TIM)
        for again in (somebody("tim", "operator", "token:X"), somebody("thomas", "operator", TIM.key)):
            with pytest.raises(Denied, match="second person"):
                await approvals.approve(small.core, Approve(id_), again)

    async def test_who_agrees_must_have_the_right_himself(self, small: Small) -> None:
        with pytest.raises(Denied, match=r"stations\.firmware"):
            await approvals.approve(small.core, Approve(await held(small, FIRMWARE, TIM)), FAY)

    async def test_it_can_be_refused_or_taken_back_and_ends_by_itself(self, small: Small) -> None:
        told = await approvals.reject(small.core, Reject(await held(small, FIRMWARE, TIM), "no"), TIM)
        assert (told.status, told.detail) == ("rejected", "no")
        id_ = await held(small, FIRMWARE, TIM)
        with pytest.raises(Denied):
            await approvals.reject(small.core, Reject(id_), FAY)
        small.clock.pass_(hours=24)
        with pytest.raises(Conflict, match="expired"):
            await approvals.approve(small.core, Approve(id_), OTTO)

    async def test_a_refusal_of_what_is_done_is_told(self, small: Small) -> None:
        id_ = await held(small, FIRMWARE, TIM)
        small.stations.disconnect("CP1", 1000, "gone")
        with pytest.raises(Refusal):
            await approvals.approve(small.core, Approve(id_), OTTO)
        told = await approvals.show(small.core, ShowApproval(id_), ADA)
        assert told.status == "approved"
        assert told.detail is not None
        assert told.detail.startswith("refused: ")

    def test_grave_orders_need_two_only_where_the_organisation_wants_it(self) -> None:
        class Two:
            organisation = "main"
            terms: Any

        class Terms:
            def __init__(self, *names: str) -> None:
                self.four_eyes = names

        core: Any = Two()
        removal, operation = RemoveStation("CP1"), OPERATIONS[RemoveStation]
        for names, two in (((), False), (("city",), False), (("main",), True), (("*",), True)):
            core.terms = Terms(*names)
            assert approvals.needs_two(core, removal, ROOT, operation) is two
        assert not approvals.needs_two(core, ResetStation(station="CP1"), OTTO, OPERATIONS[ResetStation])
        dry = UpdateFirmware(station="CP1", location="x", dry_run=True)
        assert not approvals.needs_two(core, dry, TIM, OPERATIONS[UpdateFirmware])

    def test_finance_proposes_tariffs_and_admin_agrees(self) -> None:
        assert OPERATIONS[UseTariff].permission in FAY.proposes
        assert OPERATIONS[UseTariff].permission in ADA.permissions

"""T15 and the table of rights: every operation for every role, in one's own organisation and in another's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from cms.api.app import create_app
from cms.api.metrics import Metrics
from cms.api.who import Access
from cms.client import _call
from cms.contract import apitokens
from cms.contract.routes import ORGANISATION_HEADER, ROUTES
from cms.contract.stations import AddStation, ListStations
from cms.domain import operators
from cms.domain.operators import API_TOKEN, ApiToken
from cms.domain.roles import OWNER, PERMISSIONS, PROPOSALS, ROLES
from cms.houses import Houses
from cms.operations import OPERATIONS, stations
from tests.domain.build import NOON
from tests.operations.drafts import draft
from tests.operations.small import ANA, Small
from tests.security.matrix import TABLE, nobody_decided, says, table

SECRET = "s" * 43


class Worlds:
    """The platform and two organisations with a station of the same name, behind one API; a token for each role."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.smalls: dict[str, Small] = {}
        self.http: httpx.AsyncClient

    async def open(self) -> httpx.AsyncClient:
        for name in ("", "main", "city"):
            (self.folder / (name or "platform")).mkdir()
            small = await Small(self.folder / (name or "platform")).open()
            small.core.organisation = name
            self.smalls[name] = small
            if name:
                await stations.add(small.core, AddStation("CP1"), ANA)
                small.core.kept[API_TOKEN] = {t.id: t for t in map(self.token, ROLES, [name] * len(ROLES))}
        await stations.add(self.smalls["city"].core, AddStation("CP2"), ANA)
        houses = Houses(self.smalls[""].core, self.smalls["main"].core)
        houses.add("city", self.smalls["city"].core)
        transport = httpx.ASGITransport(create_app(houses, OPERATIONS, Metrics()))
        return httpx.AsyncClient(transport=transport, base_url="http://cms")

    @staticmethod
    def id_of(role: str, organisation: str) -> str:
        return f"{organisation[0]}{role}".ljust(10, "0")[:10]

    def token(self, role: str, organisation: str) -> ApiToken:
        digest, until = apitokens.digest_of(SECRET), NOON + timedelta(days=1)
        return ApiToken(self.id_of(role, organisation), role, role, digest, NOON, "root", until)


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def worlds(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Worlds]:
    """Once for all tests here: they look, and change nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cms.api.who._REQUESTS", 10_000)  # many at once are what a test asks
        worlds = Worlds(tmp_path_factory.mktemp("worlds"))
        worlds.http = await worlds.open()
    yield worlds
    for small in worlds.smalls.values():
        await small.close()


def headers(role: str, of: str, asks: str | None = None) -> dict[str, str]:
    token = apitokens.written("live", Worlds.id_of(role, of), SECRET)
    named = {} if asks is None else {ORGANISATION_HEADER: asks}
    return {"Authorization": f"Bearer {token}", **named}


async def answer(http: httpx.AsyncClient, kind: type[Any], told: dict[str, str]) -> httpx.Response:
    call = _call(draft(kind), ROUTES[kind])
    return await http.request(call.method, call.target, content=call.body, headers={**call.headers, **told})


async def test_the_table_of_rights_is_the_one_that_was_read_and_agreed_to() -> None:
    told = "look at the difference, then run `python -m tests.security.matrix`"
    assert TABLE.read_text("utf-8") == table(), told


async def test_somebody_decided_for_every_permission_whose_it_is() -> None:
    assert nobody_decided() == set()
    assert {role for roles in PERMISSIONS.values() for role in roles} == set(ROLES)
    assert all(set(roles).isdisjoint(PERMISSIONS[name]) for name, roles in PROPOSALS.items())


async def test_who_makes_users_does_not_change_money_and_the_other_way_round() -> None:
    """Separation of duty: no role has both."""
    for role in ROLES:
        both = says("operators.write", role) == says("payments.write", role) == "yes"
        assert not both, role


@pytest.mark.parametrize("role", ROLES)
async def test_what_a_role_has_not_is_refused_for_every_operation(worlds: Worlds, role: str) -> None:
    for kind, operation in OPERATIONS.items():
        if operation.platform or says(operation.permission, role) != "-":
            continue
        got = await answer(worlds.http, kind, headers(role, "main"))
        assert got.status_code == 403, (kind, got.text)
        assert operation.permission in got.json()["error"]["message"]


@pytest.mark.parametrize("role", ROLES)
async def test_another_organisation_is_not_there_for_any_operation(worlds: Worlds, role: str) -> None:
    nowhere = {}
    for kind, operation in OPERATIONS.items():
        if operation.platform:
            continue
        got = await answer(worlds.http, kind, headers(role, "city", asks="main"))
        assert got.status_code == 404, (kind, got.text)
        nowhere = (await answer(worlds.http, kind, headers(role, "city", asks="nowhere"))).json()
        # The same words as for one that does not exist: nobody learns who else is here.
        assert got.json()["error"]["message"] == nowhere["error"]["message"].replace("nowhere", "main")
    assert nowhere


@pytest.mark.parametrize("role", ROLES)
async def test_what_belongs_to_the_platform_is_for_those_of_the_platform(worlds: Worlds, role: str) -> None:
    for kind, operation in OPERATIONS.items():
        if operation.platform:
            got = await answer(worlds.http, kind, headers(role, "city"))
            assert got.status_code == 403, (kind, got.text)
    got = await worlds.http.get("/v1/stations", headers=headers(role, "city", asks="*"))
    assert got.status_code == 404


@pytest.mark.parametrize("role", [role for role in ROLES if says("stations.read", role) == "yes"])
async def test_in_ones_own_organisation_one_sees_ones_own(worlds: Worlds, role: str) -> None:
    for organisation, seen in (("main", ["CP1"]), ("city", ["CP1", "CP2"])):
        for asks in (organisation, None):
            got = await worlds.http.get("/v1/stations", headers=headers(role, organisation, asks))
            assert [station["id"] for station in got.json()] == seen


async def test_a_naive_variant_is_caught(worlds: Worlds, monkeypatch: pytest.MonkeyPatch) -> None:
    """In which the header chooses the world and the token brings its role along: as most peers have it."""
    monkeypatch.setattr(
        Access, "core", lambda self, principal, named, *, platform=False: self.houses.of(named)
    )
    monkeypatch.setattr(operators, "reaches", lambda *_: True)
    monkeypatch.setattr("cms.operations.operators._still", lambda *_: True)
    got = await answer(worlds.http, ListStations, headers("viewer", "city", asks="main"))
    assert (
        got.status_code == 200
    )  # what test_another_organisation_is_not_there_for_any_operation asserts is 404


async def test_owners_have_everything() -> None:
    assert all(says(permission, OWNER) == "yes" for permission in PERMISSIONS)

"""T1: a station is who it proves to be; its identity is read once, in one way, and nothing tells which ones exist."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms.contract.stations import AddStation, SetStation
from cms.keys import Keys, Roots
from cms.ocpp import door
from cms.operations import stations
from cms.operations.admission import Approach, Knocks, admit
from tests.operations.small import ANA, Small

Reader = Callable[[str], str | None]
"""The identity that a request target names; None: none."""

#: Targets that a careless reader takes for CP-7, for another station, or for something no screen can show.
HOSTILE = (
    "/ocpp/..%2FCP-7",
    "/ocpp/CP-7%00",
    "/ocpp/CP%2D7%0d%0aX-Injected:%201",
    "/ocpp/CP-7?station=CP-8",
    "/ocpp/CP-7%3Fx",
    "/ocpp/%2543P-7",
    "/ocpp/CP-7:x",
    "/ocpp/%E2%80%AE7-PC",
    "/ocpp/%20CP-7",
    "/ocpp/CP-7%20",
    "/ocpp/CP\\CP-7",
    "/ocpp/cafe%CC%81",
    "/ocpp/%EF%BB%BFCP-7",
    "/ocpp/%C0%AE%C0%AE",
    "/ocpp/" + "C" * 49,
)


def ours(target: str) -> str | None:
    read = door.identity(target, "/ocpp")
    return read if isinstance(read, str) else None


def careless(target: str) -> str | None:
    """What one writes first: everything is decoded until nothing changes, and the last part is the name."""
    while (decoded := unquote(target)) != target:
        target = decoded
    return target.rpartition("/")[2] or None


def faults(read: Reader) -> list[str]:
    """Targets whose identity is not the one segment they spell, or that nobody should have."""
    found = []
    for target in HOSTILE:
        name = read(target)
        if name is None:
            continue
        segment = target.removeprefix("/ocpp/")
        spelled = unquote(segment, errors="strict") if "%C0" not in segment else None
        if spelled != name or not _fit(name):
            found.append(target)
    return found


def _fit(name: str) -> bool:
    plain = all(unicodedata.category(sign)[0] not in "CZ" and sign not in "/:\\" for sign in name)
    return plain and len(name) <= 48 and unicodedata.is_normalized("NFC", name)


def test_no_hostile_spelling_is_anybodys_identity() -> None:
    assert faults(ours) == []
    assert len(faults(careless)) > len(HOSTILE) // 2, "the oracle catches the careless reader"


@given(st.text(min_size=1, max_size=60))
def test_a_name_is_read_as_it_was_spelled_or_not_at_all(name: str) -> None:
    try:
        target = "/ocpp/" + quote(name, safe="")
    except UnicodeEncodeError:
        return  # no UTF-8, so nobody can spell it
    assert ours(target) in (name, None)


@pytest.mark.parametrize("identity", ["CP1", "cp1", "Cp1"])
@pytest.mark.parametrize("profile", [1, 2, 3])
@pytest.mark.parametrize("secure", [False, True])
async def test_without_its_credential_nobody_is_that_station(
    small: Small, identity: str, profile: int, secure: bool
) -> None:
    await stations.add(small.core, AddStation("CP7", security_profile=profile), ANA)
    for password in (None, b"", b"wrong-password", b"CP7"):
        approach = Approach(identity.replace("1", "7"), ("ocpp1.6",), password, "10.0.0.9", secure=secure)
        assert (await admit(small.core, Knocks(), approach)).status == 401


class CountingKeys(Keys):
    """Keys that count how often they are used: each use is one digest of a password."""

    used = 0

    def key(self, purpose: str, version: int | None = None) -> bytes:
        self.used += 1
        return super().key(purpose, version)


async def test_an_unknown_station_costs_the_same_work_as_a_wrong_password(small: Small) -> None:
    small.core.keys = keys = CountingKeys(Roots({0: b"0" * 32, 1: b"1" * 32}))
    await stations.set_(small.core, SetStation("CP1", new_password=True), ANA)
    spent = []
    for identity in ("CP1", "GHOST"):
        keys.used = 0
        for password in (b"wrong-password-of-a-guess", b"ab" * 20):
            told = await admit(small.core, Knocks(), Approach(identity, ("ocpp1.6",), password, "10.0.0.9"))
            assert (told.status, told.reason) == (401, "unauthorized")
        spent.append(keys.used)
    assert spent[0] == spent[1] > 0

"""Passwords that change without locking anybody out, security profiles that only rise, network profiles."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cms.contract.certificates import CreateAuthority, InstallCertificate
from cms.contract.refusals import Conflict, Invalid, Rejected, Unreachable
from cms.contract.security import (
    AllowExpired,
    LowerSecurity,
    RotatePassword,
    SetNetworkProfile,
    ShowSecurity,
    UpgradeSecurity,
)
from cms.contract.stations import AddStation, RemoveStation, SetConfiguration, SetStation, StationCredential
from cms.domain.network import SetNetworkProfile as NetworkOrder
from cms.domain.observations import Booted
from cms.domain.orders import (
    Order,
    OrderAnswer,
    ReadVariables,
    Reset,
    Trigger,
    VariableAnswer,
    WriteVariables,
)
from cms.operations import certificates, security, stations
from cms.operations.admission import Approach, Knocks, admit, connected
from tests.operations.small import ANA, Small
from tests.pki.world import make

KEY, PASSWORD = "AuthorizationKey", "SecurityCtrlr.BasicAuthPassword"


def told(name: str, word: str, value: str | None = None) -> OrderAnswer:
    verdict = "rejected" if word == "Rejected" else "accepted"
    return OrderAnswer(verdict, word, {"status": word}, (VariableAnswer(name, value, word),))


async def door(small: Small, password: str | bytes | None = None, **shown: Any) -> bool:
    """Whether CP1 is let in; if so it has come in."""
    secret = password.encode() if isinstance(password, str) else password
    approach = Approach("CP1", ("ocpp1.6",), secret, "10.0.0.1", **shown)
    if (await admit(small.core, Knocks(), approach)).station is None:
        return False
    await connected(small.core, "CP1", "1.6", "10.0.0.1")
    return True


@pytest.fixture
async def first(small: Small) -> str:
    """CP1's password, registered anew so that it is known."""
    await stations.remove(small.core, RemoveStation("CP1"), ANA)
    credential = await stations.add(small.core, AddStation("CP1"), ANA)
    assert isinstance(credential, StationCredential) and credential.password
    small.stations.connect("CP1")
    return credential.password


def sent(small: Small, name: str = KEY) -> str:
    order = small.stations.given[-1][1]
    assert isinstance(order, WriteVariables)
    return order.values[name]


async def test_after_accepted_only_the_new_password_opens(small: Small, first: str) -> None:
    small.stations.answer = told(KEY, "Accepted")
    await security.rotate(small.core, RotatePassword(station="CP1"), ANA)
    key = sent(small)
    assert len(key) == 40 and not await door(small, first)
    # As the bytes it stands for, and as the text it was told in (1.6 J 6.2.2).
    assert await door(small, bytes.fromhex(key)) and await door(small, key) and await door(small, key.upper())
    await small.restart()
    assert await door(small, key) and not await door(small, first)


async def test_after_rejected_only_the_old_one_opens(small: Small, first: str) -> None:
    small.stations.answer = told(KEY, "Rejected")
    with pytest.raises(Rejected):
        await security.rotate(small.core, RotatePassword(station="CP1"), ANA)
    assert await door(small, first) and not await door(small, sent(small))


@pytest.mark.parametrize("shows", ["old", "new"])
async def test_when_nobody_knows_both_open_until_the_station_shows_which_it_has(
    small: Small, first: str, shows: str
) -> None:
    small.stations.answer = Unreachable("the connection broke")
    with pytest.raises(Unreachable):
        await security.rotate(small.core, RotatePassword(station="CP1"), ANA)
    new = sent(small)
    await small.restart()
    assert (await security.show(small.core, ShowSecurity("CP1"), ANA)).password_pending
    assert await door(small, first), "the old one may still be the one it has"
    if shows == "new":
        assert await door(small, new)
        assert not (await security.show(small.core, ShowSecurity("CP1"), ANA)).password_pending
        assert not await door(small, first)
    else:
        assert await door(small, first) and await door(small, new)


async def test_a_password_by_hand_ends_whatever_was_promised(small: Small, first: str) -> None:
    small.stations.answer = Unreachable("the connection broke")
    with pytest.raises(Unreachable):
        await security.rotate(small.core, RotatePassword(station="CP1"), ANA)
    credential = await stations.set_(small.core, SetStation("CP1", new_password=True), ANA)
    assert isinstance(credential, StationCredential)
    assert not await door(small, sent(small)) and not await door(small, first)
    assert await door(small, credential.password)


async def test_a_crash_between_promise_and_answer_locks_nobody_out(small: Small, first: str) -> None:
    async def crash() -> None:
        raise RuntimeError("power failed")

    small.stations.before_answer = crash
    with pytest.raises(RuntimeError):
        await security.rotate(small.core, RotatePassword(station="CP1"), ANA)
    new = sent(small)
    small.stations.before_answer = None
    await small.restart()
    assert await door(small, first) and await door(small, new)


async def test_a_station_that_reboots_first_may_use_either(small: Small, first: str) -> None:
    small.stations.answer = told(KEY, "RebootRequired")
    request = SetConfiguration(station="CP1", values={KEY: "another-password"})
    await stations_set(small, request)
    assert await door(small, first) and await door(small, "another-password") and not await door(small, first)


async def stations_set(small: Small, request: SetConfiguration) -> None:
    """By whichever operation serves it now."""
    from cms.operations import OPERATIONS

    await OPERATIONS[SetConfiguration].function(small.core, request, ANA)


async def test_a_2x_station_gets_a_password_of_printable_characters(small: Small, first: str) -> None:
    small.stations.connect("CP1", "2.0.1")
    small.stations.answer = told(PASSWORD, "Accepted")
    await security.rotate(small.core, RotatePassword(station="CP1"), ANA)
    new = sent(small, PASSWORD)
    assert 16 <= len(new) <= 40 and new.isprintable()
    assert await door(small, new) and not await door(small, first)


async def test_the_new_password_is_written_nowhere(small: Small, first: str) -> None:
    small.stations.answer = told(KEY, "Accepted")
    view = await security.rotate(small.core, RotatePassword(station="CP1", form="text"), ANA)
    key = sent(small)
    assert key not in repr(view)
    record = (small.folder / "cms.db").read_bytes() + (small.folder / "cms.db-wal").read_bytes()
    assert key.encode() not in record and len(key) == 20


async def test_a_station_without_a_password_gets_none(small: Small) -> None:
    await stations.add(small.core, AddStation("CP9", security_profile=3), ANA)
    small.stations.connect("CP9")
    with pytest.raises(Conflict, match="has no password"):
        await security.rotate(small.core, RotatePassword(station="CP9"), ANA)
    with pytest.raises(Invalid):
        await security.rotate(small.core, RotatePassword(station="CP1", form="x"), ANA)


# Security profiles


@pytest.fixture
async def tls(small: Small, first: str) -> str:
    """We are reached with TLS, and CP1 knows our root. Its password."""
    terms = replace(small.core.terms, ocpp_url="ws://h/ocpp/<station>", ocpp_tls_url="wss://h/ocpp/<station>")
    small.core.terms = terms
    await certificates.create_authority(small.core, CreateAuthority(), ANA)
    small.stations.connect("CP1", "2.0.1")
    await certificates.install(small.core, InstallCertificate(station="CP1", type="csms-root"), ANA)
    small.stations.given.clear()
    return first


def by_order(small: Small, priority: str | None) -> None:
    """Answer each order as a 2.x station that tries the slots in ``priority`` does."""
    name = "OCPPCommCtrlr.NetworkConfigurationPriority"

    class Answers:
        async def __call__(self) -> None:
            order: Order = small.stations.given[-1][1]
            small.stations.answer = {
                ReadVariables: told(name, "Accepted", priority),
                WriteVariables: told(name, "Accepted", getattr(order, "values", {}).get(name)),
            }.get(type(order), OrderAnswer("accepted", "Accepted", {"status": "Accepted"}))

    small.stations.before_answer = Answers()


async def test_a_2x_station_rises_by_a_new_slot_before_those_it_knows(small: Small, tls: str) -> None:
    by_order(small, "1,3")
    await security.upgrade(small.core, UpgradeSecurity(station="CP1", profile=2), ANA)
    orders = [order for _, order in small.stations.given]
    assert [type(order) for order in orders] == [ReadVariables, NetworkOrder, WriteVariables, Reset]
    network, write = orders[1], orders[2]
    assert isinstance(network, NetworkOrder) and isinstance(write, WriteVariables)
    assert (network.slot, network.url, network.security_profile) == (2, "wss://h/ocpp", 2)
    assert list(write.values.values()) == ["2,1,3"]
    assert await door(small, tls), "until it has come with the higher profile, the lower one is good"
    assert await door(small, tls, secure=True)
    assert not await door(small, tls), "a profile never falls"
    view = await security.show(small.core, ShowSecurity("CP1"), ANA)
    assert (view.profile, view.upgrading_to, view.connected_with) == (2, None, 2)
    await small.restart()
    assert not await door(small, tls) and await door(small, tls, secure=True)


async def test_what_is_missing_for_a_higher_profile_is_said_before_anything_is_sent(
    small: Small, tls: str
) -> None:
    with pytest.raises(Conflict, match="certificate of its own"):
        await security.upgrade(small.core, UpgradeSecurity(station="CP1", profile=3), ANA)
    for profile in (0, 1, 4):
        with pytest.raises(Conflict, match="rise to 2 or 3"):
            await security.upgrade(small.core, UpgradeSecurity(station="CP1", profile=profile), ANA)
    small.core.terms = replace(small.core.terms, ocpp_tls_url="")
    with pytest.raises(Conflict, match="nobody listens"):
        await security.upgrade(small.core, UpgradeSecurity(station="CP1", profile=2), ANA)
    assert small.stations.given == []


async def test_a_refused_network_profile_raises_nothing_and_the_active_slot_is_spared(
    small: Small, tls: str
) -> None:
    small.stations.answer = OrderAnswer("rejected", "Failed", {"status": "Failed"})
    request = SetNetworkProfile(station="CP1", slot=1, security_profile=2)
    with pytest.raises(Rejected):
        await security.set_network_profile(small.core, request, ANA)
    view = await security.show(small.core, ShowSecurity("CP1"), ANA)
    assert view.upgrading_to is None and view.network_profiles[0].status == "failed"
    by_order(small, "1")
    await security.upgrade(small.core, UpgradeSecurity(station="CP1", profile=2), ANA)
    with pytest.raises(Conflict, match="reaches us by slot 2"):
        await security.set_network_profile(small.core, replace(request, slot=2), ANA)
    for wrong in ({"interface": "Pigeon0"}, {"slot": -1}, {"message_timeout_s": 0}, {"security_profile": 4}):
        with pytest.raises(Invalid):
            await security.set_network_profile(small.core, replace(request, **wrong), ANA)
    assert await door(small, tls, secure=True)
    with pytest.raises(Conflict, match="only rises"):
        await security.set_network_profile(small.core, replace(request, slot=4, security_profile=1), ANA)


async def test_a_profile_is_lowered_by_a_person_with_a_reason_alone(small: Small, first: str) -> None:
    await stations.add(small.core, AddStation("CP9", security_profile=2), ANA)
    for request, said in (
        (LowerSecurity("CP9", 1, " "), "needs a reason"),
        (LowerSecurity("CP9", 2, "modem swapped"), "cannot be lowered to 2"),
        (LowerSecurity("CP9", 0, "modem swapped"), "cannot be lowered to 0"),
        (LowerSecurity("CP1", 1, "modem swapped"), "cannot be lowered to 1"),
    ):
        with pytest.raises((Invalid, Conflict), match=said):
            await security.lower(small.core, request, ANA)
    shown = await security.lower(small.core, LowerSecurity("CP9", 1, "modem swapped"), ANA)
    assert shown.profile == 1
    told = (await small.core.store.events_after(None, 1, type="station.secured"))[-1]
    assert (told.actor, told.data) == ("ana", {"from": 2, "to": 1, "reason": "modem swapped"})
    await small.restart()
    assert small.core.lane("CP9").state.station.security_profile == 1


async def test_a_profile_that_needs_a_password_is_not_lowered_to_without_one(small: Small) -> None:
    await stations.add(small.core, AddStation("CP9", security_profile=3), ANA)
    with pytest.raises(Conflict, match="no password"):
        await security.lower(small.core, LowerSecurity("CP9", 2, "modem swapped"), ANA)


async def test_an_expired_certificate_opens_for_renewal_alone_and_once(small: Small) -> None:
    await stations.add(small.core, AddStation("CP1X", security_profile=3, serial="SN-1"), ANA)
    now = small.clock.now()
    old = make("SN-1", begins=now - timedelta(days=9), ends=now - timedelta(days=1))
    new = make("SN-1", begins=now - timedelta(days=1), ends=now + timedelta(days=9))

    async def comes(der: bytes) -> bool:
        approach = Approach("CP1X", ("ocpp2.0.1",), None, "10.0.0.1", secure=True, certificate=der)
        if (await admit(small.core, Knocks(), approach)).station is None:
            return False
        small.stations.connect("CP1X", "2.0.1")
        await connected(small.core, "CP1X", "2.0.1", "10.0.0.1")
        return True

    assert not await comes(old.der)
    await security.allow_expired(small.core, AllowExpired("CP1X"), ANA)
    assert await comes(old.der)
    answer = await small.hear("CP1X", Booted("V", "M", serial="SN-1"), "2.0.1")
    assert answer.status == "pending"
    assert small.stations.given[-1] == ("CP1X", Trigger("SignChargingStationCertificate"))
    assert await comes(new.der)
    assert (await small.hear("CP1X", Booted("V", "M", serial="SN-1"), "2.0.1")).status == "accepted"
    assert not await comes(old.der), "the exception has ended"

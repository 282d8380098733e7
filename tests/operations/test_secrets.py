"""New keys while stations go on: nobody is locked out, kept secrets are sealed anew, old keys can be forgotten."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from cms.contract.drivers import AddDriver
from cms.contract.payments import SetUpWebPayment, ShowWebPaymentCode
from cms.contract.refusals import Conflict, NotFound
from cms.contract.secrets import ForgetSecrets, RotateSecrets, ShowSecrets
from cms.contract.stations import AddStation, RemoveStation, StationCredential
from cms.core import Admission
from cms.domain import payments as domain
from cms.domain.changes import SaveStation
from cms.domain.evolve import evolve
from cms.keys import version_of
from cms.operations import credentials, drivers, payments, secrets, stations
from cms.operations.admission import Approach, Knocks, admit, connected
from tests.operations.small import ANA, Small


async def arrive(small: Small, credential: StationCredential, password: str | None = None) -> Admission:
    """The station knocks, and comes in where it may."""
    said = (password or credential.password or "").encode()
    told = await admit(small.core, Knocks(), Approach(credential.id, ("ocpp1.6",), said, "10.0.0.9"))
    if told.station is not None:
        await connected(small.core, told.station, "1.6", "10.0.0.9")
    return told


def made_with(small: Small, station: str) -> int:
    digest = small.core.lane(station).state.station.password_digest
    assert digest is not None
    return credentials.key_version(digest)


async def test_a_password_follows_the_keys_when_its_station_connects(small: Small) -> None:
    await stations.remove(small.core, RemoveStation("CP1"), ANA)
    credential = await stations.add(small.core, AddStation("CP9"), ANA)
    told = await secrets.rotate(small.core, RotateSecrets(reason="yearly"), ANA)
    assert told.in_force == 2 and told.waiting == ("CP9",)
    assert (await arrive(small, credential, "wrong-password")).status == 401
    assert made_with(small, "CP9") == 1, "a wrong one changes nothing"
    for _ in range(2):
        assert (await arrive(small, credential)).station == "CP9"
    assert made_with(small, "CP9") == 2
    assert (await secrets.show(small.core, ShowSecrets(), ANA)).waiting == ()


async def test_a_fleet_of_before_there_were_versions_goes_on(small: Small) -> None:
    credential = await stations.add(small.core, AddStation("CP9"), ANA)
    old = hmac.digest(b"k" * 32, b"cp9\0" + str(credential.password).encode(), hashlib.sha256)
    station = evolve(small.core.lane("CP9").state.station, password_digest=old)
    await small.core.store.commit((SaveStation(station),), ())
    await small.restart()
    assert made_with(small, "CP9") == 0
    assert (await arrive(small, credential)).station == "CP9"
    assert made_with(small, "CP9") == 1


async def test_an_old_key_is_forgotten_when_nobody_needs_it(small: Small) -> None:
    await stations.remove(small.core, RemoveStation("CP1"), ANA)
    credential = await stations.add(small.core, AddStation("CP9"), ANA)
    await secrets.rotate(small.core, RotateSecrets(), ANA)
    with pytest.raises(Conflict, match="1 station needs version 1 of the keys: CP9"):
        await secrets.forget(small.core, ForgetSecrets(version=1), ANA)
    await arrive(small, credential)
    told = await secrets.forget(small.core, ForgetSecrets(version=1), ANA)
    assert [each.version for each in told.versions] == [2]
    assert (await arrive(small, credential)).station == "CP9"
    for version, refusal in ((1, NotFound), (2, Conflict), (0, Conflict)):
        with pytest.raises(refusal):
            await secrets.forget(small.core, ForgetSecrets(version=version), ANA)


async def test_a_key_that_was_forgotten_by_force_cuts_off_whom_it_said(small: Small) -> None:
    credential = await stations.add(small.core, AddStation("CP9"), ANA)
    await secrets.rotate(small.core, RotateSecrets(), ANA)
    await secrets.forget(small.core, ForgetSecrets(version=1, force=True), ANA)
    assert (await arrive(small, credential)).status == 401
    assert (await arrive(small, credential, "")).status == 401


async def test_kept_secrets_are_sealed_anew_at_once_and_stay_the_same(small: Small) -> None:
    small.stations.connect("CP1", "2.1")
    await payments.set_up(small.core, SetUpWebPayment(station="CP1"), ANA)
    before = await payments.code(small.core, ShowWebPaymentCode("CP1", 1), ANA)
    await secrets.rotate(small.core, RotateSecrets(), ANA)
    await small.settled()
    told = await secrets.show(small.core, ShowSecrets(), ANA)
    kept = small.core.lane("CP1").state.kept_of(domain.WEB)[""]
    assert version_of(kept.secret) == 2
    assert [(each.version, each.secrets) for each in told.versions] == [(1, 0), (2, 1)]
    await secrets.forget(small.core, ForgetSecrets(version=1, force=True), ANA)
    assert (await payments.code(small.core, ShowWebPaymentCode("CP1", 1), ANA)).totp == before.totp


async def test_a_crash_in_the_middle_is_made_good_by_the_next_round(small: Small) -> None:
    small.stations.connect("CP1", "2.1")
    await payments.set_up(small.core, SetUpWebPayment(station="CP1"), ANA)
    small.core.keys.roots.renew()  # and then the power failed
    assert await secrets.rewrap(small.core) == 1
    assert await secrets.rewrap(small.core) == 0


async def test_a_hundred_drivers_and_more_are_sealed_anew_and_read_the_same(small: Small) -> None:
    for number in range(130):
        await drivers.add(
            small.core, AddDriver(name=f"Ana Alves {number}", email=f"ana{number}@example.org"), ANA
        )
    before = await drivers.persons_of(small.core)
    await secrets.rotate(small.core, RotateSecrets(), ANA)
    await small.settled()
    told = await secrets.forget(small.core, ForgetSecrets(version=1, force=True), ANA)
    assert [(each.version, each.secrets) for each in told.versions if each.secrets] == [(2, 130)]
    assert await drivers.persons_of(small.core) == before

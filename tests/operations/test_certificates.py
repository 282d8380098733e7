"""Certificates: asked for, signed, handed over, revoked; installed, listed, deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cms.contract.certificates import (
    CertificateView,
    CreateAuthority,
    DeleteCertificate,
    InstallCertificate,
    ListAuthorities,
    ListCertificates,
    ReadCertificates,
    RenewCertificate,
    RevokeCertificate,
)
from cms.contract.events import ListEvents
from cms.contract.refusals import Conflict, Invalid, NotFound, Rejected, Unreachable
from cms.contract.stations import SetStation
from cms.domain.certificates import HashData
from cms.domain.installed import Found, InstalledAnswer
from cms.domain.observations import Booted
from cms.domain.orders import OrderAnswer, Trigger
from cms.domain.signing import CertificateAnswer, CertificateRequested, TakeCertificate
from cms.operations import certificates, events, stations
from cms.operations.admission import Approach, Knocks, admit
from cms.operations.expiry import renew_due
from tests.operations.small import ANA, Small
from tests.pki.world import csr, make, weak_rsa

REJECTED = OrderAnswer("rejected", "Rejected", {"status": "Rejected"})


@pytest.fixture
async def ready(small: Small) -> Small:
    """CP1 is online, its serial number is known, and we can sign."""
    small.stations.connect("CP1", "2.0.1")
    await stations.set_(small.core, SetStation("CP1", serial="SN-0003"), ANA)
    await certificates.create_authority(small.core, CreateAuthority(), ANA)
    return small


async def known(small: Small, **query: Any) -> list[CertificateView]:
    return await certificates.list_(small.core, ListCertificates(**query), ANA)


async def test_a_station_that_asks_gets_its_answer_first_and_then_its_certificate(ready: Small) -> None:
    asked, _ = csr("SN-0003")
    answer = await ready.hear("CP1", CertificateRequested(asked, "ChargingStationCertificate", 77), "2.1")
    assert answer == CertificateAnswer(accepted=True)
    ((station, order),) = ready.stations.given
    assert isinstance(order, TakeCertificate) and station == "CP1"
    assert (order.kind, order.request_id) == ("ChargingStationCertificate", 77)
    (view,) = await known(ready)
    assert (view.status, view.name, view.fingerprint) == ("installed", "SN-0003", order.fingerprint)
    leaf = ready.core.trust.read_chain(order.chain)[0]
    assert leaf.not_before < ready.clock.now()


async def test_a_certificate_that_the_station_refuses_is_shown_as_refused(ready: Small) -> None:
    ready.stations.answer = REJECTED
    await ready.hear("CP1", CertificateRequested(csr("SN-0003")[0]))
    (view,) = await known(ready)
    assert view.status == "refused"
    told = [event.type for event in await events.list_(ready.core, ListEvents(), ANA)]
    assert "certificate.refused" in told


async def test_a_certificate_that_does_not_arrive_is_lost_and_may_be_asked_for_again(ready: Small) -> None:
    asked = CertificateRequested(csr("SN-0003")[0])
    ready.stations.answer = Unreachable("gone")
    await ready.hear("CP1", asked)
    ready.stations.answer = OrderAnswer("accepted", "Accepted", {})
    await ready.hear("CP1", asked)
    assert [view.status for view in await known(ready)] == ["lost", "installed"]


@pytest.mark.parametrize("what", ["garbage", "foreign", "weak", "organisation"])
async def test_what_must_not_be_signed_is_rejected_and_told(ready: Small, what: str) -> None:
    ready.core.terms = replace(ready.core.terms, organisations=("Volt",))
    asked = {
        "garbage": "garbage",
        "foreign": csr("SN-9999", "Volt")[0],
        "weak": csr("SN-0003", "Volt", weak_rsa())[0],
        "organisation": csr("SN-0003", "Ampere")[0],
    }[what]
    answer = await ready.hear("CP1", CertificateRequested(asked))
    assert not answer.accepted
    assert ready.stations.given == [] and await known(ready) == []
    (told,) = await events.list_(ready.core, ListEvents(type="certificate.requested"), ANA)
    assert told.data["outcome"] == "refused"


async def test_repeated_requests_do_not_pile_up_and_another_waits_its_turn(ready: Small) -> None:
    one, two = csr("SN-0003")[0], csr("SN-0003")[0]
    during: list[CertificateAnswer] = []

    async def ask_again() -> None:
        from cms.domain.observations import Received
        from cms.operations.observe import observe

        for asked in (one, two):
            said = Received(
                CertificateRequested(asked), ready.clock.now(), "2.0.1", "SignCertificate", "[raw]"
            )
            answer = await observe(ready.core, "CP1", said)
            assert isinstance(answer, CertificateAnswer)
            during.append(answer)

    ready.stations.before_answer = ask_again
    await ready.hear("CP1", CertificateRequested(one))
    assert [answer.accepted for answer in during] == [True, False]
    assert len(ready.stations.given) == 1
    ready.stations.before_answer = None
    answer = await ready.hear("CP1", CertificateRequested(two))
    assert answer.accepted and len(ready.stations.given) == 2


async def test_without_an_authority_every_request_is_rejected(small: Small) -> None:
    assert not (await small.hear("CP1", CertificateRequested(csr("CP1")[0]))).accepted
    with pytest.raises(Conflict, match="no station authority"):
        small.stations.connect("CP1")
        await certificates.renew(small.core, RenewCertificate(station="CP1"), ANA)


async def test_a_v2g_request_is_signed_by_the_v2g_authority(ready: Small) -> None:
    asked = CertificateRequested(csr("SN-0003")[0], "V2GCertificate")
    assert not (await ready.hear("CP1", asked)).accepted
    made = await certificates.create_authority(ready.core, CreateAuthority(use="v2g", key="rsa"), ANA)
    assert (await ready.hear("CP1", asked)).accepted
    (view,) = await known(ready)
    assert view.type == "v2g"
    assert [each.use for each in await certificates.authorities(ready.core, ListAuthorities(), ANA)] == [
        "station",
        "v2g",
    ]
    assert made.key == "RSA 3072"


@pytest.mark.parametrize(
    ("version", "message"),
    [("1.6", "SignChargePointCertificate"), ("2.0.1", "SignChargingStationCertificate")],
)
async def test_renewal_asks_in_the_words_of_the_version(ready: Small, version: str, message: str) -> None:
    ready.stations.connect("CP1", version)
    await certificates.renew(ready.core, RenewCertificate(station="CP1"), ANA)
    assert ready.stations.given == [("CP1", Trigger(message))]


async def test_a_revoked_certificate_opens_no_door_and_its_link_is_closed(ready: Small) -> None:
    asked, _ = csr("SN-0003")
    await ready.hear("CP1", CertificateRequested(asked))
    order = ready.stations.given[0][1]
    assert isinstance(order, TakeCertificate)
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    der = x509.load_pem_x509_certificates(order.chain.encode())[0].public_bytes(Encoding.DER)
    approach = Approach("CP1", ("ocpp2.0.1",), None, "10.0.0.1", secure=True, certificate=der)
    assert (await admit(ready.core, Knocks(), approach)).station == "CP1"
    view = await certificates.revoke(
        ready.core, RevokeCertificate("CP1", order.fingerprint[:12], "stolen"), ANA
    )
    assert view.status == "revoked" and ready.stations.closed == [("CP1", 1008)]
    assert (await admit(ready.core, Knocks(), approach)).status == 401
    await ready.restart()
    assert (await admit(ready.core, Knocks(), approach)).status == 401
    assert (await known(ready))[0].status == "revoked"
    with pytest.raises(NotFound):
        await certificates.revoke(ready.core, RevokeCertificate("CP1", "ffff"), ANA)
    ready.clock.pass_(days=400)
    await certificates.forget_revoked(ready.core)
    assert not ready.core.kept.get("revoked")


async def test_an_installed_root_is_listed_and_deleted_by_the_words_of_the_station(ready: Small) -> None:
    root = make(
        "Maker root", authority=True, begins=ready.clock.now(), ends=ready.clock.now() + timedelta(days=9)
    )
    order = InstallCertificate(station="CP1", type="manufacturer-root", pem=root.pem.replace("\n", "\r\n"))
    await certificates.install(ready.core, order, ANA)
    assert "\r" not in ready.stations.given[0][1].pem  # type: ignore[attr-defined]
    (view,) = await known(ready, expiring_s=86_400 * 30)
    assert (view.name, view.type, view.status) == ("Maker root", "manufacturer-root", "installed")
    assert await known(ready, expiring_s=86_400) == []
    # The station names it in its own way: other algorithm, other case, a zero before.
    theirs = HashData("SHA384", "aa", "bb", "0" + view.serial.upper())
    other = HashData("SHA256", "cc", "dd", "1234")
    found = (Found("manufacturer-root", theirs), Found("csms-root", other))
    ready.stations.answer = InstalledAnswer("accepted", "Accepted", {}, found=found)
    await certificates.read(ready.core, ReadCertificates(station="CP1"), ANA)
    listed = {each.serial: each for each in await known(ready)}
    assert set(listed) == {theirs.serial_number, "1234"}
    assert listed[theirs.serial_number].name == "Maker root", "what we installed stays known"
    ready.stations.answer = OrderAnswer("accepted", "Accepted", {})
    delete = DeleteCertificate(station="CP1", certificate=theirs.serial_number)
    await certificates.delete(ready.core, delete, ANA)
    assert ready.stations.given[-1][1].named == theirs  # type: ignore[attr-defined]
    assert [each.serial for each in await known(ready)] == ["1234"]
    await ready.restart()
    assert [each.serial for each in await known(ready)] == ["1234"]


async def test_of_several_certificates_with_one_serial_number_the_one_named_in_full_is_deleted(
    ready: Small,
) -> None:
    wanted, other = HashData("SHA384", "aa", "bb", "FFF"), HashData("SHA512", "aa", "bb", "FFF")
    found = (Found("manufacturer-root", other), Found("mo-root", wanted))
    ready.stations.answer = InstalledAnswer("accepted", "Accepted", {}, found=found)
    await certificates.read(ready.core, ReadCertificates(station="CP1"), ANA)
    ready.stations.answer = OrderAnswer("accepted", "Accepted", {})
    with pytest.raises(Conflict, match="2 certificates") as refused:
        await certificates.delete(ready.core, DeleteCertificate(station="CP1", certificate="fff"), ANA)
    assert "SHA384:aa:bb:FFF" in str(refused.value.hint)
    delete = DeleteCertificate(station="CP1", certificate="SHA384:aa:bb:FFF")
    await certificates.delete(ready.core, delete, ANA)
    assert ready.stations.given[-1][1].named == wanted  # type: ignore[attr-defined]


async def test_a_deletion_that_fails_changes_nothing_and_one_that_finds_nothing_forgets(ready: Small) -> None:
    found = (Found("mo-root", HashData("SHA512", "aa", "bb", "FFF")),)
    ready.stations.answer = InstalledAnswer("accepted", "Accepted", {}, found=found)
    await certificates.read(ready.core, ReadCertificates(station="CP1", types=("mo-root",)), ANA)
    for word, left in (("Failed", 1), ("NotFound", 0)):
        ready.stations.answer = OrderAnswer("rejected", word, {"status": word})
        with pytest.raises(Rejected):
            await certificates.delete(ready.core, DeleteCertificate(station="CP1", certificate="fff"), ANA)
        assert len(await known(ready)) == left


async def test_the_root_by_which_a_station_knows_us_is_not_deleted_by_mistake(ready: Small) -> None:
    await certificates.install(ready.core, InstallCertificate(station="CP1", type="csms-root"), ANA)
    (view,) = await known(ready)
    delete = DeleteCertificate(station="CP1", certificate=view.id)
    lane = ready.core.lane("CP1")
    lane.state = replace(lane.state, station=replace(lane.state.station, security_profile=2))
    with pytest.raises(Conflict, match="knows us by this root"):
        await certificates.delete(ready.core, delete, ANA)
    await certificates.delete(ready.core, replace(delete, force=True), ANA)
    assert await known(ready) == []


async def test_nonsense_is_refused_before_anything_is_sent(ready: Small) -> None:
    for order, refusal in (
        (InstallCertificate(station="CP1", type="v2g-chain"), Invalid),
        (InstallCertificate(station="CP1", type="mo-root", pem="garbage"), Invalid),
        (InstallCertificate(station="CP1", type="mo-root"), NotFound),
    ):
        with pytest.raises(refusal):
            await certificates.install(ready.core, order, ANA)
    with pytest.raises(Invalid):
        await certificates.read(ready.core, ReadCertificates(station="CP1", types=("root",)), ANA)
    with pytest.raises(NotFound):
        await certificates.delete(ready.core, DeleteCertificate(station="CP1", certificate="1"), ANA)
    assert ready.stations.given == []


async def test_a_boot_that_does_not_fit_the_certificate_closes_the_link(ready: Small) -> None:
    made = make("SN-0003")
    approach = Approach("CP1", ("ocpp2.0.1",), None, "10.0.0.1", secure=True, certificate=made.der)
    await admit(ready.core, Knocks(), approach)
    ready.clock.time = made.certificate.not_valid_before_utc + timedelta(days=1)
    await admit(ready.core, Knocks(), approach)
    answer = await ready.hear("CP1", Booted("V", "M", serial="SN-0003"), "2.0.1")
    assert answer.status == "accepted" and ready.stations.closed == []
    await ready.hear("CP1", Booted("V", "M", serial="SN-9999"), "2.0.1")
    assert ready.stations.closed == [("CP1", 1008)]
    assert ready.core.lane("CP1").state.station.serial == "SN-0003"


async def test_a_station_is_asked_to_renew_in_time_and_only_then(ready: Small) -> None:
    await ready.hear("CP1", Booted("V", "M", serial="SN-0003"), "2.0.1")
    await ready.hear("CP1", CertificateRequested(csr("SN-0003")[0]))
    ready.stations.given.clear()
    month = timedelta(days=30)
    await renew_due(ready.core, month)
    assert ready.stations.given == []
    ready.clock.pass_(days=340)
    await renew_due(ready.core, month)
    assert ready.stations.given == [("CP1", Trigger("SignChargingStationCertificate"))]
    ready.stations.links.clear()
    await renew_due(ready.core, month)
    assert len(ready.stations.given) == 1


async def test_a_station_that_asks_without_end_is_stopped_for_an_hour(ready: Small) -> None:
    for _ in range(20):
        assert (await ready.hear("CP1", CertificateRequested(csr("SN-0003")[0]))).accepted
    assert not (await ready.hear("CP1", CertificateRequested(csr("SN-0003")[0]))).accepted
    assert len(await known(ready)) == 20
    ready.clock.pass_(hours=2)
    assert (await ready.hear("CP1", CertificateRequested(csr("SN-0003")[0]))).accepted

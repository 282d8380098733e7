"""Our own authority, chains to roots, responders and lists: real certificates, a real responder."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import stat
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from cms.contract.refusals import Conflict, Denied, Invalid, NotFound, Unreachable
from cms.domain.certificates import Contract, Use, unsignable
from cms.pki import Trust, TrustSources
from cms.pki.fetch import Outward
from cms.pki.reading import hash_data
from tests.pki.world import NOON, YEAR, Made, csr, make, responding, revocation_list, weak_rsa


def trust(folder: Path, **sources: Any) -> Trust:
    return Trust(TrustSources(folder / "pki", **sources))


def kept(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("key", ["ec", "rsa"])
async def test_what_our_authority_signs_is_for_the_key_that_asked_and_valid_a_little_earlier(
    tmp_path: Path, key: str
) -> None:
    ours = trust(tmp_path, organisation="Volt GmbH")
    ours.create_authority(Use.STATION, key, NOON)
    for secret in (ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)):
        asked, _ = csr("SN-0003", "Volt GmbH", secret)
        request = ours.read_request(asked)
        assert unsignable(request, ("SN-0003",), ("Volt GmbH",)) is None
        signed = await ours.sign(Use.STATION, asked, NOON)
        (leaf,) = x509.load_pem_x509_certificates(signed.chain.encode())
        assert leaf.public_key() == secret.public_key()
        leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(_root(ours).encode()))
        assert (signed.leaf.name, signed.leaf.organisations) == ("SN-0003", ("Volt GmbH",))
        assert signed.leaf.not_before == NOON - timedelta(hours=1)
        assert signed.leaf.for_clients and not signed.leaf.is_authority
        assert "\r" not in signed.chain and len(signed.chain) < 10_000


def _root(ours: Trust) -> str:
    authority = ours.authority(Use.STATION)
    assert authority is not None
    return authority.pem


def test_the_authority_outlives_a_restart_and_its_key_is_for_the_daemon_alone(tmp_path: Path) -> None:
    made = trust(tmp_path).create_authority(Use.STATION, "ec", NOON)
    assert stat.S_IMODE((tmp_path / "pki/station/ca.key").stat().st_mode) == 0o600
    again = trust(tmp_path)
    assert again.authority(Use.STATION) == made and again.authority(Use.V2G) is None
    with pytest.raises(Conflict):
        again.create_authority(Use.STATION, "ec", NOON)
    assert again.create_authority(Use.STATION, "rsa", NOON, replace=True) != made


async def test_without_an_authority_nothing_is_signed(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        await trust(tmp_path).sign(Use.V2G, csr("SN-1")[0], NOON)


async def test_an_authority_of_the_operators_own_brings_its_chain(tmp_path: Path) -> None:
    root = make("Root", authority=True)
    below = make("Volt sub CA", root, authority=True)
    (tmp_path / "pki/station").mkdir(parents=True)
    kept(tmp_path, "pki/station/ca.pem", below.pem + root.pem)
    kept(tmp_path, "pki/station/ca.key", below.key_pem)
    signed = await trust(tmp_path).sign(Use.STATION, csr("SN-1")[0], NOON)
    leaf, above = x509.load_pem_x509_certificates(signed.chain.encode())
    assert above == below.certificate and leaf.issuer == above.subject, "leaf first, no root"
    kept(tmp_path, "pki/station/ca.key", root.key_pem)
    with pytest.raises(Invalid, match="is not the key of"):
        trust(tmp_path)


async def test_an_expired_authority_signs_nothing(tmp_path: Path) -> None:
    ours = trust(tmp_path)
    ours.create_authority(Use.STATION, "ec", NOON - 30 * YEAR)
    with pytest.raises(Conflict, match="expired"):
        await ours.sign(Use.STATION, csr("SN-1")[0], NOON)


@pytest.mark.parametrize("text", ["garbage", "", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n", "x" * 70_000])
def test_garbage_is_no_request(tmp_path: Path, text: str) -> None:
    with pytest.raises(Invalid):
        trust(tmp_path).read_request(text)


def test_a_request_with_a_false_signature_is_refused(tmp_path: Path) -> None:
    asked, _ = csr("SN-1")
    one = x509.load_pem_x509_csr(asked.encode())
    broken = bytearray(one.public_bytes(Encoding.DER))
    broken[-3] ^= 1
    body = base64.encodebytes(broken).decode()
    pem = f"-----BEGIN CERTIFICATE REQUEST-----\n{body}-----END CERTIFICATE REQUEST-----\n"
    with pytest.raises(Invalid, match="not signed with its own key"):
        trust(tmp_path).read_request(pem)


def test_weak_keys_foreign_names_and_foreign_organisations_are_not_signed(tmp_path: Path) -> None:
    ours = trust(tmp_path)
    strong = ours.read_request(csr("SN-1", "Volt")[0])
    weak = ours.read_request(csr("SN-1", "Volt", weak_rsa())[0])
    assert unsignable(strong, ("sn-1", None), ("Volt",)) is None
    assert "1024 bits" in str(unsignable(weak, ("SN-1",), ("Volt",)))
    assert "name" in str(unsignable(strong, ("SN-2", "CP-2"), ("Volt",)))
    assert "organisation" in str(unsignable(strong, ("SN-1",), ("Ampere",)))
    assert "192 bits" in str(unsignable(replace(strong, key_bits=192), ("SN-1",), ()))
    assert "Ed25519" in str(unsignable(replace(strong, key_kind="Ed25519"), ("SN-1",), ()))


def test_a_list_of_revoked_certificates_is_read_again_when_it_changes(tmp_path: Path) -> None:
    root = make("Root", authority=True)
    one, two = make("SN-1", root), make("SN-2", root)
    path = kept(tmp_path, "crl.pem", revocation_list(root, one))
    ours = trust(tmp_path, revocation_lists=(path,))
    assert [ours.revoked(ours.read(each.der)) for each in (one, two)] == [True, False]
    path.write_bytes(revocation_list(root, one, two))
    os.utime(path, ns=(1, 1))
    assert ours.revoked(ours.read(two.der))
    path.write_bytes(b"broken")
    assert ours.revoked(ours.read(two.der)), "what was known stays known"


def contract(url: str | None) -> tuple[Made, Made, Made]:
    root = make("MO root", authority=True)
    sub = make("MO sub", root, authority=True, responder=url)
    return root, sub, make("DE-VLT-C0-1", sub, responder=url)


async def test_a_contract_holds_while_its_responder_says_so(tmp_path: Path) -> None:
    root, sub, _ = contract(None)
    async with responding(root, sub) as responder:
        sub = make("MO sub", root, authority=True, responder=responder.url)
        responder.issuers[1] = sub
        leaf = make("DE-VLT-C0-1", sub, responder=responder.url)
        ours = trust(
            tmp_path,
            contract_roots=(kept(tmp_path, "mo.pem", root.pem),),
            outward=Outward(hosts=(responder.host,)),
        )
        assert await ours.contract_chain(leaf.chain, NOON) is Contract.GOOD
        assert responder.asked == 2
        assert await ours.contract_chain(leaf.chain, NOON) is Contract.GOOD
        assert responder.asked == 2, "a standing is kept while it holds"
        responder.revoked.add(leaf.certificate.serial_number)
        later = NOON + timedelta(hours=2)
        responder.now = later
        assert await ours.contract_chain(leaf.chain, later) is Contract.REVOKED
        assert await ours.contract_chain(leaf.chain, NOON + 2 * YEAR) is Contract.EXPIRED
        assert await ours.contract_chain(make("DE-VLT-C0-1").pem, NOON) is Contract.BROKEN
        assert await ours.contract_chain("garbage", NOON) is Contract.UNREADABLE
        responder.silent = True
        assert await ours.contract_chain(leaf.chain, NOON + timedelta(days=3)) is Contract.BROKEN


async def test_a_leaf_may_not_vouch_for_another(tmp_path: Path) -> None:
    root = make("MO root", authority=True)
    leaf = make("DE-VLT-C0-1", root)
    forged = make("DE-VLT-C0-2", leaf)
    ours = trust(tmp_path, contract_roots=(kept(tmp_path, "mo.pem", root.pem),))
    assert await ours.contract_chain(forged.pem + leaf.pem, NOON) is Contract.BROKEN


async def test_hash_data_of_a_station_is_asked_about_and_the_answer_must_be_signed_by_the_issuer(
    tmp_path: Path,
) -> None:
    root = make("MO root", authority=True)
    leaf = make("DE-VLT-C0-1", root)
    async with responding(root) as responder:
        ours = trust(
            tmp_path,
            contract_roots=(kept(tmp_path, "mo.pem", root.pem),),
            outward=Outward(hosts=(responder.host,)),
        )
        named = hash_data(leaf.certificate, root.certificate)
        assert await ours.contract_named([(named, responder.url)], NOON) is Contract.GOOD
        appointed = make("Responder", root, usages=[ExtendedKeyUsageOID.OCSP_SIGNING])
        for signer, word in ((appointed, Contract.GOOD), (make("Mallory"), Contract.BROKEN)):
            responder.signer = signer
            fresh = trust(
                tmp_path,
                contract_roots=(tmp_path / "mo.pem",),
                outward=Outward(hosts=(responder.host,)),
            )
            assert await fresh.contract_named([(named, responder.url)], NOON) is word
        assert await ours.contract_named([(named, None)], NOON) is Contract.BROKEN
        assert await ours.contract_named([], NOON) is Contract.BROKEN
        assert await ours.contract_named([(named, responder.url)] * 5, NOON) is Contract.BROKEN


async def test_a_responder_is_asked_for_a_station_and_its_answer_handed_on(tmp_path: Path) -> None:
    root = make("V2G root", authority=True)
    leaf = make("SECC", root)
    async with responding(root) as responder:
        ours = trust(tmp_path, outward=Outward(hosts=("127.0.0.1",)))
        for algorithm in ("SHA256", "SHA384", "SHA512"):
            named = hash_data(leaf.certificate, root.certificate, algorithm)
            standing = await ours.standing(named, responder.url, NOON)
            assert standing.word == "good"
            told = ocsp.load_der_ocsp_response(standing.der)
            assert told.serial_number == leaf.certificate.serial_number
        responder.silent = True
        other = hash_data(make("SECC 2", root).certificate, root.certificate)
        with pytest.raises(Unreachable):
            await ours.standing(other, responder.url, NOON)


async def test_a_station_cannot_send_us_to_our_own_network(tmp_path: Path) -> None:
    root = make("V2G root", authority=True)
    named = hash_data(make("SECC", root).certificate, root.certificate)
    async with responding(root) as responder:
        ours = trust(tmp_path)
        with pytest.raises(Denied):
            await ours.standing(named, responder.url, NOON)
        assert responder.asked == 0
        for url in ("file:///etc/passwd", "http://user:pw@127.0.0.1/", "gopher://x/", "http://[::1", ""):
            with pytest.raises(Invalid):
                await ours.standing(named, url, NOON)


@pytest.mark.parametrize(
    "broken",
    [{"issuer_name_hash": "aa"}, {"serial_number": "x"}, {"algorithm": "MD5"}, {"issuer_key_hash": "é"}],
)
async def test_hash_data_that_names_nothing_is_refused(tmp_path: Path, broken: dict[str, str]) -> None:
    root = make("V2G root", authority=True)
    named = replace(hash_data(make("SECC", root).certificate, root.certificate), **broken)
    with pytest.raises(Invalid):
        await trust(tmp_path, outward=Outward(("127.0.0.1",))).standing(named, "http://127.0.0.1:1/", NOON)


async def test_a_list_says_who_is_revoked(tmp_path: Path) -> None:
    root = make("V2G root", authority=True)
    one, two = make("Car 1", root), make("Car 2", root)
    async with responding(root) as responder:
        responder.files["/crl"] = revocation_list(root, one)
        ours = trust(tmp_path, outward=Outward((responder.host,)))
        words = []
        for each in (one, two, make("Car 3", make("Other root", authority=True))):
            issuer = each.issuer
            assert issuer is not None
            named = hash_data(each.certificate, issuer.certificate)
            words.append((await ours.listed(named, responder.url + "crl", NOON)).word)
        assert words == ["revoked", "good", "unknown"]


def test_server_certificates_are_made_once_and_again_for_other_names(tmp_path: Path) -> None:
    ours = trust(tmp_path)
    first = _contents(ours.server_certificates(("csms.test", "127.0.0.1"), NOON))
    assert _contents(ours.server_certificates(("csms.test", "127.0.0.1"), NOON)) == first
    assert _contents(ours.server_certificates(("other.test",), NOON)) != first
    kinds = {x509.load_pem_x509_certificates(each)[0].public_key().__class__ for each in first}
    assert len(kinds) == 2


def _contents(paths: Sequence[Path]) -> list[bytes]:
    return [path.read_bytes() for path in paths]


async def test_another_authority_signs_when_the_operator_says_so_and_its_answer_is_checked(
    tmp_path: Path,
) -> None:
    root = make("Their root", authority=True)
    asked, key = csr("SN-1")
    async with responding(root) as responder:
        ours = trust(tmp_path, signer=responder.url + "sign")
        assert ours.signs(Use.STATION)

        def answers(made: Made) -> None:
            told = {"certificateChain": made.pem + root.pem}
            responder.files["/sign"] = json.dumps(told).encode()

        answers(make("SN-1", root, key=key))
        signed = await ours.sign(Use.STATION, asked, NOON)
        assert signed.leaf.name == "SN-1" and signed.chain.count("BEGIN CERTIFICATE") == 1, "no root"
        for wrong in (make("SN-1", root), make("SN-2", root, key=key)):
            answers(wrong)
            with pytest.raises(Unreachable, match="another"):
                await ours.sign(Use.STATION, asked, NOON)
        responder.silent = True
        with pytest.raises(Unreachable):
            await ours.sign(Use.STATION, asked, NOON)


async def test_a_host_whose_name_cannot_be_looked_up_is_unreachable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name server is slow, or says no; the seventeenth name at once is not looked up at all."""
    released = threading.Event()

    def slow(*_: Any, **__: Any) -> Any:
        released.wait(10)
        raise OSError("no such host")

    monkeypatch.setattr("cms.pki.fetch.socket.getaddrinfo", slow)
    outward = Outward(timeout_s=0.05)
    asked = [outward.ask("GET", f"http://host-{n}.test/") for n in range(17)]
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(each, Unreachable) for each in told)
    assert sum("too many" in str(each) for each in told) == 1
    released.set()
    monkeypatch.undo()

"""What stations and strangers send as certificates: garbage is refused in a sentence, whatever its shape."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cms.contract.refusals import Invalid, Unreachable
from cms.domain.certificates import HashData
from cms.pki import Trust, TrustSources
from cms.pki.ocsp import question, understood
from cms.pki.revocation import read_list
from tests.pki.world import NOON, csr, make, revocation_list

ROOT = make("Root", authority=True)
LEAF = make("SN-1", ROOT)
REQUEST = x509.load_pem_x509_csr(csr("SN-1")[0].encode()).public_bytes(Encoding.DER)
LIST = x509.load_pem_x509_crl(revocation_list(ROOT, LEAF)).public_bytes(Encoding.DER)
NAMED = HashData("SHA256", "00" * 32, "11" * 32, "1")

damage = st.lists(st.tuples(st.integers(0, 4_000), st.integers(0, 255)), min_size=1, max_size=4)


def damaged(der: bytes, places: list[tuple[int, int]]) -> bytes:
    broken = bytearray(der)
    for place, value in places:
        broken[place % len(broken)] = value
    return bytes(broken)


def pem(kind: str, der: bytes) -> str:
    return f"-----BEGIN {kind}-----\n{base64.encodebytes(der).decode()}-----END {kind}-----\n"


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Trust:
    folder: Path = tmp_path_factory.mktemp("pki")
    (folder / "mo.pem").write_text(ROOT.pem)
    return Trust(TrustSources(folder / "pki", contract_roots=(folder / "mo.pem",)))


@given(damage)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_damaged_certificate_is_read_or_refused(trust: Trust, places: list[tuple[int, int]]) -> None:
    der = damaged(LEAF.der, places)
    for read in (lambda: trust.read(der), lambda: trust.read_chain(pem("CERTIFICATE", der))):
        try:
            read()
        except Invalid:
            pass
    await trust.contract_chain(pem("CERTIFICATE", der) + ROOT.pem, NOON)


@given(damage)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_request_is_read_or_refused(trust: Trust, places: list[tuple[int, int]]) -> None:
    der = damaged(REQUEST, places)
    try:
        trust.read_request(pem("CERTIFICATE REQUEST", der))
    except Invalid:
        pass


@given(damage)
@settings(max_examples=200, deadline=None)
def test_a_damaged_list_is_read_or_refused(places: list[tuple[int, int]]) -> None:
    try:
        read_list(damaged(LIST, places))
    except Invalid:
        pass


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_a_responder_that_answers_garbage_is_no_responder(content: bytes) -> None:
    with pytest.raises(Unreachable):
        understood(content, NAMED, NOON + timedelta(hours=1))


@given(st.text(max_size=130), st.text(max_size=130), st.text(max_size=40))
@settings(max_examples=200, deadline=None)
def test_hash_data_of_any_text_is_a_question_or_refused(name: str, key: str, serial: str) -> None:
    try:
        question(HashData("SHA256", name, key, serial))
    except Invalid:
        pass

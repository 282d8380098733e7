"""OCMF texts, verified with keys of meters."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

import pytest

from cms.contract.refusals import Invalid
from cms.domain import signedvalues
from cms.domain.signedvalues import SignedValue
from cms.pki.metered import read_key, vouched
from tests.domain.build import NOON, after
from tests.ocmf import SigningMeter

D = Decimal
BOTH = (("B", NOON, "1.000"), ("E", after(60), "6.000"))


def value(text: str) -> SignedValue:
    return SignedValue(NOON, "Transaction.End", "OCMF", text)


@pytest.mark.parametrize(
    "curve", ["secp256r1", "secp192r1", "secp256k1", "secp384r1", "brainpool256r1", "brainpool384r1"]
)
def test_what_a_meter_signed_is_valid_with_its_key_alone(curve: str) -> None:
    meter = SigningMeter(curve)
    text = meter.text(*BOTH)
    assert vouched(value(text), meter.public).valid is True
    assert vouched(value(text), SigningMeter(curve).public).valid is False
    assert vouched(value(text), SigningMeter("secp384r1").public).valid is False
    assert vouched(value(text.replace("6.000", "5.000")), meter.public).valid is False
    assert vouched(value(text), None).valid is None
    assert read_key(meter.public) == curve.replace("pool", "poolP")


def test_a_signature_may_be_base64() -> None:
    meter = SigningMeter()
    assert vouched(value(meter.text(*BOTH, encoding="base64")), meter.public).valid is True


def test_its_registers_are_read_exactly_with_their_step() -> None:
    told = vouched(value(SigningMeter().text(*BOTH)), None).registers
    assert [(each.reason, each.value_wh, each.step_wh) for each in told] == [
        ("B", D(1000), D(1)),
        ("E", D(6000), D(1)),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "OCMF",
        "OCMF|{}|{}",
        "OCMF|{|{}",
        "OCMF|" + "[" * 5000 + "|{}",
        "\x1b]0;x\x07",
        "OCMF|" + "x" * 20_000,
    ],
)
def test_what_is_no_ocmf_is_unreadable_and_refuses_nothing(text: str, recwarn: Any) -> None:
    assert vouched(value(text), SigningMeter().public).valid is not True
    assert not recwarn.list


def test_a_register_of_absurd_size_is_not_read() -> None:
    meter = SigningMeter()
    assert (
        vouched(value(meter.text(("B", NOON, "1E+9999"), ("E", NOON, "1"))), meter.public).registers[0].reason
        == "E"
    )


def test_a_key_is_read_as_pem_hex_base64_and_as_stations_send_it() -> None:
    meter = SigningMeter()
    sent = meter.sent("OCMF|", with_key=True)["publicKey"]
    for written in (meter.pem, meter.public, meter.public.upper(), sent, f"oca:base16:asn1:{meter.public}"):
        assert signedvalues.read_key(written) == meter.public
    assert signedvalues.read_key("nonsense") is None
    with pytest.raises(Invalid, match="no public key of a meter"):
        read_key("3000")


def test_secp192k1_which_openssl_does_not_know_is_verified_too() -> None:
    from ecdsa import SigningKey  # type: ignore[import-untyped]  # it has no types
    from ecdsa.util import sigencode_der  # type: ignore[import-untyped]
    from pyocmf.crypto.fallback import _secp192k1

    key = SigningKey.generate(curve=_secp192k1(), hashfunc=hashlib.sha256)
    payload = '{"FV":"1.0","PG":"T1","MS":"M","IS":true,"RD":[]}'
    signature = key.sign(payload.encode(), sigencode=sigencode_der).hex()
    text = f'OCMF|{payload}|{{"SA":"ECDSA-secp192k1-SHA256","SD":"{signature}"}}'
    public = key.get_verifying_key().to_der().hex()
    assert read_key(public) == "secp192k1"
    assert vouched(value(text), public).valid is True
    assert vouched(value(text.replace('"M"', '"N"')), public).valid is False

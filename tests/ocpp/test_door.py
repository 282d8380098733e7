"""The handshake, without a socket."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms.ocpp import door
from cms.ocpp.dialect import DIALECTS
from cms.ocpp.door import Knock, Turned


def knock(target: str = "/ocpp/CP-7", protocols=("ocpp1.6",), authorization=()) -> Knock | Turned:
    return door.knock(
        target, protocols, authorization, prefix="/ocpp", address="10.0.0.7", secure=False, spoken=DIALECTS
    )


def basic(user: str, password: bytes) -> str:
    return "Basic " + base64.b64encode(user.encode() + b":" + password).decode()


@pytest.mark.parametrize(
    ("target", "identity"),
    [
        ("/ocpp/CP-7", "CP-7"),
        ("/ocpp/CP-7/", "CP-7"),
        ("/ocpp/RDAM%7C123", "RDAM|123"),
        ("/any/prefix/1.6/CP-7", "CP-7"),
        ("/CP-7", "CP-7"),
        ("/ocpp/caf%C3%A9", "café"),
        ("/ocpp/a%2520b", "a%20b"),
        ("/ocpp/" + "x" * 48, "x" * 48),
    ],
)
def test_the_identity_is_the_last_segment_decoded_once(target: str, identity: str):
    assert door.identity(target, "/ocpp") == identity


@pytest.mark.parametrize(
    "target",
    [
        "/ocpp/" + "x" * 49,
        "/ocpp/a:b",
        "/ocpp/a%3Ab",
        "/ocpp/a%2Fb",
        "/ocpp/a%00b",
        "/ocpp/a%E2%80%AEb",
        "/ocpp/%FF",
        "/ocpp/%20",
        "/ocpp/cafe%CC%81",
        "/ocpp/CP-7?x=1",
        "/ocpp",
        "/ocpp/",
        "/",
        "",
    ],
)
def test_no_acceptable_identity_is_turned_away(target: str):
    turned = door.identity(target, "/ocpp")
    assert isinstance(turned, Turned)
    assert 400 <= turned.status < 500


@given(st.text(max_size=60))
def test_every_target_is_an_identity_or_turned_away(target: str):
    read = door.identity(target, "/ocpp")
    assert isinstance(read, Turned) or door.is_identity(read)


def test_the_stations_preference_wins():
    assert door.select(("ocpp2.1", "ocpp2.0.1", "ocpp1.6"), DIALECTS) == "ocpp2.1"
    assert door.select(("ocpp1.6", "ocpp2.0.1", "ocpp2.1"), DIALECTS) == "ocpp1.6"
    assert door.select(("ocpp0.1", "ocpp2.0.1"), DIALECTS) == "ocpp2.0.1"


@pytest.mark.parametrize("protocols", [("ocpp0.1",), ("OCPP1.6",)])
def test_without_a_common_subprotocol_it_is_turned_away(protocols: tuple[str, ...]):
    turned = knock(protocols=protocols)
    assert isinstance(turned, Turned)
    assert turned.status == 400


def test_where_none_is_offered_the_daemon_decides():
    knocked = knock(protocols=())
    assert isinstance(knocked, Knock)
    assert knocked.protocols == ()


def test_a_password_is_bytes_after_the_first_colon():
    raw = bytes([0, 255, 58, 7])
    knocked = knock(authorization=(basic("cp-7", raw),))
    assert isinstance(knocked, Knock)
    assert (knocked.username, knocked.password) == ("cp-7", raw)
    assert knocked.identity == "CP-7"


def test_without_credentials_the_daemon_decides():
    knocked = knock()
    assert isinstance(knocked, Knock)
    assert knocked.password is None


@pytest.mark.parametrize(
    "authorization",
    [
        (basic("OTHER", b"right"),),
        ("Basic !!!",),
        ("Basic",),
        ("Bearer x",),
        ("Basic " + base64.b64encode(b"nocolon").decode(),),
        (basic("CP-7", b"a"), basic("CP-7", b"b")),
        ("Basic " + base64.b64encode(b"\xff\xfe:x").decode(),),
    ],
)
def test_wrong_or_unreadable_credentials_are_turned_away_alike(authorization: tuple[str, ...]):
    turned = knock(authorization=authorization)
    assert isinstance(turned, Turned)
    assert turned.status == 401

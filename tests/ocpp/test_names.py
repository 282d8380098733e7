"""Names of 2.x variables."""

import pytest

from cms.contract.refusals import Invalid
from cms.ocpp.names import is_secret, parse, spell


@pytest.mark.parametrize(
    ("name", "component", "variable"),
    [
        ("OCPPCommCtrlr.OfflineThreshold", {"name": "OCPPCommCtrlr"}, {"name": "OfflineThreshold"}),
        (
            "Connector@1:2.AvailabilityState",
            {"name": "Connector", "evse": {"id": 1, "connectorId": 2}},
            {"name": "AvailabilityState"},
        ),
        ("EVSE@1.Power", {"name": "EVSE", "evse": {"id": 1}}, {"name": "Power"}),
        ("Meter#main.Value#L1", {"name": "Meter", "instance": "main"}, {"name": "Value", "instance": "L1"}),
        ("a%2Eb.c%23d", {"name": "a.b"}, {"name": "c#d"}),
    ],
)
def test_a_name_and_its_parts_are_the_same_thing(name: str, component: dict, variable: dict):
    assert parse(name) == (component, variable)
    assert spell(component, variable) == name


@pytest.mark.parametrize("name", ["", "OfflineThreshold", "a.b.c", ".b", "a.", "a@x.b", "a@1:.b", "a##b.c"])
def test_what_is_no_name_is_refused_with_an_example(name: str):
    with pytest.raises(Invalid, match="does not name a variable"):
        parse(name)


@pytest.mark.parametrize(
    "name",
    [
        "AuthorizationKey",
        "authorizationkey",
        "SecurityCtrlr.BasicAuthPassword",
        "Network#1.ApnPassword",
        "FtpSecret",
    ],
)
def test_secrets_are_known_by_name(name: str):
    assert is_secret(name)


def test_ordinary_names_are_not_secret():
    assert not is_secret("HeartbeatInterval")
    assert not is_secret("SecurityCtrlr.Identity")

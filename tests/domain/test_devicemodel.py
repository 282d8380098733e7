from __future__ import annotations

from typing import Any

import pytest

from cms.contract.refusals import Conflict, Invalid
from cms.contract.stations import Variable
from cms.domain.devicemodel import Budget, Model, attribute_of, spoken


def model(**told: str) -> Model:
    return Model(Variable(name.replace("__", ".").replace("_n_", "#"), value) for name, value in told.items())


def limited(**known: Any) -> Model:
    return Model([Variable("C.V", "1", **known)])


def test_a_key_and_its_variable_are_the_same_thing() -> None:
    known = model(HeartbeatInterval="300")
    assert known.value("OCPPCommCtrlr.HeartbeatInterval") == "300"
    assert model(OCPPCommCtrlr__HeartbeatInterval="60").value("heartbeatinterval") == "60"
    assert known.value("OCPPCommCtrlr.RetryBackOffRepeatTimes") is None


@pytest.mark.parametrize(
    ("name", "version", "said"),
    [
        ("OCPPCommCtrlr.HeartbeatInterval", "1.6", "HeartbeatInterval"),
        ("HeartbeatInterval", "2.0.1", "OCPPCommCtrlr.HeartbeatInterval"),
        ("heartbeatinterval", "2.1", "OCPPCommCtrlr.HeartbeatInterval"),
        ("HeartbeatInterval", "1.6", "HeartbeatInterval"),
        ("Vendor.Key", "1.6", "Vendor.Key"),
        ("BlinkRepeat", "2.0.1", "BlinkRepeat"),
        ("HeartbeatInterval", None, "HeartbeatInterval"),
        ("SecurityCtrlr.BasicAuthPassword:actual", "2.0.1", "SecurityCtrlr.BasicAuthPassword"),
        ("C.V:MaxSet", "2.0.1", "C.V:MaxSet"),
    ],
)
def test_names_are_spoken_in_the_language_of_the_station(name: str, version: str | None, said: str) -> None:
    assert spoken(name, version) == said


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("EVSE@1.Power:maxset", ("EVSE@1.Power", "MaxSet")),
        ("Connector@1:2.AvailabilityState", ("Connector@1:2.AvailabilityState", "Actual")),
        ("HeartbeatInterval", ("HeartbeatInterval", "Actual")),
        ("Key:Target", ("Key:Target", "Actual")),
        ("C.V:Other", ("C.V:Other", "Actual")),
    ],
)
def test_an_attribute_is_named_behind_its_variable(name: str, meant: tuple[str, str]) -> None:
    assert attribute_of(name) == meant


def test_a_station_says_how_much_it_takes() -> None:
    known = model(
        DeviceDataCtrlr__ItemsPerMessage_n_GetVariables="4",
        DeviceDataCtrlr__BytesPerMessage_n_GetVariables="900",
        MonitoringCtrlr__ItemsPerMessageClearVariableMonitoring="2",
    )
    assert known.budget("GetVariables") == Budget(4, 900)
    assert known.budget("ClearVariableMonitoring") == Budget(2, None)
    assert known.budget("SetVariables") == Budget()


def test_nonsense_for_a_size_is_no_size() -> None:
    for nonsense in ("0", "-3", "many", "", "١٢"):
        assert model(GetConfigurationMaxKeys=nonsense).budget("GetConfiguration") == Budget()


def test_what_is_read_only_is_not_written() -> None:
    with pytest.raises(Conflict, match="read-only"):
        limited(readonly=True).check("C.V", "2")
    limited(readonly=True).check("C.V:Target", "2")


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ({"data_type": "integer", "min_limit": 1.0, "max_limit": 9.0, "unit": "s"}, "9", "10"),
        ({"data_type": "integer"}, "-3", "2.5"),
        ({"data_type": "decimal"}, "2.5", "NaN"),
        ({"data_type": "boolean"}, "TRUE", "yes"),
        ({"data_type": "dateTime"}, "2026-05-04T12:00:00Z", "noon"),
        ({"data_type": "OptionList", "values": ("A", "B")}, "b", "C"),
        ({"data_type": "MemberList", "values": ("A", "B")}, "B, A", "A,C"),
        ({"data_type": "MemberList", "max_elements": 1}, "A", "A,B"),
        ({"data_type": "SequenceList"}, "", None),
        ({"data_type": "string", "max_limit": 3.0}, "abc", "abcd"),
    ],
)
def test_a_value_outside_its_limits_is_refused_before_it_is_sent(
    kind: dict[str, Any], good: str, bad: str | None
) -> None:
    limited(**kind).check("C.V", good)
    if bad is not None:
        with pytest.raises(Invalid, match=r"C\.V"):
            limited(**kind).check("C.V", bad)


def test_a_standard_key_has_its_type_before_the_station_told_it() -> None:
    Model(()).check("VendorKey", "anything")
    with pytest.raises(Invalid, match="whole number"):
        Model(()).check("heartbeatInterval", "soon")

import pytest

from cms.contract.evses import Outlet
from cms.contract.refusals import Invalid
from cms.contract.stations import Variable
from cms.domain.evses import REPORTED, STANDARDS, Evse, described, read_id, reported, same_id


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("DE*ABC*E123456*1", "DE*ABC*E123456*1"),
        ("de*abc*e123456*1", "DE*ABC*E123456*1"),
        ("DEABCE1234561", "DE*ABC*E1234561"),
        ("DE-ABC-E45-2", "DE*ABC*E45*2"),
        (" DE*8AA*EV1 ", "DE*8AA*EV1"),
        ("GB*ABC**E1", "GB*ABC*E1"),
    ],
)
def test_an_evse_id_is_kept_in_capitals_with_its_separators(said: str, kept: str) -> None:
    assert read_id(said) == kept


@pytest.mark.parametrize(
    "said",
    [
        "",
        "CP1",
        "DE*AB*E1",
        "DE*ABC*1",
        "DE*ABC*E",
        "XX*ABC*E1",  # no such country
        "+49*810*000*438",  # DIN SPEC 91286
        "DE*ABC*E" + "1" * 32,
        "DE*ABC*E1/2",
        "DE*ABC*Eé",
    ],
)
def test_what_is_no_evse_id_is_refused(said: str) -> None:
    with pytest.raises(Invalid):
        read_id(said)


def test_an_id_of_another_party_is_refused_where_ours_is_known() -> None:
    assert read_id("DE*ABC*E1", ["DE*ABC"]) == "DE*ABC*E1"
    with pytest.raises(Invalid, match=r"is of DE\*XYZ"):
        read_id("DE*XYZ*E1", ["DE*ABC"])


def test_ids_that_differ_in_separators_or_case_are_the_same() -> None:
    assert same_id("DE*ABC*E12*3") == same_id("deabce123") == same_id("DE-ABC-E1-23")


def test_an_outlet_is_said_in_peoples_words_and_what_follows_is_added() -> None:
    said = {"standard": "ccs2", "format": "cable", "voltage_v": 500, "current_a": 300}
    fast = described(Evse(), {**said, "reference": " left "})
    assert fast == Evse(
        reference="left",
        outlets=(Outlet(1, "IEC_62196_T2_COMBO", "CABLE", "DC", 500, 300, 150_000),),
    )
    slow = {
        "connector": 2,
        "standard": "type2",
        "power_type": "ac-3-phase",
        "voltage_v": 230,
        "current_a": 32,
    }
    both = described(fast, slow)
    assert [(o.connector, o.power_w) for o in both.outlets] == [(1, 150_000), (2, 22_080)]
    assert described(both, {"connector": 1, "no_outlet": True}).outlets == both.outlets[1:]
    assert described(both, {"reference": "", "connector": 2, "power_w": 0}).reference is None


@pytest.mark.parametrize(
    "said",
    [
        {"standard": "type9"},
        {"format": "rope"},
        {"power_type": "steam"},
        {"current_a": -1},
        {"floor": "x" * 41},
        {"reference": "a\x1b[2Jb"},
    ],
)
def test_what_is_said_wrongly_of_an_evse_is_refused(said: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        described(Evse(), said)


def variable(name: str, value: str | None, max_limit: float | None = None) -> Variable:
    return Variable(name, value, max_limit=max_limit)


def test_the_device_model_tells_outlets_power_and_id() -> None:
    told = reported(
        [
            variable("Connector@1:1.ConnectorType", "cCCS2"),
            variable("Connector@1:2.ConnectorType", "sType2"),
            variable("Connector@1:2.SupplyPhases", "3"),
            variable("EVSE@1.Power", "0", 150_000.0),
            variable("EVSE@1.ISO15118EvseId", "de*abc*e1*1"),
        ],
        1,
        (1, 2),
    )
    assert told.id == "DE*ABC*E1*1"
    assert told.outlets == (
        Outlet(1, "IEC_62196_T2_COMBO", "CABLE", "DC", power_w=150_000),
        Outlet(2, "IEC_62196_T2", "SOCKET", "AC_3_PHASE", power_w=150_000),
    )


def test_a_device_model_that_says_nothing_useful_tells_nothing() -> None:
    told = reported(
        [variable("Connector@1:1.ConnectorType", "Unknown"), variable("EVSE@1.ISO15118EvseId", "ZZ00000")],
        1,
        (1,),
    )
    assert (told.id, told.outlets) == (None, ())


def test_every_reported_type_is_a_standard_of_ocpi() -> None:
    assert {standard for standard, _ in REPORTED.values()} <= set(STANDARDS)

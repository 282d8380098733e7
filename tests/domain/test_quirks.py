"""Switches: what is known of a make, what an operator sets, and how both are read."""

from __future__ import annotations

import pytest

from cms.contract.refusals import Invalid
from cms.domain import quirks
from cms.domain.quirks import SWITCHES, TABLE, Overrides, Quirks, of, value_of, version_of
from tests.domain.build import station


def of_make(vendor: str, model: str = "", firmware: str = "", **values: str) -> Quirks:
    state = station(vendor=vendor, model=model, firmware=firmware)
    pairs = tuple((name.replace("_", "-"), value) for name, value in values.items())
    return of(state.keeping(quirks.KIND, "", Overrides(pairs)) if pairs else state)


def test_a_station_of_no_known_make_is_as_the_specification_says() -> None:
    assert of(station()) == Quirks()
    assert of_make("Nobody", "At all", "1.0") == Quirks()


def test_a_make_is_known_by_vendor_model_and_firmware() -> None:
    assert of_make("Growatt", "THOR 11AS", "THOR_11AS-V5.2.4").max_measurands == 5
    assert of_make("Growatt", "Other").max_measurands == 0
    assert of_make("Wall Box Chargers", "PLP2-M-2-4", "6.6.12").boot_trigger == "always"
    assert of_make("Wall Box Chargers", "PLP2-M-2-4", "5.17.87").boot_trigger == "unknown"
    assert of_make("Wall Box Chargers", "PLP2-M-2-4").boot_trigger == "unknown", "its firmware is not told"


def test_the_more_particular_row_holds() -> None:
    commander = of_make("Wall Box Chargers", "CMX2-0-2-4", "6.7.17")
    assert (commander.automatic_commands, commander.boot_trigger) == (False, "never")
    assert of_make("Wall Box Chargers", "CMX2-0-2-4", "6.8.1").automatic_commands


def test_what_an_operator_sets_stands_above_what_is_known() -> None:
    found = of_make("Growatt", "THOR 11AS", "V5.2.4", max_measurands="9", lenient_lengths="yes")
    assert (found.max_measurands, found.lenient_lengths) == (9, True)


def test_an_override_that_no_release_knows_any_more_is_left_out() -> None:
    assert of_make("", "", "", gone="1", max_measurands="many") == Quirks()


@pytest.mark.parametrize(
    ("firmware", "version"),
    [
        ("6.7.17", (6, 7, 17)),
        ("THOR_11AS-V5.2.4-20230307-NOVO", (5, 2, 4)),
        ("05.621", (5, 621)),
        ("#1:4-30660", ()),
        ("", ()),
        ("9" * 5000, ()),
        ("1." * 5000, (1, 1, 1, 1, 1, 1)),
    ],
)
def test_a_firmware_has_a_version_or_none(firmware: str, version: tuple[int, ...]) -> None:
    assert version_of(firmware) == version


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("nonsense", "1"),
        ("lenient-lengths", "perhaps"),
        ("max-measurands", "-1"),
        ("max-measurands", "1001"),
        ("boot-trigger", "sometimes"),
        ("assume-subprotocol", "ocpp9"),
        ("skip-keys", "x" * 201),
        ("identity-alias", "\x1b[2J"),
    ],
)
def test_what_a_switch_cannot_be_is_refused(name: str, text: str) -> None:
    with pytest.raises(Invalid):
        value_of(name, text)


def test_every_row_of_the_table_sets_known_switches_to_what_they_may_be_and_says_where_that_is_known_from() -> (
    None
):
    for make in TABLE:
        assert make.why and make.source.startswith("https://")
        for name, value in make.changes.items():
            assert value_of(name, quirks.text_of(value)) == value


def test_every_switch_has_a_field_and_says_what_it_does() -> None:
    assert set(SWITCHES) == set(quirks.DEFAULTS)
    for name, standard in quirks.DEFAULTS.items():
        assert value_of(name, quirks.text_of(standard)) == standard


def test_each_switch_says_where_it_stands_from() -> None:
    state = station(vendor="Growatt", model="Thor", firmware="5.2.4")
    state = state.keeping(quirks.KIND, "", Overrides((("boot-trigger", "never"),), "a test"))
    origins = {quirk.name: (quirk.value, quirk.origin, quirk.why) for quirk in quirks.unusual(state)}
    assert origins["boot-trigger"] == ("never", "operator", "a test")
    assert origins["max-measurands"][:2] == ("5", "table")
    assert len(origins) == 2

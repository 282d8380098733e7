"""Switches of a station as an operator sees and sets them; what a make takes is asked once and remembered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cms.contract.quirks import ListQuirks, ProbeStation, SetQuirks, ShowCapabilities
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.contract.stations import AddStation, RemoveStation, ShowStation
from cms.domain import quirks as domain
from cms.domain.observations import Booted
from cms.domain.orders import Order, OrderAnswer, ReadVariables, VariableAnswer
from cms.operations import quirks, stations
from tests.operations.small import ANA, Small

KEYS: dict[str, str | None] = {
    "GetConfigurationMaxKeys": "20",
    "supportedfeatureprofiles": "Core, SmartCharging;RemoteTrigger",
    "NumberOfConnectors": "2",
    "ChargeProfileMaxStackLevel": "0",
    "ChargingScheduleAllowedChargingRateUnit": " Current ; Power",
    "ChargingScheduleMaxPeriods": "24.0",
    "MaxChargingProfilesInstalled": "lots",
    "MeterValuesSampledData": "Energy.Active.Import.Register,Current.Import.L1,Current.Import.L2",
    "MeterValuesSampledDataMaxLength": "5",
}


def answering(small: Small, keys: dict[str, str | None]) -> None:
    """The station knows these keys, whatever their case, and no others."""
    known = {name.casefold(): (name, value) for name, value in keys.items()}

    async def give(station_id: str, order: Order, timeout_s: float) -> OrderAnswer:
        small.stations.given.append((station_id, order))
        assert isinstance(order, ReadVariables)
        told = [known.get(name.casefold()) for name in order.names]
        variables = tuple(
            VariableAnswer(pair[0], pair[1], "Accepted") if pair else VariableAnswer(name, None, "UnknownKey")
            for name, pair in zip(order.names, told, strict=True)
        )
        verdict = "accepted" if any(told) else "rejected"
        return OrderAnswer(verdict, "Accepted" if any(told) else "UnknownKey", {}, variables)

    small.stations.give = give  # type: ignore[method-assign]


async def values(small: Small) -> dict[str, tuple[str, str]]:
    found = await quirks.list_(small.core, ListQuirks("cp1"), ANA)
    return {quirk.name: (quirk.value, quirk.origin) for quirk in found}


async def test_a_switch_is_set_for_one_station_survives_a_restart_and_is_seen_on_its_page(
    small: Small,
) -> None:
    request = SetQuirks("cp1", {"lenient-lengths": "yes"}, reason="long cards")
    await quirks.set_(small.core, request, ANA)
    await small.restart()
    small.stations.connect("CP1")
    assert (await values(small))["lenient-lengths"] == ("yes", "operator")
    (shown,) = (await stations.show(small.core, ShowStation("CP1"), ANA)).quirks
    assert (shown.name, shown.value, shown.why) == ("lenient-lengths", "yes", "long cards")
    events = await small.core.store.events_after(None, 10, station="CP1", type="station.quirks")
    assert events[-1].data["set"] == {"lenient-lengths": "yes"} and events[-1].actor == "ana"


async def test_what_is_unset_is_as_it_is_known_of_the_make(small: Small) -> None:
    await small.hear("CP1", Booted("Growatt", "Thor", firmware="5.2.4"))
    await quirks.set_(small.core, SetQuirks("CP1", {"max-measurands": "9"}), ANA)
    assert (await values(small))["max-measurands"] == ("9", "operator")
    await quirks.set_(small.core, SetQuirks("CP1", unset=("max-measurands",)), ANA)
    assert (await values(small))["max-measurands"] == ("5", "table")


async def test_nothing_to_change_and_what_there_is_not_are_refused(small: Small) -> None:
    for request in (SetQuirks("CP1"), SetQuirks("CP1", {"x": "1"}), SetQuirks("CP1", unset=("x",))):
        with pytest.raises(Invalid):
            await quirks.set_(small.core, request, ANA)
    with pytest.raises(NotFound):
        await quirks.set_(small.core, SetQuirks("CP9", {"lenient-lengths": "yes"}), ANA)


async def test_an_alias_belongs_to_one_station(small: Small) -> None:
    await stations.add(small.core, AddStation("CP2"), ANA)
    await quirks.set_(small.core, SetQuirks("CP1", {"identity-alias": "SN-17"}), ANA)
    for taken in ("sn-17", "cp1"):
        with pytest.raises(Conflict):
            await quirks.set_(small.core, SetQuirks("CP2", {"identity-alias": taken}), ANA)
    await quirks.set_(small.core, SetQuirks("CP1", {"identity-alias": "SN-18"}), ANA)
    await quirks.set_(small.core, SetQuirks("CP2", {"identity-alias": "SN-17"}), ANA)
    await small.restart()
    found = {name: quirks.known_as(small.core, name) for name in ("sn-17", "SN-18", "cp1", "SN-19")}
    assert {n: lane.state.station.id for n, lane in found.items() if lane} == {
        "sn-17": "CP2",
        "SN-18": "CP1",
        "cp1": "CP1",
    }


async def test_an_alias_goes_with_its_station(small: Small) -> None:
    await quirks.set_(small.core, SetQuirks("CP1", {"identity-alias": "SN-17"}), ANA)
    await stations.remove(small.core, RemoveStation("CP1"), ANA)
    await stations.add(small.core, AddStation("CP1"), ANA)
    await stations.add(small.core, AddStation("CP2"), ANA)
    assert quirks.known_as(small.core, "SN-17") is None
    await quirks.set_(small.core, SetQuirks("CP2", {"identity-alias": "SN-17"}), ANA)
    lane = quirks.known_as(small.core, "SN-17")
    assert lane is not None and lane.state.station.id == "CP2"


async def test_where_it_is_wanted_the_first_of_a_make_is_probed_after_its_boot(small: Small) -> None:
    answering(small, KEYS)
    small.core.terms = replace(small.core.terms, probe=True)
    await small.hear("CP1", Booted("Acme", "One"))
    asked = len(small.stations.given)
    assert asked > 0
    await small.hear("CP1", Booted("Acme", "One"))
    assert len(small.stations.given) == asked, "its make is known now"
    await quirks.set_(small.core, SetQuirks("CP1", {"automatic-commands": "no"}), ANA)
    await small.hear("CP1", Booted("Acme", "Two"))
    assert len(small.stations.given) == asked, "nothing of our own accord"


async def test_a_2_x_station_is_asked_for_variables(small: Small) -> None:
    variables: dict[str, str | None] = {
        "SmartChargingCtrlr.ProfileStackLevel": "4",
        "SmartChargingCtrlr.RateUnit": "A,W",
        "SmartChargingCtrlr.Available": "true",
        "ReservationCtrlr.Available": "false",
        "SampledDataCtrlr.TxUpdatedMeasurands": "Power.Active.Import,Voltage",
    }
    answering(small, variables)
    small.stations.connect("CP1", "2.0.1")
    await small.hear("CP1", Booted("Acme", "Two", firmware="2"), version="2.0.1")
    found = await quirks.probe(small.core, ProbeStation("CP1"), ANA)
    assert (found.stack_levels, found.rate_units, found.profiles) == (5, ("A", "W"), ("SmartChargingCtrlr",))
    assert found.measurands == ("Power.Active.Import", "Voltage") and found.periods is None


async def test_a_probe_reads_what_the_station_takes_and_it_is_remembered_for_its_make(small: Small) -> None:
    answering(small, KEYS)
    await small.hear("CP1", Booted("Acme", "One", firmware="1.2"))
    found = await quirks.probe(small.core, ProbeStation("CP1"), ANA)
    assert found.profiles == ("Core", "SmartCharging", "RemoteTrigger")
    assert (found.stack_levels, found.rate_units, found.periods) == (1, ("A", "W"), 24)
    assert (found.measurands, found.max_measurands) == (
        ("Energy.Active.Import.Register", "Current.Import"),
        5,
    )
    assert found.charging_profiles is None and found.list_message is None
    assert set(found.unread) == {
        "CustomDisplayCostAndPrice",
        "LocalAuthListMaxLength",
        "SendLocalListMaxLength",
    }
    await stations.add(small.core, AddStation("CP2"), ANA)
    small.stations.connect("CP2")
    await small.hear("CP2", Booted("ACME", "One ", firmware="1.2"))
    await small.restart()
    assert (await quirks.show(small.core, ShowCapabilities("CP2"), ANA)).station == "CP1"


async def test_another_firmware_is_another_make(small: Small) -> None:
    answering(small, KEYS)
    await small.hear("CP1", Booted("Acme", "One", firmware="1.2"))
    await quirks.probe(small.core, ProbeStation("CP1"), ANA)
    await small.hear("CP1", Booted("Acme", "One", firmware="1.3"))
    with pytest.raises(NotFound, match=r"nothing is known of Acme One 1.3"):
        await quirks.show(small.core, ShowCapabilities("CP1"), ANA)


async def test_a_station_that_knows_none_of_the_keys_leaves_everything_unsaid(small: Small) -> None:
    answering(small, {})
    await small.hear("CP1", Booted("Acme", "One"))
    found = await quirks.probe(small.core, ProbeStation("CP1"), ANA)
    assert found.profiles is None and found.measurands is None and "NumberOfConnectors" in found.unread


async def test_keys_that_a_make_cannot_stand_are_not_read(small: Small) -> None:
    answering(small, KEYS)
    await small.hear("CP1", Booted("ABB", "Terra AC W22-T-0", firmware="1.8.21"))
    await quirks.probe(small.core, ProbeStation("CP1"), ANA)
    asked = {
        name for _, order in small.stations.given if isinstance(order, ReadVariables) for name in order.names
    }
    assert "MeterValuesSampledData" not in asked and "NumberOfConnectors" in asked


async def test_of_a_station_that_says_no_make_nothing_is_remembered(small: Small) -> None:
    with pytest.raises(Conflict, match="has not said which make it is"):
        await quirks.probe(small.core, ProbeStation("CP1"), ANA)


async def test_resolving_is_remembered(small: Small) -> None:
    state = small.core.lane("CP1").state
    assert domain.of(state) is domain.of(state)

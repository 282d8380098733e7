"""What real stations do, number by number as in docs/quirks.md: each is survived by a whole daemon."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cms.contract.charging import ClearProfiles, ListProfiles, Period, Profile, Schedule, SetProfile
from cms.contract.intents import AwaitIntent, ListIntents
from cms.contract.jobs import GetLog, ListJobs
from cms.contract.quirks import ProbeStation, SetQuirks
from cms.contract.refusals import Conflict, Invalid, Rejected, Unreachable
from cms.contract.security import RotatePassword
from cms.contract.sessions import ListSamples, ListStationSamples, StartSession
from cms.contract.stations import (
    AddStation,
    ChangeAvailability,
    GetConfiguration,
    ListVariables,
    ResetStation,
    SetConfiguration,
    SetStation,
    ShowStation,
    TriggerMessage,
)
from cms.contract.status import ShowStatus
from cms.contract.tokens import AddToken
from tests.quirks.raw import AT, BOOT_16, PASSWORD, Answer, Raw, Site, a_site, meter, start, status, stop

REGISTER = {"measurand": "Energy.Active.Import.Register", "unit": "Wh"}


async def switch(site: Site, **values: str) -> None:
    await site.client.ask(SetQuirks("CP-7", {name.replace("_", "-"): text for name, text in values.items()}))


async def started(raw: Raw, **how: Any) -> int:
    said = await raw.call("StartTransaction", start(**how))
    number: int = said["transactionId"]
    return number


async def test_01_a_station_that_does_not_boot_is_served_and_asked_to_introduce_itself(
    tmp_path: Path,
) -> None:
    async with a_site(tmp_path, boot_trigger_s=0.05) as site:
        raw = await site.station("CP-7", "ocpp1.6")
        assert await raw.call("StatusNotification", status("Available")) == {}
        raw.answers["TriggerMessage"] = lambda _: "NotImplemented"
        assert await raw.until_asked("TriggerMessage") == {"requestedMessage": "BootNotification"}
        assert await started(raw) > 0
        await raw.leave()
        raw = await site.station("CP-7", "ocpp1.6")
        await raw.until_asked("TriggerMessage")
        assert (await raw.call("BootNotification", BOOT_16))["status"] == "Accepted"
        await raw.leave()
        raw = await site.station("CP-7", "ocpp1.6")
        await raw.call("Heartbeat", {})
        await asyncio.sleep(
            0.2
        )  # four times as long as it would take: known stations need not introduce themselves
        assert raw.asked == []


async def test_02_the_newest_connection_counts_and_the_version_is_the_connections(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        probe = await site.booted("1.6")
        real = await site.booted("2.0.1")
        assert await probe.closed() == 1008
        other = await site.station("CP-7", "ocpp2.0.1")
        assert await real.closed() == 1008
        assert "currentTime" in await other.call("Heartbeat", {})
        shown = await site.client.ask(ShowStation("CP-7"))
        assert (shown.online, shown.ocpp_version) == (True, "2.0.1")


async def test_03_without_a_subprotocol_it_is_refused_or_taken_for_1_6_as_an_operator_says(
    tmp_path: Path,
) -> None:
    async with a_site(tmp_path) as site:
        assert await site.refused("CP-7") == 400
        (told,) = await site.events("station.refused")
        assert told.data["reason"] == "offers no subprotocol"
        await switch(site, assume_subprotocol="ocpp1.6")
        raw = await site.station("CP-7")
        assert (await raw.call("BootNotification", BOOT_16))["status"] == "Accepted"
        assert (await site.client.ask(ShowStation("CP-7"))).ocpp_version == "1.6"


async def test_03_a_payload_of_another_version_than_agreed_is_named(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        raw = await site.station("CP-7", "ocpp2.0.1")
        answer = await raw.exchange([2, "b", "BootNotification", BOOT_16])
        assert answer[0] == 4 and answer[3].endswith("this is BootNotification of OCPP 1.6")
        assert "currentTime" in await raw.call("Heartbeat", {})


async def test_04_the_identity_is_the_last_segment_in_any_case_and_may_have_an_alias(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        for identity, prefix in (("cp-7", ""), ("CP-7", "/some/where"), ("CP%2D7", "")):
            raw = await site.station(identity, "ocpp1.6", prefix=prefix, user="CP-7")
            assert (await raw.call("BootNotification", BOOT_16))["status"] == "Accepted"
            await raw.leave()
        assert await site.refused("CP-7-SN0815", "ocpp1.6") == 401
        await switch(site, identity_alias="CP-7-SN0815")
        raw = await site.station("CP-7-SN0815", "ocpp1.6")
        assert (await raw.call("BootNotification", BOOT_16))["status"] == "Accepted"
        assert (await site.client.ask(ShowStation("CP-7"))).online
    async with a_site(tmp_path) as site:  # the record knows the alias too
        await site.station("cp-7-sn0815", "ocpp1.6")


async def test_05_blank_texts_null_payloads_and_fields_of_its_own_are_taken(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        raw = await site.station("CP-7", "ocpp1.6")
        for blank in ("", " ", "\n"):
            await raw.send(blank)
        assert (await raw.call("BootNotification", {**BOOT_16, "colour": "green", "imsi": None}))[
            "status"
        ] == "Accepted"
        assert "currentTime" in await raw.call("Heartbeat", None)
        (told,) = await site.events("station.booted")
        assert set(told.data["remarks"]) == {"null-field", "additionalProperties:"}


async def test_05_tokens_that_are_too_long_are_taken_where_a_switch_says_so(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        raw = await site.booted()
        assert await raw.call("Authorize", {"idTag": "T" * 25}) == "PropertyConstraintViolation"
        await switch(site, lenient_lengths="yes")
        raw = await site.booted()
        assert (await raw.call("Authorize", {"idTag": "T" * 25}))["idTagInfo"]["status"] == "Invalid"


@pytest.mark.parametrize("foreign", [4711, 0, -1, 2**31 - 1])
async def test_06_a_stop_of_an_unknown_transaction_is_answered_positively(
    tmp_path: Path, foreign: int
) -> None:
    async with a_site(tmp_path) as site:
        raw = await site.booted()
        assert await raw.call("StopTransaction", stop(foreign)) == {}
        assert await raw.call("StopTransaction", stop(foreign)) == {}, "and so is its repetition"


async def test_06_a_stop_that_comes_again_later_and_one_of_another_station_are_answered(
    tmp_path: Path,
) -> None:
    async with a_site(tmp_path) as site:
        await site.client.ask(AddStation("CP-8", password=PASSWORD))
        raw = await site.booted()
        number = await started(raw)
        for meter_stop in (6000, 6000, 7000):
            assert await raw.call("StopTransaction", stop(number, meter_stop)) == {}
        other = await site.station("CP-8", "ocpp1.6")
        assert await other.call("StopTransaction", stop(number)) == {}
        assert [s.energy_wh for s in await site.sessions() if s.station == "CP-7"] == [5000]


async def test_07_a_start_repeated_after_a_lost_answer_gets_the_same_transaction(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        raw = await site.booted()
        first = await raw.call("StartTransaction", start(), message_id="1")
        assert await raw.call("StartTransaction", start(), message_id="1") == first
        assert await raw.call("StartTransaction", start(), message_id="2") == first
    async with a_site(tmp_path) as site:
        raw = await site.station("CP-7", "ocpp1.6")
        assert await raw.call("StartTransaction", start(), message_id="3") == first
        assert (await site.session()).transaction_id == str(first["transactionId"])


@pytest.mark.parametrize(
    ("began", "ended", "flag"),
    [
        ({"meter": 5000}, {"meter": 4000}, "meter-stop-below-start"),
        ({"at": "2026-05-04T12:00:00Z"}, {"at": "2026-05-04T11:00:00Z"}, "stop-before-start"),
        ({"at": "2040-01-01T00:00:00Z"}, {"at": "2040-01-01T01:00:00Z"}, "station-clock"),
        ({"at": "1970-01-01T00:00:01Z"}, {"at": "1970-01-01T01:00:00Z"}, "station-clock"),
    ],
)
async def test_08_what_cannot_be_is_answered_kept_and_flagged(
    tmp_path: Path, began: dict[str, Any], ended: dict[str, Any], flag: str
) -> None:
    async with a_site(tmp_path) as site:
        raw = await site.booted()
        number = await started(raw, **began)
        assert await raw.call("StopTransaction", stop(number, **ended)) == {}
        session = await site.session()
        assert session.status == "ended" and flag in session.flags
        assert session.cost is None


@pytest.mark.parametrize("sign", ["a start", "available"])
async def test_09_a_session_whose_stop_never_came_is_suspect(tmp_path: Path, sign: str) -> None:
    async with a_site(tmp_path) as site:
        raw = await site.booted()
        number = await started(raw)
        await raw.call("MeterValues", meter(number, {"value": "2500", **REGISTER}))
        if sign == "a start":
            await started(raw, meter=2500, at="2026-05-04T14:00:00Z")
        else:
            await raw.call("StatusNotification", status("Available", "2026-05-04T14:00:00Z"))
        old = (await site.sessions())[0]
        assert (old.status, old.meter_stop_wh, old.energy_wh) == ("suspect", None, 1500)
        assert await raw.call("StopTransaction", stop(number)) == {}
        assert (await site.sessions())[0].status == "ended", "a late stop still ends it"


async def test_10_after_our_restart_transactions_are_known_and_closing_values_are_kept(
    tmp_path: Path,
) -> None:
    async with a_site(tmp_path) as site:
        number = await started(await site.booted())
    async with a_site(tmp_path) as site:
        raw = await site.station("CP-7", "ocpp1.6")
        assert await raw.call("MeterValues", meter(number, {"value": "2000", **REGISTER})) == {}
        assert await raw.call("StopTransaction", stop(number)) == {}
        closing = {"value": "6001", "context": "Transaction.End", **REGISTER}
        assert await raw.call("MeterValues", meter(number, closing, at="2026-05-04T13:00:01Z")) == {}
        session = await site.session()
        assert (session.status, session.energy_wh) == ("ended", 5000)
        values = [sample.value for sample in await site.client.ask(ListSamples(session.id))]
        assert "2000" in values and "6001" in values


async def test_11_transaction_0_and_minus_1_and_reservation_0_mean_none(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        raw = await site.booted()
        for nothing in (0, -1):
            assert await raw.call("MeterValues", meter(nothing, {"value": "2000", **REGISTER})) == {}
        assert await started(raw, reservationId=0) > 0
        assert len(await site.sessions()) == 1
        assert len(await site.client.ask(ListStationSamples("CP-7"))) == 1, "of one instant, once"


async def test_12_meter_values_of_every_kind_are_kept_and_those_that_are_numbers_are_read(
    tmp_path: Path,
) -> None:
    odd: tuple[dict[str, Any], ...] = (
        {"value": ""},
        {"value": "   "},
        {"value": "n/a"},
        {"value": "T0NNRnxibG9i", "format": "SignedData"},
        {"value": "2000"},
        {"value": " 21 ", "measurand": "Temperature", "unit": "Celcius"},
        {"value": "7.4", "measurand": "Power.Active.Import", "unit": "kW"},
        {"value": "16000", "measurand": "Current.Import", "unit": "mA"},
        {"value": "1", "measurand": "Made.Up", "unit": "Furlong", "context": "Whenever"},
    )
    async with a_site(tmp_path) as site:
        raw = await site.booted()
        number = await started(raw)
        assert await raw.call("MeterValues", meter(number, *odd)) == {}
        later = {"value": "2.5", "measurand": "Energy.Active.Import.Register", "unit": "kWh"}
        assert await raw.call("MeterValues", meter(number, later, at="2026-05-04T12:40:00Z")) == {}
        session = await site.session()
        assert session.energy_wh == 1500, "kWh after Wh within one session"
        samples = {(s.measurand, s.value, s.unit) for s in await site.client.ask(ListSamples(session.id))}
        assert {
            ("Temperature", "21", "Celsius"),
            ("Power.Active.Import", "7400", "W"),
            ("Current.Import", "16.000", "A"),
            ("Made.Up", "1", "Furlong"),
        } <= samples


async def test_13_a_register_that_restarts_with_each_session_counts_what_was_charged(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        raw = await site.booted()
        for hour in (12, 14):
            number = await started(raw, meter=0, at=f"2026-05-04T{hour}:00:00Z")
            for minute, value in ((0, "0"), (20, "1500"), (40, "3000")):
                sampled = meter(number, {"value": value, **REGISTER}, at=f"2026-05-04T{hour}:{minute:02}:00Z")
                assert await raw.call("MeterValues", sampled) == {}
            await raw.call("StopTransaction", stop(number, 4000, f"2026-05-04T{hour + 1}:00:00Z"))
        assert [session.energy_wh for session in await site.sessions()] == [4000, 4000]


async def test_14_phases_without_a_total_neutral_currents_and_voltages_between_lines_are_kept(
    tmp_path: Path,
) -> None:
    def of_phases(measurand: str, unit: str, values: dict[str, str]) -> list[dict[str, Any]]:
        return [{"value": v, "measurand": measurand, "unit": unit, "phase": p} for p, v in values.items()]

    sampled = [
        *of_phases("Power.Active.Import", "W", {"L1": "1000", "L2": "1100", "L3": "1200"}),
        *of_phases("Current.Import", "A", {"L1-N": "5", "L2-N": "5.5", "L3-N": "6", "N": "0.2"}),
        *of_phases("Voltage", "V", {"L1-L2": "400", "L2-L3": "401", "L3-L1": "399"}),
    ]
    async with a_site(tmp_path) as site:
        raw = await site.booted()
        number = await started(raw)
        assert await raw.call("MeterValues", meter(number, *sampled)) == {}
        session = await site.session()
        assert session.power_w == 3300
        assert len(await site.client.ask(ListSamples(session.id))) == len(sampled)


async def test_15_configuration_keys_are_read_whatever_their_case_and_form(tmp_path: Path) -> None:
    keys: list[dict[str, Any]] = [
        {"key": "supportedfeatureprofiles", "readonly": True, "value": "Core; SmartCharging"},
        {"key": "CHARGINGSCHEDULEALLOWEDCHARGINGRATEUNIT", "readonly": True, "value": " Current ;Power"},
        {"key": "MeterValuesSampledData", "readonly": False, "value": "Current.Import.L1,Current.Import.L2"},
        {"key": "NumberOfConnectors", "readonly": True},
    ]
    async with a_site(tmp_path) as site:
        raw = await site.booted()
        raw.answers["GetConfiguration"] = lambda asked: {
            "configurationKey": [
                k for k in keys if k["key"].casefold() in map(str.casefold, asked.get("key", []))
            ]
        }
        found = await site.client.ask(ProbeStation("CP-7"))
        assert found.profiles == ("Core", "SmartCharging")
        assert found.rate_units == ("A", "W")
        assert found.measurands == ("Current.Import",)
        assert found.connectors is None and "NumberOfConnectors" in found.unread
        assert "numberofconnectors" in {
            v.name.casefold() for v in await site.client.ask(ListVariables("CP-7"))
        }


async def test_15_a_new_authorization_key_is_told_in_the_form_the_station_reads(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        raw = await site.booted()
        await site.client.ask(RotatePassword(station="CP-7"))
        bytes.fromhex((await raw.until_asked("ChangeConfiguration"))["value"])
        await switch(site, auth_key_text="yes")
        await site.client.ask(RotatePassword(station="CP-7"))
        assert len((await raw.until_asked("ChangeConfiguration", 2))["value"]) == 20


async def test_16_a_list_that_the_make_cannot_stand_is_not_sent(tmp_path: Path) -> None:
    thor = {"chargePointVendor": "Growatt", "chargePointModel": "THOR 11AS", "firmwareVersion": "V5.2.4"}
    long = ",".join(f"Measurand.{number}" for number in range(6))
    async with a_site(tmp_path) as site:
        raw = await site.station("CP-7", "ocpp1.6")
        await raw.call("BootNotification", thor)
        with pytest.raises(Conflict, match="cannot measure more than 5"):
            await site.client.ask(SetConfiguration(station="CP-7", values={"MeterValuesSampledData": long}))
        assert raw.asked == []


async def test_16_a_boot_loop_makes_nothing_grow(tmp_path: Path) -> None:
    async with a_site(tmp_path, boot_trigger_s=0.01, probe_stations=True) as site:
        await site.client.ask(ResetStation(station="CP-7", queue_s=3600))
        for _ in range(12):
            raw = await site.station("CP-7", "ocpp1.6")
            raw.answers |= {
                "Reset": lambda _: {"status": "Rejected"},
                "GetConfiguration": lambda _: "InternalError",
            }
            await raw.call("BootNotification", BOOT_16)
            await raw.socket.close()
        intents = await site.client.ask(ListIntents(limit=1000))
        assert len([intent for intent in intents if intent.order == "reset"]) == 1
        assert len(intents) < 60, "a probe is some questions, and is not begun where one is under way"
        assert len(site.daemon.core.lane("CP-7").state.intents) < 10


async def test_18_availability_is_asked_of_the_only_connector_where_the_station_refuses(
    tmp_path: Path,
) -> None:
    async with a_site(tmp_path) as site:
        raw = await site.booted()
        await raw.call("StatusNotification", status("Available"))
        raw.answers["ChangeAvailability"] = lambda asked: {
            "status": "Accepted" if asked["connectorId"] else "Rejected"
        }
        order = ChangeAvailability(station="CP-7", availability="inoperative")
        intent = await site.client.ask(order)
        assert [asked["connectorId"] for asked in raw.orders("ChangeAvailability")] == [0, 1]
        await raw.call("StatusNotification", status("Unavailable", "2026-05-04T12:00:05Z"))
        assert (await site.client.ask(AwaitIntent(intent.id, 5))).status == "confirmed"
        await switch(site, availability_connector="1")
        await site.client.ask(ChangeAvailability(station="CP-7", availability="operative"))
        assert [asked["connectorId"] for asked in raw.orders("ChangeAvailability")] == [0, 1, 1]


async def test_18_scheduled_is_a_success(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        raw = await site.booted()
        await started(raw)
        raw.answers["ChangeAvailability"] = lambda _: {"status": "Scheduled"}
        intent = await site.client.ask(ChangeAvailability(station="CP-7", availability="inoperative"))
        assert intent.status == "accepted"


SILENCE: Answer = None
REJECTED: Answer = {"status": "Rejected"}


def _only_of_all(of_a_connector: Answer, asked: Any) -> Answer:
    return of_a_connector if "connectorId" in asked else {"status": "Accepted"}


async def test_18_a_trigger_that_is_refused_or_unanswered_is_asked_of_the_whole_station(
    tmp_path: Path,
) -> None:
    async with a_site(tmp_path) as site:
        raw = await site.booted()
        order = TriggerMessage(station="CP-7", message="StatusNotification", connector=1, timeout_s=0.2)
        for of_a_connector in SILENCE, REJECTED:
            raw.asked.clear()
            raw.answers["TriggerMessage"] = partial(_only_of_all, of_a_connector)
            assert (await site.client.ask(order)).status == "accepted"
            assert [asked.get("connectorId") for asked in raw.orders("TriggerMessage")] == [1, None]
        await switch(site, trigger_station_wide="yes")
        raw.asked.clear()
        await site.client.ask(order)
        assert [asked.get("connectorId") for asked in raw.orders("TriggerMessage")] == [None]


async def test_19_tokens_with_something_added_cut_or_in_other_case_are_known(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        await site.client.ask(AddToken("DE-ABC-C12345678-9"))
        raw = await site.booted()

        async def told(tag: str) -> str:
            said: str = (await raw.call("Authorize", {"idTag": tag}))["idTagInfo"]["status"]
            return said

        assert await told("card1") == "Accepted"
        assert [await told(tag) for tag in ("CARD1_LM17", "DE-ABC-C12345678")] == ["Invalid", "Invalid"]
        await switch(site, id_tag_separator="_", id_tag_length="16")
        assert [await told(tag) for tag in ("CARD1_LM17", "DE-ABC-C12345678")] == ["Accepted", "Accepted"]
        assert await told("NOBODY_LM17") == "Invalid"
        await raw.call("StartTransaction", start(card="CARD1_LM17"))
        assert (await site.session()).token == "CARD1"
        with pytest.raises(Conflict, match="cuts tokens after 16 characters"):
            await site.client.ask(StartSession(station="CP-7", token="DE-ABC-C12345678-9"))
        assert raw.orders("RemoteStartTransaction") == []


def event(kind: str, seq: int, **more: Any) -> dict[str, Any]:
    said = {
        "eventType": kind,
        "timestamp": f"2026-05-04T12:{seq:02}:00Z",
        "triggerReason": "MeterValuePeriodic",
        "seqNo": seq,
        "transactionInfo": {"transactionId": "tx-1"},
    }
    return said | more


def energy(wh: float) -> list[dict[str, Any]]:
    return [{"timestamp": AT, "sampledValue": [{"value": wh, **{"measurand": REGISTER["measurand"]}}]}]


async def test_20_reports_that_begin_at_1_or_never_end_and_have_no_place_are_kept(tmp_path: Path) -> None:
    def part(seq: int, name: str) -> dict[str, Any]:
        entry = {
            "component": {"name": "Misc"},
            "variable": {"name": name},
            "variableAttribute": [{"value": "1"}],
        }
        return {"requestId": 5, "generatedAt": AT, "seqNo": seq, "tbc": True, "reportData": [entry]}

    async with a_site(tmp_path) as site:
        raw = await site.booted("2.0.1")
        for seq, name in ((1, "A"), (2, "B"), (2, "B")):
            assert await raw.call("NotifyReport", part(seq, name)) == {}
        names = {variable.name for variable in await site.client.ask(ListVariables("CP-7"))}
        assert {"Misc.A", "Misc.B"} <= names


async def test_20_an_evse_0_a_seq_no_that_is_always_0_and_meter_values_beside_events_are_survived(
    tmp_path: Path,
) -> None:
    async with a_site(tmp_path) as site:
        raw = await site.booted("2.0.1")
        nowhere = {"timestamp": AT, "connectorStatus": "Available", "evseId": 0, "connectorId": 0}
        assert await raw.call("StatusNotification", nowhere) == {}
        place = {"evse": {"id": 0, "connectorId": 0}}
        assert await raw.call("TransactionEvent", event("Started", 0, meterValue=energy(1000), **place)) == {}
        for minute in (1, 2):
            later = {"timestamp": f"2026-05-04T12:{minute:02}:30Z", "meterValue": energy(1000 + 500 * minute)}
            assert await raw.call("TransactionEvent", {**event("Updated", 0), **later}) == {}
        values = {"evseId": 1, "meterValue": energy(2500)}
        assert await raw.call("MeterValues", values) == {}
        ending = {**event("Ended", 0, meterValue=energy(3000)), "timestamp": "2026-05-04T13:00:00Z"}
        assert await raw.call("TransactionEvent", ending) == {}
        session = await site.session()
        assert session.status == "ended" and "repeated-key" in session.flags


async def test_20_variables_accepted_without_a_value_are_known_without_one(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        raw = await site.booted("2.0.1")
        raw.answers["GetVariables"] = lambda asked: {
            "getVariableResult": [
                {**wanted, "attributeStatus": "Accepted"} for wanted in asked["getVariableData"]
            ]
        }
        await site.client.ask(GetConfiguration(station="CP-7", names=("OCPPCommCtrlr.HeartbeatInterval",)))
        (variable,) = await site.client.ask(ListVariables("CP-7"))
        assert variable.value is None


async def test_21_a_queue_replayed_out_of_order_changes_no_live_state_and_loses_nothing(
    tmp_path: Path,
) -> None:
    async with a_site(tmp_path) as site:
        raw = await site.booted()
        await raw.call("StatusNotification", status("Charging", "2026-05-04T15:00:00Z"))
        await raw.call("StatusNotification", status("Available", "2026-05-04T11:00:00Z"))
        number = await started(raw)
        await raw.call("StopTransaction", stop(number))
        assert await raw.call("MeterValues", meter(number, {"value": "3000", **REGISTER})) == {}
        session = await site.session()
        assert (session.status, session.energy_wh) == ("ended", 5000)
        assert "3000" in [sample.value for sample in await site.client.ask(ListSamples(session.id))]
        (connector,) = (await site.client.ask(ShowStation("CP-7"))).connectors
        assert connector.status == "charging", "what is older than what is known is history"


async def test_22_a_diagnostics_status_before_the_answer_is_taken(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        raw = await site.booted()
        raw.answers["GetDiagnostics"] = lambda _: None
        asking = asyncio.create_task(
            site.client.ask(GetLog(station="CP-7", location="ftp://files.example/logs/"))
        )
        await raw.until_asked("GetDiagnostics")
        for word in ("Uploading", "Uploaded"):
            assert await raw.call("DiagnosticsStatusNotification", {"status": word}) == {}
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        (job,) = await site.client.ask(ListJobs(station="CP-7"))
        assert job.status == "Uploaded"


async def test_23_a_reset_whose_answer_never_comes_and_whose_old_socket_stays_is_done_when_it_boots(
    tmp_path: Path,
) -> None:
    async with a_site(tmp_path) as site:
        old = await site.booted()
        old.answers["Reset"] = lambda _: None
        with pytest.raises(Unreachable, match="did not answer Reset"):
            await site.client.ask(ResetStation(station="CP-7", timeout_s=0.1))
        old.answers["Reset"] = lambda _: {"status": "Accepted"}
        intent = await site.client.ask(ResetStation(station="CP-7"))
        await site.booted()
        assert (await site.client.ask(AwaitIntent(intent.id, 5))).status == "confirmed"
        assert await old.closed() == 1008


async def test_24_a_station_that_boots_again_and_again_while_pending_is_answered_each_time(
    tmp_path: Path,
) -> None:
    async with a_site(tmp_path) as site:
        await site.client.ask(SetStation("CP-7", boot_policy="pending"))
        raw = await site.station("CP-7", "ocpp1.6")
        for _ in range(20):
            assert (await raw.call("BootNotification", BOOT_16))["status"] == "Pending"
        assert await raw.call("StatusNotification", status("Available")) == "SecurityError"


async def test_24_a_station_that_is_refused_and_redials_for_ever_is_noted_once_a_minute(
    tmp_path: Path,
) -> None:
    async with a_site(tmp_path) as site:
        for _ in range(15):
            assert await site.refused("CP-99", "ocpp1.6") in (401, 429)
        assert len(await site.events("station.unknown")) == 1
        assert (await site.client.ask(ShowStatus())).unknown_stations == 1


async def test_25_a_trigger_that_is_accepted_and_not_followed_is_not_called_a_success(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        await site.booted()
        intent = await site.client.ask(TriggerMessage(station="CP-7", message="Heartbeat"))
        assert intent.status == "accepted" and "its effect was not seen yet" in intent.detail


async def test_25_an_invented_action_is_not_implemented_and_the_connection_stays(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        for version in ("1.6", "2.0.1", "2.1"):
            raw = await site.booted(version)
            assert await raw.call("MakeCoffee", {"sugar": 2}) == "NotImplemented"
            assert "currentTime" in await raw.call("Heartbeat", {})


async def test_an_order_that_is_refused_in_every_way_is_refused(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        raw = await site.booted()
        raw.answers["ChangeAvailability"] = lambda _: {"status": "Rejected"}
        with pytest.raises(Rejected):
            await site.client.ask(ChangeAvailability(station="CP-7", availability="operative"))
        assert len(raw.orders("ChangeAvailability")) == 2


def amperes(limit: int = 16, **how: Any) -> Profile:
    return Profile("tx-default", (Schedule("A", (Period(limit=Decimal(limit)),)),), **how)


async def test_17_a_profile_is_sent_as_the_station_wants_it(tmp_path: Path) -> None:
    """One level, one kind, one unit: the profile is made to fit where that changes nothing of what it says."""
    async with a_site(tmp_path) as site:
        raw = await site.booted()
        await raw.call("StatusNotification", status("Available"))
        await switch(site, stack_levels="1", rate_unit="A", profile_kind="relative")
        await site.client.ask(SetProfile(station="CP-7", evse=1, profile=amperes()))
        (sent,) = [asked["csChargingProfiles"] for asked in raw.orders("SetChargingProfile")]
        assert (sent["stackLevel"], sent["chargingProfileKind"]) == (0, "Relative")
        assert sent["chargingSchedule"]["chargingRateUnit"] == "A"
        with pytest.raises((Conflict, Invalid)):
            await site.client.ask(SetProfile(station="CP-7", evse=1, profile=amperes(stack_level=1)))
        assert len(raw.orders("SetChargingProfile")) == 1


async def test_17_clearing_a_profile_that_is_unknown_there_means_that_it_is_gone(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        raw = await site.booted()
        await raw.call("StatusNotification", status("Available"))
        await site.client.ask(SetProfile(station="CP-7", evse=1, profile=amperes()))
        (installed,) = await site.client.ask(ListProfiles("CP-7"))
        raw.answers["ClearChargingProfile"] = lambda _: {"status": "Unknown"}
        await site.client.ask(ClearProfiles(station="CP-7", profile=installed.id))
        assert await site.client.ask(ListProfiles("CP-7")) == []

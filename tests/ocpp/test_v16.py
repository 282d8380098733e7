"""What OCPP 1.6 stations say, in our language, and what we answer."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cms.domain.connectors import ConnectorStatus
from cms.domain.observations import (
    BootAnswer,
    Booted,
    ConnectorReported,
    DataTransferred,
    FirmwareProgressed,
    LogProgressed,
    Metered,
    Sample,
    SecurityEventRaised,
    TokenAnswer,
    TokenPresented,
    TokenRef,
    TransactionAnswer,
    TransactionPhase,
    TransactionReported,
)
from cms.domain.tokens import Authorization
from cms.ocpp.dialect import V16
from tests.ocpp.fakes import NOON, converse
from tests.schemas import check

AT = "2026-01-01T12:00:00Z"
START = {"connectorId": 1, "idTag": "TAG_OK", "meterStart": 1000, "timestamp": AT}
STOP = {"transactionId": 17, "meterStop": 6000, "timestamp": AT}


async def say(action: str, payload: Any, answer: Any = None) -> tuple[list, Any, tuple[str, ...]]:
    """The answering frame, the observation (None when nothing was observed), the remarks."""
    talk = converse(V16)
    if answer is not None:
        talk.backend.answering = lambda _: answer
    (said,) = await talk.hear([2, "m1", action, payload])
    if said[0] == 3:
        check("1.6", action, said[2], response=True)
    if not talk.backend.received:
        return said, None, ()
    (received,) = talk.backend.received
    assert received.action == action and received.raw.startswith('[2, "m1"')
    return said, received.observation, received.remarks


async def refused(action: str, payload: Any) -> str:
    said, observation, _ = await say(action, payload)
    assert observation is None, "nothing is stored"
    assert said[:2] == [4, "m1"]
    return said[2]


async def test_a_boot():
    payload = {
        "chargePointVendor": "V",
        "chargePointModel": " M ",
        "chargeBoxSerialNumber": "SN-1",
        "chargePointSerialNumber": "",
        "firmwareVersion": "1.0",
        "meterType": "T",
    }
    said, observation, _ = await say("BootNotification", payload)
    assert observation == Booted("V", "M", serial="SN-1", firmware="1.0", meter_type="T")
    assert said[2] == {"status": "Accepted", "currentTime": "2026-01-01T12:00:00.000Z", "interval": 300}


@pytest.mark.parametrize("status", ["accepted", "pending", "rejected"])
async def test_a_boot_may_be_told_to_wait(status: str):
    boot = {"chargePointVendor": "V", "chargePointModel": "M"}
    said, _, _ = await say("BootNotification", boot, BootAnswer(status, NOON, 60))
    assert said[2]["status"] == status.capitalize()


async def test_a_boot_with_an_overlong_serial_is_accepted_and_remarked():
    boot = {
        "chargePointVendor": "V",
        "chargePointModel": "M",
        "chargePointSerialNumber": "1" * 26,
        "extra": 1,
    }
    said, observation, remarks = await say("BootNotification", boot)
    assert said[0] == 3
    assert observation.serial == "1" * 26
    assert set(remarks) == {"maxLength:chargePointSerialNumber", "additionalProperties:"}


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Available", "available"),
        ("Preparing", "preparing"),
        ("Charging", "charging"),
        ("SuspendedEVSE", "suspended-evse"),
        ("SuspendedEV", "suspended-ev"),
        ("Finishing", "finishing"),
        ("Reserved", "reserved"),
        ("Unavailable", "unavailable"),
        ("Faulted", "faulted"),
    ],
)
async def test_every_connector_status(word: str, status: str):
    payload = {"connectorId": 2, "errorCode": "NoError", "status": word, "timestamp": AT}
    _, observation, _ = await say("StatusNotification", payload)
    assert observation == ConnectorReported(2, 1, ConnectorStatus(status), NOON, "NoError")


async def test_connector_0_is_the_whole_station():
    payload = {"connectorId": 0, "errorCode": "NoError", "status": "Available"}
    _, observation, _ = await say("StatusNotification", payload)
    assert (observation.evse, observation.connector, observation.at) == (0, 0, None)


async def test_a_fault_keeps_its_details():
    payload = {
        "connectorId": 1,
        "errorCode": "ConnectorLockFailure",
        "status": "Faulted",
        "info": "x",
        "vendorId": "v",
        "vendorErrorCode": "E7",
        "timestamp": "0001-01-01T00:00:00Z",
    }
    _, observation, remarks = await say("StatusNotification", payload)
    assert observation == ConnectorReported(1, 1, "faulted", None, "ConnectorLockFailure", "x", "v", "E7")
    assert remarks == ("time-absurd",)


async def test_an_invented_status_is_refused():
    payload = {"connectorId": 1, "errorCode": "NoError", "status": "Sleeping"}
    assert await refused("StatusNotification", payload) == "PropertyConstraintViolation"


async def test_authorize():
    said, observation, _ = await say("Authorize", {"idTag": "tag"})
    assert observation == TokenPresented(TokenRef("tag"))
    assert said[2] == {
        "idTagInfo": {"status": "Accepted", "parentIdTag": "GRP1", "expiryDate": "2026-01-01T12:00:00.000Z"}
    }


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (Authorization.ACCEPTED, "Accepted"),
        (Authorization.BLOCKED, "Blocked"),
        (Authorization.EXPIRED, "Expired"),
        (Authorization.UNKNOWN, "Invalid"),
        (Authorization.INVALID, "Invalid"),
        (Authorization.CONCURRENT, "ConcurrentTx"),
    ],
)
async def test_every_authorization_has_its_word(status: Authorization, word: str):
    said, _, _ = await say("StartTransaction", START, TransactionAnswer("17", TokenAnswer(status, "G" * 21)))
    assert said[2] == {"transactionId": 17, "idTagInfo": {"status": word}}


async def test_an_overlong_id_tag_is_never_looked_up():
    assert await refused("Authorize", {"idTag": "1" * 21}) == "PropertyConstraintViolation"


async def test_a_start():
    said, observation, _ = await say("StartTransaction", START | {"reservationId": 7})
    assert observation == TransactionReported(
        phase=TransactionPhase.STARTED,
        key=f"start|1|tag_ok|{NOON.isoformat()}|1000|7",
        digest=observation.digest,
        at=NOON,
        evse=1,
        connector=1,
        token=TokenRef("TAG_OK"),
        meter_wh=1000,
        reservation_id=7,
    )
    assert said[2] == {"transactionId": 17, "idTagInfo": {"status": "Accepted", "parentIdTag": "GRP1"}}


async def test_the_same_start_has_the_same_key_and_digest():
    _, first, _ = await say("StartTransaction", START)
    _, again, _ = await say("StartTransaction", dict(reversed(START.items())))
    _, later, _ = await say("StartTransaction", START | {"timestamp": "2026-01-01T12:00:05Z"})
    assert (first.key, first.digest) == (again.key, again.digest)
    assert first.key != later.key and first.digest != later.digest


@pytest.mark.parametrize(
    "otherwise",
    [{"timestamp": "2026-01-01T13:00:00.000+01:00"}, {"idTag": "tag_OK"}, {"vendorX": 1}],
    ids=lambda otherwise: next(iter(otherwise)),
)
async def test_a_start_that_is_repeated_in_other_words_is_the_same_start(otherwise: dict):
    _, first, _ = await say("StartTransaction", START)
    _, again, _ = await say("StartTransaction", START | otherwise)
    assert (first.key, first.digest) == (again.key, again.digest)


@pytest.mark.parametrize("nothing", [0, -1])
async def test_stops_without_an_id_are_told_apart_by_what_they_say(nothing: int):
    said = {"transactionId": nothing, "meterStop": 20, "timestamp": AT}
    _, first, _ = await say("StopTransaction", said)
    _, again, _ = await say("StopTransaction", dict(reversed(said.items())))
    _, other, _ = await say("StopTransaction", said | {"timestamp": "2026-01-01T12:00:05Z"})
    assert first.key == again.key != other.key


async def test_a_start_is_kept_however_odd_its_words():
    odd = START | {"idTag": "X" * 30, "reservationId": None, "extra": 1, "timestamp": "2026-01-01T12:00:00"}
    said, observation, remarks = await say("StartTransaction", odd)
    assert said[0] == 3
    assert (observation.token, observation.at, observation.reservation_id) == (TokenRef("X" * 30), NOON, None)
    assert set(remarks) == {"null-field", "maxLength:idTag", "additionalProperties:", "time-without-zone"}
    assert set(observation.flags) == set(remarks)


@pytest.mark.parametrize("reservation", [0, -1])
async def test_reservation_0_means_none(reservation: int):
    _, observation, _ = await say("StartTransaction", START | {"reservationId": reservation})
    assert observation.reservation_id is None


async def test_an_integer_written_with_a_zero_fraction_is_one():
    _, observation, _ = await say("StartTransaction", START | {"meterStart": 20000.0, "connectorId": 1.0})
    assert (observation.meter_wh, observation.evse) == (20000, 1)
    assert type(observation.meter_wh) is int


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"meterStart": "abc"}, "TypeConstraintViolation"),
        ({"meterStart": 1.5}, "TypeConstraintViolation"),
        ({"meterStart": 10**30}, "PropertyConstraintViolation"),
        ({"connectorId": None}, "OccurenceConstraintViolation"),
        ({"idTag": "X" * 300}, "PropertyConstraintViolation"),
    ],
)
async def test_a_start_of_wrong_type_is_refused(change: dict, word: str):
    assert await refused("StartTransaction", START | change) == word


async def test_a_missing_field_is_refused_in_1_6_spelling():
    assert await refused("BootNotification", {"chargePointVendor": "V"}) == "OccurenceConstraintViolation"
    assert await refused("StartTransaction", {"connectorId": 1}) == "OccurenceConstraintViolation"


async def test_a_stop():
    data = [
        {
            "timestamp": AT,
            "sampledValue": [
                {"value": "1000", "context": "Transaction.Begin"},
                {"value": "21.5", "measurand": "Temperature", "unit": "Celcius"},
                {"value": "4F434D467C", "format": "SignedData", "context": "Transaction.End"},
            ],
        }
    ]
    said, observation, remarks = await say(
        "StopTransaction", STOP | {"reason": "Remote", "transactionData": data}
    )
    assert remarks == ()
    assert said[2] == {}
    assert (observation.key, observation.transaction_id, observation.meter_wh) == ("stop|17", "17", 6000)
    assert (observation.phase, observation.stop_reason, observation.token) == ("ended", "Remote", None)
    (reading,) = observation.readings
    begin, warmth, signed = reading.samples
    assert reading.at == NOON
    assert begin == Sample("Energy.Active.Import.Register", Decimal(1000), "Wh", "Transaction.Begin")
    assert (warmth.value, warmth.unit) == (Decimal("21.5"), "Celsius")
    assert (signed.value, signed.raw, signed.signed) == (
        None,
        "4F434D467C",
        {"signedMeterData": "4F434D467C"},
    )


async def test_a_stop_with_a_token_is_answered_about_it():
    said, observation, _ = await say("StopTransaction", STOP | {"idTag": "TAG_OK2"})
    assert observation.token == TokenRef("TAG_OK2")
    assert said[2] == {"idTagInfo": {"status": "Accepted", "parentIdTag": "GRP1"}}


@pytest.mark.parametrize("number", [0, -1])
async def test_a_stop_without_a_real_id_keeps_its_text(number: int):
    said, observation, _ = await say("StopTransaction", STOP | {"transactionId": number, "idTag": None})
    assert said[0] == 3
    assert observation.transaction_id == str(number)
    assert observation.token is None


async def test_meter_values_are_exact_in_base_units():
    samples = [
        {"value": "1.234", "unit": "kWh"},
        {"value": "7.4", "measurand": "Power.Active.Import", "unit": "kW"},
        {"value": "55", "measurand": "SoC", "unit": "Percent"},
        {"value": " ", "measurand": "Voltage"},
        {"value": "10.1", "measurand": "Current.Import", "phase": "L1-N", "unit": "A", "location": "Inlet"},
    ]
    payload = {
        "connectorId": 1,
        "transactionId": 17,
        "meterValue": [{"timestamp": AT, "sampledValue": samples}],
    }
    said, observation, remarks = await say("MeterValues", payload)
    assert said[2] == {} and remarks == ()
    assert isinstance(observation, Metered)
    energy, power, soc, blank, current = observation.readings[0].samples
    assert (energy.value, energy.unit) == (Decimal("1234"), "Wh")
    assert (power.value, power.unit) == (Decimal("7400"), "W")
    assert (soc.value, soc.unit) == (Decimal(55), "Percent")
    assert (blank.value, blank.raw, blank.unit) == (None, " ", None)
    assert (current.phase, current.location, current.context) == ("L1-N", "Inlet", "Sample.Periodic")


@pytest.mark.parametrize(
    ("transaction", "meant"), [(17, "17"), (0, "0"), (-1, "-1"), (None, None)], ids=["17", "0", "-1", "null"]
)
async def test_meter_values_belong_to_a_transaction_or_to_none(transaction: int | None, meant: str | None):
    values = [{"timestamp": AT, "sampledValue": [{"value": "5"}]}]
    payload = {"connectorId": 0, "transactionId": transaction, "meterValue": values}
    _, observation, _ = await say("MeterValues", payload)
    assert (observation.evse, observation.transaction_id) == (0, meant)


async def test_invented_words_and_bare_numbers_in_meter_values_are_kept():
    sample = {"value": 12.30, "measurand": "Energy.Made.Up", "unit": "Foo", "context": "Weird", "extra": True}
    payload = {"connectorId": 1, "meterValue": [{"timestamp": "", "sampledValue": [sample]}]}
    said, observation, remarks = await say("MeterValues", payload)
    assert said[0] == 3
    (reading,) = observation.readings
    assert reading.at is None
    assert (reading.samples[0].value, reading.samples[0].measurand) == (Decimal("12.3"), "Energy.Made.Up")
    assert "time-unreadable" in remarks and len(remarks) == 6


async def test_a_mistake_in_every_sample_is_remarked_once():
    # Remarks become flags of the session: one per place in a list would make it grow with every message.
    samples = [{"value": "1", "measurand": "Watt"}] * 500
    payload = {
        "connectorId": 1,
        "meterValue": [{"timestamp": "2026-01-01T12:00:00Z", "sampledValue": samples}],
    }
    _, _, remarks = await say("MeterValues", payload)
    assert remarks == ("enum:meterValue.sampledValue.measurand",)


async def test_meter_values_without_a_value_are_refused():
    payload = {"connectorId": 1, "meterValue": [{"timestamp": AT, "sampledValue": [{}]}]}
    assert await refused("MeterValues", payload) == "OccurenceConstraintViolation"


async def test_a_data_transfer_is_never_blindly_accepted():
    said, observation, _ = await say(
        "DataTransfer", {"vendorId": "com.unknown", "messageId": "x", "data": "y" * 9000}
    )
    assert observation == DataTransferred("com.unknown", "x", "y" * 9000, observation.digest)
    assert said[2] == {"status": "UnknownVendorId"}


async def test_progress_and_security_events():
    _, firmware, _ = await say("FirmwareStatusNotification", {"status": "Downloaded"})
    assert firmware == FirmwareProgressed("Downloaded", firmware.digest)
    _, diagnostics, _ = await say("DiagnosticsStatusNotification", {"status": "Idle"})
    assert diagnostics == LogProgressed("Idle", diagnostics.digest, diagnostics=True)
    _, logs, _ = await say("LogStatusNotification", {"status": "Uploaded", "requestId": 5})
    assert logs == LogProgressed("Uploaded", logs.digest, 5)
    _, signed, _ = await say("SignedFirmwareStatusNotification", {"status": "Installed", "requestId": 6})
    assert signed == FirmwareProgressed("Installed", signed.digest, 6)
    _, event, _ = await say("SecurityEventNotification", {"type": "X" * 60, "timestamp": AT, "techInfo": "t"})
    assert event == SecurityEventRaised("X" * 60, NOON, "t", event.digest)


async def test_offsets_are_respected():
    _, observation, remarks = await say(
        "StartTransaction", START | {"timestamp": "2026-01-01T12:00:00+02:00"}
    )
    assert observation.at == NOON - timedelta(hours=2) and remarks == ()

"""Charging profiles on the wire of each version."""

from datetime import UTC, datetime
from decimal import Decimal as D
from typing import Any

import pytest

from cms.contract.charging import Details, FrequencyPoint, Period, Profile, Schedule, SignalPoint
from cms.contract.refusals import NotSupported
from cms.domain.charging.notices import (
    EvScheduleNotified,
    LimitCleared,
    NeedsAnswer,
    PriorityNotified,
    ProfilesReported,
    ScheduleAnswer,
    UpdateAnswer,
    UpdatePulled,
)
from cms.domain.charging.orders import (
    AllowEnergyTransfer,
    ClearChargingProfiles,
    GetChargingProfiles,
    GetCompositeSchedule,
    SetChargingProfile,
    SignalAfrr,
    UpdateDynamicSchedule,
    UsePriorityCharging,
)
from cms.domain.der import (
    ClearControls,
    Control,
    ControlMoved,
    ControlsReported,
    GetControls,
    GridAlarmed,
    SetControl,
)
from cms.domain.evolve import evolve
from cms.domain.observations import Noted
from cms.domain.orders import Order, RemoteStart
from cms.ocpp.dialect import V16, V21, V201, Dialect
from tests.ocpp.test_orders import give
from tests.ocpp.test_v2 import say

OK = {"status": "Accepted"}
AT = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
WIRE_AT = "2026-05-04T12:00:00.000Z"
SIX_AMPERE = Schedule("A", (Period(0, D("6.0"), 3),), AT, id=1)
DEFAULT = Profile("tx-default", (SIX_AMPERE,), id=7)
TX = evolve(DEFAULT, purpose="tx", transaction_id="17")


async def test_1_6_hears_a_default_profile_for_a_connector() -> None:
    calls, understood = await give(V16, SetChargingProfile(1, DEFAULT), OK)
    period = {"startPeriod": 0, "limit": 6.0, "numberPhases": 3}
    schedule = {"startSchedule": WIRE_AT, "chargingRateUnit": "A", "chargingSchedulePeriod": [period]}
    profile = {
        "chargingProfileId": 7,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": schedule,
    }
    assert calls == [("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": profile})]
    assert understood.verdict == "accepted"


async def test_1_6_hears_the_transaction_as_a_number() -> None:
    ((_, payload),), _ = await give(V16, SetChargingProfile(1, TX), OK)
    assert payload["csChargingProfiles"]["transactionId"] == 17


@pytest.mark.parametrize("dialect", (V201, V21), ids=lambda dialect: dialect.version)
async def test_2_x_hears_a_list_of_schedules(dialect: Dialect) -> None:
    ((_, payload),), _ = await give(dialect, SetChargingProfile(0, DEFAULT), OK)
    assert payload["evseId"] == 0
    (schedule,) = payload["chargingProfile"]["chargingSchedule"]
    assert schedule == {
        "id": 1,
        "startSchedule": WIRE_AT,
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.0, "numberPhases": 3}],
    }


def of_period(**fields: Any) -> Profile:
    period = evolve(SIX_AMPERE.periods[0], **fields)
    return evolve(DEFAULT, schedules=(evolve(SIX_AMPERE, periods=(period,)),))


@pytest.mark.parametrize(
    ("dialect", "profile", "words"),
    [
        (V16, evolve(DEFAULT, purpose="priority"), "OCPP 1.6 has no priority profiles"),
        (V16, evolve(DEFAULT, kind="dynamic"), "OCPP 1.6 has no dynamic profiles"),
        (V16, evolve(DEFAULT, schedules=(SIX_AMPERE, SIX_AMPERE)), "OCPP 1.6 takes one schedule"),
        (V16, of_period(phase=1), "OCPP 1.6 cannot say which phase"),
        (V16, of_period(details=Details(setpoint=D(5))), "OCPP 1.6 gives a period one limit"),
        (V16, evolve(DEFAULT, max_offline_s=60), "OCPP 1.6 cannot give a charging profile a maximum offline"),
        (V201, evolve(DEFAULT, purpose="local-generation"), "OCPP 2.0.1 has no local-generation profiles"),
        (V201, evolve(DEFAULT, kind="dynamic"), "OCPP 2.0.1 has no dynamic profiles"),
        (V201, of_period(details=Details(mode="idle")), "OCPP 2.0.1 can give a period one limit only"),
        (V201, of_period(limit=None), "OCPP 2.0.1 cannot say a period without a limit"),
        (V201, evolve(DEFAULT, dyn_interval_s=10), "OCPP 2.0.1 cannot give a charging profile an update"),
    ],
)
async def test_what_a_version_cannot_say_is_refused_in_its_name(
    dialect: Dialect, profile: Profile, words: str
) -> None:
    with pytest.raises(NotSupported, match=words):
        await give(dialect, SetChargingProfile(0, profile))


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (ClearChargingProfiles(id=7), {"id": 7}),
        (
            ClearChargingProfiles(evse=1, purpose="tx-default", stack_level=0),
            {"connectorId": 1, "chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 0},
        ),
        (ClearChargingProfiles(), {}),
    ],
)
async def test_1_6_clears_by_id_by_criteria_or_everything(order: Order, said: dict[str, Any]) -> None:
    calls, understood = await give(V16, order, {"status": "Unknown"})
    assert calls == [("ClearChargingProfile", said)]
    assert (understood.verdict, understood.word) == ("accepted", "Unknown")


@pytest.mark.parametrize("dialect", (V201, V21), ids=lambda dialect: dialect.version)
@pytest.mark.parametrize(
    ("order", "said"),
    [
        (ClearChargingProfiles(id=7), {"chargingProfileId": 7}),
        (
            ClearChargingProfiles(evse=1, purpose="tx", stack_level=2),
            {
                "chargingProfileCriteria": {
                    "evseId": 1,
                    "chargingProfilePurpose": "TxProfile",
                    "stackLevel": 2,
                }
            },
        ),
        (ClearChargingProfiles(), {"chargingProfileCriteria": {}}),
    ],
)
async def test_2_x_clears_by_id_or_by_criteria(dialect: Dialect, order: Order, said: dict[str, Any]) -> None:
    calls, _ = await give(dialect, order, OK)
    assert calls == [("ClearChargingProfile", said)]


@pytest.mark.parametrize("dialect", (V201, V21), ids=lambda dialect: dialect.version)
async def test_profiles_are_asked_for_and_none_is_an_answer(dialect: Dialect) -> None:
    order = GetChargingProfiles(5, evse=1, purpose="tx-default", sources=("CSO", "EMS"))
    calls, understood = await give(dialect, order, {"status": "NoProfiles"})
    criteria = {"chargingProfilePurpose": "TxDefaultProfile", "chargingLimitSource": ["CSO", "EMS"]}
    assert calls == [("GetChargingProfiles", {"requestId": 5, "evseId": 1, "chargingProfile": criteria})]
    assert (understood.verdict, understood.word) == ("accepted", "NoProfiles")


async def test_1_6_cannot_report_profiles() -> None:
    with pytest.raises(NotSupported, match=r"OCPP 1\.6 cannot report"):
        await give(V16, GetChargingProfiles(5, ids=(1,)))


PERIODS = [{"startPeriod": 0, "limit": 6.5}, {"startPeriod": 60, "limit": 16}]


@pytest.mark.parametrize("dialect", (V16, V201, V21), ids=lambda dialect: dialect.version)
async def test_a_composite_schedule_is_understood_alike(dialect: Dialect) -> None:
    schedule = {"duration": 300, "chargingRateUnit": "A", "chargingSchedulePeriod": PERIODS}
    place = {"connectorId": 1, "scheduleStart": WIRE_AT, "chargingSchedule": schedule}
    if dialect is not V16:
        place = {"schedule": {"evseId": 1, "scheduleStart": WIRE_AT, **schedule}}
    _, understood = await give(dialect, GetCompositeSchedule(1, 300, "A"), OK | place)
    (told,) = understood.told
    assert (told.unit, told.start, told.duration_s) == ("A", AT, 300)
    assert [(p.start_s, p.limit) for p in told.periods] == [(0, D("6.5")), (60, D(16))]


@pytest.mark.parametrize("span", (-5, 2**40))
async def test_an_absurd_duration_is_survived(span: int) -> None:
    schedule = {"duration": span, "chargingRateUnit": "W", "chargingSchedulePeriod": PERIODS}
    said = {"schedule": {"evseId": 0, "scheduleStart": "0001-01-01T00:00:00Z", **schedule}}
    _, understood = await give(V201, GetCompositeSchedule(0, 300), OK | said)
    (told,) = understood.told
    assert (told.start, told.duration_s, len(told.periods)) == (None, None, 2)


@pytest.mark.parametrize("dialect", (V16, V201), ids=lambda dialect: dialect.version)
async def test_a_rejected_composite_schedule_tells_none(dialect: Dialect) -> None:
    _, understood = await give(dialect, GetCompositeSchedule(1, 300), {"status": "Rejected"})
    assert (understood.verdict, understood.told) == ("rejected", ())


V2X = Details(
    limit_l2=D(7),
    discharge_limit=D("-9.5"),
    mode="local-frequency",
    baseline=D(0),
    frequency_curve=(FrequencyPoint(D("49.8"), D(-5000)), FrequencyPoint(D("50.2"), D(5000))),
    signal_curve=(SignalPoint(-1, D(10)),),
    evse_sleep=False,
)


async def test_2_1_hears_everything_that_a_period_can_say() -> None:
    profile = evolve(
        of_period(details=V2X), kind="dynamic", purpose="priority", dyn_interval_s=10, max_offline_s=60
    )
    ((_, payload),), _ = await give(V21, SetChargingProfile(1, profile), OK)
    said = payload["chargingProfile"]
    assert (said["chargingProfileKind"], said["chargingProfilePurpose"]) == ("Dynamic", "PriorityCharging")
    assert said["chargingSchedule"][0]["chargingSchedulePeriod"] == [
        {
            "startPeriod": 0,
            "limit": 6.0,
            "numberPhases": 3,
            "limit_L2": 7,
            "dischargeLimit": -9.5,
            "operationMode": "LocalFrequency",
            "v2xBaseline": 0,
            "v2xFreqWattCurve": [{"frequency": 49.8, "power": -5000}, {"frequency": 50.2, "power": 5000}],
            "v2xSignalWattCurve": [{"signal": -1, "power": 10}],
            "evseSleep": False,
        }
    ]


@pytest.mark.parametrize(
    ("order", "action", "said"),
    [
        (UsePriorityCharging("t1", True), "UsePriorityCharging", {"transactionId": "t1", "activate": True}),
        (
            UpdateDynamicSchedule(5, {"limit": D("16.0"), "setpoint_reactive_l3": D(1)}),
            "UpdateDynamicSchedule",
            {"chargingProfileId": 5, "scheduleUpdate": {"limit": 16.0, "setpointReactive_L3": 1}},
        ),
        (
            AllowEnergyTransfer("t1", ("DC_BPT",)),
            "NotifyAllowedEnergyTransfer",
            {"transactionId": "t1", "allowedEnergyTransfer": ["DC_BPT"]},
        ),
        (SignalAfrr(AT, -3), "AFRRSignal", {"timestamp": WIRE_AT, "signal": -3}),
        (
            SetControl("c1", "FixedVar", True, {"priority": 0, "setpoint": 5.5, "unit": "PctMaxVar"}),
            "SetDERControl",
            {
                "isDefault": True,
                "controlId": "c1",
                "controlType": "FixedVar",
                "fixedVar": {"priority": 0, "setpoint": 5.5, "unit": "PctMaxVar"},
            },
        ),
        (GetControls(9, default=True), "GetDERControl", {"requestId": 9, "isDefault": True}),
        (
            ClearControls(False, control_type="VoltVar"),
            "ClearDERControl",
            {"isDefault": False, "controlType": "VoltVar"},
        ),
    ],
)
async def test_orders_of_2_1_alone(order: Order, action: str, said: dict[str, Any]) -> None:
    calls, _ = await give(V21, order, OK)
    assert calls == [(action, said)]
    with pytest.raises(NotSupported, match=r"OCPP 2\.0\.1"):
        await give(V201, order)


async def test_a_remote_start_takes_its_profile_along() -> None:
    order = RemoteStart("TAG", "rfid", 5, 1, evolve(DEFAULT, purpose="tx"))
    ((_, old),), _ = await give(V16, order, OK)
    ((_, new),), _ = await give(V201, order, OK)
    for said in (old["chargingProfile"], new["chargingProfile"]):
        assert said["chargingProfilePurpose"] == "TxProfile" and "transactionId" not in said


WIRE_PERIOD = {"startPeriod": 0, "limit": 9.5}
WIRE_SCHEDULE = {
    "id": 1,
    "startSchedule": WIRE_AT,
    "chargingRateUnit": "A",
    "chargingSchedulePeriod": [WIRE_PERIOD],
}
WIRE_PROFILE = {
    "id": 7,
    "stackLevel": 2,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Recurring",
    "recurrencyKind": "Weekly",
    "validFrom": WIRE_AT,
    "chargingSchedule": [WIRE_SCHEDULE],
}
BOTH = pytest.mark.parametrize("dialect", (V201, V21), ids=lambda dialect: dialect.version)


@BOTH
async def test_a_reported_profile_is_read(dialect: Dialect) -> None:
    told = {"requestId": 5, "chargingLimitSource": "CSO", "evseId": 1, "tbc": True}
    said, seen, _ = await say(
        dialect, "ReportChargingProfiles", {**told, "chargingProfile": [WIRE_PROFILE]}, Noted()
    )
    schedule = Schedule("A", (Period(0, D("9.5")),), AT, id=1)
    profile = Profile("tx-default", (schedule,), "recurring", 2, 7, "weekly", AT)
    assert seen == ProfilesReported(5, 1, "CSO", (profile,), True)
    assert said == [3, "m1", {}]


async def test_everything_of_2_1_is_read_back_as_it_was_said() -> None:
    profile = evolve(of_period(details=V2X), kind="dynamic", dyn_interval_s=10, max_offline_s=60, id=7)
    ((_, payload),), _ = await give(V21, SetChargingProfile(1, profile), OK)
    told = {"requestId": 5, "chargingLimitSource": "MyEms", "evseId": 1}
    _, seen, _ = await say(
        V21, "ReportChargingProfiles", {**told, "chargingProfile": [payload["chargingProfile"]]}, Noted()
    )
    assert seen == ProfilesReported(5, 1, "MyEms", (profile,), False)


@BOTH
async def test_a_limit_of_others_comes_and_goes(dialect: Dialect) -> None:
    limit = {"chargingLimitSource": "EMS", "isGridCritical": True}
    schedules = [WIRE_SCHEDULE, {**WIRE_SCHEDULE, "id": 2}]
    _, seen, _ = await say(
        dialect, "NotifyChargingLimit", {"chargingLimit": limit, "chargingSchedule": schedules}, Noted()
    )
    assert (seen.evse, seen.source, seen.grid_critical, len(seen.schedules)) == (0, "EMS", True, 1)
    _, gone, _ = await say(
        dialect, "ClearedChargingLimit", {"chargingLimitSource": "EMS", "evseId": 2}, Noted()
    )
    assert gone == LimitCleared("EMS", 2)


AC = {"energyAmount": 20000, "evMinCurrent": 6, "evMaxCurrent": 32, "evMaxVoltage": 400}
DC = {"evMaxCurrent": 200, "evMaxVoltage": 500, "evMaxPower": 50000, "stateOfCharge": 20}


@BOTH
@pytest.mark.parametrize(
    ("said", "understood"),
    [
        (
            {
                "requestedEnergyTransfer": "AC_three_phase",
                "departureTime": WIRE_AT,
                "acChargingParameters": AC,
            },
            ("AC_three_phase", AT, 20000, D(32), D(400), None),
        ),
        (
            {"requestedEnergyTransfer": "DC", "dcChargingParameters": DC},
            ("DC", None, None, D(200), D(500), D(50000)),
        ),
        ({"requestedEnergyTransfer": "AC_two_phase"}, ("AC_two_phase", None, None, None, None, None)),
    ],
)
async def test_what_a_car_asks_for_is_read(dialect: Dialect, said: dict[str, Any], understood: Any) -> None:
    payload = {"evseId": 1, "maxScheduleTuples": 3, "chargingNeeds": said}
    answer, seen, _ = await say(dialect, "NotifyEVChargingNeeds", payload, NeedsAnswer("accepted"))
    assert answer[2] == {"status": "Accepted"}
    n = seen.needs
    assert (
        n.energy_transfer,
        n.departure_at,
        n.energy_wh,
        n.max_current,
        n.max_voltage,
        n.max_power,
    ) == understood
    assert n.max_schedule_tuples == 3


@pytest.mark.parametrize(("dialect", "word"), [(V201, "Rejected"), (V21, "NoChargingProfile")])
async def test_where_nothing_limits_each_version_has_its_word(dialect: Dialect, word: str) -> None:
    payload = {"evseId": 1, "chargingNeeds": {"requestedEnergyTransfer": "DC"}}
    answer, _, _ = await say(dialect, "NotifyEVChargingNeeds", payload, NeedsAnswer("none"))
    assert answer[2] == {"status": word}


async def test_a_car_that_says_too_much_is_not_remembered_in_full() -> None:
    more = {f"x{n}": "y" * 500 for n in range(500)}
    payload = {
        "evseId": 1,
        "chargingNeeds": {"requestedEnergyTransfer": "DC", "dcChargingParameters": DC | more},
    }
    _, seen, _ = await say(V201, "NotifyEVChargingNeeds", payload, NeedsAnswer("accepted"))
    kept = seen.needs.said["dcChargingParameters"]
    assert len(kept) == 40 and max(len(str(value)) for value in kept.values()) <= 50


@BOTH
async def test_a_cars_own_schedule_is_judged(dialect: Dialect) -> None:
    payload = {"timeBase": WIRE_AT, "evseId": 1, "chargingSchedule": WIRE_SCHEDULE}
    answer, seen, _ = await say(dialect, "NotifyEVChargingSchedule", payload, ScheduleAnswer(False))
    assert answer[2] == {"status": "Rejected"}
    assert seen == EvScheduleNotified(1, Schedule("A", (Period(0, D("9.5")),), AT, id=1), AT)


async def test_rates_are_told_to_a_station_that_pulls_them() -> None:
    answer, seen, _ = await say(
        V21,
        "PullDynamicScheduleUpdate",
        {"chargingProfileId": 5},
        UpdateAnswer({"limit": D(16), "setpoint_l2": D(-3)}),
    )
    assert seen == UpdatePulled(5)
    assert answer[2] == {"status": "Accepted", "scheduleUpdate": {"limit": 16, "setpoint_L2": -3}}
    answer, _, _ = await say(V21, "PullDynamicScheduleUpdate", {"chargingProfileId": 6}, UpdateAnswer(None))
    assert answer[2] == {"status": "Rejected"}


async def test_priority_der_controls_and_alarms_are_read() -> None:
    _, seen, _ = await say(V21, "NotifyPriorityCharging", {"transactionId": "t", "activated": True}, Noted())
    assert seen == PriorityNotified("t", True)
    alarm = {"controlType": "LFMustTrip", "timestamp": WIRE_AT, "gridEventFault": "UnderFrequency"}
    _, seen, _ = await say(V21, "NotifyDERAlarm", alarm, Noted())
    assert seen == GridAlarmed("LFMustTrip", "UnderFrequency", AT)
    moved = {"controlId": "c1", "started": True, "timestamp": WIRE_AT, "supersededIds": ["c0"]}
    _, seen, _ = await say(V21, "NotifyDERStartStop", moved, Noted())
    assert seen == ControlMoved("c1", True, AT, ("c0",))
    var = {"priority": 1, "setpoint": 9, "unit": "PctMaxVar", "startTime": WIRE_AT, "duration": 600}
    entry = {"id": "c1", "isDefault": False, "isSuperseded": True, "fixedVar": var}
    curve = {"priority": 0, "yUnit": "PctMaxVar", "curveData": [{"x": 1, "y": 2}]}
    told = {"id": "c2", "curveType": "VoltVar", "isDefault": True, "isSuperseded": False, "curve": curve}
    _, seen, _ = await say(
        V21, "ReportDERControl", {"requestId": 5, "fixedVar": [entry], "curve": [told], "tbc": True}, Noted()
    )
    assert seen == ControlsReported(
        5,
        (
            Control("c2", "VoltVar", True, curve),
            Control("c1", "FixedVar", False, var, AT, 600.0, True),
        ),
        True,
    )


SALES = {
    "salesTariff": {
        "id": 1,
        "salesTariffEntry": [{"relativeTimeInterval": {"start": 0}, "ePriceLevel": 1}],
    }
}


@BOTH
async def test_prices_for_the_car_are_passed_on_word_for_word(dialect: Dialect) -> None:
    profile = evolve(TX, schedules=(evolve(SIX_AMPERE, prices=SALES),))
    ((_, payload),), _ = await give(dialect, SetChargingProfile(1, profile), OK)
    assert payload["chargingProfile"]["chargingSchedule"][0]["salesTariff"] == SALES["salesTariff"]
    with pytest.raises(NotSupported, match=r"OCPP 1\.6 cannot tell a car prices"):
        await give(V16, SetChargingProfile(1, profile))


async def test_prices_of_2_1_are_not_sent_to_others() -> None:
    profile = evolve(TX, schedules=(evolve(SIX_AMPERE, prices={"priceLevelSchedule": {}}),))
    with pytest.raises(NotSupported, match=r"OCPP 2\.0\.1 cannot say priceLevelSchedule"):
        await give(V201, SetChargingProfile(1, profile))


async def test_a_limit_from_a_state_of_charge_on_and_a_delay_are_of_2_1() -> None:
    schedule = evolve(SIX_AMPERE, soc=80, limit_at_soc=D("3.5"), random_delay_s=60, local_time=True)
    ((_, payload),), _ = await give(V21, SetChargingProfile(1, evolve(TX, schedules=(schedule,))), OK)
    (said,) = payload["chargingProfile"]["chargingSchedule"]
    assert said["limitAtSoC"] == {"soc": 80, "limit": 3.5}
    assert (said["randomizedDelay"], said["useLocalTime"]) == (60, True)

"""Charging profiles: installed, applied, reported, cleared."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cms.simulator.console import do
from cms.simulator.station import Station
from tests.simulator.desk import Desk
from tests.simulator.stage import V2, VERSIONS, a_car, charging, online, settle, story
from tests.virtual import START

DEFAULT, MOST, TX = "TxDefaultProfile", "ChargingStationMaxProfile", "TxProfile"


def profile(
    version: str, number: int, purpose: str, *periods: tuple[int, float], stack: int = 0, **more: Any
) -> dict[str, Any]:
    """A profile in watts, from the story's beginning on."""
    schedule: dict[str, Any] = {
        "chargingRateUnit": more.pop("unit", "W"),
        "startSchedule": START.isoformat(),
        "chargingSchedulePeriod": [{"startPeriod": start, "limit": limit} for start, limit in periods],
    }
    if "duration" in more:
        schedule["duration"] = more.pop("duration")
    told: dict[str, Any] = {
        "stackLevel": stack,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": more.pop("kind", "Absolute"),
        **more,
    }
    if version == "1.6":
        told["chargingProfilePurpose"] = purpose.replace("ChargingStation", "ChargePoint")
        return {**told, "chargingProfileId": number, "chargingSchedule": schedule}
    return {**told, "id": number, "chargingSchedule": [{"id": number, **schedule}]}


async def install(desk: Desk, version: str, evse: int, told: dict[str, Any]) -> str:
    order = (
        {"connectorId": evse, "csChargingProfiles": told}
        if version == "1.6"
        else {"evseId": evse, "chargingProfile": told}
    )
    answer = await desk.order("CP-1", "SetChargingProfile", order)
    return str(answer["status"])


def end_of(desk: Desk, version: str) -> Any:
    return (
        desk.next("StopTransaction") if version == "1.6" else desk.next("TransactionEvent", eventType="Ended")
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_a_profile_limits_what_the_car_takes(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0], soc=0.1)
        await settle()
        assert await install(desk, version, 0, profile(version, 1, DEFAULT, (0, 5000.0))) == "Accepted"
        assert station.evses[0].power_w == 5000
        await settle(3600)
        station.unplug(station.evses[0])
        await end_of(desk, version)
        assert station.transactions[0].energy_wh == pytest.approx(5000, abs=20)

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_limits_change_when_the_schedule_says_and_nothing_suspends_the_session(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0], soc=0.1)
        told = profile(version, 1, DEFAULT, (0, 6000.0), (600, 0.0), (1200, 8000.0))
        assert await install(desk, version, 1, told) == "Accepted"
        assert station.evses[0].power_w == 6000
        await settle(700)
        assert (station.evses[0].power_w, station.evses[0].status) == (0, "suspended-evse")
        await settle(600)
        assert (station.evses[0].power_w, station.evses[0].status) == (8000, "charging")
        if version == "1.6":
            await desk.next("StatusNotification", status="SuspendedEVSE")
        else:
            changed = await desk.next("TransactionEvent", triggerReason="ChargingStateChanged")
            assert changed["transactionInfo"]["chargingState"] == "SuspendedEVSE"

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_highest_stack_level_counts_and_the_station_maximum_caps_and_is_shared(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        first, second = station.evses
        await charging(desk, station, first, soc=0.1)
        await install(desk, version, 1, profile(version, 1, DEFAULT, (0, 4000.0)))
        await install(desk, version, 1, profile(version, 2, DEFAULT, (0, 9000.0), stack=3))
        assert first.power_w == 9000
        await install(desk, version, 0, profile(version, 3, MOST, (0, 10_000.0)))
        assert first.power_w == 9000
        station.plug_in(second, a_car(0.1))
        assert await station.present(second, "CARD2") == "started"
        assert (first.power_w, second.power_w) == (5000, 5000)

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_transaction_profile_needs_a_transaction_and_ends_with_it(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        told = profile(version, 1, TX, (0, 3000.0), kind="Relative")
        assert await install(desk, version, 1, told) == "Rejected"
        station.plug_in(station.evses[0], a_car(0.1))
        assert await station.present(station.evses[0], "CARD1") == "started"
        assert await install(desk, version, 1, told) == "Accepted"
        assert station.evses[0].power_w == 3000
        station.unplug(station.evses[0])
        assert len(station.profiles) == 0

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_remote_start_brings_its_profile(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        station.plug_in(station.evses[0], a_car(0.1))
        told = profile(version, 1, TX, (0, 4200.0), kind="Relative")
        start = {"idTag": "APP"} if version == "1.6" else {
            "idToken": {"idToken": "APP", "type": "Central"}, "remoteStartId": 1
        }  # fmt: skip
        action = "RemoteStartTransaction" if version == "1.6" else "RequestStartTransaction"
        assert await desk.order("CP-1", action, {**start, "chargingProfile": told}) == {"status": "Accepted"}
        await settle(5)
        assert station.evses[0].power_w == 4200

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_composite_schedule_tells_what_the_profiles_come_to(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        await install(
            desk, version, 1, profile(version, 1, DEFAULT, (0, 6900.0), (600, 3450.0), duration=1200)
        )
        where = "connectorId" if version == "1.6" else "evseId"
        order = {where: 1, "duration": 3600, "chargingRateUnit": "A"}
        answer = await desk.order("CP-1", "GetCompositeSchedule", order)
        schedule = answer["chargingSchedule"] if version == "1.6" else answer["schedule"]
        limits = [period["limit"] for period in schedule["chargingSchedulePeriod"]]
        assert limits == [10.0, 5.0, 31.9]  # after it nothing but the EVSE's 22 kW
        starts = [period["startPeriod"] for period in schedule["chargingSchedulePeriod"]]
        assert starts[0] == 0 and 590 <= starts[1] <= 600 and starts[2] - starts[1] == 600

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_profiles_are_cleared_by_id_and_by_criteria(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        for number in (1, 2, 3):
            await install(desk, version, 1, profile(version, number, DEFAULT, (0, 5000.0), stack=number))
        old = version == "1.6"

        async def clear(order: dict[str, Any]) -> str:
            return str((await desk.order("CP-1", "ClearChargingProfile", order))["status"])

        assert await clear({"id" if old else "chargingProfileId": 9}) == "Unknown"
        assert await clear({"id" if old else "chargingProfileId": 1}) == "Accepted"
        criteria = {"stackLevel": 2, "connectorId" if old else "evseId": 1}
        assert await clear(criteria if old else {"chargingProfileCriteria": criteria}) == "Accepted"
        assert [kept.id for kept in station.profiles] == [3]

    story(tell, version)


@pytest.mark.parametrize("version", V2)
def test_installed_profiles_are_reported_by_evse_and_source(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        for number in range(1, 5):
            await install(desk, version, 1, profile(version, number, DEFAULT, (0, 5000.0), stack=number))
        await do([station], "limit 0 12000")
        order: dict[str, Any] = {"requestId": 9, "chargingProfile": {"chargingProfilePurpose": DEFAULT}}
        assert await desk.order("CP-1", "GetChargingProfiles", order) == {"status": "Accepted"}
        await settle()
        parts = desk.all("ReportChargingProfiles")
        assert [part["tbc"] for part in parts] == [True, False]
        assert [told["id"] for part in parts for told in part["chargingProfile"]] == [1, 2, 3, 4]
        order = {"requestId": 10, "chargingProfile": {"chargingLimitSource": ["EMS"]}}
        await desk.order("CP-1", "GetChargingProfiles", order)
        await settle()
        assert desk.all("ReportChargingProfiles")[-1]["chargingLimitSource"] == "EMS"
        order = {"requestId": 11, "chargingProfile": {"chargingProfileId": [77]}}
        assert await desk.order("CP-1", "GetChargingProfiles", order) == {"status": "NoProfiles"}

    story(tell, version)


@pytest.mark.parametrize("version", V2)
def test_a_limit_from_elsewhere_is_told_applied_and_taken_back(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0], soc=0.1)
        await settle()
        await do([station], "limit 1 2000 SO")
        assert station.evses[0].power_w == 2000
        assert (await desk.next("NotifyChargingLimit"))["chargingLimit"]["chargingLimitSource"] == "SO"
        await desk.next("TransactionEvent", triggerReason="ChargingRateChanged")
        await do([station], "limit 1 off SO")
        assert await desk.next("ClearedChargingLimit") == {"chargingLimitSource": "SO", "evseId": 1}
        assert station.evses[0].power_w == 11_000

    story(tell, version)


@pytest.mark.parametrize("version", V2)
def test_a_car_that_told_its_needs_follows_the_profile_it_gets(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0], soc=0.1)
        await do([station], "needs 1")
        assert (await desk.next("NotifyEVChargingNeeds"))["evseId"] == 1
        told = profile(version, 4, TX, (0, 7000.0), transactionId=station.transactions[0].id)
        assert await install(desk, version, 1, told) == "Accepted"
        schedule = await desk.next("NotifyEVChargingSchedule")
        assert schedule["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"] == 7000

    story(tell, version)


@pytest.mark.parametrize(
    "fault, wrong, right",
    [
        ("stack-0-only", {"stack": 1}, {}),
        ("relative-only", {}, {"kind": "Relative"}),
        ("absolute-only", {"kind": "Relative"}, {}),
        ("amps-only", {}, {"unit": "A"}),
        ("watts-only", {"unit": "A"}, {}),
    ],
)
def test_picky_stations_take_some_profiles_only(
    fault: str, wrong: dict[str, Any], right: dict[str, Any]
) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        assert await install(desk, "1.6", 1, profile("1.6", 1, DEFAULT, (0, 10.0), **wrong)) == "Rejected"
        assert await install(desk, "1.6", 1, profile("1.6", 1, DEFAULT, (0, 10.0), **right)) == "Accepted"

    story(tell, "1.6", fault)


def test_a_station_may_ignore_the_profiles_that_it_accepts() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0], soc=0.1)
        assert await install(desk, "1.6", 0, profile("1.6", 1, MOST, (0, 1000.0))) == "Accepted"
        assert station.evses[0].power_w == 11_000

    story(tell, "1.6", "profile-ignored")


def test_dynamic_limits_are_pushed_and_pulled() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        desk.answers["PullDynamicScheduleUpdate"] = {
            "status": "Accepted",
            "scheduleUpdate": {"limit": 2500.0},
        }
        await charging(desk, station, station.evses[0], soc=0.1)
        told = profile("2.1", 6, TX, (0, 9000.0), kind="Dynamic", dynUpdateInterval=60)
        assert await install(desk, "2.1", 1, told) == "Accepted"
        update = {"chargingProfileId": 6, "scheduleUpdate": {"limit": 4000.0}}
        assert await desk.order("CP-1", "UpdateDynamicSchedule", update) == {"status": "Accepted"}
        assert station.evses[0].power_w == 4000
        assert await desk.next("PullDynamicScheduleUpdate") == {"chargingProfileId": 6}
        await settle()
        assert station.evses[0].power_w == 2500

    story(tell, "2.1")


def test_priority_charging_needs_its_profile_and_beats_the_others() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0], soc=0.1)
        await install(desk, "2.1", 1, profile("2.1", 1, DEFAULT, (0, 2000.0)))
        order = {"transactionId": station.transactions[0].id, "activate": True}
        assert await desk.order("CP-1", "UsePriorityCharging", order) == {"status": "NoProfile"}
        await install(desk, "2.1", 1, profile("2.1", 2, "PriorityCharging", (0, 9000.0)))
        assert await desk.order("CP-1", "UsePriorityCharging", order) == {"status": "Accepted"}
        assert station.evses[0].power_w == 9000
        await do([station], "priority 1 off")
        assert (await desk.next("NotifyPriorityCharging"))["activated"] is False
        assert station.evses[0].power_w == 2000

    story(tell, "2.1")


def test_a_recurring_profile_comes_back_every_day() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        told = profile(
            "1.6", 1, DEFAULT, (0, 3000.0), kind="Recurring", recurrencyKind="Daily", duration=3600
        )
        await install(desk, "1.6", 1, told)
        evse = station.evses[0]
        for hours, limit in ((0.5, 3000), (1.5, None), (24.5, 3000), (48.2, 3000), (49.0, None)):
            assert station.profiles.limit_w(evse, START + timedelta(hours=hours)) == limit

    story(tell, "1.6")

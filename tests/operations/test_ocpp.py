from __future__ import annotations

from typing import Any

import pytest

from cms.contract.configuration import ListReports
from cms.contract.intents import ShowIntent
from cms.contract.ocpp import CallStation, SendRaw
from cms.contract.refusals import Conflict, Invalid
from cms.contract.stations import SetStation
from cms.domain.evolve import evolve
from cms.domain.observations import Booted, ConnectorReported, Noted, NotYet, ReportReceived
from cms.domain.orders import CallAction, OrderAnswer
from cms.operations import configuration, credentials
from cms.operations import stations as registry
from cms.operations.intents import show
from cms.operations.ocpp import call, send_raw
from tests.operations.small import ANA, Small


async def test_a_call_goes_out_as_it_stands_and_its_answer_is_the_outcome(small: Small):
    small.stations.answer = OrderAnswer("accepted", "Rejected", {"status": "Rejected"})
    done = await call(small.core, CallStation(station="CP1", action="ClearCache"), ANA)
    assert small.stations.given == [("CP1", CallAction("ClearCache", {}))]
    assert (done.status, done.answer) == ("confirmed", {"status": "Rejected"})


async def test_secrets_of_a_call_are_not_written_down(small: Small):
    payload = {"key": "AuthorizationKey", "value": "hunter2hunter2hunter2"}
    done = await call(
        small.core, CallStation(station="CP1", action="ChangeConfiguration", payload=payload), ANA
    )
    assert "hunter2" not in str(done.params)
    assert small.stations.given[-1][1].payload == payload
    location = {"location": "ftp://me:hunter2@logs.example/up"}
    done = await call(small.core, CallStation(station="CP1", action="GetDiagnostics", payload=location), ANA)
    assert done.params["payload"] == {"location": "ftp://***@logs.example/up"}


async def test_unchecked_text_is_sent_in_laboratories_only(small: Small):
    with pytest.raises(Invalid, match="laboratories"):
        await send_raw(small.core, SendRaw(station="CP1", text="[2,"), ANA)
    assert small.stations.given == []
    await send_raw(small.core, SendRaw(station="CP1", text="[2,", lab=True), ANA)
    assert small.stations.given[-1][1].text == "[2,"


def _raw(action: str, **payload: Any) -> CallStation:
    return CallStation(station="CP1", action=action, payload=payload)


async def _policy(small: Small, policy: str) -> None:
    await registry.set_(small.core, SetStation(station="CP1", boot_policy=policy), ANA)
    await small.hear("CP1", Booted("V", "M"))


async def test_no_call_starts_or_stops_a_session_while_the_station_is_pending(small: Small):
    await _policy(small, "pending")
    for action in (
        "RemoteStartTransaction",
        "RemoteStopTransaction",
        "RequestStartTransaction",
        "RequestStopTransaction",
    ):
        with pytest.raises(Conflict, match="pending"):
            await call(small.core, _raw(action), ANA)
    assert small.stations.given == []


@pytest.mark.parametrize("action", ["TriggerMessage", "ExtendedTriggerMessage"])
async def test_no_call_asks_an_accepted_station_for_another_boot(small: Small, action: str):
    await _policy(small, "accepted")
    with pytest.raises(Conflict, match="BootNotification"):
        await call(small.core, _raw(action, requestedMessage="BootNotification"), ANA)
    assert small.stations.given == []


async def test_what_a_call_triggered_is_taken_from_a_pending_station(small: Small):
    await _policy(small, "pending")
    status = ConnectorReported(1, 1, "available", small.clock.now())
    assert isinstance(await small.hear("CP1", status, action="StatusNotification"), NotYet)
    done = await call(small.core, _raw("TriggerMessage", requestedMessage="StatusNotification"), ANA)
    assert done.status == "accepted"
    assert isinstance(await small.hear("CP1", status, action="StatusNotification"), Noted)
    assert (await show(small.core, ShowIntent(done.id), ANA)).status == "confirmed"


async def test_a_trigger_that_a_station_refused_has_no_effect_to_wait_for(small: Small):
    small.stations.answer = OrderAnswer("accepted", "Rejected", {"status": "Rejected"})
    done = await call(small.core, _raw("TriggerMessage", requestedMessage="Heartbeat"), ANA)
    assert (done.status, done.answer) == ("confirmed", {"status": "Rejected"})


async def test_no_call_lowers_the_security_profile(small: Small):
    lane = small.core.lane("CP1")
    lane.state = evolve(lane.state, station=evolve(lane.state.station, security_profile=2))
    with pytest.raises(Conflict, match="only rises"):
        await call(small.core, _raw("ChangeConfiguration", key="SecurityProfile", value="1"), ANA)


async def test_a_password_set_word_for_word_opens_the_door(small: Small):
    await call(small.core, _raw("ChangeConfiguration", key="AuthorizationKey", value="hunter2" * 3), ANA)
    state = small.core.lane("CP1").state
    assert credentials.check(small.core.keys, state, "CP1", b"hunter2" * 3) is not None


async def test_a_call_that_looks_like_nothing_amounts_to_nothing(small: Small):
    for action, payload in (
        ("SetVariables", {"setVariableData": "x"}),
        ("SetVariables", {"setVariableData": [1, {"component": 2}]}),
        ("TriggerMessage", {}),
        ("ChangeConfiguration", {}),
    ):
        await call(small.core, _raw(action, **payload), ANA)


async def test_the_parts_of_a_report_that_was_called_for_are_heard_while_pending_and_shown(small: Small):
    small.stations.connect("CP1", "2.0.1")
    await _policy(small, "pending")
    part = ReportReceived("k", b"d" * 16, 7, 0, (), more=False)
    assert isinstance(await small.hear("CP1", part, "2.0.1"), NotYet)
    await call(small.core, _raw("GetBaseReport", requestId=7, reportBase="FullInventory"), ANA)
    assert not isinstance(await small.hear("CP1", part, "2.0.1"), NotYet)
    (report,) = await configuration.list_reports(small.core, ListReports("CP1"), ANA)
    assert (report.subject, report.complete) == ("inventory", True)

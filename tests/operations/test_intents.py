from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from cms.contract.intents import AwaitIntent, CancelIntent, IntentView, ListIntents, Preview
from cms.contract.refusals import Conflict, Invalid, NotFound, NotSupported, Rejected, TimedOut, Unreachable
from cms.contract.sessions import StartSession, StopSession
from cms.contract.stations import (
    ChangeAvailability,
    GetConfiguration,
    ResetStation,
    SetConfiguration,
    SetStation,
    TriggerMessage,
)
from cms.domain.observations import Booted, ConnectorReported
from cms.domain.orders import OrderAnswer, VariableAnswer
from cms.operations import configuration, intents, remote, sessions, stations
from cms.operations.admission import connected
from tests.domain.build import NOON, after, start, stop
from tests.operations.small import ANA, Small

NO = OrderAnswer("rejected", "Rejected", {"status": "Rejected"})


async def reset(small: Small, **terms: object) -> IntentView:
    answer = await remote.reset(small.core, ResetStation(station="cp1", kind="hard", **terms), ANA)
    assert isinstance(answer, IntentView)
    return answer


async def outcome(small: Small, intent: IntentView, wait_s: float = 5) -> IntentView:
    return await intents.outcome(small.core, AwaitIntent(intent.id, wait_s), ANA)


async def test_a_reset_is_accepted_by_the_answer_and_confirmed_by_the_boot(small: Small) -> None:
    intent = await reset(small)
    assert (intent.status, intent.requested_by, intent.has_effect) == ("accepted", "ana", True)
    waiting = asyncio.create_task(outcome(small, intent))
    await asyncio.sleep(0)
    await small.hear("CP1", Booted("V", "M"))
    assert (await waiting).status == "confirmed"


async def test_who_waits_for_the_effect_is_told_when_it_comes(small: Small) -> None:
    intent = await reset(small)
    async with asyncio.timeout(5):
        waiting = asyncio.create_task(outcome(small, intent, wait_s=600))
        await asyncio.sleep(0)
        await small.hear("CP1", Booted("V", "M"))
        assert (await waiting).status == "confirmed"


async def test_an_order_has_the_daemons_patience_unless_it_names_its_own(small: Small) -> None:
    small.core.terms = replace(small.core.terms, call_timeout_s=7)
    await reset(small)
    await reset(small, timeout_s=2)
    assert small.stations.patience_s == [7, 2]


async def test_a_refusal_is_no_success(small: Small) -> None:
    small.stations.answer = NO
    with pytest.raises(Rejected, match="CP1 refused reset: Rejected"):
        await reset(small)
    (intent,) = await intents.list_(small.core, ListIntents(), ANA)
    assert (intent.status, intent.answer) == ("refused", {"status": "Rejected"})


async def test_a_station_that_cannot_is_not_one_that_will_not(small: Small) -> None:
    small.stations.answer = OrderAnswer("rejected", "NotImplemented", {"status": "NotImplemented"})
    with pytest.raises(NotSupported, match="NotImplemented"):
        await remote.trigger(small.core, TriggerMessage(station="CP1", message="Heartbeat"), ANA)


async def test_an_offline_station_is_said_to_be_offline_and_nothing_is_replayed_later(small: Small) -> None:
    small.stations.links.clear()
    with pytest.raises(Unreachable, match="CP1 is offline"):
        await reset(small)
    small.stations.connect("CP1")
    await connected(small.core, "CP1", "1.6", "127.0.0.1")
    await small.settled()
    assert not small.stations.given


async def test_a_queued_order_is_sent_when_the_station_is_back_even_after_a_restart(small: Small) -> None:
    small.stations.links.clear()
    intent = await reset(small, queue_s=7200)
    assert intent.status == "queued"
    await small.restart()
    small.stations.connect("CP1")
    await connected(small.core, "CP1", "1.6", "127.0.0.1")
    await small.settled()
    assert len(small.stations.given) == 1
    await small.hear("CP1", Booted("V", "M"))
    assert (await outcome(small, intent)).status == "confirmed"


async def test_a_queued_order_waits_until_the_station_is_accepted(small: Small) -> None:
    await stations.set_(small.core, SetStation("CP1", boot_policy="pending"), ANA)
    small.stations.links.clear()
    order = StartSession(station="CP1", token="CARD1", queue_s=3600)
    await sessions.start(small.core, order, ANA)
    small.stations.connect("CP1")
    await connected(small.core, "CP1", "1.6", "127.0.0.1")
    await small.hear("CP1", Booted("V", "M"))
    assert not small.stations.given
    await stations.set_(small.core, SetStation("CP1", boot_policy="accepted"), ANA)
    await small.hear("CP1", Booted("V", "M"))
    assert len(small.stations.given) == 1


async def test_what_cannot_be_asked_of_intents_is_refused(small: Small) -> None:
    for nonsense in (ListIntents(limit=-1), ListIntents(limit=10**20), ListIntents(status="foo")):
        with pytest.raises(Invalid):
            await intents.list_(small.core, nonsense, ANA)


async def test_there_is_no_evse_below_zero(small: Small) -> None:
    with pytest.raises(Invalid, match="count from 1"):
        await sessions.start(small.core, StartSession(station="CP1", token="CARD1", evse=-1), ANA)


async def test_a_queued_order_expires(small: Small) -> None:
    small.stations.links.clear()
    intent = await reset(small, queue_s=60)
    small.clock.pass_(minutes=2)
    await intents.look_again(small.core, "CP1", intent.id)
    with pytest.raises(TimedOut, match="expired"):
        await outcome(small, intent)


async def test_an_order_when_idle_waits_for_the_end_of_the_session(small: Small) -> None:
    number = (await small.hear("CP1", start())).transaction_id
    intent = await reset(small, when_idle=True)
    assert intent.status == "queued" and not small.stations.given
    await small.hear("CP1", stop(number, at=after(1)))
    assert len(small.stations.given) == 1


async def test_a_cancelled_order_is_never_sent(small: Small) -> None:
    small.stations.links.clear()
    intent = await reset(small, queue_s=60)
    await intents.cancel(small.core, CancelIntent(intent.id), ANA)
    small.stations.connect("CP1")
    await intents.flush(small.core, "CP1")
    assert not small.stations.given
    with pytest.raises(Conflict):
        await intents.cancel(small.core, CancelIntent(intent.id), ANA)


async def test_an_effect_that_does_not_come_fails_the_order(small: Small) -> None:
    intent = await reset(small)
    small.clock.pass_(minutes=11)
    await intents.look_again(small.core, "CP1", intent.id)
    with pytest.raises(TimedOut, match="did not boot again"):
        await outcome(small, intent)


async def test_waiting_for_an_effect_has_an_end(small: Small) -> None:
    with pytest.raises(TimedOut, match="accepted"):
        await outcome(small, await reset(small), wait_s=0.01)


async def test_an_order_on_its_way_when_the_daemon_dies_is_unknown(small: Small) -> None:
    died = asyncio.Event()

    async def die() -> None:
        died.set()
        await asyncio.Event().wait()

    small.stations.before_answer = die
    order = asyncio.create_task(reset(small))
    await died.wait()
    order.cancel()
    await asyncio.wait([order])
    small.stations.before_answer = None
    await small.restart()
    (intent,) = await intents.list_(small.core, ListIntents(), ANA)
    assert intent.status == "failed" and "unknown" in (intent.detail or "")
    assert len(small.stations.given) == 1


async def test_a_boot_that_overtakes_the_answer_confirms_the_reset(small: Small) -> None:
    async def boot() -> None:
        await small.hear("CP1", Booted("V", "M"))

    small.stations.before_answer = boot
    assert (await reset(small)).status == "confirmed"


async def test_a_silent_reset_that_boots_is_done_though_no_answer_came(small: Small) -> None:
    async def boot() -> None:
        await small.hear("CP1", Booted("V", "M"))

    small.stations.before_answer = boot
    small.stations.answer = Unreachable("CP1 did not answer Reset within 30 s")
    with pytest.raises(Unreachable):
        await reset(small)
    (intent,) = await intents.list_(small.core, ListIntents(), ANA)
    assert intent.status == "confirmed"


async def test_a_remote_start_checks_the_token_and_links_the_session(small: Small) -> None:
    with pytest.raises(Conflict, match="NOBODY is unknown"):
        await sessions.start(small.core, StartSession(station="CP1", token="NOBODY"), ANA)
    intent = await sessions.start(small.core, StartSession(station="CP1", token="card1", evse=1), ANA)
    assert isinstance(intent, IntentView)
    await small.hear("CP1", start())
    done = await outcome(small, intent)
    assert done.session == next(iter(small.core.lanes["cp1"].state.sessions))


async def test_a_remote_stop_names_the_stations_transaction(small: Small) -> None:
    number = (await small.hear("CP1", start())).transaction_id
    session_id = next(iter(small.core.lanes["cp1"].state.sessions))
    intent = await sessions.stop(small.core, StopSession(session=session_id), ANA)
    assert small.stations.given[0][1].transaction_id == number
    await small.hear("CP1", stop(number, at=after(1)))
    assert (await outcome(small, intent)).status == "confirmed"
    with pytest.raises(Conflict, match="ended already"):
        await sessions.stop(small.core, StopSession(session=session_id), ANA)


async def test_a_dry_run_says_what_would_happen_and_does_nothing(small: Small) -> None:
    await small.hear("CP1", start())
    seen = await remote.reset(small.core, ResetStation(station="CP1", kind="hard", dry_run=True), ANA)
    assert isinstance(seen, Preview)
    assert seen.level == 2 and "ends 1 running session: EVSE 1, CARD1, 0.0 kWh" in seen.impact
    assert seen.cli == "cms stations reset CP1 --kind hard"
    assert not small.stations.given


async def test_a_station_that_is_not_accepted_gets_no_remote_start_and_a_rejected_one_nothing(
    small: Small,
) -> None:
    await stations.set_(small.core, SetStation("CP1", boot_policy="pending"), ANA)
    await small.hear("CP1", Booted("V", "M"))
    with pytest.raises(Conflict, match="pending"):
        await sessions.start(small.core, StartSession(station="CP1", token="CARD1"), ANA)
    await reset(small)
    await stations.set_(small.core, SetStation("CP1", boot_policy="rejected"), ANA)
    await small.hear("CP1", Booted("V", "M"))
    with pytest.raises(Conflict, match="rejected"):
        await reset(small)


async def test_an_accepted_station_is_not_asked_to_boot_without_force(small: Small) -> None:
    await small.hear("CP1", Booted("V", "M"))
    with pytest.raises(Conflict, match="forbids"):
        await remote.trigger(small.core, TriggerMessage(station="CP1", message="BootNotification"), ANA)
    asked = TriggerMessage(station="CP1", message="BootNotification", force=True)
    intent = await remote.trigger(small.core, asked, ANA)
    await small.hear("CP1", Booted("V", "M"), action="BootNotification")
    assert (await outcome(small, intent)).status == "confirmed"


async def test_availability_is_requested_and_then_effective(small: Small) -> None:
    await small.hear("CP1", ConnectorReported(1, 1, "available", NOON))
    order = ChangeAvailability(station="CP1", availability="inoperative", evse=1)
    intent = await remote.availability(small.core, order, ANA)
    connector = small.core.lanes["cp1"].state.connectors[1, 1]
    assert (connector.requested_availability, connector.status) == ("inoperative", "available")
    await small.hear("CP1", ConnectorReported(1, 1, "unavailable", after(1)))
    assert (await outcome(small, intent)).status == "confirmed"


async def test_what_a_station_says_of_its_configuration_is_remembered(small: Small) -> None:
    told = VariableAnswer("HeartbeatInterval", "300", "Accepted", readonly=False)
    small.stations.answer = OrderAnswer("accepted", "Accepted", {}, (told,))
    await configuration.get(small.core, GetConfiguration(station="CP1"), ANA)
    (variable,) = await small.core.store.variables("CP1")
    assert (variable.name, variable.value, variable.readonly) == ("HeartbeatInterval", "300", False)


async def test_a_station_gets_no_more_keys_at_once_than_it_takes(small: Small) -> None:
    told = VariableAnswer("GetConfigurationMaxKeys", "3", "Accepted", readonly=True)
    small.stations.answer = OrderAnswer("accepted", "Accepted", {}, (told,))
    await configuration.get(small.core, GetConfiguration(station="CP1"), ANA)
    await configuration.get(small.core, GetConfiguration(station="CP1", names=("A", "B")), ANA)
    assert [order.per_message for _, order in small.stations.given] == [None, 3]


async def test_what_holds_after_a_reboot_says_so_until_then(small: Small) -> None:
    known = VariableAnswer("A", "0", "Accepted", readonly=False)
    small.stations.answer = OrderAnswer("accepted", "Accepted", {}, (known,))
    await configuration.get(small.core, GetConfiguration(station="CP1"), ANA)
    told = VariableAnswer("A", "1", "RebootRequired")
    small.stations.answer = OrderAnswer("accepted", "RebootRequired", {}, (told,))
    order = SetConfiguration(station="CP1", values={"A": "1"})
    await configuration.set_(small.core, order, ANA)
    (variable,) = await small.core.store.variables("CP1")
    assert (variable.value, variable.readonly, variable.reboot_required) == ("1", False, True)
    await small.hear("CP1", Booted("V", "M"))
    (variable,) = await small.core.store.variables("CP1")
    assert not variable.reboot_required


async def test_a_refused_key_is_named(small: Small) -> None:
    told = (VariableAnswer("A", "1", "Accepted"), VariableAnswer("B", "2", "Rejected"))
    small.stations.answer = OrderAnswer("rejected", "Rejected", {}, told)
    with pytest.raises(Rejected, match="CP1 refused config-set: B Rejected"):
        order = SetConfiguration(station="CP1", values={"A": "1", "B": "2"})
        await configuration.set_(small.core, order, ANA)


async def test_a_connector_is_an_evse_in_16_and_needs_one_in_2x(small: Small) -> None:
    await sessions.start(small.core, StartSession(station="CP1", token="CARD1", connector=2), ANA)
    await remote.trigger(
        small.core, TriggerMessage(station="CP1", message="StatusNotification", connector=2), ANA
    )
    assert [order.evse for _, order in small.stations.given] == [2, 2]
    small.stations.connect("CP1", "2.0.1")
    with pytest.raises(Invalid, match="needs its EVSE"):
        await sessions.start(small.core, StartSession(station="CP1", token="CARD1", connector=2), ANA)


async def test_a_password_set_over_ocpp_is_stored_nowhere_and_needed_from_then_on(small: Small) -> None:
    from cms.operations.credentials import check

    told = VariableAnswer("AuthorizationKey", None, "Accepted")
    small.stations.answer = OrderAnswer("accepted", "Accepted", {"status": "Accepted"}, (told,))
    order = SetConfiguration(station="CP1", values={"AuthorizationKey": "a-new-password-1"})
    intent = await configuration.set_(small.core, order, ANA)
    assert "a-new-password-1" not in repr(intent)
    assert check(small.core.keys, small.core.lanes["cp1"].state, "CP1", b"a-new-password-1")
    record = (small.folder / "cms.db").read_bytes() + (small.folder / "cms.db-wal").read_bytes()
    assert b"a-new-password-1" not in record
    small.stations.links.clear()
    with pytest.raises(Invalid, match="password cannot be kept"):
        queued = SetConfiguration(station="CP1", values={"AuthorizationKey": "x" * 16}, queue_s=60)
        await configuration.set_(small.core, queued, ANA)


async def test_unknown_things_are_said_to_be_unknown_with_what_is_near(small: Small) -> None:
    with pytest.raises(NotFound) as refused:
        await remote.reset(small.core, ResetStation(station="CP11"), ANA)
    assert refused.value.hint == "did you mean CP1?"

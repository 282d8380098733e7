from __future__ import annotations

from cms.contract.sessions import ListSamples, ListSessions, ListStationSamples
from cms.contract.stations import AddStation, SetStation
from cms.contract.tokens import BlockToken
from cms.domain.observations import (
    Alive,
    Booted,
    ConnectorReported,
    Metered,
    NotYet,
    Reading,
    Sample,
    TokenPresented,
    TokenRef,
)
from cms.operations import sessions, stations, tokens
from tests.domain.build import NOON, after, event, register, start, stop
from tests.operations.small import ANA, Small


async def all_sessions(small: Small) -> list[object]:
    return await sessions.list_(small.core, ListSessions(), ANA)


async def test_a_session_from_start_to_stop_is_in_the_record(small: Small) -> None:
    number = (await small.hear("CP1", start())).transaction_id
    small.clock.pass_(minutes=5)
    await small.hear("CP1", Metered(1, (register(2500, after(5)),), number))
    await small.hear("CP1", stop(number, 3000, after(5), token=TokenRef("CARD1")))
    (session,) = await all_sessions(small)
    assert (session.status, session.energy_wh, session.token) == ("ended", 2000, "CARD1")
    samples = await sessions.samples(small.core, ListSamples(session.id), ANA)
    assert [sample.value for sample in samples] == ["2500"]


async def test_a_retransmission_after_a_restart_gets_the_first_answer_and_stores_nothing(
    small: Small,
) -> None:
    first = await small.hear("CP1", start())
    await small.restart()
    assert await small.hear("CP1", start()) == first
    await small.hear("CP1", stop(first.transaction_id, at=after(5)))
    await small.restart()
    assert await small.hear("CP1", start()) == first
    await small.hear("CP1", stop(first.transaction_id, at=after(5)))
    assert len(await all_sessions(small)) == 1


async def test_a_repeated_event_after_a_restart_counts_once(small: Small) -> None:
    await small.hear("CP1", event("started", 0, NOON, evse=1, readings=(register(0, NOON),)), "2.0.1")
    update = event("updated", 1, after(5), readings=(register(700, after(5)),))
    await small.hear("CP1", update, "2.0.1")
    await small.restart()
    await small.hear("CP1", update, "2.0.1")
    (session,) = await all_sessions(small)
    assert session.energy_wh == 700
    await small.hear("CP1", event("ended", 2, after(6)), "2.0.1")
    await small.restart()
    await small.hear("CP1", event("ended", 2, after(6)), "2.0.1")
    (session,) = await all_sessions(small)
    assert (session.status, session.flags) == ("ended", ())


async def test_a_contradicting_event_after_a_restart_is_quarantined_once(small: Small) -> None:
    await small.hear("CP1", event("started", 0, NOON, evse=1), "2.0.1")
    await small.hear("CP1", event("ended", 1, after(5)), "2.0.1")
    for _ in range(3):
        await small.restart()
        liar = event("ended", 1, after(4), digest=b"other" * 3)
        await small.hear("CP1", liar, "2.0.1")
    assert await small.core.store.count_quarantine() == 1


async def test_a_contradicting_stop_flags_its_session(small: Small) -> None:
    number = (await small.hear("CP1", start())).transaction_id
    await small.hear("CP1", stop(number, 6000, after(5)))
    await small.hear("CP1", stop(number, 9999, after(5), digest=b"f" * 16))
    (session,) = await all_sessions(small)
    assert (session.energy_wh, session.flags) == (5000, ("conflicting-report",))


async def test_offline_history_takes_no_connector_from_the_session_that_runs(small: Small) -> None:
    await small.hear("CP1", ConnectorReported(1, 1, "occupied", NOON), "2.0.1")
    await small.hear("CP1", event("started", 0, NOON, evse=1, connector=1), "2.0.1")
    history = event("started", 0, after(-240), "old", evse=1, connector=1, offline=True)
    await small.hear("CP1", history, "2.0.1")
    (connector,) = stations.view(small.core, small.core.lanes["cp1"].state).connectors
    live = next(s for s in small.core.lanes["cp1"].state.sessions.values() if s.transaction_id == "tx-1")
    assert connector.session == live.id


async def test_values_outside_sessions_can_be_read_and_signed_ones_word_for_word(small: Small) -> None:
    signed = {"signedMeterData": "OCMF|{}|{}", "publicKey": "00ff"}
    sample = Sample("Energy.Active.Import.Register", None, "Wh", format="SignedData", raw="x", signed=signed)
    await small.hear("CP1", Metered(0, (Reading(NOON, (sample,)),)))
    asked = ListStationSamples("cp1")
    (seen,) = await sessions.station_samples(small.core, asked, ANA)
    assert (seen.evse, seen.signed, seen.format) == (0, signed, "SignedData")


async def test_values_for_a_foreign_transaction_are_a_security_event(small: Small) -> None:
    await stations.add(small.core, AddStation("CP2"), ANA)
    number = (await small.hear("CP1", start())).transaction_id
    await small.hear("CP2", Metered(1, (register(9, after(1)),), number))
    (kept,) = await small.core.store.quarantine(None, 10)
    assert "belongs to station CP1" in kept.reason


async def test_the_same_transaction_id_at_two_stations_is_two_sessions(small: Small) -> None:
    await stations.add(small.core, AddStation("CP2"), ANA)
    for station in ("CP1", "CP2"):
        await small.hear(station, event("started", 0, NOON, evse=1), "2.0.1")
    assert len(await all_sessions(small)) == 2


async def test_no_station_stops_the_session_of_another(small: Small) -> None:
    await stations.add(small.core, AddStation("CP2"), ANA)
    number = (await small.hear("CP1", start())).transaction_id
    await small.hear("CP2", stop(number))
    (session,) = await all_sessions(small)
    assert session.status == "charging"
    quarantined = await small.core.store.quarantine(None, 10)
    assert "belongs to station CP1" in quarantined[0].reason


async def test_a_stop_that_was_pruned_from_memory_still_finds_its_session(small: Small) -> None:
    number = (await small.hear("CP1", start())).transaction_id
    await small.restart()
    await small.hear("CP1", stop(number, at=after(9)))
    (session,) = await all_sessions(small)
    assert session.status == "ended"


async def test_a_token_already_charging_is_concurrent_but_its_transaction_is_recorded(small: Small) -> None:
    await small.hear("CP1", start(evse=1))
    assert (await small.hear("CP1", TokenPresented(TokenRef("CARD1")))).status == "accepted"
    second = await small.hear("CP1", start(evse=2, meter=7))
    assert second.token.status == "concurrent" and second.transaction_id
    assert len(await all_sessions(small)) == 2


async def test_the_repeat_of_a_start_is_not_concurrent_with_itself(small: Small) -> None:
    first = await small.hear("CP1", start())
    assert (await small.hear("CP1", start())).token == first.token


async def test_offline_history_is_not_refused_for_what_runs_now(small: Small) -> None:
    await small.hear("CP1", start(evse=1))
    old = await small.hear("CP1", start(evse=2, at=after(-300)))
    assert old.token.status == "accepted"


async def test_a_blocked_token_is_blocked_in_the_very_next_answer(small: Small) -> None:
    await tokens.block(small.core, BlockToken("card1", "lost"), ANA)
    assert (await small.hear("CP1", TokenPresented(TokenRef("CARD1")))).status == "blocked"


async def test_a_station_that_is_not_accepted_only_boots_and_does_what_it_was_asked(small: Small) -> None:
    await stations.set_(small.core, SetStation("CP1", boot_policy="pending"), ANA)
    assert (await small.hear("CP1", Booted("V", "M"))).status == "pending"
    for said in (Alive(), start(), ConnectorReported(1, 1, "available", NOON)):
        assert isinstance(await small.hear("CP1", said), NotYet)
    assert not await all_sessions(small)
    await stations.set_(small.core, SetStation("CP1", boot_policy="accepted"), ANA)
    assert (await small.hear("CP1", Booted("V", "M"))).status == "accepted"
    assert (await small.hear("CP1", start())).transaction_id


async def test_a_reconnect_without_boot_is_served(small: Small) -> None:
    await small.hear("CP1", Booted("V", "M"))
    await small.restart()
    assert (await small.hear("CP1", start())).transaction_id


async def test_an_occupied_connector_is_shown_as_what_its_session_does(small: Small) -> None:
    await small.hear("CP1", ConnectorReported(1, 1, "occupied", NOON), "2.0.1")
    states = [("EVConnected", "preparing"), ("Charging", "charging"), ("SuspendedEVSE", "suspended-evse")]
    for seq, (state, shown) in enumerate(states):
        phase = "updated" if seq else "started"
        said = event(phase, seq, after(seq), evse=1, connector=1, charging_state=state)
        await small.hear("CP1", said, "2.0.1")
        (connector,) = stations.view(small.core, small.core.lanes["cp1"].state).connectors
        assert connector.status == shown


async def test_sessions_nobody_hears_of_become_suspect(small: Small) -> None:
    await small.hear("CP1", start())
    small.clock.pass_(hours=25)
    assert await sessions.doubt_stale(small.core, after(60 * 24)) == 1
    (session,) = await all_sessions(small)
    assert (session.status, session.flags) == ("suspect", ("silent",))
    assert not small.core.active, "a suspect session blocks no token"

"""Every noun comes back as it was saved."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, get_type_hints

import pytest

from cms.contract.refusals import Invalid
from cms.contract.sessions import ListSessions
from cms.contract.sessions import Sample as SampleView
from cms.domain import changes as c
from cms.domain.connectors import Connector
from cms.domain.intents import Intent
from cms.domain.observations import Sample, TokenAnswer, TransactionAnswer, VariableReported
from cms.domain.sessions import Session
from cms.domain.stations import Delivered, Station
from cms.domain.tokens import Token
from cms.store.engine import SqlStore
from tests.store.things import (
    NOON,
    SetClock,
    delivery,
    energy,
    happened,
    intent,
    minutes,
    reading,
    session,
    station,
    token,
)

#: A value of each type that a record field may have.
_FULL: dict[str, Any] = {
    "str": "text ünd \u202e",
    "int": 2**40,
    "float": 12.5,
    "Decimal": Decimal("12.3400"),
    "bool": True,
    "bytes": b"\0\xff",
    "datetime": NOON + timedelta(microseconds=7),
    "tuple": ("one", "two"),
    "dict": {"kind": "soft", "evse": None, "values": {"a": "b"}},
}


def full(kind: type[Any], **known: Any) -> Any:
    """A record with every field set."""
    hints = get_type_hints(kind)

    def value(name: str) -> Any:
        for word, filled in _FULL.items():
            if word in str(hints[name]) and not (
                word == "str" and ("tuple" in str(hints[name]) or "dict" in str(hints[name]))
            ):
                return filled
        raise AssertionError((name, hints[name]))

    return kind(**{field.name: known.get(field.name, value(field.name)) for field in fields(kind)})


async def test_a_station_comes_back_whole(store: SqlStore) -> None:
    whole = full(Station, id="CP-1")
    await store.commit([c.SaveStation(whole), c.SaveStation(station("CP-2"))], [])
    assert [state.station for state in (await store.load()).states] == [whole, station("CP-2")]


async def test_saving_a_station_in_another_spelling_replaces_it(store: SqlStore) -> None:
    await store.commit([c.SaveStation(station("cp-1"))], [])
    await store.commit([c.SaveStation(station("CP-1", site="Garage"))], [])
    assert [state.station for state in (await store.load()).states] == [station("CP-1", site="Garage")]


async def test_seeing_stations_moves_only_when_they_were_seen(store: SqlStore) -> None:
    await store.commit([c.SaveStation(station("CP-1", site="Garage")), c.SaveStation(station("CP-2"))], [])
    await store.commit([c.SeeStations((("cp-1", NOON), ("CP-2", NOON + minutes(1))))], [])
    assert [s.station for s in (await store.load()).states] == [
        station("CP-1", site="Garage", last_seen_at=NOON),
        station("CP-2", last_seen_at=NOON + minutes(1)),
    ]


async def test_a_state_holds_what_is_open(store: SqlStore) -> None:
    connector = full(Connector, evse=1, connector=2)
    await store.commit(
        [
            c.SaveStation(station()),
            c.SaveConnector("CP-1", connector),
            c.OpenSession(session("open", token="A")),
            c.OpenSession(session("ended", status="ended", ended_at=NOON)),
            c.OpenSession(session("doubt", status="suspect")),
            c.SaveIntent(intent("waiting", status="accepted")),
            c.SaveIntent(intent("done", status="confirmed")),
        ],
        [],
    )
    (state,) = (await store.load()).states
    assert state.connectors == {(1, 2): connector}
    assert set(state.sessions) == {"open", "doubt"}
    assert state.intents == {"waiting": intent("waiting", status="accepted")}


async def test_dropping_a_station_keeps_its_history(store: SqlStore) -> None:
    await store.commit(
        [
            c.SaveStation(station()),
            c.SaveConnector("CP-1", Connector(1, 1)),
            c.SaveVariables("CP-1", (VariableReported("HeartbeatInterval", "300"),), NOON),
            c.OpenSession(session()),
            c.SaveIntent(intent("waiting")),
            c.SaveIntent(intent("done", status="confirmed")),
        ],
        [happened()],
    )
    await store.commit([c.DropStation("cp-1")], [])
    assert (await store.load()).states == []
    assert await store.variables("CP-1") == []
    assert [i.id for i in await store.intents("CP-1", None, 10)] == ["done"]
    assert await store.session("s1") is not None
    assert len(await store.events_after(None, 10, station="CP-1")) == 1


async def test_a_session_comes_back_whole(store: SqlStore) -> None:
    whole = full(Session, id="s1", status="charging")
    await store.commit([c.OpenSession(whole)], [])
    assert await store.session("s1") == whole
    later = replace(whole, energy_wh=99, flags=(), token=None, soc_percent=None)
    await store.commit([c.UpdateSession(later)], [])
    assert await store.session_of(whole.station.upper(), whole.transaction_id) == later
    assert await store.station_of_number(whole.number) == whole.station
    assert await store.station_of_number(1) is None
    assert await store.session("other") is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (ListSessions(), ["new", "suspect", "old"]),
        (ListSessions(limit=1), ["new"]),
        (ListSessions(active=True), ["new", "suspect"]),
        (ListSessions(active=False), ["old"]),
        (ListSessions(status="suspect"), ["suspect"]),
        (ListSessions(station="cp-1"), ["new", "old"]),
        (ListSessions(token="TAG"), ["old"]),
        (ListSessions(since=NOON), ["new", "suspect"]),
        (ListSessions(until=NOON), ["old"]),
        (ListSessions(station="CP-1", active=True), ["new"]),
    ],
)
async def test_sessions_are_found_newest_first(
    store: SqlStore, query: ListSessions, found: list[str]
) -> None:
    await store.commit(
        [
            c.OpenSession(session("old", started_at=NOON - minutes(60), status="ended", token="tag")),
            c.OpenSession(session("suspect", started_at=NOON, status="suspect", station="CP-2")),
            c.OpenSession(session("new", started_at=NOON + minutes(1))),
        ],
        [],
    )
    assert [s.id for s in await store.sessions(query)] == found


async def test_a_session_nobody_hears_of_becomes_stale(store: SqlStore, clock: SetClock) -> None:
    await store.commit(
        [
            c.OpenSession(session("quiet")),
            c.OpenSession(session("metered")),
            c.OpenSession(session("suspect", status="suspect")),
            c.OpenSession(session("ended", status="ended")),
        ],
        [],
    )
    clock.pass_(hours=1)
    await store.commit([c.UpdateSession(session("metered", energy_wh=10))], [])
    assert [s.id for s in await store.stale_sessions(NOON + minutes(30))] == ["quiet"]


async def test_energy_is_summed_by_when_sessions_began(store: SqlStore) -> None:
    assert await store.energy_since(NOON) == 0
    await store.commit(
        [
            c.OpenSession(session("a", energy_wh=2**33)),
            c.OpenSession(session("b", energy_wh=5)),
            c.OpenSession(session("c", energy_wh=7, started_at=NOON - minutes(1))),
        ],
        [],
    )
    assert await store.energy_since(NOON) == 2**33 + 5


async def test_samples_come_back_exact_and_in_time_order(store: SqlStore) -> None:
    await store.commit([c.OpenSession(session())], [])
    signed = Sample("Energy", None, None, format="SignedData", raw="OCMF|{}", signed={"a": 1})
    await store.commit(
        [
            reading(energy("1000.10"), energy("2E+3", phase="L1"), at=NOON + minutes(1)),
            reading(energy("0.5", context="Transaction.Begin"), signed),
            reading(energy("77"), session=None),
            reading(energy("8"), transaction_id=None, at=NOON + minutes(2)),
        ],
        [],
    )
    register = "Energy.Active.Import.Register"
    assert await store.samples("s1") == [
        SampleView(NOON, register, "0.5", "Wh", context="Transaction.Begin", evse=1),
        SampleView(NOON, "Energy", "OCMF|{}", None, format="SignedData", evse=1, signed={"a": 1}),
        SampleView(NOON + minutes(1), register, "1000.10", "Wh", evse=1),
        SampleView(NOON + minutes(1), register, "2000", "Wh", phase="L1", evse=1),
        SampleView(NOON + minutes(2), register, "8", "Wh", evse=1),
    ]


async def test_a_repeated_reading_is_ignored_and_a_different_one_kept(store: SqlStore) -> None:
    await store.commit([c.OpenSession(session()), reading(energy("1"))], [])
    await store.commit([reading(energy("1"), received_at=NOON + minutes(5)), reading(energy("2"))], [])
    assert [sample.value for sample in await store.samples("s1")] == ["1", "2"]


async def test_a_reading_without_a_time_has_ours(store: SqlStore) -> None:
    await store.commit(
        [c.OpenSession(session()), reading(energy("1"), at=None, received_at=NOON + minutes(3))], []
    )
    assert [sample.at for sample in await store.samples("s1")] == [NOON + minutes(3)]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        TransactionAnswer(),
        TransactionAnswer("42", TokenAnswer("accepted", group="G", expires=NOON, kind="rfid")),
    ],
)
async def test_a_delivery_comes_back_with_its_answer(
    store: SqlStore, answer: TransactionAnswer | None
) -> None:
    await store.commit([delivery("k", answer=answer)], [])
    assert await store.delivered("cp-1", "transaction", "k") == Delivered(b"d" * 8, answer)
    assert await store.delivered("CP-1", "transaction", "K") is None
    assert await store.delivered("CP-1", "other", "k") is None


async def test_a_token_comes_back_whole_and_compares_without_case(store: SqlStore) -> None:
    whole = full(Token, id="TaG")
    await store.commit([c.SaveToken(token("tag")), c.SaveToken(token("A"))], [])
    await store.commit([c.SaveToken(whole)], [])
    assert (await store.load()).tokens == [token("A"), whole]
    await store.commit([c.DropToken("TAG")], [])
    assert (await store.load()).tokens == [token("A")]


async def test_an_intent_comes_back_whole(store: SqlStore) -> None:
    whole: Intent = full(Intent, id="i1", station="CP-1", order="reset", status="accepted")
    await store.commit([c.SaveStation(station()), c.SaveIntent(whole)], [])
    (state,) = (await store.load()).states
    assert state.intents == {"i1": whole}
    view = await store.intent("i1")
    assert view is not None and (view.params, view.answer) == (whole.params, whole.answer)
    assert await store.intent("other") is None


async def test_intents_are_listed_newest_first(store: SqlStore) -> None:
    await store.commit(
        [
            c.SaveIntent(intent("a", created_at=NOON)),
            c.SaveIntent(intent("b", created_at=NOON + minutes(1), status="failed")),
            c.SaveIntent(intent("c", created_at=NOON + minutes(2), station="CP-2")),
        ],
        [],
    )
    assert [i.id for i in await store.intents(None, None, 10)] == ["c", "b", "a"]
    assert [i.id for i in await store.intents("cp-1", None, 1)] == ["b"]
    assert [i.id for i in await store.intents(None, "queued", 10)] == ["c", "a"]


async def test_variables_are_the_last_reported(store: SqlStore) -> None:
    await store.commit([c.SaveStation(station("CP-1"))], [])
    await store.commit(
        [c.SaveVariables("CP-1", (VariableReported("B", "1"), VariableReported("A", None)), NOON)], []
    )
    later = NOON + minutes(1)
    await store.commit([c.SaveVariables("cp-1", (VariableReported("B", "2", readonly=True),), later)], [])
    assert [(v.name, v.value, v.readonly, v.reported_at) for v in await store.variables("CP-1")] == [
        ("A", None, None, NOON),
        ("B", "2", True, later),
    ]


async def test_a_knocking_station_is_noted_and_forgotten(store: SqlStore) -> None:
    first = c.NoteUnknown("cp-9", "10.0.0.1", (), "not enrolled", NOON)
    second = c.NoteUnknown("CP-9", "10.0.0.2", ("ocpp2.0.1",), "wrong password", NOON + minutes(1))
    await store.commit([first], [])
    await store.commit([second], [])
    (unknown,) = await store.unknown_stations()
    assert (unknown.id, unknown.knocks, unknown.first_seen, unknown.last_seen) == ("CP-9", 2, NOON, second.at)
    assert (unknown.address, unknown.protocols, unknown.reason) == (
        second.address,
        second.protocols,
        second.reason,
    )
    await store.commit([c.SaveStation(station("CP-9")), c.ForgetUnknown("Cp-9")], [])
    assert await store.unknown_stations() == []


async def test_quarantine_keeps_messages_word_for_word(store: SqlStore) -> None:
    await store.commit(
        [c.Quarantine("CP-1", "orphan-stop", "no such session", f"[2,{n}]", NOON) for n in range(3)], []
    )
    await store.commit([c.Quarantine("CP-2", "other", "why", "[]", NOON)], [])
    assert await store.count_quarantine() == 4
    assert [q.payload for q in await store.quarantine("cp-1", 2)] == ["[2,2]", "[2,1]"]
    assert (await store.quarantine(None, 1))[0].at == NOON


async def test_events_are_read_on_from_a_cursor(store: SqlStore) -> None:
    await store.commit([c.OpenSession(session("s0")), c.OpenSession(session("s1"))], [])
    for n in range(6):
        await store.commit([], [happened("session.changed", session=f"s{n % 2}", actor="ada", data={"n": n})])
    assert [e.cursor for e in await store.events_after("2", 3)] == ["3", "4", "5"]
    assert [e.cursor for e in await store.events_after(None, 2)] == ["5", "6"]
    assert [e.data["n"] for e in await store.events_after("0", 10, session="s1")] == [1, 3, 5]
    assert await store.events_after("0", 10, station="other") == []
    assert await store.events_after("0", 10, type="station.booted") == []
    assert len(await store.events_after("0", 10, type="session.changed", station="cp-1")) == 6
    assert await store.events_after("6", 10) == []


async def test_the_story_of_a_station_leaves_meter_values_out_unless_they_are_asked_for(
    store: SqlStore,
) -> None:
    await store.commit([c.OpenSession(session())], [])
    types = ["session.started", "session.metered", "session.ended"]
    await store.commit([], [happened(type, session="s1") for type in types])
    for asked in ({"station": "cp-1"}, {"session": "s1"}):
        assert [e.type for e in await store.events_after(None, 10, **asked)] == [types[0], types[2]]
        assert [e.type for e in await store.events_after("0", 10, **asked)] == types
        assert len(await store.events_after(None, 10, type="session.metered", **asked)) == 1
    assert len(await store.events_after(None, 10)) == 3


async def test_what_moves_with_the_meter_is_written_alone(store: SqlStore, clock: SetClock) -> None:
    opened = session(token="Tag-1", flags=("offline",))
    later = replace(opened, energy_wh=4321, power_w=7400, soc_percent=61.5, last_sample_at=NOON + minutes(5))
    await store.commit([c.OpenSession(opened)], [])
    clock.pass_(minutes=5)
    await store.commit([c.MeterSession(later)], [])
    assert await store.session("s1") == later
    assert await store.stale_sessions(NOON + minutes(5)) == []
    assert await store.stale_sessions(NOON + minutes(6)) == [later]


@pytest.mark.parametrize("cursor", ["x", "-1", "", "7", "99999999999999999999", "１"])
async def test_a_cursor_that_was_never_given_is_invalid(store: SqlStore, cursor: str) -> None:
    await store.commit([], [happened()])
    with pytest.raises(Invalid):
        await store.events_after(cursor, 10)


async def test_decimals_and_instants_in_events_become_text(store: SqlStore) -> None:
    await store.commit([], [happened(data={"wh": Decimal("1.50"), "at": NOON})])
    (event,) = await store.events_after(None, 1)
    assert event.data == {"wh": "1.50", "at": "2026-03-01T12:00:00Z"}
    assert isinstance(event.at, datetime) and event.at == NOON


async def test_pruning_forgets_the_old_and_keeps_the_count(store: SqlStore) -> None:
    await store.commit([c.OpenSession(session())], [])
    for n in range(4):
        await store.commit(
            [reading(energy(str(n)), received_at=NOON + minutes(n))],
            [replace(happened(), at=NOON + minutes(n))],
        )
    before = NOON + minutes(2)
    assert await store.prune(events_before=before, readings_before=before) == 4
    assert [s.value for s in await store.samples("s1")] == ["2", "3"]
    assert [e.cursor for e in await store.events_after("2", 10)] == ["3", "4"]
    assert await store.cursor() == "4"
    with pytest.raises(Invalid, match="no longer kept"):
        await store.events_after("1", 10)


async def test_pruning_everything_does_not_reuse_cursors(store: SqlStore) -> None:
    await store.commit([], [happened(), happened()])
    await store.prune(events_before=NOON + minutes(1))
    await store.commit([], [happened()])
    assert [e.cursor for e in await store.events_after(None, 10)] == ["3"]

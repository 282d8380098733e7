"""Two organisations with the same station, transaction and token ids, in one record: each sees its own."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cms.contract.sessions import ListSessions
from cms.core import Clash
from cms.domain import changes as c
from cms.domain.changes import Happened
from cms.domain.connectors import Connector
from cms.domain.monitoring import Monitor
from cms.domain.observations import VariableReported
from cms.store.engine import SqlStore
from tests.store.things import NOON, Heard, energy, intent, reading, session, station, token

ACME, BETA = "acme", "beta"


async def filled(store: SqlStore, organisation: str, energy_wh: int) -> SqlStore:
    """An organisation whose ids are those of the other; what differs tells whose it is."""
    own = store.of(organisation)
    here = session(id=f"s-{organisation}", transaction_id="7", number=7, token="TAG", energy_wh=energy_wh)
    await own.commit(
        [
            c.SaveStation(station("CP-1", note=organisation)),
            c.SaveConnector("CP-1", Connector(1, 1, "available", info=organisation)),
            c.SaveToken(token("TAG", visual_number=organisation)),
            c.OpenSession(here),
            reading(energy(str(energy_wh)), session=here.id, transaction_id="7"),
            c.SaveIntent(intent(f"i-{organisation}", reason=organisation)),
            c.SaveVariables("CP-1", (VariableReported("A", organisation),), NOON),
            c.Keep("CP-1", "monitor", "1", Monitor(1, "A", "upper", 1.0, 5), NOON),
            c.NoteUnknown("CP-9", organisation, (), "not enrolled", NOON),
            c.Quarantine("CP-1", "StopTransaction", organisation, "[]", NOON),
        ],
        [Happened("station.enrolled", NOON, "CP-1", data={"whose": organisation})],
    )
    return own


async def test_the_same_ids_in_two_organisations_are_two_things(store: SqlStore, heard: Heard) -> None:
    acme, beta = await filled(store, ACME, 1000), await filled(store, BETA, 2000)
    for own, name, energy_wh in ((acme, ACME, 1000), (beta, BETA, 2000)):
        picture = await own.load()
        (state,) = picture.states
        assert state.station.note == name
        assert state.connectors[1, 1].info == name
        assert [t.visual_number for t in picture.tokens] == [name]
        (found,) = await own.sessions(ListSessions())
        assert (found.id, found.energy_wh) == (f"s-{name}", energy_wh)
        assert await own.session_of("CP-1", "7") == found
        assert await own.energy_since(NOON - timedelta(days=1)) == energy_wh
        (sample,) = await own.samples(found.id)
        assert sample.value == str(energy_wh)
        assert [i.reason for i in await own.intents("CP-1", None, 9)] == [name]
        assert [v.value for v in await own.variables("CP-1")] == [name]
        assert len(await own.kept("CP-1", "monitor")) == len(await own.kept_everywhere("monitor")) == 1
        assert [u.address for u in await own.unknown_stations()] == [name]
        assert [q.reason for q in await own.quarantine(None, 9)] == [name]
        assert await own.count_quarantine() == 1
        assert [event.data["whose"] for event in await own.events_after(None, 9)] == [name]
        assert [event.organisation for event in await own.events_after("0", 9)] == [name]
    assert [event.organisation for event in heard.events] == [ACME, BETA]
    assert not (await store.load()).states


async def test_nothing_of_another_is_found_by_its_id(store: SqlStore) -> None:
    acme, beta = await filled(store, ACME, 1000), await filled(store, BETA, 2000)
    assert await acme.session(f"s-{BETA}") is None
    assert await acme.intent(f"i-{BETA}") is None
    assert await acme.samples(f"s-{BETA}") == []
    assert await acme.events_after(None, 9, session=f"s-{BETA}") == []
    assert await beta.session(f"s-{ACME}") is None


async def test_dropping_one_leaves_the_other(store: SqlStore) -> None:
    acme, beta = await filled(store, ACME, 1000), await filled(store, BETA, 2000)
    await acme.commit([c.DropStation("CP-1"), c.DropToken("TAG"), c.ForgetUnknown("CP-9")], [])
    assert not (await acme.load()).states and not (await acme.load()).tokens
    (state,) = (await beta.load()).states
    assert state.connectors and await beta.variables("CP-1") and await beta.unknown_stations()


async def test_a_change_touches_rows_of_its_own_organisation_alone(store: SqlStore) -> None:
    acme, beta = await filled(store, ACME, 1000), await filled(store, BETA, 2000)
    (mine,) = await acme.sessions(ListSessions())
    theirs = session(id=f"s-{BETA}", transaction_id="8", energy_wh=1)
    await acme.commit([c.MeterSession(theirs), c.SeeStations((("CP-1", NOON + timedelta(days=1)),))], [])
    assert (await beta.sessions(ListSessions()))[0].energy_wh == 2000
    assert (await beta.load()).states[0].station.last_seen_at is None
    assert await acme.sessions(ListSessions()) == [mine]


async def test_a_part_of_another_organisations_station_violates_a_constraint(store: SqlStore) -> None:
    """What a mistake would write: a connector of ours at a station of theirs."""
    await store.of(BETA).commit([c.SaveStation(station("CP-2"))], [])
    with pytest.raises(Exception, match=r"(?i)foreign key") as refused:
        await store.of(ACME).commit([c.SaveConnector("CP-2", Connector(1, 1, "available"))], [])
    assert not isinstance(refused.value, Clash)
    assert not (await store.of(ACME).load()).states

"""What needs a person: found by what happens, grouped by cause, looked after, muted, over by itself."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from cms.contract.alerts import (
    AcknowledgeAlert,
    AlertView,
    ClaimAlert,
    ListAlerts,
    ListMutes,
    MuteAlert,
    NoteAlert,
    ShowAlert,
    UnmuteAlert,
)
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.contract.sites import AddSite
from cms.contract.stations import AddStation, RemoveStation, SetStation
from cms.core import Actor
from cms.domain.changes import Happened
from cms.domain.observations import Booted, ComponentEvent, ConnectorReported, EventsNotified
from cms.operations import alerts, sites, stations
from cms.operations.admission import connected, contested, disconnected
from cms.operations.attention import Watch
from tests.domain.build import event, register
from tests.operations.small import ANA, Small

BEN = Actor("ben", "operator", frozenset())


class Eye:
    """A watch on a small core: hears what the record has, then looks."""

    def __init__(self, small: Small) -> None:
        self.small = small
        self.anew()
        self._cursor = "0"

    def anew(self) -> None:
        self.watch = Watch(self.small.core)
        self.watch.touch_all()

    async def look(self, **passed: float) -> list[AlertView]:
        """What is open when this time has passed."""
        self.small.clock.pass_(**passed)
        for happened in await self.small.core.store.events_after(self._cursor, 10_000):
            self._cursor = happened.cursor
            self.watch.hear(happened)
        await self.watch.look()
        return await alerts.list_(self.small.core, ListAlerts(), ANA)

    async def told(self) -> list[str]:
        """The types of the events that tell of alerts, oldest first."""
        happened = await self.small.core.store.events_after("0", 10_000)
        return [one.type for one in happened if one.type.startswith("alert.")]


@pytest.fixture
async def eye(small: Small) -> Eye:
    eye = Eye(small)
    await eye.look()
    return eye


async def fleet(small: Small, count: int, site: str | None = "essen", prefix: str = "E") -> list[str]:
    """So many stations at a site, online."""
    if site is not None:
        await sites.add(small.core, AddSite(site=site), ANA)
    names = [f"{prefix}{number}" for number in range(1, count + 1)]
    for name in names:
        await stations.add(small.core, AddStation(name, site=site), ANA)
        await come(small, name)
    return names


async def come(small: Small, name: str) -> None:
    small.stations.connect(name)
    await connected(small.core, name, "1.6", "127.0.0.1")


async def go(small: Small, name: str) -> None:
    small.stations.links.pop(name)
    await disconnected(small.core, name, "the connection broke")


def fault(small: Small, evse: int = 1, status: str = "faulted", **more: str) -> ConnectorReported:
    return ConnectorReported(evse=evse, connector=1, status=status, at=small.clock.now(), **more)


async def test_a_fault_is_an_alert_from_its_report_to_its_end(small: Small, eye: Eye) -> None:
    await small.hear("CP1", fault(small, error_code="GroundFailure"))
    [one] = await eye.look()
    assert (one.kind, one.severity, one.state) == ("connector.faulted", "critical", "new")
    assert (one.what, one.why, one.evse) == ("CP1 c1", "faulted GroundFailure", 1)
    await small.hear("CP1", fault(small, status="available"))
    assert await eye.look() == []
    [over] = await alerts.list_(small.core, ListAlerts(ended=True), ANA)
    assert over.id == one.id and over.ended_at is not None
    assert await eye.told() == ["alert.raised", "alert.ended"]


async def test_a_lost_link_is_told_of_when_it_stays_away(small: Small, eye: Eye) -> None:
    await come(small, "CP1")
    await eye.look(seconds=1)
    await go(small, "CP1")
    assert await eye.look(seconds=30) == []
    [one] = await eye.look(seconds=45)
    assert (one.what, one.why, one.severity) == ("CP1", "lost its link", "warning")
    assert one.since == small.clock.now() - timedelta(seconds=75)
    await come(small, "CP1")
    assert await eye.look() == []


async def test_a_site_that_loses_its_links_is_one_alert(small: Small, eye: Eye) -> None:
    names = await fleet(small, 4)
    await eye.look(seconds=1)
    for name in names:
        await go(small, name)
        small.clock.pass_(milliseconds=500)
    [one] = await eye.look(seconds=80)
    assert (one.what, one.count, one.severity) == ("essen", 4, "critical")
    assert one.why == "4 of 4 stations lost their link within 2 s: one cause"
    assert [member.what for member in one.members] == names
    await come(small, "E2")
    [same] = await eye.look()
    assert same.id == one.id and same.why.startswith("3 of 4 stations")
    for name in names:
        await come(small, name)
    assert await eye.look() == []
    [over] = await alerts.list_(small.core, ListAlerts(ended=True), ANA)
    assert (over.id, over.why) == (one.id, one.why), "what is remembered is how it was at its worst"


async def test_a_fleet_that_is_gone_is_one_alert_and_not_one_for_each_site(small: Small, eye: Eye) -> None:
    names = [name for site in "abc" for name in await fleet(small, 4, f"site-{site}", site)]
    await eye.look(seconds=1)
    for name in names:
        await go(small, name)
    [one] = await eye.look(seconds=80)
    assert (one.what, one.count, one.site) == ("12 stations", 12, None)
    assert one.why == "12 of 13 stations at 3 sites lost their link within 1 s: one cause"


async def test_links_lost_at_other_times_are_other_troubles(small: Small, eye: Eye) -> None:
    first, second = await fleet(small, 2)
    await eye.look(seconds=1)
    await go(small, first)
    small.clock.pass_(seconds=40)
    await go(small, second)
    assert len(await eye.look(seconds=90)) == 2


async def test_faults_with_one_vendor_code_and_firmware_have_one_cause(small: Small, eye: Eye) -> None:
    for name in await fleet(small, 3):
        await small.hear(name, fault(small, error_code="OtherError", vendor_error_code="E42"))
    [one] = await eye.look()
    assert (one.what, one.count) == ("3 connectors", 3)
    assert one.why == "faulted OtherError E42: one cause"
    shown = await alerts.show(small.core, ShowAlert(one.id), ANA)
    assert "site essen" in shown.shared


async def test_who_saw_it_and_who_looks_after_it_is_seen_by_others(small: Small, eye: Eye) -> None:
    await small.hear("CP1", fault(small, error_code="GroundFailure"))
    [one] = await eye.look()
    seen = await alerts.acknowledge(small.core, AcknowledgeAlert(one.id), ANA)
    assert (seen.state, seen.by) == ("acknowledged", "ana")
    mine = await alerts.claim(small.core, ClaimAlert(one.id), BEN)
    assert (mine.state, mine.by) == ("claimed", "ben")
    with pytest.raises(Conflict, match="ben looks after alert"):
        await alerts.claim(small.core, ClaimAlert(one.id), ANA)
    noted = await alerts.note(small.core, NoteAlert(one.id, "called the site"), BEN)
    assert [(note.by, note.note) for note in noted.notes] == [("ben", "called the site")]
    free = await alerts.claim(small.core, ClaimAlert(one.id, release=True), ANA)
    assert free.state == "acknowledged"
    assert await eye.told() == ["alert.raised"] + ["alert.changed"] * 4


async def test_a_further_member_makes_an_acknowledged_alert_new(small: Small, eye: Eye) -> None:
    first, second = await fleet(small, 2)
    await small.hear(first, fault(small, vendor_error_code="E42"))
    [one] = await eye.look()
    await alerts.acknowledge(small.core, AcknowledgeAlert(one.id), ANA)
    await small.hear(second, fault(small, vendor_error_code="E42"))
    [grown] = await eye.look()
    assert (grown.id, grown.state, grown.count) == (one.id, "new", 2)


async def test_a_mute_keeps_quiet_until_its_time_is_over(small: Small, eye: Eye) -> None:
    await small.hear("CP1", fault(small, error_code="GroundFailure"))
    [one] = await eye.look()
    await alerts.mute(small.core, MuteAlert(alert=one.id, for_s=3600, reason="electrician"), ANA)
    [quiet] = await eye.look()
    assert (quiet.state, quiet.by, quiet.muted_until) == (
        "muted",
        "ana",
        small.clock.now() + timedelta(hours=1),
    )
    [loud] = await eye.look(hours=1)
    assert loud.state == "new"
    assert await alerts.list_mutes(small.core, ListMutes(), ANA) == []
    assert (await eye.told()).count("alert.changed") == 2


async def test_a_kind_at_a_site_can_be_muted_before_it_happens(small: Small, eye: Eye) -> None:
    names = await fleet(small, 2)
    made = await alerts.mute(small.core, MuteAlert(kind="connector.faulted", site="essen"), ANA)
    await small.hear(names[0], fault(small))
    await small.hear("CP1", fault(small))
    states = {one.what: one.state for one in await eye.look()}
    assert states == {"E1 c1": "muted", "CP1 c1": "new"}
    await alerts.unmute(small.core, UnmuteAlert(made.id), ANA)
    assert {one.state for one in await eye.look()} == {"new"}
    with pytest.raises(NotFound, match="no mute"):
        await alerts.unmute(small.core, UnmuteAlert(made.id), ANA)
    with pytest.raises(Invalid, match="What shall be muted"):
        await alerts.mute(small.core, MuteAlert(), ANA)


async def test_of_two_at_once_no_note_is_lost_and_one_has_the_claim(small: Small, eye: Eye) -> None:
    await come(small, "CP1")
    await small.hear("CP1", fault(small, error_code="GroundFailure"))
    (one,) = [alert for alert in await eye.look() if alert.kind == "connector.faulted"]
    await asyncio.gather(*(alerts.note(small.core, NoteAlert(one.id, word), ANA) for word in ("a", "b")))
    claims = (alerts.claim(small.core, ClaimAlert(one.id), who) for who in (ANA, BEN))
    _, refused = await asyncio.gather(*claims, return_exceptions=True)
    assert isinstance(refused, Conflict)
    shown = await alerts.show(small.core, ShowAlert(one.id), ANA)
    assert ([note.note for note in shown.notes], shown.by) == (["a", "b"], "ana")


async def test_a_message_of_no_station_is_told_of_and_is_over_by_itself(small: Small, eye: Eye) -> None:
    told = Happened("quarantine.added", small.clock.time, data={"kind": "call", "reason": "no JSON"})
    await small.core.store.commit((), (told,))
    (one,) = await eye.look()
    assert (one.kind, one.station, eye.watch._board.things()) == ("message.quarantined", None, ["*message"])
    assert await eye.look(hours=25) == [] and eye.watch._board.things() == []


async def test_a_large_alert_is_told_of_now_and_then(small: Small, eye: Eye) -> None:
    names = await fleet(small, 14)
    for name in names:
        await go(small, name)
    await eye.look()
    before = [one.count for one in await eye.look(minutes=5) if one.kind == "station.offline"]
    for name in names[:2]:
        await come(small, name)
        (one,) = await eye.look(seconds=1)
        assert [one.count] == before == [14]
    (one,) = await eye.look(seconds=9)
    assert one.count == 12
    assert (await eye.told()).count("alert.changed") == 1


async def test_what_stands_after_a_restart_is_the_same_alert_and_keeps_who_claimed_it(
    small: Small, eye: Eye
) -> None:
    await come(small, "CP1")
    await small.hear("CP1", fault(small, error_code="GroundFailure"))
    await contested(small.core, "CP1", "10.0.0.1", "10.0.0.2")
    before = {one.kind: one.id for one in await eye.look()}
    await alerts.claim(small.core, ClaimAlert(before["connector.faulted"]), BEN)
    await small.restart()
    eye.anew()
    after = {one.kind: one for one in await eye.look(seconds=5)}
    assert {kind: one.id for kind, one in after.items()} == before
    assert after["connector.faulted"].by == "ben"


async def test_stations_have_time_to_come_back_after_a_start(small: Small, eye: Eye) -> None:
    names = await fleet(small, 3)
    await eye.look(seconds=10)
    small.stations.links.clear()
    small.clock.pass_(seconds=5)
    await small.restart()
    eye.anew()
    assert await eye.look(seconds=100) == []
    await come(small, names[0])
    gone = await eye.look(seconds=120)
    whys = {one.why for one in gone if one.kind == "station.offline"}
    assert any("2 of 3" in why or "did not come back" in why for why in whys)


async def test_a_stolen_credential_stands_until_the_password_is_another(small: Small, eye: Eye) -> None:
    await contested(small.core, "CP1", "10.0.0.1", "10.0.0.2")
    [one] = await eye.look()
    assert one.severity == "critical" and "10.0.0.1 and 10.0.0.2" in one.why
    await small.core.store.commit(
        (), (Happened("station.password", small.clock.now(), "CP1", data={"outcome": "rotated"}),)
    )
    assert await eye.look(days=2) == []


async def test_a_station_that_comes_and_goes_flaps_until_it_rests(small: Small, eye: Eye) -> None:
    for _ in range(6):
        await come(small, "CP1")
        await go(small, "CP1")
        await eye.look(minutes=1)
    await come(small, "CP1")
    [one] = await eye.look()
    assert (one.kind, one.why, one.count) == ("station.flapping", "7 reconnects in 1 h", 7)
    assert await eye.look(minutes=61) == []


async def test_a_critical_security_event_is_over_after_a_quiet_day(small: Small, eye: Eye) -> None:
    def told(kind: str) -> Happened:
        now = small.clock.now()
        data = {"kind": kind, "reported_at": now, "detail": "lid", "critical": True}
        return Happened("station.security", now, "CP1", data=data)

    await small.core.store.commit((), (told("StartupOfTheDevice"), told("TamperDetectionActivated")))
    [one] = await eye.look()
    assert one.why == "TamperDetectionActivated: lid"
    await small.core.store.commit((), (told("TamperDetectionActivated"),))
    [twice] = await eye.look(hours=23)
    assert (twice.id, twice.count) == (one.id, 2)
    assert await eye.look(hours=25) == []


async def test_what_a_station_says_beside_a_fault_explains_it(small: Small, eye: Eye) -> None:
    lock = ComponentEvent(
        event_id=1, component="Lock", variable="Problem", value="true", name="Lock@1:1.Problem", trigger="Delta",
        at=small.clock.now(), evse=1, connector=1,
    )  # fmt: skip
    await small.hear("CP1", EventsNotified("e1", b"d" * 16, (lock,)), "2.0.1")
    [one] = await eye.look()
    assert (one.kind, one.why) == ("station.problem", "Lock@1:1.Problem true")
    await small.hear("CP1", fault(small), "2.0.1")
    [one] = await eye.look()
    assert (one.kind, one.why) == ("connector.faulted", "faulted Lock@1:1.Problem")


async def test_a_meter_that_stands_still_while_it_charges_is_told_of(small: Small, eye: Eye) -> None:
    await come(small, "CP1")
    begun = small.clock.now()
    await small.hear(
        "CP1", event("started", 0, begun, evse=1, connector=1, charging_state="Charging"), "2.0.1"
    )
    for number, wh in enumerate((1_000, 1_400, 1_400, 1_400, 1_400, 1_400), 1):
        small.clock.pass_(minutes=5)
        now = small.clock.now()
        await small.hear("CP1", event("updated", number, now, readings=(register(wh, now),)), "2.0.1")
        found = await eye.look()
    assert "session.flat" in {one.kind for one in found}
    now = small.clock.now()
    await small.hear("CP1", event("updated", 9, now, readings=(register(1_900, now),)), "2.0.1")
    assert "session.flat" not in {one.kind for one in await eye.look()}


async def test_what_was_wrong_with_a_station_is_over_when_it_is_removed(small: Small, eye: Eye) -> None:
    await small.hear("CP1", fault(small))
    assert len(await eye.look()) == 1
    await stations.remove(small.core, RemoveStation("CP1"), ANA)
    assert await eye.look() == []


async def test_a_boot_that_waits_is_told_of(small: Small, eye: Eye) -> None:
    await stations.set_(small.core, SetStation("CP1", boot_policy="pending"), ANA)
    await small.hear("CP1", Booted("ABB", "Terra 184"))
    [one] = await eye.look()
    assert (one.kind, one.why) == ("boot.pending", "its boot was answered pending")

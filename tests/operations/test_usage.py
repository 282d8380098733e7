"""A report of usage says what happened, whoever asks for it, in whatever order it was learned."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cms.contract.cdrs import CorrectCdr, ReleaseCdr
from cms.contract.refusals import Denied, Invalid, NotFound
from cms.contract.sites import AddSite
from cms.contract.stations import AddStation, RemoveStation, SetStation
from cms.contract.tariffs import Money
from cms.contract.usage import ShowUsage, UsageReport
from cms.core import StoreDown
from cms.domain.changes import Change, Happened, OpenSession, SaveConnector, UpdateSession
from cms.domain.connectors import Connector
from cms.domain.evolve import evolve
from cms.domain.history import DropSession
from cms.domain.sessions import Session
from cms.operations import cdrs, sites, stations, usage, usagesums
from tests.domain.build import after, start
from tests.operations.small import ANA, Small
from tests.operations.test_cdrs import charged, kwh, sell

MONEY = replace(ANA, permissions=frozenset({"billing.read", "drivers.read"}))
DAY = timedelta(days=1)


async def asked(small: Small, **words: Any) -> UsageReport:
    return await usage.show(small.core, ShowUsage(**words), MONEY)


def figures(report: UsageReport) -> list[tuple[str, int, int]]:
    return [(row.key, row.usage.sessions, row.usage.energy_wh) for row in report.rows if row.usage.sessions]


def energies(report: UsageReport) -> dict[str, int]:
    return {row.key: row.usage.energy_wh for row in report.rows if row.usage.energy_wh}


def over(id: str, station: str, begins: datetime, hours: float, energy_wh: int, **known: Any) -> Session:
    """A session that is over, as another system knew it."""
    fields: dict[str, Any] = {
        "id": id,
        "station": station,
        "ocpp_version": "",
        "transaction_id": id,
        "number": None,
        "status": "ended",
        "started_at": begins,
        "started_received_at": begins,
        "ended_at": begins + timedelta(hours=hours),
        "energy_wh": energy_wh,
        "evse": 1,
        "connector": 1,
    }
    return Session(**(fields | known))


async def stand(small: Small, station: str, site: str, zone: str) -> None:
    """A station with one EVSE at a site of this zone."""
    await sites.add(small.core, AddSite(site=site, time_zone=zone), ANA)
    await stations.add(small.core, AddStation(station, site=site), ANA)


async def evse(small: Small, station: str) -> None:
    """A station tells of its EVSE 1."""
    lane, connector = small.core.lane(station), Connector(1, 1, "available")
    await small.core.store.commit((SaveConnector(lane.state.station.id, connector),), ())
    lane.state = evolve(lane.state, connectors={(1, 1): connector})


async def test_a_report_counts_a_session_by_every_grouping(small: Small) -> None:
    await sell(small, kwh("T1", "0.50"))
    await charged(small)
    small.clock.time = after(180)
    for by, key in {
        "hour": "2026-05-04T12:00+00:00",
        "day": "2026-05-04",
        "week": "2026-W19",
        "month": "2026-05",
        "site": "",
        "station": "CP1",
        "connector": "CP1/1/1",
        "driver": "",
        "tariff": "T1",
        "hour-of-week": "0-12",
    }.items():
        for narrowed in ({}, {"tariff": "T1"}, {"station": "CP1"}):
            report = await asked(small, by=by, last="7d", **narrowed)
            assert figures(report) == [(key, 1, 5000)], (by, narrowed)
            assert (report.total.sessions, report.total.energy_wh, report.total.connected_s) == (
                1,
                5000,
                3600,
            )
            assert report.total.revenue == (Money(Decimal("2.98"), "EUR"),)
            assert (report.total.starts, report.total.failed, report.total.success) == (1, 0, 1.0)
        assert (await asked(small, by=by, last="7d")).total.peak_w == 5000


async def test_the_same_instant_is_of_another_day_at_another_site(small: Small) -> None:
    await stand(small, "B1", "berlin", "Europe/Berlin")
    await stand(small, "N1", "york", "America/New_York")
    begins = datetime(
        2026, 4, 30, 22, 30, tzinfo=UTC
    )  # half past midnight in Berlin, half past six in New York
    await small.core.store.commit(
        (OpenSession(over("b", "B1", begins, 1, 1000)), OpenSession(over("n", "N1", begins, 1, 2000))), ()
    )
    assert energies(await asked(small, by="day", last="7d")) == {"2026-04-30": 2000, "2026-05-01": 1000}
    assert energies(await asked(small, by="month", last="7d")) == {"2026-04": 2000, "2026-05": 1000}
    one = await asked(small, by="hour", since_day=date(2026, 5, 1), until_day=date(2026, 5, 2), site="berlin")
    assert (one.time_zone, len(one.rows)) == ("Europe/Berlin", 24)
    assert energies(one) == {"2026-05-01T00:00+02:00": 500, "2026-05-01T01:00+02:00": 500}
    assert energies(await asked(small, by="hour-of-week", last="7d")) == {
        "4-0": 500,
        "4-1": 500,
        "3-18": 1000,
        "3-19": 1000,
    }


@pytest.mark.parametrize(("day", "hours"), [("2025-10-26", 25), ("2026-03-29", 23)])
async def test_a_day_on_which_clocks_are_put_is_reported_hour_by_hour(
    small: Small, day: str, hours: int
) -> None:
    await stand(small, "B1", "berlin", "Europe/Berlin")
    midnight = datetime.fromisoformat(day)
    begins = midnight.replace(tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
    await small.core.store.commit((OpenSession(over("b", "B1", begins, hours, 1000 * hours)),), ())
    report = await asked(
        small, by="hour", since_day=midnight.date(), until_day=midnight.date() + DAY, site="berlin"
    )
    assert len(report.rows) == len({row.key for row in report.rows}) == hours
    assert {row.usage.energy_wh for row in report.rows} == {1000}
    assert {row.usage.utilisation for row in report.rows} == {1.0}
    (row,) = (
        await asked(
            small, by="day", since_day=midnight.date(), until_day=midnight.date() + DAY, site="berlin"
        )
    ).rows
    assert (row.usage.energy_wh, row.usage.connected_s) == (1000 * hours, 3600 * hours)
    assert (row.usage.available_s, row.until) == (3600 * hours, begins + timedelta(hours=hours))


class Dying:
    """A store that dies in the middle of counting, now before a commit is written, now after it was."""

    def __init__(self, small: Small, rng: random.Random) -> None:
        self._store, self._rng = small.core.store, rng
        self._commit = small.core.store.commit
        small.core.store.commit = self.commit  # type: ignore[method-assign]

    async def commit(self, changes: Sequence[Change], events: Sequence[Happened]) -> None:
        fate = self._rng.random()
        if fate < 0.25:
            raise StoreDown("the power went")
        await self._commit(changes, events)
        if fate > 0.75:
            raise StoreDown("the power went, and the commit was written")


async def counted_at_last(small: Small, rng: random.Random) -> None:
    """Count what is marked, dying again and again."""
    while True:
        store = small.core.store
        Dying(small, rng)
        try:
            await usagesums.catch_up(small.core)
        except StoreDown:
            await small.restart()
            continue
        del store.commit
        return


@pytest.mark.parametrize("seed", [1, 2])
async def test_whatever_is_learned_in_whatever_order_and_whoever_dies_the_sums_are_those_of_the_sessions(
    small: Small, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(seed)
    monkeypatch.setattr(usagesums, "_AT_ONCE", 5)
    await stand(small, "B1", "berlin", "Europe/Berlin")
    await stand(small, "K1", "nepal", "Asia/Kathmandu")
    zones = {"B1": "Europe/Berlin", "K1": "Asia/Kathmandu"}
    known: dict[str, Session] = {}
    for step in range(40):
        changes: list[Change] = []
        id = f"s{rng.randrange(12)}"
        begins = datetime(2026, 3, 27, tzinfo=UTC) + timedelta(seconds=rng.randrange(4 * 86_400))
        cost = rng.choice([None, Decimal(rng.randrange(5000)) / 100])
        money = {"cost": cost, "currency": None if cost is None else rng.choice(["EUR", "CHF"])}
        if id not in known:
            energy_wh = rng.choice([0, rng.randrange(50_000)])
            known[id] = over(id, rng.choice(["B1", "K1"]), begins, rng.random() * 30, energy_wh, **money)
            changes.append(OpenSession(known[id]))
        elif rng.random() < 0.2:
            gone = known.pop(id)
            changes.append(DropSession(id, gone.station, gone.transaction_id))
        else:
            ended_at = known[id].started_at + timedelta(hours=rng.random() * 30)
            known[id] = evolve(known[id], energy_wh=rng.randrange(50_000), ended_at=ended_at, **money)
            changes.append(UpdateSession(known[id]))
        await small.core.store.commit(changes, ())
        if step % 13 == 12:
            await counted_at_last(small, rng)
    await small.restart()
    assert_says(
        await asked(small, by="day", since_day=date(2026, 3, 1), until_day=date(2026, 5, 1)), known, zones
    )
    by_station = await asked(small, by="station", since_day=date(2026, 3, 1), until_day=date(2026, 5, 1))
    assert energies(by_station) == {
        station: wh
        for station in zones
        if (wh := sum(s.energy_wh for s in known.values() if s.station == station))
    }


def assert_says(report: UsageReport, known: dict[str, Session], zones: dict[str, str]) -> None:
    """Hold a report by day against a calculation of its own: exact fractions of each session."""
    energy: Counter[str] = Counter()
    begun: Counter[str] = Counter()
    money: Counter[tuple[str, str]] = Counter()
    pieces: Counter[str] = Counter()
    for session in known.values():
        assert session.ended_at is not None
        where = ZoneInfo(zones[session.station])
        begun[f"{session.started_at.astimezone(where):%Y-%m-%d}"] += 1
        at = session.started_at
        whole = session.ended_at - session.started_at
        while at < session.ended_at:
            local = at.astimezone(where)
            midnight = datetime(local.year, local.month, local.day, tzinfo=where) + DAY
            end = min(midnight.astimezone(UTC), session.ended_at)
            energy[f"{local:%Y-%m-%d}"] += (
                Fraction((end - at) / timedelta(microseconds=1))
                * session.energy_wh
                / Fraction(whole / timedelta(microseconds=1))
            )  # type: ignore[assignment]
            pieces[f"{local:%Y-%m-%d}"] += 1
            at = end
        if session.cost and session.currency:
            money[f"{session.ended_at.astimezone(where):%Y-%m-%d}", session.currency] += session.cost  # type: ignore[assignment]
    for row in report.rows:
        assert row.usage.sessions == begun[row.key]
        assert abs(row.usage.energy_wh - energy[row.key]) <= pieces[row.key]
        told = {(row.key, each.currency): each.amount for each in row.usage.revenue or () if each.amount}
        assert told == {key: amount for key, amount in money.items() if key[0] == row.key}
    assert report.total.energy_wh == sum(session.energy_wh for session in known.values())
    assert report.total.failed == sum(not session.energy_wh for session in known.values())


async def test_revenue_is_of_the_bill_in_force_and_for_those_who_may_read_bills(small: Small) -> None:
    await sell(small, kwh("T1", "0.50"))
    session = await charged(small, meter=1000, stop_wh=500)  # its meter went backwards: held
    report = await asked(small, last="1d")
    assert (report.total.revenue, report.total.unpriced) == ((), 1)
    await cdrs.release(small.core, ReleaseCdr(session, "looked at"), ANA)
    other = await charged(small, 120)
    await cdrs.correct(small.core, CorrectCdr(other, Decimal("-1.00"), "kindness", Decimal(19)), ANA)
    report = await asked(small, last="1d")
    assert (report.total.revenue, report.total.unpriced) == ((Money(Decimal("1.98"), "EUR"),), 0)
    report = await usage.show(small.core, ShowUsage(last="1d"), ANA)
    assert report.total.revenue is None and report.rows[0].usage.revenue is None


@pytest.mark.parametrize("words", [{"by": "driver"}, {"driver": "D1"}])
async def test_who_uses_it_is_for_those_who_may_see_drivers(small: Small, words: dict[str, str]) -> None:
    viewer = replace(ANA, permissions=frozenset({"sessions.read"}))
    with pytest.raises(Denied, match=r"drivers\.read"):
        await usage.show(small.core, ShowUsage(**words), viewer)


async def test_evses_count_from_when_they_came_until_they_went_where_they_stood(small: Small) -> None:
    await sites.add(small.core, AddSite(site="north"), ANA)
    await sites.add(small.core, AddSite(site="south"), ANA)
    await stations.add(small.core, AddStation("CP2", site="north"), ANA)
    await evse(small, "CP2")
    begun = small.clock.time
    await usagesums.catch_up(small.core)
    small.clock.pass_(hours=2)
    await stations.set_(small.core, SetStation("CP2", site="south"), ANA)
    await usagesums.catch_up(small.core)
    small.clock.pass_(hours=3)
    await stations.remove(small.core, RemoveStation("CP2"), ANA)
    await usagesums.catch_up(small.core)
    small.clock.pass_(hours=4)
    report = await asked(small, by="site", last="1d")
    assert {row.key: row.usage.available_s for row in report.rows} == {"north": 7200, "south": 10_800}
    hours = await asked(small, by="hour", since=begun, until=begun + timedelta(hours=6))
    assert [row.usage.available_s for row in hours.rows] == [3600] * 5 + [0]
    assert report.total.available_s == hours.total.available_s == 18_000
    assert (await asked(small, by="tariff", last="1d")).total.available_s is None


async def test_a_session_that_runs_counts_as_far_as_it_came(small: Small) -> None:
    await small.hear("CP1", start(meter=0, at=after(0)), "1.6")
    small.clock.time = after(30)
    report = await asked(small, last="1d")
    assert (report.total.sessions, report.total.running, report.total.connected_s) == (1, 1, 1800)
    assert (report.total.starts, report.total.failed, report.total.success) == (0, 0, None)


async def test_a_span_is_compared_with_the_one_before_it(small: Small) -> None:
    noon = small.clock.time
    earlier = over("a", "CP1", noon - timedelta(days=1, hours=6), 1, 1000)
    await small.core.store.commit(
        (OpenSession(earlier), OpenSession(over("b", "CP1", noon - timedelta(hours=6), 1, 3000))), ()
    )
    report = await asked(small, by="day", last="1d", compare=True)
    (row,) = report.rows
    assert row.before is not None and report.before is not None
    assert (row.usage.energy_wh, row.before.energy_wh, report.before.energy_wh) == (3000, 1000, 1000)
    (station,) = (await asked(small, by="station", last="1d", compare=True)).rows
    assert station.before is not None and station.before.energy_wh == 1000


async def test_what_cannot_be_reported_is_refused_in_a_sentence(small: Small) -> None:
    for words, said in (
        ({"by": "colour"}, "not counted by 'colour'"),
        ({"last": "soon"}, "no length of time"),
        ({"last": "3d", "since_day": date(2026, 5, 1)}, "a span is either"),
        ({"since_day": date(2026, 5, 2), "until_day": date(2026, 5, 1)}, "ends before it begins"),
        ({"by": "hour", "last": "2y"}, "too long"),
    ):
        with pytest.raises(Invalid, match=said):
            await asked(small, **words)
    for name in ("site", "station", "driver", "tariff"):
        with pytest.raises(NotFound, match="nothing"):
            await asked(small, **{name: "nothing"})

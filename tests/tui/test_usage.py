"""The usage screen: somebody looks at energy, goes deeper and back, compares, and takes the figures away."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cms.contract.refusals import Denied
from cms.contract.sessions import ListSessions
from cms.contract.tariffs import Money
from cms.contract.usage import ShowUsage, Usage, UsageReport, UsageRow
from tests.tui.fake import NOON, FakeDaemon, session, small_fleet, station
from tests.tui.seat import seated
from tui.charts import looks
from tui.charts.looks import Look
from tui.charts.sheets import usage_sheet

MIDNIGHT = NOON.replace(hour=0)


@dataclass(frozen=True)
class Charged:
    """One session of the ledger that the fake reckons with."""

    at: datetime
    station: str
    site: str
    driver: str
    energy_wh: int


def _figures(sessions: list[Charged]) -> Usage:
    euros = sum((Decimal(each.energy_wh) / 2000 for each in sessions), Decimal(0))
    return Usage(
        sessions=len(sessions),
        energy_wh=sum(each.energy_wh for each in sessions),
        revenue=(Money(euros, "EUR"),) if euros else (),
        connected_s=3600 * len(sessions),
        charging_s=1800 * len(sessions),
        available_s=86_400,
        utilisation=len(sessions) / 24,
        starts=len(sessions),
        failed=0,
        success=1.0 if sessions else None,
        peak_w=max((each.energy_wh for each in sessions), default=None),
    )


KEYS: dict[str, Callable[[Charged], str]] = {
    "hour": lambda each: f"{each.at:%Y-%m-%dT%H:00+00:00}",
    "day": lambda each: f"{each.at:%Y-%m-%d}",
    "site": lambda each: each.site,
    "station": lambda each: each.station,
    "connector": lambda each: f"{each.station}/1/1",
    "driver": lambda each: each.driver,
    "hour-of-week": lambda each: f"{each.at.weekday()}-{each.at.hour}",
}
STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1)}


class Ledger(FakeDaemon):
    """A daemon that reckons usage from a handful of sessions, in UTC."""

    charged: list[Charged]

    def _answer(self, request: Any) -> Any:
        match request:
            case ShowUsage():
                return self.usage(request)
            case ListSessions(station=str() as key):
                return [s for s in self.sessions.values() if s.station == key]
        return super()._answer(request)

    def usage(self, asked: ShowUsage) -> UsageReport:
        since, until = asked.since, asked.until
        if since is None or until is None:
            span = next(span for span in looks.SPANS if span.last == asked.last)
            until = MIDNIGHT + timedelta(days=1) if span.by != "hour" else NOON
            since = until - span.length
        length = until - since
        now, before = self._within(asked, since, until), self._within(asked, since - length, since)
        key = KEYS.get(asked.by, KEYS["day"])
        rows = [
            self._row(asked, name, now, before, length, key)
            for name in self._names(asked.by, now, since, until, key)
        ]
        if asked.by not in STEPS:
            rows.sort(key=lambda row: -row.usage.energy_wh)
        return UsageReport(asked.by, since, until, "UTC", tuple(rows), _figures(now), _figures(before))

    def _within(self, asked: ShowUsage, since: datetime, until: datetime) -> list[Charged]:
        return [
            each
            for each in self.charged
            if since <= each.at < until
            and asked.site in (None, each.site)
            and asked.station in (None, each.station)
            and asked.driver in (None, each.driver)
        ]

    def _names(
        self, by: str, now: list[Charged], since: datetime, until: datetime, key: Callable[[Charged], str]
    ) -> list[str]:
        if by not in STEPS:
            return list(dict.fromkeys(map(key, now)))
        count = round((until - since) / STEPS[by])
        return [key(Charged(since + STEPS[by] * place, "", "", "", 0)) for place in range(count)]

    def _row(
        self,
        asked: ShowUsage,
        name: str,
        now: list[Charged],
        before: list[Charged],
        length: timedelta,
        key: Callable[[Charged], str],
    ) -> UsageRow:
        step = STEPS.get(asked.by)
        since = datetime.fromisoformat(name).replace(tzinfo=NOON.tzinfo) if step else None
        title = {"hour": f"{since:%H:%M}", "day": f"{since:%a %m-%d}"}.get(asked.by, name) if since else name
        return UsageRow(
            name,
            title,
            since,
            since + step if since and step else None,
            _figures([each for each in now if key(each) == name]),
            _figures([each for each in before if key(replace(each, at=each.at + length)) == name]),
        )


def ledger() -> Ledger:
    fleet = small_fleet()
    daemon = Ledger(**{name: getattr(fleet, name) for name in ("stations", "tokens", "log")})
    daemon.stations["CP-0081"] = station("CP-0081", site="Garage", online=False)
    daemon.happen("station.disconnected", "CP-0081", reason="closed")
    daemon.charged = [
        Charged(MIDNIGHT + timedelta(hours=9), "CP-0042", "Berlin-Mitte", "anna", 36_000),
        Charged(MIDNIGHT + timedelta(hours=10), "CP-0018", "Ulm-A8", "ben", 12_000),
        Charged(MIDNIGHT - timedelta(hours=8), "CP-0042", "Berlin-Mitte", "anna", 24_000),
        Charged(MIDNIGHT - timedelta(days=8), "CP-0042", "Berlin-Mitte", "anna", 60_000),
    ]
    daemon.sessions = {
        s.id: s
        for s in (
            session(
                "S-9", "CP-0042", started_at=MIDNIGHT + timedelta(hours=9), ended_at=NOON, energy_wh=36_000
            ),
            session(
                "S-1",
                "CP-0042",
                started_at=MIDNIGHT - timedelta(days=40),
                ended_at=MIDNIGHT - timedelta(days=40),
            ),
        )
    }
    return daemon


async def test_somebody_walks_through_usage_by_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    daemon = ledger()
    async with seated(daemon) as seat:
        copied: list[str] = []
        monkeypatch.setattr(seat.app, "copy", copied.append)

        await seat.press("5")
        await seat.sees("Usage ▸ all sites ▸ last 7 days", "[energy]", "Sun 11-22", "48.0 █")
        await seat.sees("Total 72.0 kWh  +20 % against the span before", "When: energy")
        await seat.sees("most Sun 09-10, least Mon 00-24")

        # compared with the span before; the figures themselves; another measure
        await seat.press("c")
        await seat.sees("Before", "Change", "new")
        await seat.press("n")
        await seat.sees("Sessions", "Revenue", "24.00 EUR", "Success")
        await seat.press("n", "m")
        await seat.sees("[sessions]", "Total 3  +200 %")
        await seat.press("m")
        await seat.sees("[revenue]", "Total 36.00 EUR")

        # a day, its hours, the sessions of an hour, and back with the place kept
        await seat.press("G", "enter")
        await seat.sees("all sites ▸ Sun 11-22", "by hour", "09:00")
        assert "When:" not in seat.text  # a day has no week
        table = seat.app.screen.query_one("#list")
        assert table.select(f"{MIDNIGHT:%Y-%m-%d}T09:00+00:00")
        await seat.press("enter")
        await seat.sees("Usage ▸ 09:00 ▸ Sessions", "CP-0042", "S-9")
        await seat.press("escape", "escape")
        await seat.sees("last 7 days", "[revenue]")
        assert seat.app.screen.query_one("#list").cursor_id == f"{MIDNIGHT:%Y-%m-%d}"

        # spans: the week before, and now again
        await seat.press("[")
        await seat.sees("2026-11-09 to 2026-11-15", "Total 30.00 EUR")
        await seat.press("]")
        await seat.sees("last 7 days", "Total 36.00 EUR")
        await seat.press("-")
        await seat.sees("last 24 hours", "by hour")
        await seat.press("+", "+")
        await seat.sees("last 30 days", "by day", "Total 66.00 EUR")

        # by site, into one, its station, the sessions of it, one session
        for by in ("week", "site"):
            await seat.press("b")
            await seat.sees(f"by {by}")
        await seat.sees("Berlin-Mitte", "Ulm-A8")
        await seat.press("enter")
        await seat.sees("Usage ▸ Berlin-Mitte ▸ last 30 days", "by station", "CP-0042")
        await seat.press("enter")
        await seat.sees("Usage ▸ CP-0042 ▸ Sessions", "S-9", "36.0")
        await seat.press("enter")
        await seat.sees("Sessions ▸ S-9")
        await seat.press("escape", "escape", "escape")
        await seat.sees("Usage ▸ all sites ▸ last 30 days", "by site")

        # the figures to take away
        await seat.press("e")
        await seat.hears("the figures written to")
        (path,) = tmp_path.glob("usage-site-*.csv")
        rows = list(csv.DictReader(path.read_text().splitlines()))
        assert [(row["key"], row["energy_wh"], row["revenue_EUR"]) for row in rows] == [
            ("Berlin-Mitte", "120000", "60"),
            ("Ulm-A8", "12000", "6"),
        ]
        assert rows[0]["before_energy_wh"] == "0"
        await seat.press("e", "y")
        await seat.hears("copied: the figures")
        assert len(list(tmp_path.glob("*.csv"))) == 2
        assert copied == [path.read_text()]

        # the week alone, and in figures
        await seat.press("h", "n")
        await seat.sees("Hour", "Mon", "09-10", "18.00")
        await seat.press("h")
        await seat.loses("When:")
        await seat.press("n")

        # uptime of links
        await seat.press("m", "m", "m", "m")
        await seat.sees("[uptime]", "by station", "CP-0081", "Uptime %", "█ connected")
        await seat.press("n", "e")
        await seat.until(lambda: bool(list(tmp_path.glob("uptime-*.csv"))))
        (path,) = tmp_path.glob("uptime-*.csv")
        assert "CP-0042,2026-10-23T12:00:00Z,2026-11-22T12:00:00Z" in path.read_text()


async def test_a_large_terminal_shows_the_span_the_week_and_the_quality_beside_the_bars() -> None:
    async with seated(ledger(), size=(160, 48)) as seat:
        await seat.press("5")
        await seat.sees(
            "Energy by day, 2026-11-16 to 2026-11-22", "50 kWh┤", "When:", "Quality", "successful starts"
        )
        await seat.press("b")
        await seat.sees("by site", "Ulm-A8", "Energy by day")
        asked = len(seat.daemon.asked)
        await seat.press("c", "n", "c", "n", "m")
        assert len(seat.daemon.asked) == asked  # it is all known already


async def test_a_phone_shows_the_bars_or_the_week_and_a_refusal_is_said() -> None:
    daemon = ledger()
    async with seated(daemon, size=(44, 20)) as seat:
        await seat.press("5")
        await seat.sees("[energy] by day", "Sun 11-22")
        assert "When:" not in seat.text
        await seat.press("h")
        await seat.sees("When: energy", " Sun ")
        await seat.press("h")
        daemon.refusing[ShowUsage] = Denied("anna may not read usage")
        await seat.press("+")
        await seat.sees("anna may not read usage")


def _report(since: datetime, until: datetime, zone: str) -> UsageReport:
    return UsageReport("day", since, until, zone, (), _figures([]))


def test_a_day_earlier_is_a_day_of_the_wall_clock() -> None:
    # Berlin 2026-10-25 has 25 hours.
    since, until = datetime.fromisoformat("2026-10-25T22:00+00:00") + timedelta(hours=1), None
    until = since + timedelta(days=1)
    begin, end = looks.shifted(since, until, "Europe/Berlin", -1)
    assert end - begin == timedelta(days=1)
    assert end.astimezone(NOON.tzinfo) - begin.astimezone(NOON.tzinfo) == timedelta(hours=25)
    assert f"{begin:%m-%d %H:%M}" == "10-25 00:00"


def test_a_month_earlier_is_the_month_before() -> None:
    since, until = datetime(2026, 3, 1, tzinfo=NOON.tzinfo), datetime(2026, 4, 1, tzinfo=NOON.tzinfo)
    assert looks.shifted(since, until, "UTC", -1) == (datetime(2026, 2, 1, tzinfo=NOON.tzinfo), since)
    assert looks.shifted(since, until, "UTC", -3)[0] == datetime(2025, 12, 1, tzinfo=NOON.tzinfo)


def test_a_span_that_ends_now_is_known_before_its_report() -> None:
    day, week = looks.SPANS[0], looks.SPANS[1]
    assert looks.ending_now(day, "UTC", NOON) == (NOON - timedelta(hours=23), NOON + timedelta(hours=1))
    since, until = looks.ending_now(week, "Asia/Tokyo", NOON)
    assert (f"{since:%m-%d %H:%M}", f"{until:%m-%d %H:%M}") == ("11-16 00:00", "11-23 00:00")


def test_the_future_is_not_looked_at_and_the_present_comes_back() -> None:
    now = NOON
    week = _report(now - timedelta(days=7), now, "UTC")
    assert looks.moved(Look(), week, 1, now) == Look()
    past = looks.moved(Look(), week, -1, now)
    assert (past.since, past.until) == (now - timedelta(days=14), now - timedelta(days=7))
    assert looks.moved(past, _report(past.since, past.until, "UTC"), 1, now) == Look()
    assert looks.resized(past, week, 1).since == past.until - timedelta(days=30)


def test_a_row_that_belongs_nowhere_has_no_inside() -> None:
    report = _report(NOON - timedelta(days=7), NOON, "UTC")
    row = UsageRow("", "", None, None, _figures([]))
    assert looks.opened(Look(by="site"), report, row) is None
    plug = looks.opened(Look(by="connector"), report, replace(row, key="A/B/1/2", title="x"))
    assert isinstance(plug, ListSessions)
    assert plug.station == "A/B"
    driver = looks.opened(Look(by="driver"), report, replace(row, key="d-1", title="Anna K."))
    assert isinstance(driver, Look)
    assert (driver.by, driver.within("driver"), looks.whose(driver)) == ("day", "d-1", "Anna K.")


def test_a_sheet_has_every_currency_and_the_span_before_where_it_is_compared() -> None:
    figures = replace(_figures([]), revenue=(Money(Decimal("1.50"), "CHF"), Money(Decimal("2.00"), "EUR")))
    report = replace(
        _report(NOON, NOON, "UTC"), rows=(UsageRow("=a", "=a", None, None, figures, _figures([])),)
    )
    plain, compared = (
        list(csv.DictReader(usage_sheet(report, compare=compare).splitlines())) for compare in (False, True)
    )
    assert (plain[0]["key"], plain[0]["revenue_CHF"], plain[0]["revenue_EUR"]) == ("'=a", "1.50", "2.00")
    assert "before_sessions" not in plain[0]
    assert (compared[0]["before_sessions"], compared[0]["before_revenue_CHF"]) == ("0", "")

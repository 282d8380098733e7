"""Screen 9: sites as a tree, what they draw of what they may, and the page of one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from cms.contract.sites import ListSites, SiteView
from cms.contract.stations import ResetStation
from cms.contract.tariffs import ListTariffUses, TariffUseView
from tests.tui.fake import HOSTILE, NOON, FakeDaemon, connector, hostile_fleet, session, small_fleet, station
from tests.tui.seat import Seat, seated
from tui.grounds import ORDERS, Grounds, grown, row_key
from tui.mirror import Mirror
from tui.screens.sites import load_bar

ULM = SiteView("Ulm-A8", "Ulm A8", "Europe/Berlin", street="Rasthof 1", postcode="89073", city="Ulm", country="DE",
               latitude=48.4011, longitude=9.9876, open=True, hours="24/7", grid_power_w=120_000,
               grid_limit_w=50_000, grid_reference="Z-1", contact_phone="+49 731 1", stations=2)  # fmt: skip
EMPTY = SiteView("Kiel", "Kiel", "Europe/Berlin", open=False)


def with_sites() -> FakeDaemon:
    daemon = small_fleet()
    daemon.shelf[ListSites] = [ULM, EMPTY]
    daemon.shelf[ListTariffUses] = [
        TariffUseView("site/Ulm-A8", "site", "site Ulm-A8", "DC-day", "DC-day.3", NOON),
        TariffUseView("default", "default", "everywhere", "AC", "AC.1", NOON),
    ]
    daemon.stations["CP-0100"] = station("CP-0100", site=None, connectors=(connector(1),))
    daemon.now = NOON - timedelta(hours=1)
    daemon.meter("88139", 10_000, 40_000)
    daemon.now = NOON
    daemon.meter("88139", 18_402, 43_100)
    return daemon


def big(sites: int, each: int) -> Mirror:
    """A mirror of so many sites with so many stations, each with a session."""
    mirror = Mirror()
    keys = [(f"S{n // each}", f"CP-{n:05d}") for n in range(sites * each)]
    mirror.load(
        [station(key, site=site) for site, key in keys],
        sessions=[session(f"T{key}", key, power_w=10_000) for _, key in keys],
    )
    return mirror


def test_sums_follow_their_stations_and_nothing_is_lost_when_one_moves_away() -> None:
    mirror = big(3, 4)
    grounds = Grounds(mirror)
    grounds.count_all()
    assert [grounds.sums[f"S{n}"].power_w for n in range(3)] == [40_000] * 3
    mirror.put_station("CP-00000", replace(mirror.reported["CP-00000"], online=False))
    assert grounds.touch(["CP-00000"]) == ({"S0"}, False)
    assert (grounds.sums["S0"].online, grounds.sums["S0"].trouble) == (3, 1)
    mirror.put_station("CP-00000", replace(mirror.reported["CP-00000"], site=None))
    changed, moved = grounds.touch(["CP-00000"])
    assert (changed, moved) == ({"S0", ""}, True)
    for key in [f"CP-{n:05d}" for n in range(1, 4)]:
        mirror.put_station(key, None)
    grounds.touch([f"CP-{n:05d}" for n in range(1, 4)])
    assert "S0" not in grounds.sums
    assert sum(sums.stations for sums in grounds.sums.values()) == len(mirror.stations)


def test_sites_with_little_left_of_their_connection_come_first_those_without_a_limit_last() -> None:
    grounds = Grounds(big(3, 2))
    grounds.count_all()
    grounds.load([
        SiteView("S0", "A", "UTC", grid_limit_w=100_000),
        SiteView("S1", "B", "UTC", grid_power_w=30_000),
        SiteView("S2", "C", "UTC"),
    ])  # fmt: skip
    assert sorted(grounds.sums, key=lambda site: ORDERS["headroom"](grounds, site)) == ["S1", "S0", "S2"]
    assert load_bar(20_000, 100_000) == ("██········", "busy")
    assert load_bar(95_000, 100_000) == ("██████████▲", "warn")
    assert load_bar(110_000, 100_000)[1] == "bad"
    assert load_bar(1, None) == ""


def test_of_all_sites_only_the_open_ones_ask_for_their_stations() -> None:
    mirror = big(100, 10)
    grounds = Grounds(mirror)
    grounds.count_all()
    seen: list[str] = []

    def wanted(station: str) -> bool:
        seen.append(station)
        return True

    rows = list(grown(mirror, grounds, sorted(grounds.sums), {row_key("site", "S7")}, wanted))
    assert len(rows) == 110
    assert len(seen) == 10


async def at_sites(seat: Seat) -> None:
    await seat.press("9")
    await seat.sees("Ulm A8", "43.1")


async def test_the_tree_opens_site_by_site_down_to_the_session_and_acts_work_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    daemon = with_sites()
    async with seated(daemon) as seat:
        await at_sites(seat)
        await seat.sees("▸ – CP-0067", "Kiel", "██████")
        await seat.press("slash")
        await seat.type("site~ulm")
        await seat.press("enter")
        await seat.sees("1 site · 2 stations", "CP-0018", "CP-0074")
        await seat.press("j")
        await seat.sees("▌  ▸ ● CP-0018")
        await seat.press("right")
        await seat.sees("EVSE 1 charging", "EVSE 2 available")
        await seat.press("right", "right")
        await seat.sees("● 88139 04A2BC9F")
        daemon.meter("88139", 19_000, 44_000)
        await seat.sees("44.0")
        await seat.press("R")
        await seat.sees("Reset CP-0018")
        await seat.press("y")
        await seat.until(lambda: any(isinstance(a, ResetStation) and not a.dry_run for a in daemon.asked))
        await seat.press("left", "left", "left", "left")
        await seat.loses("CP-0018/")
        await seat.press("g", "enter")
        await seat.sees(
            "Sites ▸ Ulm A8", "geo:48.4011,9.9876", "44.0 kW of 50.0 kW, 6.0 kW left", "DC-day.3", "24/7"
        )
        await seat.press("n")
        await seat.sees("Power of Ulm-A8", "peak 44.0 kW", "11:00:00       40.00 kW")
        await seat.press("escape", "e")
        await seat.sees("CSV of the power over time")
        await seat.press("p")
        await seat.hears("✔ the power written to")
        (power,) = tmp_path.glob("cms-site-ulm-a8-power-*.csv")
        assert "T11:00:00Z,40000\n" in power.read_text()
        await seat.press("escape", "escape")
        await seat.sees("Kiel", "sort name")
        await seat.press("s", "s")
        await seat.sees("sort headroom")
        await seat.press("e")
        await seat.hears("rows written")
        (sheet,) = tmp_path.glob("cms-sites-*.csv")
        assert "Ulm-A8,Ulm A8,2,2,3,1,44000,50000,0" in sheet.read_text()


async def test_a_site_that_comes_and_a_station_that_goes_show_in_the_tree() -> None:
    daemon = with_sites()
    async with seated(daemon, size=(44, 20)) as seat:
        await at_sites(seat)
        daemon.shelf[ListSites].append(SiteView("Aachen", "Aachen", "UTC"))
        daemon.happen("site.added", site="Aachen")
        await seat.sees("8 sites")
        await seat.press("g")
        await seat.sees("▌  Aachen")
        daemon.drop("CP-0018")
        await seat.sees("1/2")
        await seat.press("slash")
        await seat.type("power_w>20000 and")
        await seat.press("enter")
        await seat.hears("column")


async def test_nothing_that_a_station_or_a_site_is_called_reaches_the_terminal_as_it_is() -> None:
    daemon = hostile_fleet()
    daemon.shelf[ListSites] = [SiteView(text, text, "UTC", street=text, city=text) for text in HOSTILE]
    async with seated(daemon, size=(120, 40)) as seat:
        await seat.press("9")
        await seat.sees("10 sites")
        await seat.press("right", "right", "right", "right")
        shown = seat.text
        assert not any(ch in shown for ch in "\x1b\x07\u202e\x9b\r\t")
        assert "[bold red]x[/]" in shown

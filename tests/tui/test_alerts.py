"""What needs a person, in the console: groups, who looks after them, notes, mutes, and a daemon without alerts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cms.contract.alerts import AlertMember, ListAlerts
from cms.contract.refusals import Denied, NotFound, Refusal
from tests.tui.fake import NOON, FakeDaemon, small_fleet
from tests.tui.seat import seated
from tests.tui.troubles import alert
from tui.screens.alert import Alert

LOST = NOON - timedelta(minutes=38)
GROUP = "8629f308"


def depot() -> FakeDaemon:
    """The small fleet, and a depot of which nine stations lost their links together."""
    daemon = small_fleet()
    members = tuple(
        AlertMember(
            f"CP-029{n}", "lost its link", LOST + timedelta(seconds=n % 3), f"CP-029{n}", "Essen-Depot"
        )
        for n in range(9)
    )
    daemon.raised[GROUP] = alert(
        "station.offline", "critical", "Essen-Depot", "9 of 9 stations lost their link within 2 s: one cause", LOST,
        id=GROUP, site="Essen-Depot", members=members, sessions=4, shared=("vendor ABB", "network 10.44.9.0/24"),
        before_at=NOON - timedelta(days=20), before_lasted_s=2460.0,
    )  # fmt: skip
    return daemon


async def test_a_group_opens_as_a_sheet_and_is_looked_after_by_keys() -> None:
    daemon = depot()
    async with seated(daemon) as seat:
        await seat.sees("Needs attention · 6", "✖2 ▲3", "9 of 9 stations lost")
        await seat.press("j", "enter")
        await seat.sees("What has it · 9", "CP-0298", "network 10.44.9.0/24", "for 41 min", "4 sessions run")
        await seat.press("c")
        await seat.sees("claimed anna")
        await seat.hears("Essen-Depot is yours")
        await seat.press("n")
        await seat.type("called the site")
        await seat.press("enter")
        await seat.sees("anna: called the site")
        assert seat.app.acting.last_cli == f"cms alerts note {GROUP} 'called the site'"
        await seat.press("q")
        await seat.sees("Needs attention · 6", " anna")
        await seat.press("m")
        await seat.hears("muted for 1 h")
        await seat.sees("Needs attention · 5", "✖1 ▲3")


async def test_the_list_of_alerts_filters_acknowledges_all_alike_and_turns_to_events() -> None:
    daemon = depot()
    async with seated(daemon) as seat:
        await seat.press("7")
        await seat.sees("Alerts & events ▸ alerts", "Essen-Depot", "CP-0039", "· tab events")
        await seat.press("slash")
        await seat.type("kind=station.offline")
        await seat.press("enter")
        await seat.loses("CP-9999")
        await seat.press("ampersand")
        await seat.hears("2 alerts: acknowledged")
        await seat.sees("2 of 6", "acked anna")
        await seat.press("A")
        await seat.hears("is new again")
        await seat.press("space", "space", "c")
        await seat.hears("2 alerts: is yours")
        daemon.report("CP-0025", 1, "faulted", "OverVoltage")
        await seat.sees("✖3")
        await seat.press("tab")
        await seat.sees("Alerts & events ▸ events", "alert.raised")
        await seat.press("tab", "escape")
        await seat.sees("OverVoltage")
        await seat.press("enter")
        await seat.until(lambda: isinstance(seat.app.screen, Alert))


@pytest.mark.parametrize("size", [(160, 48), (44, 20)])
async def test_alerts_can_be_read_in_any_terminal(size: tuple[int, int]) -> None:
    async with seated(depot(), size) as seat:
        await seat.press("7")
        await seat.sees("Essen-Depot", "✖")
        await seat.press("j")
        await seat.sees("9 of 9 stations")
        assert all(len(line) <= size[0] for line in seat.lines)


@pytest.mark.parametrize(
    "refusal", [NotFound("There is no such route"), Denied("alerts are not yours to see")]
)
async def test_a_console_works_with_a_daemon_that_tells_of_no_alerts(refusal: Refusal) -> None:
    daemon = depot()
    daemon.refusing[ListAlerts] = refusal
    async with seated(daemon) as seat:
        await seat.sees("nothing needs you", "Stations 8")
        await seat.press("7")
        await seat.sees("nothing needs you")

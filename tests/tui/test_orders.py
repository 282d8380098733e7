"""Screen 8: orders as they go on, those given together, the queue, jobs, the audit log."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from cms.contract.audit import AuditView, ListAudit
from cms.contract.intents import CancelIntent, IntentView
from cms.contract.jobs import ListJobs
from cms.contract.stations import ResetStation
from tests.tui.fake import NOON, FakeDaemon, small_fleet
from tests.tui.seat import seated
from tui.books.orders import said_of
from tui.screens.orders import batches, median_answer_s

RESET = IntentView(
    id="i1",
    station="CP-0042",
    order="reset",
    status="accepted",
    requested_by="anna",
    reason="stuck",
    created_at=NOON - timedelta(minutes=2),
    answered_at=NOON - timedelta(minutes=2) + timedelta(seconds=0.4),
    confirmed_at=None,
    answer={"status": "Accepted"},
    detail="waits for its boot",
    params={"kind": "soft", "evse": None},
    has_effect=True,
)
AUDITED = AuditView(
    seq=7,
    at=NOON,
    actor="anna",
    via="uid:1000",
    role="operator",
    permission="stations.command",
    operation="ResetStation",
    target="CP-0042",
    result="ordered",
    detail=None,
    reason="stuck",
    request_id="r1",
    intent="i1",
    request={"station": "CP-0042", "kind": "soft"},
    before="0a1b",
    after="0c1d",
    times=1,
    mac="feed",
)


def with_orders(*orders: IntentView) -> FakeDaemon:
    daemon = small_fleet()
    daemon.intents = {order.id: order for order in orders}
    daemon.shelf[ListJobs] = []
    daemon.shelf[ListAudit] = [AUDITED]
    daemon.shown[CancelIntent] = None
    return daemon


def several(count: int, **news: object) -> list[IntentView]:
    """So many alike, a second apart."""
    return [
        replace(
            RESET,
            id=f"b{number}",
            station=f"CP-{number}",
            created_at=NOON + timedelta(seconds=number),
            **news,  # type: ignore[arg-type]
        )
        for number in range(count)
    ]


def test_what_is_given_to_several_stations_at_once_is_one_line() -> None:
    later = replace(RESET, id="late", created_at=NOON + timedelta(minutes=9))
    found = batches({one.id: one for one in [RESET, *several(3, status="confirmed"), later]})
    assert [(batch.orders, batch.done, batch.under_way) for batch in found] == [(3, 3, 0)]
    assert (
        batches({one.id: one for one in [*several(1), replace(several(1)[0], id="x", reason="other")]}) == []
    )


def test_an_order_says_its_own_words_and_not_how_it_is_split() -> None:
    assert said_of(RESET) == "reset soft"
    values = {"values": {"HeartbeatInterval": "60"}, "per_message": 4, "bytes_per_message": None}
    assert said_of(replace(RESET, order="config-set", params=values)) == "config-set HeartbeatInterval=60"
    assert median_answer_s({"i1": RESET}) == 0.4
    assert median_answer_s({}) is None


async def test_orders_go_on_before_the_eyes_and_are_cancelled_copied_and_given_again() -> None:
    waits = replace(RESET, id="i2", status="queued", detail="until it is idle", answered_at=None)
    daemon = with_orders(RESET, waits)
    async with seated(daemon, size=(160, 48)) as seat:
        await seat.press("8")
        await seat.sees(
            "[Orders]", "Together", "Queue", "under way 1", "wait 1", "reset soft", "waits for its boot"
        )
        daemon.progress("i1", "confirmed", confirmed_at=NOON, detail="it booted")
        await seat.sees("confirmed", "it booted", "under way 0", "ok 1")
        await seat.press("slash")
        await seat.type("id=i1")
        await seat.press("enter", "y")
        await seat.hears("copied: cms stations reset CP-0042 --kind soft")
        await seat.press("R")
        await seat.sees("Give again the order to CP-0042?", "cms stations reset CP-0042 --kind soft")
        await seat.press("y")
        await seat.until(lambda: ResetStation(station="CP-0042", kind="soft", evse=None) in daemon.asked)
        await seat.press("tab", "tab")
        await seat.sees("[Queue]", "until it is idle")
        assert "it booted" not in seat.text
        await seat.press("X")
        await seat.sees("not sent any more", "cms intents cancel i2")
        await seat.press("y")
        await seat.until(lambda: CancelIntent("i2") in daemon.asked)
        await seat.press("tab", "tab")
        await seat.sees("[Audit]", "ResetStation", "anna")
        await seat.press("enter")
        await seat.sees(
            "anna as operator, came by uid:1000", "before   0a1b", "after    0c1d", '"kind": "soft"'
        )
        await seat.press("escape", "slash")
        await seat.type("who=ben")
        await seat.press("enter")
        await seat.sees("/ actor=ben", "0 of 1")
        await seat.press("tab")
        await seat.sees("[Orders]", "id=i1", "1 of")


async def test_those_given_together_show_how_far_they_are_and_open_as_a_list() -> None:
    daemon = with_orders(*several(3))
    async with seated(daemon) as seat:
        await seat.press("8", "tab")
        await seat.sees("[Together]", "3 x reset soft", "0    0    3")
        daemon.progress("b0", "confirmed", confirmed_at=NOON)
        daemon.progress("b1", "failed", detail="it did not boot")
        await seat.sees("1    1    1")
        await seat.press("enter")
        await seat.sees("[Orders]", "3 of 3")

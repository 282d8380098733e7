"""T21: whatever time a station says it is: recorded, flagged, paid for by what it took, and the live picture stands."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from cms.contract.sessions import SessionView
from cms.contract.tariffs import AddTariff, Component, Price, Tariff, UseTariff
from tests.quirks.raw import Raw, Site, a_site, meter, start, status, stop

TARIFF = Tariff(
    "T",
    "EUR",
    energy=Component((Price(Decimal("0.40")),)),
    charging_time=Component((Price(Decimal("0.01")),)),
)
#: What a clock may say -> whether it is a time after all, only spelled oddly.
TIMES = {
    "222222017-01-01T00:00:00Z": False,
    "2026-00-04T12:00:00Z": False,
    "2026-05-00T12:00:00Z": False,
    "2026-02-30T12:00:00Z": False,
    "2026-05-04T24:00:00Z": False,
    "2026-05-04T25:61:61Z": False,
    "2026-05-04T12:00:60Z": True,
    "1970-01-01T00:00:00Z": False,
    "2106-02-07T06:28:15Z": False,
    "2038-01-19T03:14:08Z": False,
    "0001-01-01T00:00:00+14:00": False,
    "9999-12-31T23:59:59-14:00": False,
    "-2026-05-04T12:00:00Z": False,
    "2026-05-04T12:00:00+99:00": False,
    "2024-02-29T23:59:59.999999999Z": True,
    "2026-03-29T02:30:00+01:00": True,
    "2026-05-04 12:00:00": True,
    "yesterday": False,
    "": False,
}


async def test_every_time_that_is_none_leaves_a_session_with_its_energy_and_a_sane_price(
    tmp_path: Path,
) -> None:
    async with a_site(tmp_path) as site:
        await site.client.ask(AddTariff(TARIFF))
        await site.client.ask(UseTariff("T", since=datetime(2000, 1, 1, tzinfo=UTC)))
        raw = await site.booted()
        for place, time in enumerate(TIMES, 1):
            await said_by_1_6(raw, place, time)
        await raw.leave()
        raw = await site.booted("2.0.1")
        for place, time in enumerate(TIMES, 1):
            await said_by_2(raw, place, time)
        sessions = await site.sessions()
        assert len(sessions) == 2 * len(TIMES)
        for session in sessions:
            sane(session)
        await goes_on(site, raw)


async def said_by_1_6(raw: Raw, place: int, time: str) -> None:
    """All of a session at a time that is none; every message is answered with a result."""
    said = await raw.call("StartTransaction", start(1000, time, connector=place))
    if isinstance(said, str):
        raise AssertionError(f"StartTransaction at {time!r}: {said}")
    number = said["transactionId"]
    assert number > 0
    sample = {"measurand": "Energy.Active.Import.Register", "unit": "Wh", "value": "3000"}
    assert await raw.call("MeterValues", {**meter(number, sample, at=time), "connectorId": place}) == {}
    assert await raw.call("StatusNotification", status("Charging", time, place)) == {}
    assert not isinstance(await raw.call("StopTransaction", stop(number, 6000, time)), str)


async def said_by_2(raw: Raw, place: int, time: str) -> None:
    value = {"measurand": "Energy.Active.Import.Register", "value": 1000}
    common = {
        "timestamp": time,
        "triggerReason": "CablePluggedIn",
        "transactionInfo": {"transactionId": f"tx{place}"},
    }
    for nth, (kind, context, wh) in enumerate(
        [
            ("Started", "Transaction.Begin", 1000),
            ("Updated", "Sample.Periodic", 3000),
            ("Ended", "Transaction.End", 6000),
        ]
    ):
        sampled = [{"timestamp": time, "sampledValue": [{**value, "value": wh, "context": context}]}]
        more: dict[str, Any] = {"evse": {"id": 100 + place, "connectorId": 1}} if kind == "Started" else {}
        event = {**common, **more, "eventType": kind, "seqNo": nth, "meterValue": sampled}
        assert not isinstance(await raw.call("TransactionEvent", event), str), (kind, time)


def sane(session: SessionView) -> None:
    assert (session.status, session.energy_wh) == ("ended", 5000), session
    assert 1970 <= session.started_at.year < 2200
    if session.cost is None:
        # Unpriced, which a person sees: no tariff held at the beginning that it claims.
        assert "station-clock" in session.flags, session
        return
    # 5 kWh, and at most a day of minutes: no clock buys or costs eighty years.
    assert Decimal("2.00") <= Decimal(session.cost["amount"]) <= Decimal("2.00") + Decimal("14.40"), session


async def goes_on(site: Site, raw: Raw) -> None:
    """Lists and the next session are as if nothing had been."""
    assert "currentTime" in await raw.call("Heartbeat", {})
    assert len(await site.sessions()) == 2 * len(TIMES)


async def test_a_time_that_is_none_is_flagged_and_the_live_picture_is_by_our_clock(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        raw = await site.booted()
        for place, time in enumerate(TIMES, 1):
            await raw.call("StartTransaction", start(1000, time, connector=place))
            await raw.call("StatusNotification", status("Charging", time, place))
            # A status that comes later by our clock and has no odd time is believed.
            here = status("Available", connector=place)
            del here["timestamp"]
            await raw.call("StatusNotification", here)
        by_place = {session.evse: session for session in await site.sessions()}
        assert len(by_place) == len(TIMES)
        for place, (time, odd) in enumerate(TIMES.items(), 1):
            if not odd:
                assert by_place[place].flags, f"nobody is told that {time!r} is no time"
        (lane,) = (lane for lane in site.daemon.core.lanes.values() if lane.state.station.id == "CP-7")
        assert {str(connector.status) for connector in lane.state.connectors.values()} == {"available"}

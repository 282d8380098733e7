"""Local lists, the cache, groups and reservations, as a CSMS and drivers see them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from cms.simulator.station import Station
from tests.simulator.desk import Desk
from tests.simulator.stage import V2, VERSIONS, a_car, charging, online, settle, story
from tests.virtual import START


def listed(version: str, number: int, kind: str, *entries: tuple[str, str | None]) -> dict[str, Any]:
    """A SendLocalList; a token without a status is taken out."""
    if version == "1.6":
        old = [{"idTag": tag, **({"idTagInfo": {"status": word}} if word else {})} for tag, word in entries]
        return {"listVersion": number, "updateType": kind, "localAuthorizationList": old}
    new = [
        {
            "idToken": {"idToken": tag, "type": "ISO14443"},
            **({"idTokenInfo": {"status": word}} if word else {}),
        }
        for tag, word in entries
    ]
    whole = {"versionNumber": number, "updateType": kind}
    return {**whole, "localAuthorizationList": new} if new else whole


async def list_version(desk: Desk) -> int:
    answer = await desk.order("CP-1", "GetLocalListVersion", {})
    return int(answer.get("listVersion", answer.get("versionNumber")))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_local_list_grows_by_differences_and_refuses_what_is_not_newer(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)

        async def send(*told: Any) -> str:
            answer = await desk.order("CP-1", "SendLocalList", listed(version, *told))
            return str(answer["status"])

        assert await list_version(desk) == 0
        assert await send(5, "Full", ("A", "Accepted"), ("B", "Blocked")) == "Accepted"
        assert await send(5, "Differential", ("C", "Accepted")) == "VersionMismatch"
        assert await send(6, "Differential", ("A", None), ("C", "Accepted")) == "Accepted"
        assert sorted(station.authorization.entries) == ["b", "c"]
        assert await send(7, "Full", ("A", "Accepted"), ("a", "Accepted")) == "Failed"
        assert await list_version(desk) == 6

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_offline_the_local_list_decides(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        order = listed(version, 1, "Full", ("GOOD", "Accepted"), ("BAD", "Blocked"))
        await desk.order("CP-1", "SendLocalList", order)
        station.lose_link(600)
        await settle(10)
        station.plug_in(station.evses[0], a_car())
        assert await station.present(station.evses[0], "bad") == "refused"
        assert await station.present(station.evses[0], "good") == "started"

    story(tell, version)


def test_a_list_may_let_drivers_in_before_the_csms_is_asked() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        await desk.order("CP-1", "SendLocalList", listed("1.6", 1, "Full", ("GOOD", "Accepted")))
        change = {"key": "LocalPreAuthorize", "value": "true"}
        await desk.order("CP-1", "ChangeConfiguration", change)
        station.plug_in(station.evses[0], a_car())
        assert await station.present(station.evses[0], "GOOD") == "started"
        assert desk.all("Authorize") == []

    story(tell, "1.6")


@pytest.mark.parametrize("version", VERSIONS)
def test_another_card_of_the_group_stops_the_session(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        old = {"idTagInfo": {"status": "Accepted", "parentIdTag": "FIRM"}}
        group = {"idToken": "FIRM", "type": "Central"}
        new = {"idTokenInfo": {"status": "Accepted", "groupIdToken": group}}
        desk.answers["Authorize"] = old if version == "1.6" else new
        desk.answers["TransactionEvent"] = lambda version, action, event: new if "idToken" in event else {}
        desk.answers["StartTransaction"] = {"transactionId": 8, **old}
        await charging(desk, station, station.evses[0])
        assert await station.lets_in("CARD2")
        assert await station.present(station.evses[0], "STRANGER") == "refused"
        assert await station.present(station.evses[0], "CARD2") == "stopped"

    story(tell, version)


def reserve(version: str, evse: int | None, seconds: float = 600, number: int = 1) -> dict[str, Any]:
    until = (START + timedelta(seconds=seconds)).isoformat()
    if version == "1.6":
        return {"reservationId": number, "connectorId": evse or 0, "expiryDate": until, "idTag": "MINE"}
    token = {"idToken": "MINE", "type": "ISO14443"}
    order = {"id": number, "expiryDateTime": until, "idToken": token}
    return order if evse is None else {**order, "evseId": evse}


async def reserved(desk: Desk, version: str, *order: Any) -> str:
    answer = await desk.order("CP-1", "ReserveNow", reserve(version, *order))
    return str(answer["status"])


@pytest.mark.parametrize("version", VERSIONS)
def test_a_reserved_evse_waits_for_its_driver(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        first = station.evses[0]
        assert await reserved(desk, version, 1) == "Accepted"
        await settle()
        assert first.status == "reserved"
        assert await reserved(desk, version, 1, 600, 2) == "Occupied"
        assert await station.present(first, "OTHER") == "refused"
        assert await station.present(first, "MINE") == "waiting"
        station.plug_in(first, a_car())
        start = "StartTransaction" if version == "1.6" else "TransactionEvent"
        assert (await desk.next(start))["reservationId"] == 1
        assert first.status == "charging"

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_reservation_runs_out_and_2x_says_so(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        assert await reserved(desk, version, 1, 60) == "Accepted"
        await settle(120)
        assert station.evses[0].status == "available"
        told = [{"reservationId": 1, "reservationUpdateStatus": "Expired"}]
        assert desk.all("ReservationStatusUpdate") == ([] if version == "1.6" else told)

    story(tell, version)


@pytest.mark.parametrize("version", V2)
def test_a_reservation_ends_when_its_evse_breaks_down(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        assert await reserved(desk, version, 1) == "Accepted"
        station.break_down(station.evses[0], "GroundFailure")
        told = await desk.next("ReservationStatusUpdate")
        assert told == {"reservationId": 1, "reservationUpdateStatus": "Removed"}
        assert await reserved(desk, version, 1) == "Faulted"

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_reservation_is_cancelled_by_its_id_alone(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        await reserved(desk, version, 2)
        cancel = "CancelReservation"
        assert (await desk.order("CP-1", cancel, {"reservationId": 7}))["status"] == "Rejected"
        assert (await desk.order("CP-1", cancel, {"reservationId": 1}))["status"] == "Accepted"
        assert station.evses[1].status == "available"

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_reservation_of_any_evse_keeps_one_free(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        assert await reserved(desk, version, None) == "Accepted"
        first, second = station.evses
        station.plug_in(first, a_car())
        assert await station.present(first, "OTHER") == "started"
        assert await station.present(second, "OTHER") == "refused"
        assert await station.present(second, "MINE") == "waiting"
        await asyncio.sleep(1)

    story(tell, version)

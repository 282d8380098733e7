"""Local lists, reservations, display messages and customers on the wire, word for word."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cms.contract.refusals import Invalid, NotSupported
from cms.domain.checks import CheckTransaction
from cms.domain.customers import AskCustomer, CertificateHash
from cms.domain.displays import ClearDisplay, Content, Display, GetDisplays, SetDisplay
from cms.domain.lists import AskListVersion, ClearCache, Entry, SendList, Update
from cms.domain.orders import Order
from cms.domain.reservations import CancelReservation, Reserve
from cms.ocpp.dialect import V16, V21, V201, Dialect
from tests.ocpp.test_orders import OK, give

AT = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
V2 = (V201, V21)
CARD = Entry("TAG", "rfid", "accepted", "GRP1", AT)
LOST = Entry("LOST", "emaid", "blocked")
EVSE2 = Entry("TAG2", "rfid", "accepted", evses=(2,))
TOKEN = {"idToken": "TAG", "type": "ISO14443"}


def many(count: int) -> tuple[Entry, ...]:
    return tuple(Entry(f"TAG{n}", "rfid", "accepted") for n in range(count))


def update(**fields: Any) -> SendList:
    return SendList(update=Update(**{"full": True, "version": 5} | fields))


async def test_a_full_list_of_1_6() -> None:
    calls, answer = await give(V16, update(entries=(CARD, LOST)), OK)
    listed = [
        {
            "idTag": "TAG",
            "idTagInfo": {
                "status": "Accepted",
                "parentIdTag": "GRP1",
                "expiryDate": "2026-05-04T12:00:00.000Z",
            },
        },
        {"idTag": "LOST", "idTagInfo": {"status": "Blocked"}},
    ]
    assert calls == [
        ("SendLocalList", {"listVersion": 5, "updateType": "Full", "localAuthorizationList": listed})
    ]
    assert (answer.verdict, answer.answer["version"]) == ("accepted", 5)


@pytest.mark.parametrize("dialect", V2, ids=lambda dialect: dialect.version)
async def test_a_full_list_of_2(dialect: Dialect) -> None:
    calls, _ = await give(dialect, update(entries=(CARD, LOST, EVSE2)), OK)
    assert [entry["idTokenInfo"] for entry in calls[0][1]["localAuthorizationList"]] == [
        {
            "status": "Accepted",
            "cacheExpiryDateTime": "2026-05-04T12:00:00.000Z",
            "groupIdToken": {"idToken": "GRP1", "type": "Central"},
        },
        {"status": "Blocked"},
        {"status": "Accepted", "evseId": [2]},
    ]
    assert calls[0][1]["localAuthorizationList"][1]["idToken"] == {"idToken": "LOST", "type": "eMAID"}


@pytest.mark.parametrize("dialect", (V16, *V2), ids=lambda dialect: dialect.version)
async def test_what_leaves_a_list_has_no_info_and_an_empty_list_is_absent(dialect: Dialect) -> None:
    calls, _ = await give(dialect, update(full=False, removed=(CARD,)), OK)
    assert calls[0][1]["localAuthorizationList"] == [
        {"idTag": "TAG"} if dialect is V16 else {"idToken": TOKEN}
    ]
    calls, _ = await give(dialect, update(), OK)
    assert "localAuthorizationList" not in calls[0][1]


async def test_a_long_list_is_cut_into_messages_with_rising_versions() -> None:
    calls, answer = await give(V16, update(entries=many(5), per_message=2), OK, OK, OK)
    assert [(said["updateType"], said["listVersion"]) for _, said in calls] == [
        ("Full", 5),
        ("Differential", 6),
        ("Differential", 7),
    ]
    assert [len(said["localAuthorizationList"]) for _, said in calls] == [2, 2, 1]
    assert answer.answer["version"] == 7


async def test_a_list_is_cut_by_bytes_too() -> None:
    order = update(entries=many(9), bytes_per_message=600)
    calls, _ = await give(V201, order, OK, OK, OK)
    assert sum(len(said["localAuthorizationList"]) for _, said in calls) == 9
    assert all(len(str(said)) < 600 for _, said in calls)


async def test_after_a_no_the_rest_of_a_list_is_not_sent() -> None:
    order = update(entries=many(5), per_message=2)
    calls, answer = await give(V16, order, OK, {"status": "VersionMismatch"})
    assert len(calls) == 2
    assert (answer.verdict, answer.word) == ("rejected", "VersionMismatch")


@pytest.mark.parametrize(
    ("dialect", "said"),
    [(V16, {"listVersion": -1}), (V201, {"versionNumber": 7}), (V21, {"versionNumber": 0})],
)
async def test_whatever_version_a_station_has_is_an_answer(dialect: Dialect, said: dict[str, int]) -> None:
    calls, answer = await give(dialect, AskListVersion(), said)
    assert calls == [("GetLocalListVersion", {})]
    assert (answer.verdict, answer.word) == ("accepted", str(next(iter(said.values()))))


@pytest.mark.parametrize("dialect", (V16, *V2), ids=lambda dialect: dialect.version)
async def test_a_cache_is_cleared(dialect: Dialect) -> None:
    calls, answer = await give(dialect, ClearCache(), {"status": "Rejected"})
    assert (calls, answer.verdict) == ([("ClearCache", {})], "rejected")


async def test_a_reservation_of_1_6() -> None:
    calls, _ = await give(V16, Reserve(7, "TAG", "rfid", AT, 1, group="GRP1"), OK)
    said = {
        "connectorId": 1,
        "expiryDate": "2026-05-04T12:00:00.000Z",
        "idTag": "TAG",
        "reservationId": 7,
        "parentIdTag": "GRP1",
    }
    assert calls == [("ReserveNow", said)]
    calls, _ = await give(V16, Reserve(7, "TAG", "rfid", AT), OK)
    assert calls[0][1]["connectorId"] == 0


@pytest.mark.parametrize("dialect", V2, ids=lambda dialect: dialect.version)
async def test_a_reservation_of_2(dialect: Dialect) -> None:
    calls, _ = await give(dialect, Reserve(7, "TAG", "rfid", AT, connector_type="ccCS2", group="GRP1"), OK)
    said = {
        "id": 7,
        "expiryDateTime": "2026-05-04T12:00:00.000Z",
        "idToken": TOKEN,
        "connectorType": "cCCS2",
        "groupIdToken": {"idToken": "GRP1", "type": "Central"},
    }
    assert calls == [("ReserveNow", said)]


@pytest.mark.parametrize("dialect", (V16, *V2), ids=lambda dialect: dialect.version)
async def test_a_reservation_is_given_up(dialect: Dialect) -> None:
    calls, _ = await give(dialect, CancelReservation(7), OK)
    assert calls == [("CancelReservation", {"reservationId": 7})]


async def test_2_1_takes_connector_types_that_2_0_1_does_not_know() -> None:
    calls, _ = await give(V21, Reserve(7, "TAG", "rfid", AT, connector_type="cMCS"), OK)
    assert calls[0][1]["connectorType"] == "cMCS"
    with pytest.raises(Invalid, match="knows no connector type 'cMCS'"):
        await give(V201, Reserve(7, "TAG", "rfid", AT, connector_type="cMCS"))


@pytest.mark.parametrize("dialect", V2, ids=lambda dialect: dialect.version)
async def test_a_transaction_is_asked_about_or_the_whole_queue(dialect: Dialect) -> None:
    calls, answer = await give(
        dialect, CheckTransaction("tx"), {"ongoingIndicator": False, "messagesInQueue": True}
    )
    assert calls == [("GetTransactionStatus", {"transactionId": "tx"})]
    assert answer.word == "that it is not ongoing, that messages wait in its queue"
    calls, answer = await give(dialect, CheckTransaction(), {"messagesInQueue": False})
    assert (calls, answer.verdict) == ([("GetTransactionStatus", {})], "accepted")


@pytest.mark.parametrize("dialect", V2, ids=lambda dialect: dialect.version)
@pytest.mark.parametrize(
    ("order", "named"),
    [
        (AskCustomer(7, True, False, "TAG", "rfid"), {"idToken": TOKEN}),
        (AskCustomer(7, True, False, identifier="me"), {"customerIdentifier": "me"}),
        (
            AskCustomer(7, True, False, certificate=CertificateHash("SHA256", "aa", "bb", "01")),
            {
                "customerCertificate": {
                    "hashAlgorithm": "SHA256",
                    "issuerNameHash": "aa",
                    "issuerKeyHash": "bb",
                    "serialNumber": "01",
                }
            },
        ),
    ],
)
async def test_a_customer_is_named_in_one_way(dialect: Dialect, order: Order, named: dict[str, Any]) -> None:
    calls, _ = await give(dialect, order, OK)
    assert calls == [("CustomerInformation", {"requestId": 7, "report": True, "clear": False} | named)]


@pytest.mark.parametrize("dialect", V2, ids=lambda dialect: dialect.version)
async def test_a_message_for_the_display(dialect: Dialect) -> None:
    display = Display(
        3, Content("Hi", "ascii", "en"), "always-front", "charging", AT, AT.replace(hour=13), "tx"
    )
    calls, _ = await give(dialect, SetDisplay(display), OK)
    said = {
        "id": 3,
        "priority": "AlwaysFront",
        "state": "Charging",
        "startDateTime": "2026-05-04T12:00:00.000Z",
        "endDateTime": "2026-05-04T13:00:00.000Z",
        "transactionId": "tx",
        "message": {"format": "ASCII", "content": "Hi", "language": "en"},
    }
    assert calls == [("SetDisplayMessage", {"message": said})]


async def test_2_1_says_more_on_displays_than_2_0_1() -> None:
    more = Display(
        3, Content("x" * 1024, "qrcode"), state="suspended", extra=(Content("Hallo", language="de"),)
    )
    calls, _ = await give(V21, SetDisplay(more), OK)
    assert calls[0][1]["message"]["messageExtra"] == [
        {"format": "UTF8", "content": "Hallo", "language": "de"}
    ]
    for display in (
        Display(3, Content("x" * 513)),
        Display(3, Content("x", "qrcode")),
        Display(3, Content("x"), state="suspended"),
        Display(3, Content("x"), extra=more.extra),
    ):
        with pytest.raises(NotSupported, match=r"OCPP 2\.0\.1"):
            await give(V201, SetDisplay(display))


@pytest.mark.parametrize("dialect", V2, ids=lambda dialect: dialect.version)
async def test_messages_are_asked_for_and_cleared(dialect: Dialect) -> None:
    calls, answer = await give(dialect, GetDisplays(7, (1, 2), "in-front", "idle"), {"status": "Unknown"})
    said = {"requestId": 7, "id": [1, 2], "priority": "InFront", "state": "Idle"}
    assert (calls, answer.verdict) == ([("GetDisplayMessages", said)], "accepted")
    calls, answer = await give(dialect, ClearDisplay(1), {"status": "Unknown"})
    assert (calls, answer.verdict) == ([("ClearDisplayMessage", {"id": 1})], "rejected")


@pytest.mark.parametrize(
    "order",
    [
        CheckTransaction("1"),
        AskCustomer(1, True, False, "TAG", "rfid"),
        SetDisplay(Display(1, Content("Hi"))),
        GetDisplays(1),
        ClearDisplay(1),
        Reserve(1, "TAG", "rfid", AT, connector_type="cCCS2"),
    ],
)
async def test_what_1_6_cannot_say_is_refused_in_a_sentence_that_names_it(order: Order) -> None:
    with pytest.raises(NotSupported, match=r"OCPP 1\.6"):
        await give(V16, order)

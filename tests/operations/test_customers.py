from __future__ import annotations

from typing import Any

import pytest

from cms.contract.customers import (
    AskCustomer,
    CustomerReportView,
    ForgetCustomerReports,
    ListCustomerReports,
    ShowCustomerReport,
)
from cms.contract.intents import IntentView, ListIntents
from cms.contract.lists import SetList, ShowList, SyncList
from cms.contract.refusals import Invalid, NotFound, NotSupported, Rejected
from cms.contract.tokens import AddToken
from cms.domain import customers as domain
from cms.domain.customers import LONGEST, REMEMBERED, CustomerTold
from cms.domain.lists import SendList
from cms.domain.orders import OrderAnswer
from cms.operations import customers, intents, lists, tokens
from tests.operations.small import ANA, Small


@pytest.fixture(autouse=True)
async def speaks_2(small: Small) -> None:
    small.stations.connect("CP1", "2.1")


async def ask(small: Small, **fields: Any) -> IntentView:
    request = AskCustomer(**{"station": "CP1", "token": "CARD1"} | fields)
    answer = await customers.ask(small.core, request, ANA)
    assert isinstance(answer, IntentView)
    return answer


async def tell(small: Small, request_id: int, seq_no: int, text: str, more: bool = False) -> None:
    await small.hear("CP1", CustomerTold(request_id, seq_no, text, more), version="2.1")


async def report(small: Small, request_id: int | None = None) -> CustomerReportView:
    return await customers.show(small.core, ShowCustomerReport("CP1", request_id), ANA)


async def test_a_report_is_put_together_from_its_parts(small: Small) -> None:
    number = (await ask(small)).params["request_id"]
    await tell(small, number, 0, "Ada ", more=True)
    await tell(small, number, 0, "Ada ", more=True)
    assert (await report(small)).complete is False
    await tell(small, number, 1, "Lovelace")
    seen = await report(small)
    assert (seen.text, seen.parts, seen.complete, seen.missing) == ("Ada Lovelace", 2, True, ())
    (intent,) = await intents.list_(small.core, ListIntents(), ANA)
    assert intent.status == "confirmed"


async def test_a_missing_part_is_told(small: Small) -> None:
    number = (await ask(small)).params["request_id"]
    await tell(small, number, 0, "a", more=True)
    await tell(small, number, 2, "c")
    seen = await report(small)
    assert (seen.text, seen.complete, seen.missing) == ("ac", False, (1,))


async def test_what_nobody_asked_for_is_not_kept(small: Small) -> None:
    await tell(small, 4711, 0, "Ada")
    assert (await report(small, 4711)).text == ""


async def test_no_event_tells_the_text(small: Small) -> None:
    number = (await ask(small)).params["request_id"]
    await tell(small, number, 0, "Ada")
    assert not [e for e in await small.core.store.events_after(None, 100) if "Ada" in str(e)]


async def test_texts_are_bounded_and_the_oldest_are_forgotten(small: Small) -> None:
    numbers = []
    for _ in range(REMEMBERED + 2):
        numbers.append((await ask(small)).params["request_id"])
        await tell(small, numbers[-1], 0, "x" * (LONGEST - 1), more=True)
        await tell(small, numbers[-1], 1, "yz")
        small.clock.pass_(seconds=1)
    kept = await small.core.store.kept("CP1", domain.KIND)
    assert list(kept) == [str(number) for number in numbers[2:]]
    seen = await report(small)
    assert (len(seen.text or ""), seen.cut) == (LONGEST, True)


async def test_a_customer_is_named_in_exactly_one_way(small: Small) -> None:
    for fields in (
        {"identifier": "7"},
        {"token": None},
        {"report": False},
        {"token": None, "identifier": ""},
        {"token": None, "certificate": "MD5:aa:bb:cc"},
        {"kind": "no kind\n"},
    ):
        with pytest.raises(Invalid):
            await ask(small, **fields)
    await ask(small, token=None, certificate="sha256:AA:bb:01")
    _, order = small.stations.given[-1]
    assert isinstance(order, domain.AskCustomer)
    assert order.certificate == domain.CertificateHash("SHA256", "AA", "bb", "01")


async def test_a_customer_who_is_only_cleared_is_not_waited_for(small: Small) -> None:
    assert (await ask(small, report=False, clear=True)).status == "confirmed"


async def test_a_no_is_no(small: Small) -> None:
    small.stations.answer = OrderAnswer("rejected", "Invalid", {"status": "Invalid"})
    with pytest.raises(Rejected, match="Invalid"):
        await ask(small)
    assert await customers.list_(small.core, ListCustomerReports("CP1"), ANA) == []


async def test_reports_can_be_forgotten(small: Small) -> None:
    number = (await ask(small)).params["request_id"]
    await tell(small, number, 0, "Ada")
    await customers.forget(small.core, ForgetCustomerReports("CP1"), ANA)
    with pytest.raises(NotFound):
        await report(small)
    await small.restart()
    assert await customers.list_(small.core, ListCustomerReports("CP1"), ANA) == []


async def test_a_key_code_is_not_written_down(small: Small) -> None:
    await tokens.add(small.core, AddToken("4711", kind="key-code"), ANA)
    assert (await ask(small, token="4711")).params["token"] == "***"


async def test_1_6_knows_nothing_of_customers(small: Small) -> None:
    small.stations.connect("CP1", "1.6")
    with pytest.raises(NotSupported, match=r"OCPP 1\.6"):
        await ask(small)


async def test_a_customer_who_is_cleared_leaves_the_local_list_and_stays_out(small: Small) -> None:
    await tokens.add(small.core, AddToken("CARD2"), ANA)
    small.stations.answer = OrderAnswer("accepted", "Accepted", {"status": "Accepted", "version": 1})
    await lists.sync(small.core, SyncList(station="CP1"), ANA)
    await ask(small, clear=True)
    await small.settled()
    _, sent = small.stations.given[-1]
    assert isinstance(sent, SendList) and sent.update is not None
    assert ([e.token for e in sent.update.removed], sent.update.entries) == (["CARD1"], ())
    shown = (await lists.show(small.core, ShowList("CP1"), ANA)).list
    assert (shown.state, shown.entries, shown.cleared) == ("current", 1, 1)
    await lists.set_(small.core, SetList("CP1"), ANA)
    assert (await lists.show(small.core, ShowList("CP1"), ANA)).list.state == "stale"

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from cms.contract.events import ListEvents
from cms.contract.payments import (
    AuthorizePayment,
    BeginWebPayment,
    ListPayments,
    SettlePayment,
    SetUpWebPayment,
    ShowPayment,
    ShowWebPaymentCode,
)
from cms.contract.refusals import Conflict, Denied, Invalid, NotSupported, Rejected
from cms.contract.stations import AddStation
from cms.domain.observations import TokenPresented, TokenRef
from cms.domain.orders import OrderAnswer, RemoteStart, WriteVariables
from cms.domain.payments import NotifyWebPaymentStarted, SettlementNotified, VatAnswer, VatNumberPresented
from cms.operations import events, payments, stations
from tests.domain.build import NOON, after, event, register
from tests.operations.small import ANA, Small

PSP = TokenRef("PSP1", "direct-payment")


@pytest.fixture(autouse=True)
def modern(small: Small) -> None:
    small.stations.connect("CP1", "2.1")


def settled(ref: str = "PSP1", status: str = "settled", **more: Any) -> SettlementNotified:
    return SettlementNotified(ref, status, Decimal("1.21"), NOON, **more)


async def payment(small: Small, ref: str = "PSP1") -> Any:
    return await payments.show(small.core, ShowPayment(ref), ANA)


async def authorize(small: Small, **more: Any) -> Any:
    request = AuthorizePayment(psp_ref="PSP1", station="CP1", evse=1, **more)
    return await payments.authorize(small.core, request, ANA)


async def test_an_authorised_payment_starts_its_session_and_waits_to_be_settled(small: Small) -> None:
    await authorize(small, max_cost=Decimal(30))
    order = small.stations.given[0][1]
    assert isinstance(order, RemoteStart)
    assert (order.token, order.token_kind) == ("PSP1", "direct-payment")
    assert (await payment(small)).status == "authorized"
    begun = await small.hear(
        "CP1",
        event("started", 0, NOON, evse=1, token=PSP, remote_start_id=order.remote_start_id),
        "2.1",
    )
    assert (begun.token.status, begun.account.limit.max_cost) == ("accepted", Decimal(30))
    assert (await payment(small)).status == "charging"
    await small.hear("CP1", event("ended", 1, after(10), readings=(register(5, after(10)),)), "2.1")
    assert (await payment(small)).status == "ended"
    request = SettlePayment("PSP1", "settled", Decimal("1.25"))
    assert (await payments.settle(small.core, request, ANA)).status == "settled"
    with pytest.raises(Conflict, match="settled already"):
        await payments.settle(small.core, SettlePayment("PSP1", "canceled"), ANA)


@pytest.mark.parametrize("status", ["canceled", "rejected", "failed"])
async def test_who_gave_up_starts_nothing_with_a_payment_that_was_given_back(
    small: Small, status: str
) -> None:
    """The station was told to wait for a car, and another driver's car came."""
    await authorize(small)
    await payments.settle(small.core, SettlePayment("PSP1", status), ANA)
    assert (await small.hear("CP1", TokenPresented(PSP), "2.1")).status == "invalid"
    begun = await small.hear("CP1", event("started", 0, NOON, evse=1, token=PSP), "2.1")
    assert begun.token.status == "invalid"
    await small.hear("CP1", event("ended", 1, after(1), readings=(register(5, after(1)),)), "2.1")
    assert (await payment(small)).status == status


async def test_what_began_offline_stands_whatever_became_of_its_payment(small: Small) -> None:
    await authorize(small)
    await payments.settle(small.core, SettlePayment("PSP1", "canceled"), ANA)
    begun = await small.hear("CP1", event("started", 0, NOON, evse=1, token=PSP, offline=True), "2.1")
    assert begun.token.status == "accepted"
    assert (await payment(small)).status == "canceled"


async def test_a_payment_is_recorded_before_its_order_and_says_why_nothing_began(small: Small) -> None:
    small.stations.answer = OrderAnswer("rejected", "Rejected", {"status": "Rejected"})
    with pytest.raises(Rejected):
        await authorize(small)
    assert "refused start: Rejected" in (await payment(small)).detail


async def test_a_reference_is_good_for_one_payment(small: Small) -> None:
    await authorize(small)
    with pytest.raises(Conflict, match="known already"):
        await authorize(small)


async def test_a_settlement_is_recorded_once_however_often_it_comes(small: Small) -> None:
    for _ in range(3):
        await small.hear("CP1", settled(), "2.1")
    (told,) = await events.list_(small.core, ListEvents(type="payment.changed"), ANA)
    assert told.data["payment"]["status"] == "settled"
    await small.hear("CP1", settled("PSP9", "failed", detail="card expired"), "2.1")
    (failed,) = await payments.list_(small.core, ListPayments("failed"), ANA)
    assert (failed.psp_ref, failed.detail) == ("PSP9", "card expired")


async def test_a_station_has_no_say_in_another_stations_payment(small: Small) -> None:
    await stations.add(small.core, AddStation("CP2"), ANA)
    await authorize(small)
    await small.hear("CP2", settled(), "2.1")
    await small.hear("CP2", event("started", 0, NOON, evse=1, token=PSP), "2.1")
    await small.hear("CP2", event("ended", 1, after(1)), "2.1")
    assert (await payment(small)).status == "authorized"
    told = await events.list_(small.core, ListEvents(type="station.security"), ANA)
    assert {e.data["kind"] for e in told} == {"ForeignPayment"}


async def test_a_receipt_is_where_the_settings_say(small: Small) -> None:
    import dataclasses

    assert (await small.hear("CP1", settled(), "2.1")).receipt_url is None
    small.core.terms = dataclasses.replace(small.core.terms, receipt_url="https://r.example/{psp_ref}")
    assert (await small.hear("CP1", settled("A/B"), "2.1")).receipt_url == "https://r.example/A%2FB"
    own = settled("C", receipt_url="https://terminal.example/1")
    assert (await small.hear("CP1", own, "2.1")).receipt_url is None
    assert (await payment(small, "C")).receipt_url == "https://terminal.example/1"


async def test_codes_lead_to_our_pay_page_unless_somebody_says_otherwise(small: Small) -> None:
    small.core.terms = replace(small.core.terms, pay_url="https://pay.example")
    for said, leads in (
        (None, "https://pay.example/w/{chargingstationid}/{evse}?totp={totp}&version={version}"),
        ("https://other.example/{totp}", "https://other.example/{totp}"),
    ):
        await payments.set_up(small.core, SetUpWebPayment(station="CP1", url=said), ANA)
        order = small.stations.given[-1][1]
        assert isinstance(order, WriteVariables) and order.values["WebPaymentsCtrlr.URLTemplate"] == leads


async def test_a_scanned_code_is_checked_before_anything_is_sent(small: Small) -> None:
    await payments.set_up(small.core, SetUpWebPayment(station="CP1"), ANA)
    order = small.stations.given.pop()[1]
    assert isinstance(order, WriteVariables)
    code = await payments.code(small.core, ShowWebPaymentCode("CP1", 1), ANA)
    request = BeginWebPayment(station="CP1", evse=1, totp=code.totp)
    await payments.begin(small.core, request, ANA)
    assert small.stations.given == [("CP1", NotifyWebPaymentStarted(1, 120))]
    small.clock.pass_(minutes=3)
    with pytest.raises(Denied):
        await payments.begin(small.core, request, ANA)
    with pytest.raises(Invalid, match="version 1"):
        await payments.begin(small.core, BeginWebPayment(station="CP1", evse=1, totp="x", version="2"), ANA)


async def test_two_stations_have_two_secrets_and_none_is_readable_in_the_record(small: Small) -> None:
    await stations.add(small.core, AddStation("CP2"), ANA)
    small.stations.connect("CP2", "2.1")
    for name in ("CP1", "CP2"):
        await payments.set_up(small.core, SetUpWebPayment(station=name), ANA)
    secrets = [o.values["WebPaymentsCtrlr.SharedSecret"] for _, o in small.stations.given]  # type: ignore[attr-defined]
    assert len(set(secrets)) == 2
    kept = (small.folder / "cms.db").read_bytes() + (small.folder / "cms.db-wal").read_bytes()
    assert not any(secret.encode() in kept for secret in secrets)


async def test_older_versions_have_no_payments_by_reference(small: Small) -> None:
    small.stations.connect("CP1", "2.0.1")
    with pytest.raises(NotSupported, match=r"OCPP 2\.0\.1 has no payments by reference"):
        await authorize(small)


async def test_a_vat_number_is_answered_by_whoever_is_named_and_else_refused(small: Small) -> None:
    asked = VatNumberPresented("NL1", 2)
    refused = await small.hear("CP1", asked, "2.1")
    assert (refused.accepted, refused.number, refused.evse) == (False, "NL1", 2)

    async def known(number: str) -> VatAnswer:
        return VatAnswer("something else", None, True)

    small.core.vat = known
    accepted = await small.hear("CP1", asked, "2.1")
    assert (accepted.accepted, accepted.number, accepted.evse) == (True, "NL1", 2)

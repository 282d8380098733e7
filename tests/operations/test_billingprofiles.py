"""How a driver pays: said by somebody, kept apart where it is personal, heeded when a session ends."""

from __future__ import annotations

from typing import Any

import pytest

from cms.contract.billingprofiles import (
    BillingProfileView,
    ListBillingProfiles,
    SetBillingProfile,
    ShowBillingProfile,
)
from cms.contract.drivers import AddDriver
from cms.contract.refusals import Invalid, NotFound
from cms.domain import billing, vatids
from cms.domain.payments import VatAnswer
from cms.operations import billingprofiles, drivers
from tests.operations.small import ANA, Small


async def profile(small: Small, **fields: Any) -> BillingProfileView:
    return await billingprofiles.set_(small.core, SetBillingProfile("ada", **fields), ANA)


@pytest.fixture(autouse=True)
async def ada(small: Small) -> None:
    await drivers.add(small.core, AddDriver("ada", email="ada@example.org"), ANA)


async def test_what_was_said_of_a_driver_is_found_again_after_a_restart(small: Small) -> None:
    await profile(small, way="card", every="session", company="Analytical Engines", vat_id="DE 123456789")
    await profile(small, purchase_reference="PO-1")
    await small.restart()
    seen = await billingprofiles.show(small.core, ShowBillingProfile("ADA"), ANA)
    assert (seen.way, seen.every, seen.company, seen.vat_id) == (
        "card",
        "session",
        "Analytical Engines",
        "DE123456789",
    )
    assert (seen.purchase_reference, seen.vat_checked) == ("PO-1", None)
    assert [
        one.driver for one in await billingprofiles.list_(small.core, ListBillingProfiles("way=card"), ANA)
    ] == ["ada"]
    assert billing.way_of(small.core.kept, "ada") == "card"
    assert billing.way_of(small.core.kept, "nobody") is None


async def test_an_empty_text_takes_a_field_away(small: Small) -> None:
    await profile(small, way="free", company="Analytical Engines")
    seen = await profile(small, way="", company="")
    assert (seen.way, seen.company) == (None, None)


async def test_company_and_vat_number_are_encrypted_and_in_no_event(small: Small) -> None:
    await profile(small, company="Canary Engines", vat_id="DE123456789")
    events = await small.core.store.events_after(None, 100)
    assert "Canary" not in repr(events) and "DE123456789" not in repr(events)
    await small.core.store.close()
    written = b"".join(path.read_bytes() for path in sorted(small.folder.glob("cms.db*")))
    assert b"Canary" not in written and b"DE123456789" not in written
    await small.open()


@pytest.mark.parametrize(
    "fields",
    [
        {"way": "cash"},
        {"every": "year"},
        {"vat_id": "123"},
        {"vat_id": "DE12345"},
        {"invoice_email": "nobody"},
        {"company": "=cmd()"},
    ],
)
async def test_what_cannot_be_is_refused(small: Small, fields: Any) -> None:
    with pytest.raises(Invalid):
        await profile(small, **fields)
    assert billing.profile(small.core.kept, "ada") is None


async def test_a_vat_number_is_asked_about_where_somebody_is_named(small: Small) -> None:
    async def service(number: str) -> VatAnswer:
        return VatAnswer(number, None, number == "ATU12345678", reason="nobody has it")

    small.core.vat = service
    assert (await profile(small, vat_id="atu 1234 5678")).vat_checked is True
    with pytest.raises(Invalid, match="nobody has it"):
        await profile(small, vat_id="DE123456789")
    assert (await profile(small, vat_id="")).vat_checked is None


async def test_nobody_pays_for_a_stranger(small: Small) -> None:
    with pytest.raises(NotFound):
        await billingprofiles.set_(small.core, SetBillingProfile("ben", way="card"), ANA)


async def test_a_saved_card_is_kept_by_the_names_of_its_provider(small: Small) -> None:
    await billingprofiles.save_card(small.core, "ada", "cus_1", "pm_1", "visa 4242 12/28", ANA)
    seen = await billingprofiles.shown(small.core, "ada")
    assert seen.card == "visa 4242 12/28"
    known = billing.profile(small.core.kept, "ada")
    assert known is not None and (known.customer, known.method) == ("cus_1", "pm_1")


@pytest.mark.parametrize(
    "number", ["NL123456789B01", "FRXX123456789", "ESX1234567X", "CHE123456789MWST", "US12345678"]
)
def test_numbers_of_many_countries_are_read(number: str) -> None:
    assert vatids.read(f" {number[:2]} {number[2:5]}.{number[5:].lower()} ") == number

"""Bills and payments come back as they were saved, on both databases."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import msgspec

from cms.contract.payments import Limit
from cms.domain import changes as c
from cms.domain.accounts import Account
from cms.domain.costs import Progress, Volume
from cms.domain.observations import StationCosts
from cms.domain.payments import Payment
from cms.store.engine import SqlStore
from cms.store.schema import exactly
from tests.store.things import NOON

ACCOUNT = Account(
    "s1",
    Progress(
        NOON,
        NOON,
        Fraction(5, 3),
        Fraction(60),
        Fraction(1, 7),
        (Volume("T", "energy", 0, Fraction(10**30, 3), NOON, NOON, Fraction(5, 3)),),
        zone="Europe/Berlin",
    ),
    timeline=((NOON, "T"),),
    turns=((NOON, True),),
    total=Decimal("1.20"),
    currency="EUR",
    limit=Limit(max_cost=Decimal("20.00")),
    station_costs=StationCosts(
        "EUR", Decimal(1), Decimal("1.2"), parts=(("energy", Decimal(1), Decimal(2)),)
    ),
    final=True,
    remarks=("text ünd \u202e",),
)


async def test_a_bill_comes_back_whole_and_the_newer_one_counts(store: SqlStore) -> None:
    assert await store.bill("s1") is None
    await store.commit([c.SaveBill("CP-1", ACCOUNT, NOON)], [])
    assert await store.bill("s1") == ACCOUNT
    later = Account("s1", Progress(NOON, NOON), final=True)
    await store.commit([c.SaveBill("CP-1", later, NOON)], [])
    assert await store.bill("s1") == later


async def test_a_bill_outlives_its_station(store: SqlStore) -> None:
    await store.commit([c.SaveBill("CP-1", ACCOUNT, NOON)], [])
    await store.commit([c.DropStation("CP-1")], [])
    assert await store.bill("s1") == ACCOUNT


async def test_payments_are_found_by_reference_status_and_station(store: SqlStore) -> None:
    one = Payment("P1", "ended", NOON, station="CP-1", amount=Decimal("1.20"), limit=Limit(max_soc=80))
    two = Payment("P2", "failed", NOON + timedelta(minutes=1), detail="no\0thing")
    await store.commit([c.SavePayment(one), c.SavePayment(two)], [])
    assert await store.payment("P1") == one
    assert [p.psp_ref for p in await store.payments(None, None, 10)] == ["P2", "P1"]
    assert [p.psp_ref for p in await store.payments("failed", None, 10)] == ["P2"]
    assert [p.psp_ref for p in await store.payments(None, "cp-1", 10)] == ["P1"]
    assert len(await store.payments(None, None, 1)) == 1


async def test_an_account_of_before_fractions_is_read(store: SqlStore) -> None:
    """Energy, spans and volumes were decimals, to a millionth, and volumes did not say when."""
    older = (
        '{"session":"s1","progress":{"since":"2026-05-04T12:00:00Z","at":"2026-05-04T13:00:00Z",'
        '"energy_wh":"1500.5","charging_s":"3600","idle_s":"0","volumes":'
        '[{"tariff":"T","component":"energy","price":0,"amount":"1500.500000"}],"evse_kind":null}}'
    )
    account = msgspec.json.decode(older, type=Account, strict=False, dec_hook=exactly)
    assert account.progress.volumes == (Volume("T", "energy", 0, Fraction(3001, 2)),)
    assert account.progress.charging_s == 3600

"""Every action that a station may say, said by software that is not ours, gets a valid answer: little and much."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cms.client import AsyncClient
from cms.contract.charging import SetEnergyTransferRight
from cms.contract.tariffs import AddTariff, Component, Price, SetCredit, Tariff, TariffText, Tax, UseTariff
from cms.contract.tokens import AddToken
from cms.ocpp.actions import SAID_BY_STATIONS
from tests.fleet import client_of, enrol, running
from tests.stories.payloads import made
from tests.stories.peers import KINDS, Json, Peer

CARD = "04A1B2C3"
#: What comes as SEND has no answer, and neither package knows that kind of message (2.1, Part 4 section 4.2.5).
UNANSWERED = {"NotifyPeriodicEventStream"}
#: By field name, in every message: what means something to the daemon, or has a form that no schema tells.
VALUES = {
    "idToken": CARD,
    "idTag": CARD,
    "type": "ISO14443",
    "evseId": 1,
    "connectorId": 1,
}


def said(version: str) -> list[str]:
    """A station boots before it says anything else."""
    return sorted(
        SAID_BY_STATIONS[version] - UNANSWERED, key=lambda action: (action != "BootNotification", action)
    )


def refused(action: str, payload: Json) -> Json:
    raise AssertionError(f"nobody asked for {action}")


@pytest.mark.parametrize("version", SAID_BY_STATIONS)
@pytest.mark.parametrize("kind", KINDS)
async def test_whatever_a_station_may_say_is_answered_validly(
    kind: str, version: str, tmp_path: Path
) -> None:
    async with running(tmp_path, inventory_after_boot="off") as daemon, client_of(daemon) as client:
        passwords = await enrol(client, ["IND-1"], [CARD])
        async with KINDS[kind](daemon.endpoint.url, passwords["IND-1"], version, refused) as station:
            failed = [
                f"{action} ({'much' if rich else 'little'}): {wrong}"
                for rich in (False, True)
                for action in said(version)
                if (wrong := await _said(station, version, action, rich))
            ]
        assert failed == []
        assert station.wrong == []


Said = tuple[str, Json, dict[str, set[str]]]
"""Action, what is said beside the least, what the answer has: its parts with fields in them."""

#: What a station says of one session, and what the answers to it say when there is much to say, by version.
_SESSION_16: tuple[Said, ...] = (
    ("Authorize", {"idTag": CARD}, {"idTagInfo": {"status", "expiryDate", "parentIdTag"}}),
    (
        "StartTransaction",
        {"connectorId": 1, "idTag": CARD, "meterStart": 0},
        {"transactionId": set(), "idTagInfo": {"status", "expiryDate", "parentIdTag"}},
    ),
)
_EVSE = {"id": 1, "connectorId": 1}
_TOKEN = {"idToken": CARD, "type": "ISO14443"}
_INFO = {"status", "cacheExpiryDateTime", "groupIdToken", "evseId", "personalMessage"}
_ABILITIES = [
    {
        "component": {"name": "TariffCostCtrlr"},
        "variable": {"name": "Enabled", "instance": what},
        "variableAttribute": [{"value": "true"}],
    }
    for what in ("Tariff", "Cost")
]
#: Texts and costs are told to stations that said they show them.
_SHOWS: Said = ("NotifyReport", {"reportData": _ABILITIES}, {})
_SESSION_201: tuple[Said, ...] = (
    _SHOWS,
    ("Authorize", {"idToken": _TOKEN}, {"idTokenInfo": _INFO}),
    (
        "TransactionEvent",
        {"eventType": "Started", "triggerReason": "Authorized", "seqNo": 0, "evse": _EVSE, "idToken": _TOKEN},
        {"idTokenInfo": _INFO - {"personalMessage"}, "totalCost": set()},
    ),
    (
        "TransactionEvent",
        {"eventType": "Updated", "triggerReason": "MeterValuePeriodic", "seqNo": 1},
        {"totalCost": set()},
    ),
)
_SESSION_21: tuple[Said, ...] = (
    _SHOWS,
    (
        "Authorize",
        {"idToken": _TOKEN},
        {"idTokenInfo": _INFO, "tariff": {"tariffId"}, "allowedEnergyTransfer": set()},
    ),
    (*_SESSION_201[2][:2], {"idTokenInfo": set(), "transactionLimit": {"maxCost"}}),
    (*_SESSION_201[3][:2], {"totalCost": set()}),
    ("NotifySettlement", {"pspRef": "P1", "status": "Settled", "settlementAmount": 1}, {"receiptUrl": set()}),
)
SESSIONS = {"1.6": _SESSION_16, "2.0.1": _SESSION_201, "2.1": _SESSION_21}


@pytest.mark.parametrize("version", SESSIONS)
@pytest.mark.parametrize("kind", KINDS)
async def test_answers_that_say_much_are_valid(kind: str, version: str, tmp_path: Path) -> None:
    terms: dict[str, Any] = {"inventory_after_boot": "off", "receipt_url": "https://pay.example/{psp_ref}"}
    async with running(tmp_path, **terms) as daemon, client_of(daemon) as client:
        passwords = await enrol(client, ["IND-1"], [])
        await _a_driver_with_much(client)
        async with KINDS[kind](daemon.endpoint.url, passwords["IND-1"], version, refused) as station:
            values = _values()
            await station.say("BootNotification", made(version, "BootNotification", values=values))
            for action, payload, wanted in SESSIONS[version]:
                least = made(version, action, values=values)
                answer = await station.say(action, least | payload)
                for part, names in wanted.items():
                    assert part in answer and names <= set(answer[part] if names else ()), (action, answer)
        assert station.wrong == []


async def _a_driver_with_much(client: AsyncClient) -> None:
    """A token of a group that ends, may charge at one EVSE, is prepaid, and has a tariff of its own."""
    ends = datetime.now(UTC) + timedelta(days=30)
    await client.ask(AddToken(CARD, group="fleet", valid_to=ends, places=("IND-1:1",)))
    energy = Component((Price(Decimal("0.5")),), (Tax("vat", Decimal(19)),))
    await client.ask(
        AddTariff(Tariff("own", "EUR", energy, fixed_fee=energy, texts=(TariffText("dear", "en"),)))
    )
    await client.ask(UseTariff("own", token=CARD))
    await client.ask(SetCredit(CARD, Decimal("25.50"), "EUR"))
    await client.ask(SetEnergyTransferRight(CARD, ("DC", "DC_BPT")))


def _values() -> dict[str, Any]:
    return VALUES | {"date-time": datetime.now(UTC).isoformat(timespec="milliseconds")}


async def _said(station: Peer, version: str, action: str, rich: bool) -> str | None:
    try:
        await station.say(action, made(version, action, rich=rich, values=_values()))
    except Exception as wrong:  # whatever the packages say of it
        return f"{type(wrong).__name__}: {wrong}"
    return None

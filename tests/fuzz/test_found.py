"""What fuzzing found, said again: each once broke a promise of docs/fuzzing.md."""

from __future__ import annotations

import asyncio

import pytest

from cms.domain.installed import InstalledAnswer, ListInstalled
from cms.domain.tariffs import ClearTariffs
from cms.ocpp.dialect import V21
from tests.fuzz.bench import Bench
from tests.ocpp.fakes import converse

AT = "2026-05-04T12:00:00Z"
FOUND: dict[str, tuple[str, ...]] = {
    "blank texts were not counted": ("1.6", " \u2028"),
    "a VAT number too long to be said back": (
        "2.1",
        '[2,"m1","VatNumberValidation",{"vatNumber":"' + "x" * 300 + '"}]',
    ),
    "a message that is not answered, asked as one that is": (
        "2.1",
        f'[2,"m1","NotifyPeriodicEventStream",{{"data":[],"id":0,"pending":0,"basetime":"{AT}"}}]',
    ),
    "names of secrets in a text that is no JSON took seconds": (
        "2.0.1",
        '[2,"1","X",{"' + "password" * 4000 + "}",
    ),
    "so did quotes that never end": ("2.0.1", '[2,"key","X",["' + '\\"' * 16_000),
    "needs of a car where nothing limits it": (
        "2.1",
        f'[2,"m0","TransactionEvent",{{"eventType":"Started","timestamp":"{AT}","triggerReason":"Authorized","seqNo":0,'
        '"transactionInfo":{"transactionId":"tx-1"},"evse":{"id":1,"connectorId":1}}]',
        '[2,"m1","NotifyEVChargingNeeds",{"evseId":1,"chargingNeeds":{"requestedEnergyTransfer":"DC"}}]',
    ),
    "NUL within an action": ("2.0.1", '[2,"m1","Heart\\u0000beat",{}]'),
    "a number beyond what a double holds": (
        "2.1",
        '[2,"m1","Heartbeat",{"customData":{"vendorId":"v","x":1e4000}}]',
    ),
}


@pytest.mark.parametrize("what", FOUND)
async def test_what_was_found_is_mended(what: str) -> None:
    bench = await Bench().open()
    try:
        version, *texts = FOUND[what]
        for text in texts:
            await bench.say(version, text)
    finally:
        await bench.close()
    print(bench.figures)


async def test_tariffs_cleared_with_an_empty_list_of_results_are_cleared() -> None:
    talk = converse(V21)
    giving = asyncio.create_task(talk.link.give(ClearTariffs(), 5))
    asked = await talk.until_sent(1)
    await talk.hear([3, asked[1], {"clearTariffsResult": []}])
    assert (await giving).verdict == "accepted"


async def test_a_certificate_of_a_type_that_nobody_knows_is_listed_all_the_same() -> None:
    data = {"hashAlgorithm": "SHA256", "issuerNameHash": "a", "issuerKeyHash": "b", "serialNumber": "c"}
    chain = {"certificateType": "\x1b[2J", "certificateHashData": data}
    talk = converse(V21)
    giving = asyncio.create_task(talk.link.give(ListInstalled(()), 5))
    asked = await talk.until_sent(1)
    await talk.hear([3, asked[1], {"status": "Accepted", "certificateHashDataChain": [chain]}])
    answer = await giving
    assert isinstance(answer, InstalledAnswer)
    assert [found.type for found in answer.found] == ["unknown"]

from __future__ import annotations

import pytest

from cms.contract.refusals import Invalid
from cms.contract.tokens import AddToken, BlockToken, RemoveToken
from cms.domain.observations import TokenPresented, TokenRef
from cms.operations import tokens
from tests.operations.small import ANA, Small


@pytest.mark.parametrize("kind", ["vendorX", "other:vendorX"])
async def test_a_kind_of_somebodys_own_is_kept_as_it_is_spelled_and_presented_without_case(
    small: Small, kind: str
) -> None:
    token = await tokens.add(small.core, AddToken("T" * 255, kind=kind), ANA)
    assert token.kind == "vendorX"
    shown = await small.hear("CP1", TokenPresented(TokenRef("T" * 255, "vendorx")), "2.1")
    assert shown.status == "accepted"
    other = await small.hear("CP1", TokenPresented(TokenRef("T" * 255, "rfid")), "2.1")
    assert other.status != "accepted"


@pytest.mark.parametrize(
    ("kind", "ours"), [("ISO14443", "rfid"), ("KeyCode", "key-code"), ("eMAID", "emaid")]
)
async def test_kinds_may_be_spelled_as_ocpp_spells_them(small: Small, kind: str, ours: str) -> None:
    assert (await tokens.add(small.core, AddToken("CARD3", kind=kind), ANA)).kind == ours


@pytest.mark.parametrize(
    "kind", ["rifd", "centrl", "other:", "other:rfid", "other:with space", "other:" + "x" * 21, ""]
)
async def test_a_misspelled_kind_is_no_kind_of_its_own(small: Small, kind: str) -> None:
    with pytest.raises(Invalid, match="token kind"):
        await tokens.add(small.core, AddToken("CARD2", kind=kind), ANA)


async def test_no_event_tells_a_key_code(small: Small) -> None:
    # 2.0.1 C04.FR.04
    happening = aiter(small.core.bus.subscribe())
    await tokens.add(small.core, AddToken("4711", kind="key-code"), ANA)
    await tokens.block(small.core, BlockToken("4711"), ANA)
    await tokens.remove(small.core, RemoveToken("4711"), ANA)
    told = [(await anext(happening)).data["token"] for _ in range(3)]
    assert "4711" not in str(told)
    assert len(set(told)) == 1

from __future__ import annotations

from typing import Any

import pytest

from cms.contract.access import AddRule, Rule
from cms.contract.drivers import AddDriver
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.contract.support import FindDrivers, FoundDriver, ShowSupportCard
from cms.contract.tokens import AddToken, BlockToken
from cms.domain.observations import TokenPresented, TokenRef
from cms.operations import access, drivers, support, tokens
from tests.domain.build import start, stop
from tests.operations.small import ANA, Small


async def caller(small: Small, id: str = "ada", card: str = "04A211BC7F9F", **fields: Any) -> None:
    """A driver with a card."""
    await drivers.add(small.core, AddDriver(id, **fields), ANA)
    await tokens.add(small.core, AddToken(card, driver=id, visual_number=f"NO-{card[-4:]}"), ANA)


async def found(small: Small, text: str) -> list[FoundDriver]:
    return await support.find(small.core, FindDrivers(text), ANA)


@pytest.mark.parametrize(
    ("text", "by"),
    [
        ("lovelace", "name"),
        ("ada@", "email"),
        ("030 1234", "phone"),
        ("+49 30", "phone"),
        ("7f9f", "token"),
        ("NO-7F9F", "visual number"),
    ],
)
async def test_a_caller_is_found_by_any_piece_of_what_he_says(small: Small, text: str, by: str) -> None:
    await caller(small, name="Ada Lovelace", email="ada@example.org", phone="+49 30 123456")
    await caller(small, "ben", "04FFFFFF0001", name="Ben Roth")
    (hit,) = await found(small, text)
    assert (hit.driver, hit.name, hit.by) == ("ada", "Ada Lovelace", by)


async def test_who_is_called_exactly_so_comes_first_and_cards_of_nobody_are_found(small: Small) -> None:
    await caller(small, "anna-maria", name="Anna Maria")
    await caller(small, "anna", "04FFFFFF0001", name="Anna")
    assert [hit.driver for hit in await found(small, "anna")] == ["anna", "anna-maria"]
    (hit,) = await found(small, "card1")
    assert (hit.driver, hit.token, hit.by) == (None, "CARD1", "token")


async def test_too_little_to_search_for_is_refused(small: Small) -> None:
    with pytest.raises(Invalid):
        await found(small, "a")


async def test_the_card_tells_what_he_did_where_he_charges_and_why_not(small: Small) -> None:
    await caller(small, name="Ada Lovelace")
    rule = Rule("not-here", "deny", "driver", "ada")
    await small.hear("CP1", start(token="04A211BC7F9F"))
    await access.add(small.core, AddRule(rule), ANA)
    await tokens.add(small.core, AddToken("SECOND", driver="ada"), ANA)
    await small.hear("CP1", TokenPresented(TokenRef("SECOND", None)))
    card = await support.card(small.core, ShowSupportCard("lovelace"), ANA)
    assert card.driver is not None and card.driver.id == "ada"
    assert {token.id for token in card.tokens} == {"04A211BC7F9F", "SECOND"}
    assert [session.station for session in card.now] == ["CP1"]
    assert [(right.rule, right.effect) for right in card.rights] == [("not-here", "deny")]
    assert (card.tries[0].station, card.tries[0].status, card.tries[0].rule) == ("CP1", "blocked", "not-here")
    assert (card.sessions_30d, card.last) == (1, ())


async def test_sessions_that_are_over_are_the_last_ones_and_counted_for_thirty_days(small: Small) -> None:
    await caller(small)
    await small.hear("CP1", start(token="04A211BC7F9F"))
    (running,) = (await support.card(small.core, ShowSupportCard("ada"), ANA)).now
    await small.hear("CP1", stop(running.transaction_id or ""))
    card = await support.card(small.core, ShowSupportCard("04a211bc7f9f"), ANA)
    assert (len(card.now), len(card.last), card.sessions_30d) == (0, 1, 1)
    assert card.energy_30d_wh == card.last[0].energy_wh
    small.clock.pass_(days=31)
    later = await support.card(small.core, ShowSupportCard("ada"), ANA)
    assert (len(later.last), later.sessions_30d, later.energy_30d_wh) == (1, 0, 0)


async def test_a_card_of_nobody_has_a_card_too(small: Small) -> None:
    await tokens.block(small.core, BlockToken("CARD1", "stolen"), ANA)
    card = await support.card(small.core, ShowSupportCard("CARD1"), ANA)
    assert (card.driver, card.tokens[0].blocked_reason) == (None, "stolen")


async def test_who_is_meant_must_be_clear(small: Small) -> None:
    await caller(small, name="Anna K")
    await caller(small, "ben", "04FFFFFF0001", name="Anna L")
    with pytest.raises(Conflict, match="2 of them"):
        await support.card(small.core, ShowSupportCard("anna"), ANA)
    with pytest.raises(NotFound):
        await support.card(small.core, ShowSupportCard("zacharias"), ANA)

"""T30: everything about a person goes out, or is nowhere any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cms.contract.balances import ListBalances, TopUpBalance
from cms.contract.drivers import AddDriver, AddDriverNote, EraseDriver, ExportDriver, ShowDriver
from cms.contract.refusals import Conflict, NotFound
from cms.contract.sessions import ListSessions
from cms.contract.tokens import AddToken, ListTokens
from cms.domain.changes import Keep, Quarantine
from cms.domain.erasure import Aliases
from cms.domain.lists import HELD, KEY, Entry, Held, LocalList
from cms.domain.lists import KIND as LIST
from cms.domain.observations import TokenPresented, TokenRef
from cms.operations import balances, drivers, privacy, sessions, tokens
from tests.domain.build import after, start, stop
from tests.operations.small import ANA, Small

CARD, NAME, MAIL = "CANARY-04A1B2C3", "Canary Wharf-Jones", "canary.jones@example.org"


async def known(small: Small, token: str = CARD) -> None:
    """A driver with a card, who charged once, and of whom much was written."""
    core = small.core
    await drivers.add(core, AddDriver("canary-7", name=NAME, email=MAIL, groups=("staff",)), ANA)
    await drivers.note(core, AddDriverNote("canary-7", f"{NAME} called us"), ANA)
    await tokens.add(core, AddToken(token, driver="canary-7", visual_number="CANARY-0007"), ANA)
    await small.hear("CP1", TokenPresented(TokenRef(token.lower())))
    answer = await small.hear("CP1", start(token=token))
    small.clock.pass_(minutes=30)
    await small.hear("CP1", stop(answer.transaction_id, at=after(30), token=TokenRef(token)))
    held = Held({token.casefold(): Entry(token, "rfid", "accepted", None, None, ())})
    kept = (Keep("CP1", HELD, KEY, held, core.clock.now()),)
    raw = f'[2,"1","Authorize",{{"idTag":"{token}","note":"\\u0043ANARY-04A1B2C3"}}]'
    said = Quarantine("CP1", "Authorize", f"of {token.lower()} at CP1", raw, core.clock.now())
    await core.store.commit((*kept, said), ())
    lane = core.lane("CP1")
    lane.state = lane.state.keeping(LIST, KEY, LocalList(version=3, sure=True))


def written(small: Small) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(small.folder.rglob("*")) if path.is_file()).lower()


async def erase(small: Small, **more: Any) -> Any:
    return await privacy.erase(small.core, EraseDriver("canary-7", **more), ANA)


async def test_everything_about_a_driver_goes_out_in_one_piece(small: Small) -> None:
    await known(small)
    told = await privacy.export(small.core, ExportDriver("canary-7"), ANA)
    text = msgspec.json.encode(told).decode()
    assert (told.driver.name, told.driver.notes[0].text) == (NAME, f"{NAME} called us")
    assert [token.id for token in told.tokens] == [CARD]
    assert [session.energy_wh for session in told.sessions] == [5000]
    assert {"events", "kept", "quarantine", "deliveries"} <= told.named_in.keys()
    assert "session.ended" in text or "session" in text
    assert not told.cut


async def test_after_erasure_a_driver_is_nowhere_and_what_he_charged_still_counts(small: Small) -> None:
    await known(small)
    before = await sessions.list_(small.core, ListSessions(), ANA)
    done = await erase(small)
    assert (done.done, done.tokens, done.lists) == (True, 1, ("CP1",))
    (session,) = await sessions.list_(small.core, ListSessions(), ANA)
    assert session.token is not None and session.token.startswith("erased-")
    assert (session.energy_wh, session.started_at) == (before[0].energy_wh, before[0].started_at)
    assert [s.id for s in await small.core.store.sessions(ListSessions(token=session.token))] == [session.id]
    assert await tokens.list_(small.core, ListTokens("driver=*"), ANA) == []
    assert not small.core.lane("CP1").state.kept_of(LIST)[KEY].sure, "the station is sent its whole list"
    with pytest.raises(NotFound):
        await drivers.show(small.core, ShowDriver("canary-7"), ANA)
    assert CARD.casefold() in small.stations.forgotten
    assert "canary" not in repr(small.core.kept).casefold() + repr(small.core.lane("CP1").state).casefold()
    assert b"canary" not in written(small), "neither the database nor its log holds it"
    await small.restart()
    assert await small.hear("CP1", TokenPresented(TokenRef("CARD1")))


async def test_what_an_erased_driver_paid_before_is_owed_to_his_alias(small: Small) -> None:
    await known(small)
    await balances.top_up(small.core, TopUpBalance("canary-7", Decimal("12.50"), "EUR"), ANA)
    done = await erase(small)
    await small.restart()
    (left,) = await balances.list_(small.core, ListBalances(), ANA)
    assert (left.holder, left.balance.amount) == (done.alias, Decimal("12.50"))
    assert "canary" not in repr(small.core.kept).casefold()
    assert await small.core.store.accounting.balances("prepaid/canary-7") == {("prepaid/canary-7", "EUR"): 0}


async def test_a_dry_run_counts_and_changes_nothing(small: Small) -> None:
    await known(small)
    cursor = await small.core.store.cursor()
    told = await erase(small, dry_run=True)
    assert not told.done
    assert told.rows["sessions"] == 1 and told.rows["events"] > 3
    assert await small.core.store.cursor() == cursor
    assert (await drivers.show(small.core, ShowDriver("canary-7"), ANA)).name == NAME


async def test_nobody_is_erased_while_he_charges(small: Small) -> None:
    await known(small)
    await small.hear("CP1", start(token=CARD, at=small.clock.now()))
    with pytest.raises(Conflict, match="charging"):
        await erase(small)


@pytest.mark.parametrize("card", ["7", "CP1", "accepted", "staff"])
async def test_a_card_that_is_called_like_something_else_takes_nothing_else_along(
    small: Small, card: str
) -> None:
    await known(small, card)
    await erase(small)
    (session,) = await sessions.list_(small.core, ListSessions(), ANA)
    assert session.token is not None and session.token.startswith("erased-")
    assert (session.station, session.authorization) == ("CP1", "accepted")
    events = await small.core.store.events_after(None, 200, type="token.presented")
    assert {event.data["status"] for event in events} == {"accepted"}
    await small.restart()
    assert small.core.lane("CP1").state.station.id == "CP1"


async def test_files_that_stations_put_here_name_him_no_more(small: Small, tmp_path: Path) -> None:
    await known(small)
    log = tmp_path / "uploads" / "CP1" / "1" / "diagnostics.log"
    log.parent.mkdir(parents=True)
    log.write_text(f"12:00 card {CARD.lower()} presented\n12:01 card CARD1\n")
    small.core.terms = replace(small.core.terms, data_dir=str(tmp_path))
    assert (await erase(small)).files == 1
    assert log.read_text() == f"12:00 card {'*' * len(CARD)} presented\n12:01 card CARD1\n"


async def test_old_sessions_name_their_card_no_more_and_new_ones_do(small: Small) -> None:
    await known(small)
    small.clock.pass_(days=40)
    answer = await small.hear("CP1", start(token=CARD, at=small.clock.now()))
    await small.hear("CP1", stop(answer.transaction_id, at=small.clock.now()))
    assert await privacy.retire(small.core, small.clock.now() - timedelta(days=30)) == 1
    new, old = [s.token for s in await sessions.list_(small.core, ListSessions(), ANA)]
    assert new == CARD
    assert old is not None and old.startswith("erased-")
    assert await privacy.retire(small.core, small.clock.now() - timedelta(days=30)) == 0
    assert (await small.hear("CP1", TokenPresented(TokenRef(CARD)))).status == "accepted"


def test_a_distinctive_word_is_replaced_within_texts_and_another_only_where_it_is_a_token() -> None:
    aliases = Aliases({"04A1B2C3": "erased-1", "ada": "erased-2"})
    assert (
        aliases.column("intents.detail", "card 04a1b2c3, not 04A1B2C3D4") == "card erased-1, not 04A1B2C3D4"
    )
    assert aliases.column("deliveries.key", "start|1|ada|2026") == "start|1|erased-2|2026"
    told = '{"token":"ADA","driver":"ada","word":"ada","cost":"1.50","power":1.25,"list":["04a1b2c3"]}'
    assert msgspec.json.decode(aliases.column("events.data", told)) == {
        "token": "erased-2",
        "driver": "erased-2",
        "word": "ada",
        "cost": "1.50",
        "power": 1.25,
        "list": ["erased-1"],
    }
    assert aliases.column("quarantine.raw", '[2,"1",{"idTag":"04A1') == '[2,"1",{"idTag":"04A1'

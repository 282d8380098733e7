from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cms.contract.drivers import (
    AddDriver,
    AddDriverNote,
    CloseDriver,
    ListDrivers,
    ResumeDriver,
    SetDriver,
    ShowDriver,
    SuspendDriver,
)
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.contract.tokens import AddToken, ListTokens, SetToken, ShowToken
from cms.domain.changes import SaveToken
from cms.domain.observations import TokenPresented, TokenRef
from cms.domain.tokens import Token
from cms.operations import drivers, tokens
from tests.domain.build import start
from tests.operations.small import ANA, Small


async def add(small: Small, id: str = "ada", **fields: Any) -> None:
    await drivers.add(small.core, AddDriver(id, **fields), ANA)


async def card(small: Small, token: str = "CARD2", **fields: Any) -> None:
    await tokens.add(small.core, AddToken(token, **fields), ANA)


async def presented(small: Small, token: str, kind: str | None = None, version: str = "1.6") -> str:
    return str((await small.hear("CP1", TokenPresented(TokenRef(token, kind)), version)).status)


async def test_a_driver_is_registered_changed_and_found_again_after_a_restart(small: Small) -> None:
    await add(
        small, name="Ada Lovelace", email="ada@example.org", groups=("staff", "night"), language="en-GB"
    )
    await drivers.set_(
        small.core, SetDriver("ada", phone="+44 20 7946 0000", email="", groups=("staff",)), ANA
    )
    await small.restart()
    seen = await drivers.show(small.core, ShowDriver("ADA"), ANA)
    assert (seen.name, seen.email, seen.phone) == ("Ada Lovelace", None, "+44 20 7946 0000")
    assert (seen.groups, seen.language, seen.status) == (("staff",), "en-GB", "active")
    (found,) = await drivers.list_(small.core, ListDrivers("name~lovelace and groups=staff"), ANA)
    assert found.id == "ada"


async def test_a_driver_without_an_id_is_given_one(small: Small) -> None:
    first = await drivers.add(small.core, AddDriver(name="Ben"), ANA)
    second = await drivers.add(small.core, AddDriver(name="Ben"), ANA)
    assert first.id != second.id


@pytest.mark.parametrize(
    "fields",
    [
        {"email": "nobody"},
        {"phone": "call me"},
        {"country": "Germany"},
        {"language": "de_DE!"},
        {"name": "=HYPERLINK(1)"},
        {"name": "a\x1b[2J"},
        {"groups": ("x" * 65,)},
    ],
)
async def test_what_is_wrong_about_a_person_is_refused(small: Small, fields: Any) -> None:
    with pytest.raises(Invalid):
        await add(small, **fields)
    with pytest.raises(NotFound):
        await drivers.show(small.core, ShowDriver("ada"), ANA)


async def test_two_drivers_do_not_differ_by_case_alone(small: Small) -> None:
    await add(small)
    with pytest.raises(Conflict):
        await add(small, "ADA")


async def test_a_driver_is_registered_by_being_named_and_known_without_case(small: Small) -> None:
    await add(small)
    await card(small, driver="ADA")
    assert (await tokens.show(small.core, ShowToken("card2"), ANA)).driver == "ada"
    assert (await drivers.show(small.core, ShowDriver("ada"), ANA)).tokens == ("CARD2",)
    await tokens.set_(small.core, SetToken("CARD2", driver="ben"), ANA)
    assert (await drivers.show(small.core, ShowDriver("ben"), ANA)).tokens == ("CARD2",)


@pytest.mark.parametrize("no_more", [SuspendDriver("ada", "unpaid"), CloseDriver("ada")])
async def test_the_tokens_of_a_driver_who_may_not_charge_are_blocked_until_he_is_resumed(
    small: Small, no_more: Any
) -> None:
    await add(small)
    await card(small, driver="ada")
    move = drivers.suspend if isinstance(no_more, SuspendDriver) else drivers.close
    await move(small.core, no_more, ANA)
    assert await presented(small, "CARD2") == "blocked"
    answer = await small.hear("CP1", start(token="CARD2"))
    assert answer.token.status == "blocked"
    (shown,) = await tokens.list_(small.core, ListTokens("driver=ada"), ANA)
    assert (shown.status, bool(shown.blocked_reason)) == ("blocked", True)
    await drivers.resume(small.core, ResumeDriver("ada"), ANA)
    assert await presented(small, "CARD2") == "accepted"


async def test_whoever_keeps_lists_of_tokens_hears_that_a_driver_was_suspended(small: Small) -> None:
    await add(small)
    await card(small, driver="ada")
    happening = aiter(small.core.bus.subscribe())
    await drivers.suspend(small.core, SuspendDriver("ada"), ANA)
    assert [(await anext(happening)).type for _ in range(2)] == ["driver.changed", "token.changed"]


async def test_no_event_tells_a_name_an_address_or_a_note(small: Small) -> None:
    await add(small, name="Ada Lovelace", email="ada@example.org")
    await drivers.set_(small.core, SetDriver("ada", street="12 St James's Square"), ANA)
    await drivers.note(small.core, AddDriverNote("ada", "owes us a cable"), ANA)
    told = str(await small.core.store.events_after(None, 100))
    assert not [word for word in ("Lovelace", "example.org", "Square", "cable") if word in told]
    assert "driver.noted" in told


async def test_notes_are_added_and_say_who_and_when(small: Small) -> None:
    await add(small)
    for text in ("first", "second\nline"):
        small.clock.pass_(minutes=1)
        await drivers.note(small.core, AddDriverNote("ada", text), ANA)
    seen = (await drivers.show(small.core, ShowDriver("ada"), ANA)).notes
    assert [(note.text, note.by) for note in seen] == [("first", "ana"), ("second\nline", "ana")]
    assert seen[1].at - seen[0].at == timedelta(minutes=1)
    with pytest.raises(Invalid):
        await drivers.note(small.core, AddDriverNote("ada", "\x1b]0;gone\x07"), ANA)


async def test_a_key_code_is_kept_as_a_digest_and_still_opens(small: Small) -> None:
    await card(small, "471100", kind="key-code", max_sessions=1)
    assert await presented(small, "471100", "key-code", "2.0.1") == "accepted"
    assert await presented(small, "471100") == "accepted", "a 1.6 station does not say what it is"
    assert await presented(small, "471101", "key-code", "2.0.1") == "unknown"
    (shown,) = await tokens.list_(small.core, ListTokens("kind=key-code"), ANA)
    assert await presented(small, shown.id) == "unknown", "its digest opens nothing"
    assert await presented(small, shown.id, "key-code", "2.0.1") == "unknown"
    await small.close()
    written = b"".join(path.read_bytes() for path in small.folder.glob("cms.db*"))
    assert b"471100" not in written
    await small.open()
    assert await presented(small, "471100", "key-code", "2.0.1") == "accepted"
    assert await presented(small, "471100", "rfid", "2.0.1") == "unknown"


async def test_key_codes_of_older_records_become_digests_at_the_start(small: Small) -> None:
    old = [Token("471100", "key-code", group="G"), Token("aa:bb:cc:dd:ee:ff", "mac")]
    await small.core.store.commit([SaveToken(token) for token in old], ())
    await small.restart()
    await tokens.recover(small.core)
    await small.restart()
    assert await presented(small, "471100", "key-code", "2.0.1") == "accepted"
    assert await presented(small, "VID:AABBCCDDEEFF") == "accepted"
    shown = {
        token.id: token.group for token in await tokens.list_(small.core, ListTokens("not kind=rfid"), ANA)
    }
    assert len(shown) == 2 and "471100" not in shown and "G" in shown.values()


@pytest.mark.parametrize(
    "shown", ["aa:bb:cc:dd:ee:ff", "AABBCCDDEEFF", "VID:AABBCCDDEEFF", "VIDaabb-ccdd-eeff"]
)
async def test_a_car_is_known_by_its_mac_address_however_it_is_written(small: Small, shown: str) -> None:
    await card(small, "AA-BB-CC-DD-EE-FF", kind="mac")
    assert await presented(small, shown) == "accepted"
    assert await presented(small, shown, "mac", "2.0.1") == "accepted"
    assert (await tokens.show(small.core, ShowToken(shown), ANA)).weak_identity


async def test_what_is_no_mac_address_is_not_registered_as_one(small: Small) -> None:
    with pytest.raises(Invalid, match="MAC"):
        await card(small, "AA:BB:CC", kind="mac")


async def test_a_token_is_changed_and_what_is_not_named_stays(small: Small) -> None:
    await add(small)
    await card(small, group="G", visual_number="7", max_sessions=2)
    await tokens.set_(small.core, SetToken("CARD2", driver="ada", clear=("max_sessions",)), ANA)
    await small.restart()
    seen = await tokens.show(small.core, ShowToken("CARD2"), ANA)
    assert (seen.driver, seen.group, seen.visual_number, seen.max_sessions) == ("ada", "G", "7", None)
    for wrong in (SetToken("CARD2", max_sessions=0), SetToken("CARD2", clear=("id",))):
        with pytest.raises(Invalid):
            await tokens.set_(small.core, wrong, ANA)

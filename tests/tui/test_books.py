"""What is kept in our books: unknown stations, tokens; and what a station keeps: its configuration."""

from __future__ import annotations

from dataclasses import replace

from cms.contract.refusals import Conflict
from cms.contract.stations import EnrolStation, ForgetUnknownStation, GetConfiguration, SetConfiguration
from cms.contract.tokens import AddToken, BlockToken, RemoveToken, TokenView
from tests.tui.fake import NOON, FakeDaemon, small_fleet
from tests.tui.seat import Seat, seated

CARD = "04B7D011"


def asked(daemon: FakeDaemon, kind: type[object]) -> list[object]:
    return [request for request in daemon.asked if isinstance(request, kind)]


async def at_the_stranger(seat: Seat) -> None:
    await seat.sees("CP-9999")
    await seat.press("j")
    await seat.sees("▌? CP-9999")


async def at_tokens(seat: Seat) -> None:
    await seat.press("4", "right")
    await seat.sees("Anna K.", "Refused lately")


def refused_card() -> FakeDaemon:
    daemon = small_fleet()
    daemon.happen("token.presented", "CP-0018", token=CARD, status="unknown")
    daemon.happen("token.presented", "CP-0025", token=CARD, status="unknown")
    return daemon


async def test_an_unknown_station_is_enrolled_and_its_password_is_shown_once() -> None:
    daemon = small_fleet()
    async with seated(daemon) as seat:
        await at_the_stranger(seat)
        await seat.press("E")
        await seat.sees("Enrol CP-9999?", "cms stations enrol CP-9999")
        await seat.press("s")
        await seat.type("Kiel")
        await seat.press("enter")
        await seat.sees("site: Kiel", "--site Kiel")
        await seat.press("y")
        await seat.sees("s3cret-and-27-characters-lo", "ws://127.0.0.1:9000/ocpp/CP-9999", "shown this once")
        await seat.press("escape")
        await seat.loses("s3cret")
        await seat.sees("⊘ CP-9999")
        assert asked(daemon, EnrolStation) == [EnrolStation("CP-9999", "Kiel")]
        assert "? CP-9999" not in seat.text


async def test_nothing_is_enrolled_without_a_yes() -> None:
    daemon = small_fleet()
    async with seated(daemon) as seat:
        await at_the_stranger(seat)
        await seat.press("E")
        await seat.sees("Enrol CP-9999?")
        await seat.press("n")
        await seat.hears("nothing was done")
        assert asked(daemon, EnrolStation) == []


async def test_an_unknown_station_is_forgotten() -> None:
    daemon = small_fleet()
    async with seated(daemon) as seat:
        await at_the_stranger(seat)
        await seat.press("F")
        await seat.sees("Forget CP-9999?")
        await seat.press("y")
        await seat.loses("? CP-9999")
        assert asked(daemon, ForgetUnknownStation) == [ForgetUnknownStation("CP-9999")]


async def test_the_list_of_stations_says_who_knocks_and_asks_whom_to_enrol() -> None:
    async with seated(small_fleet()) as seat:
        await seat.press("2")
        await seat.sees("1 unknown: E")
        await seat.press("E")
        await seat.sees("enrol: CP-9999")
        await seat.press("enter")
        await seat.sees("Enrol CP-9999?")


async def test_acts_on_stations_do_not_touch_an_unknown_one() -> None:
    daemon = small_fleet()
    async with seated(daemon) as seat:
        await at_the_stranger(seat)
        await seat.press("R")
        await seat.hears("CP-9999 is not enrolled")


async def test_a_token_tells_what_it_charges_and_opens_it() -> None:
    daemon = small_fleet()
    daemon.sessions = {"88140": daemon.sessions["88140"]}
    async with seated(daemon) as seat:
        await at_tokens(seat)
        await seat.sees("CP-0042/1")
        await seat.press("enter")
        await seat.sees("Sessions ▸ 88140")


async def test_a_token_is_blocked_with_a_reason_and_accepted_again() -> None:
    daemon = small_fleet()
    async with seated(daemon) as seat:
        await at_tokens(seat)
        await seat.press("B")
        await seat.sees("Block the token 04A2BC9F?")
        await seat.press("r")
        await seat.type("lost")
        await seat.press("enter")
        await seat.sees("reason: lost", "--reason lost")
        await seat.press("y")
        await seat.sees("✖ 04A2BC9F")
        assert asked(daemon, BlockToken) == [BlockToken("04A2BC9F", "lost")]
        await seat.press("I")
        await seat.sees("Accept the token again")
        await seat.press("y")
        await seat.sees("✔ 04A2BC9F")


async def test_a_refused_card_is_accepted_with_one_key() -> None:
    daemon = refused_card()
    async with seated(daemon) as seat:
        await at_tokens(seat)
        await seat.sees("Refused lately · 1", f"? {CARD}", "2x", "CP-0025")
        await seat.press("tab", "N")
        await seat.sees(f"Accept the token {CARD}?")
        await seat.press("d")
        await seat.type("Ben T.")
        await seat.press("enter")
        await seat.sees("--driver 'Ben T.'")
        await seat.press("y")
        await seat.sees(f"✔ {CARD}", "Ben T.", "no card was refused lately")
        assert asked(daemon, AddToken) == [AddToken(CARD, driver="Ben T.")]


async def test_a_card_that_is_refused_now_appears_at_once() -> None:
    daemon = small_fleet()
    async with seated(daemon) as seat:
        await at_tokens(seat)
        await seat.sees("no card was refused lately")
        daemon.happen("token.presented", "CP-0018", token=CARD, status="unknown")
        await seat.sees("Refused lately · 1", CARD)


async def test_a_new_token_is_typed() -> None:
    daemon = small_fleet()
    async with seated(daemon) as seat:
        await at_tokens(seat)
        await seat.press("N")
        await seat.type("CAFE01")
        await seat.press("enter")
        await seat.sees("Accept the token CAFE01?")
        await seat.press("y")
        await seat.sees("✔ CAFE01")


async def test_a_token_is_removed_after_a_yes() -> None:
    daemon = small_fleet()
    async with seated(daemon) as seat:
        await at_tokens(seat)
        await seat.press("D")
        await seat.sees("Remove the token 04A2BC9F?")
        await seat.press("y")
        await seat.sees("no token is registered")
        assert asked(daemon, RemoveToken) == [RemoveToken("04A2BC9F")]


async def test_a_token_that_ran_out_says_so_without_an_event() -> None:
    daemon = small_fleet()
    token = daemon.tokens["04A2BC9F"]
    daemon.tokens["04A2BC9F"] = replace(token, valid_to=NOON)
    daemon.tokens["X"] = TokenView("X", "rfid", "accepted", None, None, None, None, None)
    async with seated(daemon) as seat:
        await at_tokens(seat)
        await seat.sees("expired")
        await seat.press("slash")
        await seat.type("driver~anna")
        await seat.press("enter")
        await seat.sees("1 of 2")


async def test_the_configuration_is_shown_and_a_value_written_after_a_question() -> None:
    daemon = small_fleet()
    async with seated(daemon) as seat:
        seat.app.travel.open_station("CP-0042")
        await seat.sees("Frames")
        await seat.press("C")
        await seat.sees("CP-0042 configuration", "HeartbeatInterval", "300", "not told")
        await seat.press("slash")
        await seat.type("heart")
        await seat.press("enter")
        await seat.sees("1 of 3")
        await seat.press("enter")
        await seat.sees("HeartbeatInterval = 300")
        await seat.press("backspace", "backspace", "backspace")
        await seat.type("60")
        await seat.press("enter")
        await seat.sees("Set HeartbeatInterval of CP-0042 to 60?")
        await seat.press("y")
        await seat.loses(" 300 ")
        written = [r for r in asked(daemon, SetConfiguration) if not r.dry_run]  # type: ignore[attr-defined]
        assert [r.values for r in written] == [{"HeartbeatInterval": "60"}]  # type: ignore[attr-defined]


async def test_what_can_only_be_read_is_not_written() -> None:
    async with seated(small_fleet()) as seat:
        seat.app.travel.open_station("CP-0042")
        await seat.sees("Frames")
        await seat.press("C")
        await seat.sees("NumberOfConnectors")
        await seat.press("G", "enter")
        await seat.hears("can only be read")


async def test_reading_the_configuration_asks_the_station_at_once() -> None:
    daemon = small_fleet()
    daemon.level = 0
    async with seated(daemon) as seat:
        seat.app.travel.open_station("CP-0042")
        await seat.sees("Frames")
        await seat.press("C")
        await seat.sees("HeartbeatInterval")
        await seat.press("L")
        await seat.until(lambda: bool(daemon.intents))
        assert asked(daemon, GetConfiguration)[-1] == GetConfiguration(station="CP-0042")


async def test_a_station_that_wants_names_is_asked_for_names() -> None:
    daemon = small_fleet()
    daemon.level = 0
    async with seated(daemon) as seat:
        seat.app.travel.open_station("CP-0025")
        await seat.sees("Frames")
        await seat.press("C")
        await seat.sees("L asks the station")
        await seat.press("L")
        await seat.sees("names to read:")
        await seat.type("A.B C.D")
        await seat.press("enter")
        await seat.until(lambda: bool(daemon.intents))
        assert asked(daemon, GetConfiguration)[-1] == GetConfiguration(
            station="CP-0025", names=("A.B", "C.D")
        )


async def test_what_the_daemon_refuses_is_told_in_its_words() -> None:
    class Refusing(FakeDaemon):
        def _keep_token(self, request: object) -> TokenView | None:
            raise Conflict("token CAFE01 is registered already")

    daemon = Refusing(tokens=small_fleet().tokens)
    async with seated(daemon) as seat:
        await seat.press("4", "right")
        await seat.sees("Anna K.")
        await seat.press("N")
        await seat.type("CAFE01")
        await seat.press("enter")
        await seat.sees("[y]es")
        await seat.press("y")
        await seat.hears("token CAFE01 is registered already")

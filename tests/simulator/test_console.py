"""What an operator of simulated stations can say, in lines and on the command line."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest

from cli.simulate import _lines
from cms.simulator import main
from cms.simulator.console import WORDS, Wrong, do
from cms.simulator.station import Station
from tests.simulator.desk import Desk, a_desk
from tests.simulator.stage import online, settle, story
from tests.virtual import play


def test_a_session_is_played_by_lines() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        for line in ("plug 1 20", "CP-1 card 1 CARD7", "wait 60", "", "# a note", "all unplug 1"):
            await do([station], line)
        assert (await desk.next("StartTransaction"))["idTag"] == "CARD7"
        assert (await desk.next("StopTransaction"))["reason"] == "EVDisconnected"

    story(tell, "1.6")


def test_a_message_is_sent_with_a_payload_of_ones_own() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        await do([station], 'send DataTransfer {"vendorId": "A \'quoted\'  word", "data": "x"}')
        assert (await desk.next("DataTransfer"))["vendorId"] == "A 'quoted'  word"
        await do([station], """send-raw [2,"7","Heartbeat",{}]""")
        await desk.next("Heartbeat")

    story(tell, "1.6")


@pytest.mark.parametrize(
    "line, why",
    [
        ("dance", "no word 'dance'"),
        ("plug", "plug needs EVSE"),
        ("plug 7", "no EVSE 7"),
        ("limit 1 5000", "limit is of 2.0.1, 2.1"),
        ("send MakeCoffee", "OCPP 1.6 has no MakeCoffee"),
        ("send Reset", "stations do not send Reset"),
        ('send Heartbeat {"a": 1}', "additionalProperties"),
        ("send Authorize {", "not JSON"),
        ("wait soon", "soon is not a number"),
        ("fault nonsense", "no fault is called 'nonsense'"),
        ('card 1 "open', "quotation"),
        ("set Nothing 1", "has no Nothing"),
    ],
)
def test_a_line_that_cannot_be_done_says_why(line: str, why: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        with pytest.raises(Wrong, match=why):
            await do([station], line)

    story(tell, "1.6")


def test_of_many_stations_one_must_be_named() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        with pytest.raises(Wrong, match="no station 'show'"):
            await do([station, station], "show")
        await settle()

    story(tell, "1.6")


def test_lines_of_the_command_line_are_done_once_the_station_has_booted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def whole() -> list[str]:
        async with a_desk() as desk:
            await main.run(
                desk.url,
                ocpp="2.0.1",
                names=("MINE",),
                drivers=False,
                lines=("plug 1", "nonsense", "send NotifyEvent", "help", "faults", "show", "quit"),
            )
            return [action for _, action, _ in desk.heard]

    assert "NotifyEvent" in play(whole())
    out, err = capsys.readouterr()
    assert "MINE  answer NotifyEvent  {}" in out
    assert "EVSE 1  preparing" in out
    assert all(word in out for word in ("silent-reset", "hold a card to the reader"))
    assert "there is no word 'nonsense'" in err


def test_what_is_sent_comes_before_the_end() -> None:
    assert _lines(["plug 1", "quit"], ["Heartbeat"]) == ["plug 1", "send Heartbeat", "quit"]
    assert _lines([], ["Heartbeat", "Authorize {}"]) == ["send Heartbeat", "send Authorize {}"]
    assert _lines(["plug 1"], []) == ["plug 1"]


def test_stations_are_what_the_command_line_says() -> None:
    async def whole() -> tuple[dict[str, Any], int]:
        async with a_desk() as desk:
            await main.run(
                desk.url, ocpp="1.6", names=("MINE",), drivers=False, lines=("wait 5", "quit"),
                vendor="ACME", model="X", firmware="9.9", evses=3,
            )  # fmt: skip
            return desk.all("BootNotification")[0], len(desk.all("StatusNotification"))

    boot, statuses = play(whole())
    assert (boot["chargePointVendor"], boot["chargePointModel"], boot["firmwareVersion"]) == (
        "ACME",
        "X",
        "9.9",
    )
    assert statuses == 4


def test_the_console_reads_lines_until_they_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("show\nsend Heartbeat\n"))

    async def whole() -> int:
        async with a_desk() as desk, asyncio.timeout(30):
            await main.run(desk.url, ocpp="1.6", names=("MINE",), drivers=False, console=True)
            return len(desk.all("Heartbeat"))

    assert asyncio.run(whole()) == 1
    assert "MINE  answer Heartbeat" in capsys.readouterr().out


def test_the_documentation_names_every_word() -> None:
    page = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text("utf-8")
    for name, word in WORDS.items():
        usage = f"{name} {word.usage}".strip().replace("|", "\\|")
        assert f"| `{usage}` | {word.what} |" in page

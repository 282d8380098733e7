"""``:cms``: a command of the command line from within the console."""

from __future__ import annotations

from typing import Any

from cms.client import Address
from tests.api.conftest import House, address, api, folder, house, metrics
from tests.tui.fake import FakeDaemon
from tests.tui.seat import Seat, seated
from tui.commanding import CONSOLE_ONLY, Commanding

__all__ = ["address", "api", "folder", "house", "metrics"]


async def command(seat: Seat, line: str) -> None:
    await seat.type(":")
    await seat.type(line)
    await seat.press("enter")


async def test_a_command_is_run_and_its_answer_read(address: Address, house: House) -> None:
    daemon: Any = FakeDaemon()
    daemon.address = address
    async with seated(daemon, size=(100, 30)) as seat:
        await command(seat, "cms stations show CP-1 --columns model,firmware")
        await seat.sees("cms stations show", "Terra 184", "exit 0")
        await seat.press("escape")
        await command(seat, "cms stations shw CP-1")
        await seat.sees("did you mean `cms stations show`?", "exit 2")
        await seat.press("escape")
        await command(seat, "cms tui")
        await seat.hears("wants a terminal of its own")
        seat.app.read_only = True
        await command(seat, "cms stations remove CP-1 --yes")
        await seat.sees("would remove station CP-1", "exit 0")
        assert "CP-1" in house.stations


def test_where_the_console_is_all_there_is_no_command_is_run() -> None:
    class Nobody:
        said = ""

        def say(self, text: str, tone: str) -> None:
            self.said = text

    nobody: Any = Nobody()
    Commanding(nobody, None, {CONSOLE_ONLY: "1"}).run("stations list")
    assert "not to be had here" in nobody.said

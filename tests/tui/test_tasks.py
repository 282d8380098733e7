"""The ten most common tasks by keyboard alone, from the overview on, and how many keys each takes.

A text that is typed (a name, a filter) counts as one key here; docs/console.md states the counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cms.contract.alerts import AcknowledgeAlert, ClaimAlert
from cms.contract.invoices import SendInvoice
from cms.contract.jobs import GetLog
from cms.contract.sessions import StopSession
from cms.contract.stations import ChangeAvailability, EnrolStation, OrderTerms, ResetStation
from cms.contract.tokens import BlockToken
from tests.tui.fake import FakeDaemon
from tests.tui.gallery import everything
from tests.tui.seat import Seat, seated
from tests.tui.test_alerts import GROUP

DOCS = Path(__file__).parents[2] / "docs" / "console.md"


@dataclass(frozen=True)
class Task:
    """What somebody wants, the steps (keys, then what is seen), and whether the daemon was asked for it.

    A key that begins with ``=`` is a text that is typed.
    """

    wish: str
    steps: tuple[tuple[str, str], ...]
    done: Callable[[FakeDaemon], bool]

    @property
    def keys(self) -> list[str]:
        return [key for keys, _ in self.steps for key in keys.split()]


def asked(daemon: FakeDaemon, type_: type, **what: Any) -> list[Any]:
    """Requests of this kind that were meant, with these members."""
    return [
        one
        for one in daemon.asked
        if isinstance(one, type_)
        and not (isinstance(one, OrderTerms) and one.dry_run)
        and all(getattr(one, name) == value for name, value in what.items())
    ]


TASKS = (
    Task("find the faulted station and reset it when it is idle",
         (("R", "Reset CP-0042 soft?"), ("w", "when it is idle?"), ("y", "CP-0042: accepted")),
         lambda d: bool(asked(d, ResetStation, station="CP-0042", when_idle=True))),
    Task("stop the session of a caller",
         (("tilde", "who ("), ("=anna enter", "CP-0042/1 charging"), ("X", "[y]es"), ("y", "CP-0042: accepted")),
         lambda d: bool(asked(d, StopSession, session="88140"))),
    Task("enrol a station that knocks",
         (("j j E", "Enrol CP-9999"), ("y", "CP-9999")),
         lambda d: bool(asked(d, EnrolStation, station="CP-9999"))),
    Task("see why a session costs what it costs",
         (("3 x", "€6.71 so far"),),
         lambda d: True),
    Task("block a card",
         (("4 right B", "Block the token 04A2BC9F?"), ("y", "blocked")),
         lambda d: bool(asked(d, BlockToken, token="04A2BC9F"))),
    Task("put five stations out of operation",
         (("2 space space space space space A", "5 stations"), ("y", "under way")),
         lambda d: len(asked(d, ChangeAvailability, availability="inoperative")) == 5),
    Task("fetch the diagnostics of a station",
         (("2 D", "Fetch the diagnostics of CP-0018"), ("y", "CP-0018: accepted")),
         lambda d: bool(asked(d, GetLog, station="CP-0018"))),
    Task("acknowledge and claim a group of alerts",
         (("7 j A", "acknowledged"), ("c", "is yours")),
         lambda d: bool(asked(d, AcknowledgeAlert, alert=GROUP) and asked(d, ClaimAlert, alert=GROUP))),
    Task("last week's energy by site, as CSV",
         (("5 b", "Berlin-Mitte"), ("e", "written")),
         lambda d: bool(list(Path.cwd().glob("*.csv")))),
    Task("send an invoice after a look at its lines",
         (("6 right enter", "Energy at Ulm-A8"), ("S", "[y]es"), ("y", "")),
         lambda d: bool(asked(d, SendInvoice, invoice="2026-0042"))),
)  # fmt: skip


async def _does(seat: Seat, task: Task) -> None:
    for keys, sees in task.steps:
        for key in keys.split():
            if key.startswith("="):
                await seat.type(key[1:])
            else:
                await seat.press(key)
        await seat.until(lambda: sees in seat.text or sees in seat.said)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.wish.replace(" ", "_"))
async def test_a_common_task_takes_few_keys(
    task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    daemon = everything()
    async with seated(daemon) as seat:
        await seat.sees("CP-0042 c2")
        await _does(seat, task)
        await seat.until(lambda: task.done(daemon))


def test_the_documentation_says_how_many_keys_each_takes() -> None:
    told = dict(re.findall(r"^\| ([^|]+?) \| [^|]+ \| (\d+) \|$", DOCS.read_text(), re.MULTILINE))
    assert told == {task.wish: str(len(task.keys)) for task in TASKS}

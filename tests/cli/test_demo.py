"""``cms demo``: everything in one command, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from cms.client import Address, ask
from cms.contract.refusals import Unreachable
from cms.contract.status import ShowStatus
from tests.cli.conftest import CMS


def demo(folder: Path, *flags: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*CMS, "demo", "--stations", "3", "--speed", "60", *flags],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder)},
    )


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_without_a_terminal_it_tells_events_and_ends_with_all_it_started(
    folder: Path, end: signal.Signals
) -> None:
    process = demo(folder)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(3)]
    assert all("CP-00" in line for line in lines)
    socket = next(folder.glob("cms-demo-*/cms.sock"))
    process.send_signal(end)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert list(folder.iterdir()) == []
    with pytest.raises(Unreachable):
        ask(ShowStatus(), Address(socket=str(socket)))


def test_kept_data_is_there_and_a_second_demo_on_it_is_refused_in_one_sentence(folder: Path) -> None:
    process = demo(folder, "--keep", str(folder / "kept"))
    assert process.stdout is not None
    assert process.stdout.readline()
    second = demo(folder, "--keep", str(folder / "kept"))
    _, err = second.communicate(timeout=30)
    assert second.returncode not in (0, 1)
    assert err.count("\n") == 1
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert (folder / "kept" / "cms.db").exists()

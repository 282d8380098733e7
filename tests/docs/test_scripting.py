"""The scripts of docs/scripting.md work: shellcheck finds nothing, and a daemon with stations does what they say."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.flags import FORMATS
from tests.docs.scripting import PAGE, scripts

BIN = Path(sys.executable).parent
SCRIPTS = scripts()


def test_the_page_uses_every_format() -> None:
    assert len(SCRIPTS) > 10
    text = PAGE.read_text("utf-8")
    assert [name for name in FORMATS if f"-o {name}" not in text and name != "table"] == []


def test_shellcheck_finds_nothing() -> None:
    for script in SCRIPTS:
        done = subprocess.run(
            [BIN / "shellcheck", "--shell=bash", "-"],
            input=script.text,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{script.heading}:\n{done.stdout}"


_BOTH_THERE = """
until [ "$(cms stations list --filter 'online=true and model!=null' -o name | wc -l)" -eq 2 ]; do sleep 0.1; done
"""


class Place:
    """A daemon with simulated stations, and a folder where scripts run one after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CMS_")},
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "CMS_SOCKET": f"{folder}/d/cms.sock",
            "HOME": str(folder),
            "XDG_CACHE_HOME": f"{folder}/cache",
            "XDG_CONFIG_HOME": f"{folder}/config",
        }
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, *words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            ["cms", *words], env=self.environ, text=True, cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.processes.append(process)
        return process

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script], env=self.environ, cwd=self.folder, text=True,
            capture_output=True, stdin=subprocess.DEVNULL, timeout=120, check=False,
        )  # fmt: skip

    def end(self) -> None:
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            try:
                process.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    place = Place(tmp_path_factory.mktemp("scripts"))
    try:
        daemon = place.start("serve", "--data-dir", f"{place.folder}/d", "--ocpp-port", "0", "--open-enrolment",
                             "--insecure-lab")  # fmt: skip
        assert daemon.stderr is not None
        ready = next(line for line in daemon.stderr if '"ready"' in line)
        url = json.loads(ready)["stations_connect_to"].removesuffix("/<station>")
        place.start(
            "simulate", "--url", url, "--stations", "2", "--ocpp", "1.6", "--no-drivers", "--speed", "20"
        )
        there = place.run(_BOTH_THERE)
        assert there.returncode == 0, there.stderr
        yield place
    finally:
        place.end()


@pytest.mark.long
@pytest.mark.timeout(300)
def test_the_scripts_do_what_the_page_says(place: Place) -> None:
    said = {}
    for number, script in enumerate(SCRIPTS):
        done = place.run(script.text)
        assert done.returncode == 0, f"{script.heading}:\n{script.text}\n{done.stdout}\n{done.stderr}"
        said[number] = done.stdout
    told = "".join(said.values())
    for promised in (
        "CP-001 is there", "2 of 2 stations are online", "something changed", "CP-001 is back",
        "did you mean CP-001?", "CP-002 is in operation again", "queued", "the worst was 4",
    ):  # fmt: skip
        assert promised in told, promised

"""Completion: what the shells are offered, from files that nobody waits for."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cli import words
from cli.candidates import candidates, described
from cli.completion import SCRIPTS
from cli.flags import Flags
from cli.names import known
from cms.client import Address
from tests.api.conftest import House
from tests.api.small import station


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def offered(cache: Path, address: Address) -> Callable[..., list[str]]:
    """What is offered once the names are there."""
    assert address.socket is not None

    def complete(*typed: str) -> list[str]:
        known("stations", Flags(socket=address.socket), patience_s=10)
        return candidates(["--socket", str(address.socket), *typed])

    return complete


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["stations", "reset", "--ki"], ["--kind"]),
        (["stations", "reset", "--kind", "im"], ["immediate"]),
        (["stations", "reset", "--kind=im"], ["--kind=immediate"]),
        (["stations", "list", "-o", "js"], ["json", "jsonl"]),
        (["stations", "list", "--output=js"], ["--output=json", "--output=jsonl"]),
        (["stations", "list", "--sort", "-ven"], ["-vendor"]),
        (["stations", "list", "--columns", "id,vend"], ["id,vendor"]),
        (["stations", "list", "--filter", "online=false and vend"], ["online=false and vendor="]),
        (["stations", "list", "--sel"], []),
        (["-q", "stations", "config", "g"], ["get"]),
        (["--timeout", "5", "stations", "unl"], ["unlock"]),
        (["nothing", "list", ""], []),
        (["stations", "nothing", "x", "--", "-"], []),
        (["completion", ""], ["bash", "zsh", "fish"]),
    ],
)
def test_words_flags_and_their_values_complete(cache: Path, typed: list[str], offered: list[str]) -> None:
    assert candidates(typed) == offered


def test_verbs_and_flags_say_what_they_are(cache: Path) -> None:
    assert described(["stations", "unl"]) == {"unlock": "Unlock a connector so that the cable comes free"}
    assert "effect" in described(["stations", "reset", "--wa"])["--wait"]


def test_the_words_of_a_noun_are_read_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = words.words_of("stations")
    monkeypatch.setattr(words, "_read", lambda noun: pytest.fail("read again"))
    assert words.words_of("stations") == {**told, "stamp": words._stamp()}


async def test_names_are_those_of_the_daemon(offered: Callable[..., list[str]]) -> None:
    complete = asyncio.to_thread
    assert await complete(offered, "stations", "reset", "CP-") == ["CP-1", "CP-2"]
    assert await complete(offered, "stations", "reset", "CP-1", "") == ["CP-2"]
    assert await complete(offered, "sessions", "list", "--station", "CP") == ["CP-1", "CP-2"]
    assert await complete(offered, "stations", "availability", "CP-1", "ino") == ["inoperative"]
    assert await complete(offered, "stations", "config", "get", "CP-2", "--wai") == ["--wait"]


async def test_an_old_file_is_offered_while_it_is_refreshed(
    offered: Callable[..., list[str]], house: House, cache: Path
) -> None:
    await asyncio.to_thread(offered, "stations", "show", "")
    (file,) = cache.glob("cms/names/*/stations")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    os.utime(file, (time.time() - 3600,) * 2)
    house.stations["CP-3"] = station("CP-3")
    assert await asyncio.to_thread(offered, "stations", "show", "CP-") == ["CP-1", "CP-2"]
    async with asyncio.timeout(20):
        while "CP-3" not in file.read_text():
            await asyncio.sleep(0.02)


async def test_where_no_daemon_is_there_are_no_names(cache: Path) -> None:
    nowhere = Flags(socket=str(cache / "no.sock"))
    assert await asyncio.to_thread(known, "stations", nowhere) == {}


def test_who_presses_tab_waits_for_neither_typer_nor_the_client(cache: Path) -> None:
    words.words_of("stations")
    script = (
        "import sys; from cli.main import main\ntry: main()\nfinally: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "__complete", "stations", "reset", "--k"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("--kind")
    assert not set(done.stderr.split()) & {
        "typer",
        "msgspec",
        "httpx",
        "http.client",
        "cms.client",
        "asyncio",
    }


_BASH_LINE = """
source <(printf '%s' "$SCRIPT")
cms() { "$PYTHON" -c 'from cli.main import main; main()' "$@"; }
COMP_WORDS=( "${@:2}" ) COMP_CWORD=$(( $# - 2 )) COMP_LINE=$1 COMP_POINT=${#1}
_cms
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("line", "cut", "offered"),
    [
        ("cms stations un", ["cms", "stations", "un"], ["unknown", "unlock"]),
        ("cms stations list -o js", ["cms", "stations", "list", "-o", "js"], ["json", "jsonl"]),
        (
            "cms stations list --output=js",
            ["cms", "stations", "list", "--output", "=", "js"],
            ["json", "jsonl"],
        ),
        ("cms stations list --output=", ["cms", "stations", "list", "--output", "="], ["table", "wide"]),
    ],
)
def test_bash_is_offered_the_rest_of_its_last_word(
    cache: Path, line: str, cut: list[str], offered: list[str]
) -> None:
    environ = {**os.environ, "SCRIPT": SCRIPTS["bash"], "PYTHON": sys.executable}
    done = subprocess.run(
        ["bash", "--norc", "-c", _BASH_LINE, "bash", line, *cut],
        capture_output=True,
        text=True,
        env=environ,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.split()[: len(offered)] == offered


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_other_shells_take_their_script(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    done = subprocess.run([shell, "-n"], input=SCRIPTS[shell], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")

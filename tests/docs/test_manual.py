"""The manual says what the commands say."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from cli.manual import roff_of_all
from tests.docs.manual import DOCS, pages, written


def test_the_manual_is_what_the_commands_say() -> None:
    made, there = pages(), written()
    stale = sorted(name for name in made.keys() | there.keys() if made.get(name) != there.get(name))
    assert not stale, "stale: run `python -m tests.docs.manual`"


@pytest.mark.skipif(shutil.which("groff") is None, reason="needs groff")
def test_the_man_pages_are_set_without_a_warning() -> None:
    every = sorted((DOCS / "man").glob("*.1"))
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-z", *map(str, every)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert ".SH EXIT CODES" in roff_of_all()

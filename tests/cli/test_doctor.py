"""``cms doctor`` says what is wrong also when there is no daemon to ask."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from cli.doctor import examined
from cli.flags import Flags
from cli.main import run


def found(folder: Path) -> dict[str, str]:
    told, absent = examined(Flags(socket=str(folder / "cms.sock"), timeout_s=1), None)
    assert absent is not None and told["verdict"] == "bad"
    return {check["name"]: f"{check['verdict']} {check['found']}" for check in told["checks"]}


def test_a_daemon_that_never_was(tmp_path: Path) -> None:
    assert found(tmp_path)["socket"].startswith("look there is no ")
    assert found(tmp_path / "nowhere")["data"].startswith("look there is no ")


def test_a_daemon_that_ended(tmp_path: Path) -> None:
    (tmp_path / "cms.sock").touch()
    (tmp_path / "cms.lock").write_text("999999999\n")
    (tmp_path / "cms.db").write_bytes(b"this is no database, whatever it is called" * 100)
    told = found(tmp_path)
    assert "nobody listens" in told["socket"]
    assert told["process"] == "look process 999999999 of the daemon has ended"
    assert told["record"].startswith("bad ") and told["disk"].startswith("ok ")


def test_a_daemon_that_hangs(tmp_path: Path) -> None:
    (tmp_path / "cms.lock").write_text(f"{os.getpid()}\n")
    assert found(tmp_path)["process"] == f"bad process {os.getpid()} is there and does not answer"


def test_its_exit_code_says_that_no_daemon_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["doctor", "--socket", str(tmp_path / "cms.sock"), "-o", "json"]) == 7
    told = capsys.readouterr()
    assert json.loads(told.out)["verdict"] == "bad"
    assert json.loads(told.err)["error"]["refusal"] == "Unreachable"

"""The command line as a whole: help, mistakes, exit codes."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from cli.candidates import candidates
from cli.errors import sentence
from cli.main import COMMANDS, run
from cms.api.server import RunningApi
from cms.client import Address
from cms.contract.refusals import Refusal
from tests.api.conftest import House
from tests.cli.conftest import Cms


@pytest.mark.parametrize("arguments", [[], ["-h"], ["--help"]])
def test_help_lists_every_command_and_flag(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 0
    out = capsys.readouterr().out
    assert all(f"  {name} " in out for name in COMMANDS)
    assert "--dry-run" in out
    assert "Examples:" in out


@pytest.mark.parametrize("noun", COMMANDS)
def test_every_command_has_help(noun: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([noun, "-h"]) == 0
    assert f"Usage: cms {noun}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["statons", "list"], "did you mean `cms stations`?"),
        (["stations", "lst"], "did you mean `cms stations list`?"),
        (["stations", "config", "gte"], "did you mean `cms stations config get`?"),
        (["stations", "list", "--nix"], "see `cms stations list --help`"),
        (["stations", "list", "-o", "xyz"], "one of table"),
        (["stations", "list", "-o", "jsn"], "did you mean json?"),
        (["stations", "list", "--fliter", "x"], "did you mean --filter?"),
        (["stations", "reset", "CP-1", "--when-idl"], "did you mean --when-idle?"),
        (["sessions", "start", "CP-1"], "--token"),
    ],
)
def test_a_mistake_is_exit_2_with_what_was_meant(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("cms: ")
    assert said in captured.err
    assert captured.err.count("\n") == 1


def test_without_a_daemon_it_is_exit_7_and_says_how_to_start_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["status", "--socket", f"{tmp_path}/no.sock"]) == 7
    assert capsys.readouterr().err == (
        f"cms: no daemon answers at {tmp_path}/no.sock: start one with `cms serve`\n"
    )


def test_a_broken_settings_file_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cms.toml"
    file.write_text("ocpp_prot = 1\n")
    assert run(["config", "show", "--config", str(file)]) == 2
    assert "did you mean ocpp_port?" in capsys.readouterr().err


def test_settings_are_shown_with_their_sources(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CMS_OCPP_PORT", "9100")
    assert run(["config", "show", "--data-dir", str(tmp_path), "--filter", "source!=default"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["ocpp_port", "9100", "CMS_OCPP_PORT"] in rows
    assert ["data_dir", str(tmp_path), "flag"] in rows


def test_settings_as_json_are_json_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "show", "--data-dir", str(tmp_path), "-o", "json"]) == 0
    values = {row["key"]: row["value"] for row in json.loads(capsys.readouterr().out)}
    assert (values["ocpp_port"], values["call_timeout_s"]) == (9000, 30.0)
    assert (values["open_enrolment"], values["bus"]) == (False, None)
    assert (values["log_level"], values["socket"]) == ("info", f"{tmp_path}/cms.sock")
    assert values["database"] == f"sqlite+aiosqlite:///{tmp_path}/cms.db"


def test_passwords_in_settings_are_masked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CMS_DATABASE", "postgresql+asyncpg://ada:secret@h/cms")
    assert run(["config", "show", "--data-dir", str(tmp_path), "-o", "json"]) == 0
    assert "//ada:***@h" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("hint", "said"),
    [
        ("cms stations list", "No. Try: cms stations list"),
        (
            "cms stations set CP-1 --boot-policy accepted",
            "No. Try: cms stations set CP-1 --boot-policy accepted",
        ),
        ("cms stations config get CP-1", "No. Try: cms stations config get CP-1"),
        (
            "cms stations add CP-1 registers it all the same",
            "No: cms stations add CP-1 registers it all the same",
        ),
        ("did you mean CP-2?", "No: did you mean CP-2?"),
        (None, "No"),
    ],
)
def test_only_a_command_is_something_to_try(hint: str | None, said: str) -> None:
    assert sentence(Refusal("No.", hint)) == said


def test_after_a_question_a_hint_begins_anew() -> None:
    assert sentence(Refusal("Which station?", "give names")) == "Which station? Give names"
    assert (
        sentence(Refusal("Which station?", "cms stations unknown"))
        == "Which station? Try: cms stations unknown"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["demo", "--speed", "0"], "--speed must be above 0"),
        (["demo", "--speed", "nan"], "--speed must be above 0"),
        (["demo", "--stations", "0"], "--stations"),
        (["simulate", "--url", "http://h"], "ws://HOST:PORT/PATH or wss://"),
        (["simulate", "--url", "ws://h:99999"], "ws://HOST:PORT/PATH or wss://"),
        (["simulate", "--url", "ws://h", "--stations", "0"], "a station at least"),
        (["simulate", "--url", "ws://h", "--speed", "-1"], "speed must be above 0"),
        (
            ["simulate", "--url", "wss://h", "--cacert", "/none"],
            "/none cannot be read as certificates in PEM",
        ),
    ],
)
def test_what_cannot_be_simulated_is_said_before_anything_starts(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_a_central_system_that_is_not_there_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--url", "ws://127.0.0.1:1", "--stations", "3", "--speed", "1000", "--duration", "1s"]
    assert run(["simulate", *arguments]) == 0
    said = capsys.readouterr()
    assert "cannot connect" not in said.out
    assert "cannot connect to ws://127.0.0.1:1 and goes on trying" in said.err
    assert said.err.count("\n") == 1


def test_completion_scripts_are_there_for_three_shells(capsys: pytest.CaptureFixture[str]) -> None:
    for shell in ("bash", "zsh", "fish"):
        assert run(["completion", shell]) == 0
        assert "cms __complete" in capsys.readouterr().out
    assert run(["completion", "csh"]) == 2


def test_commands_verbs_flags_and_formats_complete() -> None:
    assert candidates(["sta"]) == ["status", "stations", "statements"]
    assert candidates(["stations", "un"]) == ["unknown", "unlock"]
    assert candidates(["stations", "config", "g"]) == ["get"]
    assert candidates(["stations", "list", "--col"]) == ["--columns"]
    assert candidates(["-o", "js"]) == ["json", "jsonl"]


async def test_names_complete_from_the_daemon(address: Address) -> None:
    assert address.socket is not None
    words = ["--socket", address.socket, "stations", "reset", "CP"]
    assert await asyncio.to_thread(candidates, words) == ["CP-1", "CP-2"]


async def test_orders_complete_from_the_daemon(cms: Cms, address: Address) -> None:
    assert address.socket is not None
    await cms("stations", "reset", "CP-1")
    words = ["--socket", address.socket, "intents", "cancel", ""]
    assert await asyncio.to_thread(candidates, words) == ["i1"]


def test_a_reader_that_has_enough_is_no_error() -> None:
    script = "from cli.main import run; import sys; sys.exit(run(['completion', 'bash'] ))"
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 141


async def test_a_mistyped_name_gets_the_nearest(cms: Cms) -> None:
    shown = await cms("stations", "show", "cp-11")
    assert (shown.code, shown.err) == (4, "cms: There is no station cp-11: did you mean CP-1?\n")
    ordered = await cms("stations", "reset", "CP-22", "-o", "json")
    assert ordered.error["hint"] == "did you mean CP-2?"
    assert "did you mean vendor?" in (await cms("stations", "list", "--columns", "vendro")).err
    assert "did you mean model?" in (await cms("stations", "list", "--sort", "-modl")).err


async def test_status_is_lines_for_people_and_one_object_for_scripts(cms: Cms) -> None:
    said = await cms("status")
    assert "stations connect to  ws://127.0.0.1:9000/ocpp" in said.out
    assert "1 of 2 online" in said.out
    told = (await cms("status", "-o", "json")).told
    assert {"version", "uptime_s", "ocpp_url", "socket", "database", "bus", "power_w"} <= told.keys()
    assert told["stations"] == {"total": 2, "online": 1}
    assert told["connectors"] == {"charging": 1, "faulted": 1}
    assert told["sessions"]["active"] == 1


async def test_sessions_have_the_promised_keys(cms: Cms) -> None:
    told = (await cms("sessions", "list", "-o", "json")).told[0]
    assert list(told)[:16] == [
        "id", "station", "evse", "connector", "token", "status", "started_at", "ended_at", "energy_wh",
        "meter_start_wh", "meter_stop_wh", "power_w", "stop_reason", "flags", "cost", "transaction_id",
    ]  # fmt: skip
    assert told["flags"] == ["late-start"]


async def test_a_session_for_people(cms: Cms) -> None:
    out = (await cms("sessions", "show", "s1")).out
    assert "● charging" in out
    assert "11.40 kWh" in out


async def test_tokens_are_added_and_clash(cms: Cms, house: House) -> None:
    said = await cms("tokens", "add", "TAG2", "--driver", "Ada", "-o", "json")
    assert list(said.told)[:8] == [
        "id", "kind", "status", "driver", "group", "valid_from", "valid_to", "visual_number",
    ]  # fmt: skip
    clash = await cms("tokens", "add", "TAG2", "TAG3")
    assert clash.code == 5
    assert "TAG3" in clash.out


async def test_events_are_listed_and_followed(cms: Cms, house: House) -> None:
    house.happen("session.started", station="CP-1", session="s1")
    house.happen("connector.status", station="CP-1", data={"evse": 1, "status": "charging"})
    listed = (await cms("events", "-o", "json")).told
    assert list(listed[0]) == ["cursor", "at", "type", "station", "session", "actor", "data", "organisation"]
    followed = await cms("events", "--follow", "--after", "0", "--limit", "2")
    assert [line.split()[1] for line in followed.lines] == ["session.started", "connector.status"]
    assert "evse=1 status=charging" in followed.out
    lines = await cms(
        "events", "-f", "--after", "0", "--filter", "data.status=charging", "-o", "jsonl", "--limit", "1"
    )
    assert lines.told["type"] == "connector.status"


async def test_the_latest_events_of_a_kind_are_chosen(cms: Cms, house: House) -> None:
    for number in range(5):
        house.happen("session.started", session=f"s{number}")
        house.happen("station.changed")
    said = await cms(
        "events", "--type", "session.*,token.*", "--limit", "2", "--columns", "session", "--no-headers"
    )
    assert said.lines == ["s3", "s4"]
    assert (await cms("events", "--limit", "1", "-o", "name")).out == "10\n"


async def test_following_cannot_be_one_json_array(cms: Cms) -> None:
    assert (await cms("events", "--follow", "-o", "json")).code == 2


async def test_events_have_verbs_as_other_nouns_have(cms: Cms, house: House) -> None:
    house.happen("station.changed")
    assert (await cms("events", "list", "-o", "json")).told == (await cms("events", "-o", "json")).told
    followed = await cms("events", "tail", "--after", "0", "--limit", "1", "-o", "jsonl")
    assert len(followed.lines) == 1
    assert (await cms("events", "lst")).code == 2


async def test_a_bug_is_exit_1_and_no_traceback(cms: Cms) -> None:
    said = await cms("stations", "config", "list", "CP-1")
    assert said.code == 1
    assert "Traceback" not in said.err


async def test_over_tcp_the_daemon_says_that_it_needs_a_token(
    api: RunningApi, capsys: pytest.CaptureFixture[str]
) -> None:
    assert api.tcp is not None
    assert await asyncio.to_thread(run, ["status", "--url", f"http://127.0.0.1:{api.tcp[1]}"]) == 3
    assert "token" in capsys.readouterr().err

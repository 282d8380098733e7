"""``cms shell``: commands without ``cms``, about the station that one stands at."""

from __future__ import annotations

import pytest

from cli.flags import Flags
from cli.shell import Shell, carried


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("status", "status"),
        ("cms status", "status"),
        ("reset --kind soft", "stations reset CP-7 --kind soft"),
        ("config get HeartbeatInterval", "stations config get CP-7 HeartbeatInterval"),
        ("config show", "config show"),
        ("sessions start . --evse 1", "sessions start CP-7 --evse 1"),
        ("sessions list", "sessions list"),
        ("nonsense", "nonsense"),
        ("-o json", "-o json"),
    ],
)
def test_at_a_station_its_verbs_are_about_it(line: str, meant: str) -> None:
    assert Shell([], "CP-7").meant(line.split()) == meant.split()


def test_at_no_station_everything_is_as_it_was_typed() -> None:
    assert Shell([]).meant(["reset", "CP-7"]) == ["reset", "CP-7"]


def test_one_goes_to_a_station_and_leaves_it() -> None:
    shell = Shell([])
    shell.take("at CP-7")
    assert shell.prompt == "cms CP-7> "
    shell.take("at")
    assert shell.prompt == "cms> "
    shell.take("at \x1b[2J")
    assert "\x1b" not in shell.prompt
    shell.take("exit")
    assert shell.over


def test_a_visit_tells_what_was_done_and_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    shell = Shell(["--socket", "/nowhere/cms.sock"], "CP-7")
    shell.take("show  # is it there?")
    shell.take("stations nonsense")
    shell.take("stations add CP-8 --password hunter2")
    shell.take("serve")
    shell.take("'unfinished")
    capsys.readouterr()
    shell.take("visit")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[1].strip() for line in lines] == ["unreachable", "invalid"]
    assert lines[0].endswith("cms stations show CP-7")
    assert "hunter2" not in "".join(lines)
    assert shell.visit.worst == 7


def test_the_flags_of_the_shell_are_those_of_its_commands() -> None:
    given = Flags(socket="/s", output="json", no_color=True, quiet=True)
    assert carried(given) == ["--socket", "/s", "--output", "json", "--no-color", "--quiet"]


def test_words_are_completed_as_outside_and_verbs_at_a_station_too() -> None:
    shell = Shell(["--socket", "/nowhere/cms.sock"], "CP-7")
    assert {"stations", "status"} <= set(shell.candidates("st", []))
    assert "reset" in shell.candidates("res", [])
    assert "reset" not in Shell([]).candidates("res", [])
    assert "visit" in shell.candidates("vi", [])
    assert "list" in shell.candidates("", ["sessions"])

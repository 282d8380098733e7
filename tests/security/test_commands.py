"""Whatever a daemon tells, no command hands the terminal anything that it obeys (T13).

The commands are those of the tree; one that needs more than its parameters say has a row in ``commands.py``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.security.commands import ALWAYS_JSON, ENDS, SILENT, WORDS, Teller, arguments, lines, tree
from tests.security.hosts import cms, hostile
from tests.security.sheets import formulas
from tests.security.strings import MARK
from tests.security.terminal import COMMAND, WATCHED, screened

__all__ = ["cms", "hostile"]

#: ``table`` is ``wide`` with fewer columns: it is left to the longer run, like the formats of machines; and CSV is
#: looked at where there are rows.
FORMATS = ("wide", "csv")
ALL_FORMATS = ("table", "csv", "json", "jsonl", "yaml", "name")


def formats(path: str) -> tuple[str, ...]:
    return FORMATS if path.rpartition(" ")[2] in ("list", "export", "show") else FORMATS[:1]


def harmless(cms: Teller, path: str, *words: str, silent: bool = False) -> None:
    code, sent = cms(*words, "--yes", *arguments(path))
    assert screened(sent, COMMAND) == []
    told = sent.decode("utf-8", "replace")
    assert "csv" not in words or path in ALWAYS_JSON or formulas(told) == []
    assert code in (SILENT | ENDS).get(path, {0}), (
        f"tell in commands.py what `cms {path}` needs: {told[:500]}"
    )
    assert silent or path in SILENT or MARK in told, f"`cms {path}` told nothing of what was supplied"


@pytest.mark.parametrize("path", lines())
def test_no_command_sends_the_terminal_what_it_was_told(hostile: Path, cms: Teller, path: str) -> None:
    for output in formats(path):
        harmless(cms, path, "--socket", str(hostile / "answers"), "-o", output)


@pytest.mark.long
@pytest.mark.parametrize("path", lines())
def test_nor_in_any_other_format(hostile: Path, cms: Teller, path: str) -> None:
    for output in ALL_FORMATS:
        harmless(cms, path, "--socket", str(hostile / "answers"), "-o", output, silent=output == "name")


@pytest.mark.long
@pytest.mark.parametrize("path", lines())
def test_nor_in_a_refusal(hostile: Path, cms: Teller, path: str) -> None:
    _, sent = cms("--socket", str(hostile / "refuses"), "--yes", *arguments(path))
    assert screened(sent, COMMAND) == []


@pytest.mark.parametrize(
    "path", ["status", "stations show", "stations reset", "tokens block", "certificates list"]
)
def test_a_refusal_in_hostile_words_is_told_harmlessly(hostile: Path, cms: Teller, path: str) -> None:
    for output in ("table", "json"):
        code, sent = cms("--socket", str(hostile / "refuses"), "--yes", "-o", output, *arguments(path))
        assert code == 5
        assert MARK in sent.decode()
        assert screened(sent, COMMAND) == []


def test_a_preview_and_a_question_are_harmless(hostile: Path, cms: Teller) -> None:
    for words in (["--dry-run"], []):
        _, sent = cms("--socket", str(hostile / "answers"), *words, "stations", "reset", "CP1")
        assert MARK in sent.decode()
        assert screened(sent, COMMAND) == []


def test_events_and_frames_as_they_come_are_harmless(hostile: Path, cms: Teller) -> None:
    for words in (
        ["events", "--follow", "--limit", "60"],
        ["events", "--follow", "--limit", "20", "-o", "csv"],
        ["stations", "messages", "CP1", "--follow", "--limit", "5"],
    ):
        code, sent = cms("--socket", str(hostile / "answers"), *words)
        assert code == 0, sent
        assert MARK in sent.decode()
        assert screened(sent, WATCHED) == []


def test_completion_offers_no_name_that_a_shell_would_draw_wrongly(hostile: Path, cms: Teller) -> None:
    code, sent = cms("__complete", "--socket", str(hostile / "answers"), "stations", "show", "")
    assert code == 0
    assert screened(sent.replace(b"\t", b" "), COMMAND) == []


def test_the_rows_of_the_table_are_about_commands_that_there_are() -> None:
    assert set(WORDS) | set(SILENT) | set(ENDS) <= set(tree())

"""Commands that read and write files."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from cli.files import written
from cli.main import run
from cms.contract.refusals import Invalid, Unreachable

READING = (
    ("certificates", "install", "CP-1", "csms-root", "--file"),
    ("firmware", "update", "https://files.example/fw.bin", "CP-1", "--certificate"),
    ("profiles", "set", "CP-1", "--file"),
    ("sessions", "start", "CP-1", "--token", "TAG1", "--profile"),
    ("tariffs", "add", "DAY", "--file"),
)


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_a_file_that_cannot_be_read_is_told_in_one_sentence(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    strange = tmp_path / "strange"
    strange.write_bytes(b"\xff\xfe")
    for file, why in (
        (tmp_path / "none", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (strange, "it is not text in UTF-8"),
    ):
        assert run([*command, str(file)]) == 2
        assert capsys.readouterr().err == f"cms: {file} cannot be read: {why}\n"


def test_a_file_that_cannot_be_written_is_told_in_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "none" / "log.zip"
    with pytest.raises(Invalid, match=f"{file} cannot be written: No such file or directory"), written(file):
        pass


def test_a_signature_is_no_file_name_however_long_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    update = ("firmware", "update", "https://files.example/fw.bin", "CP-1", "--signature", "A" * 344)
    assert run(["--socket", str(tmp_path / "none"), *update]) == Unreachable.exit_code
    assert "no daemon answers" in capsys.readouterr().err


@pytest.mark.parametrize("command", [("ocpp", "call", "CP-1", "Reset"), ("der", "set", "CP-1", "VoltVar")])
def test_what_is_no_json_object_is_told_with_an_example(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run([*command, "[]"]) == 2
    assert "a JSON object, e.g. '{" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", io.StringIO('{"type": '))
    assert run([*command, "-"]) == 2
    assert "not JSON" in capsys.readouterr().err

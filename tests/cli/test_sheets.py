"""Files of drivers as people save them, and as somebody who means us ill does."""

from __future__ import annotations

import pytest

from cli.sheets import rows_of
from cms.contract.refusals import Invalid


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_file_is_read_however_a_sheet_program_wrote_it(encoding: str, delimiter: str, end: str) -> None:
    text = end.join(["Driver,name ,TOKEN", "ada,Ada Løvelace,AA", ",,", "ben,Ben,BB"]).replace(",", delimiter)
    rows = rows_of(text.encode(encoding))
    assert [(row.line, row.driver, row.name, row.token) for row in rows] == [
        (2, "ada", "Ada Løvelace", "AA"),
        (4, "ben", "Ben", "BB"),
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"driver,nmae\nada,Ada\n", "did you mean name"),
        (b"driver,driver\nada,ada\n", "twice"),
        (b"driver,name\nada,Ada,more\n", "line 2"),
        (b"driver,name\nada,\xe9\n", "line 2 of the file is not UTF-8"),
        (b'driver,name\nada,"Ada\n', "CSV"),
        (b"driver,name\nada," + b"x" * 5000 + b"\n", "CSV"),
        (b"\xff\xfe\x00", "UTF-16"),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_line(content: bytes, why: str) -> None:
    with pytest.raises(Invalid) as refused:
        rows_of(content)
    assert why in f"{refused.value.message} {refused.value.hint}"

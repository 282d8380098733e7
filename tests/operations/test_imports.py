from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cms.contract.drivers import DriverRow, ImportDrivers, ImportView, ListDrivers, ShowDriver
from cms.contract.refusals import Invalid, NotFound
from cms.contract.tokens import ListTokens, ShowToken
from cms.operations import drivers, imports, tokens
from tests.operations.small import ANA, Small

ADA = {
    "driver": "ada",
    "name": "Ada Lovelace",
    "email": "ada@example.org",
    "groups": "staff, night",
    "token": "AA",
}


async def take(small: Small, *rows: dict[str, str], **more: Any) -> ImportView:
    told = tuple(DriverRow(line, **row) for line, row in enumerate(rows, 2))
    return await imports.drivers_(small.core, ImportDrivers(told, **more), ANA)


def outcomes(view: ImportView) -> list[str]:
    return [row.outcome for row in view.rows]


async def test_drivers_and_their_tokens_come_from_a_file_and_the_same_file_changes_nothing(
    small: Small,
) -> None:
    ben = {"driver": "ben", "company": "yes", "token": "BB", "valid_to": "2027-01-31", "max_sessions": "2"}
    more = {"driver": "ada", "token": "A2", "kind": "eMAID"}
    assert outcomes(await take(small, ADA, ben, more)) == ["added"] * 3
    await small.restart()
    seen = await drivers.show(small.core, ShowDriver("ada"), ANA)
    assert (seen.name, seen.groups, seen.tokens) == ("Ada Lovelace", ("night", "staff"), ("A2", "AA"))
    token = await tokens.show(small.core, ShowToken("BB"), ANA)
    assert (token.driver, token.valid_to, token.max_sessions) == ("ben", datetime(2027, 1, 31, tzinfo=UTC), 2)
    before = await small.core.store.cursor()
    again = await take(small, ADA, ben, more)
    assert (outcomes(again), again.done) == (["unchanged"] * 3, False)
    assert await small.core.store.cursor() == before


async def test_a_line_changes_what_it_names_and_an_empty_cell_nothing(small: Small) -> None:
    await take(small, ADA)
    view = await take(small, {"driver": "ADA", "phone": "+49 30 1234"}, {"token": "aa", "visual_number": "7"})
    assert outcomes(view) == ["changed", "changed"]
    seen = await drivers.show(small.core, ShowDriver("ada"), ANA)
    assert (seen.name, seen.phone) == ("Ada Lovelace", "+49 30 1234")
    assert (await tokens.show(small.core, ShowToken("AA"), ANA)).driver == "ada"


async def test_a_dry_run_reports_each_line_and_writes_nothing(small: Small) -> None:
    view = await take(small, ADA, dry_run=True)
    assert (outcomes(view), view.done) == (["added"], False)
    with pytest.raises(NotFound):
        await drivers.show(small.core, ShowDriver("ada"), ANA)


async def test_one_bad_line_keeps_everything_out_unless_the_good_ones_are_wanted(small: Small) -> None:
    bad = {"driver": "ben", "email": "nobody"}
    view = await take(small, ADA, bad)
    assert (outcomes(view), view.done, view.errors) == (["added", "error"], False, 1)
    assert await drivers.list_(small.core, ListDrivers(), ANA) == []
    assert (await take(small, ADA, bad, partial=True)).done
    assert [driver.id for driver in await drivers.list_(small.core, ListDrivers(), ANA)] == ["ada"]


@pytest.mark.parametrize(
    "row",
    [
        {"driver": "x", "name": "=HYPERLINK('http://evil')"},
        {"driver": "x", "name": "@SUM(1)"},
        {"driver": "x", "name": "a\x1b[31m"},
        {"driver": "x" * 100},
        {"driver": "x", "company": "perhaps"},
        {"driver": "x", "token": "T", "valid_to": "soon"},
        {"driver": "x", "token": "T", "valid_from": "2027-01-02", "valid_to": "2027-01-01"},
        {"driver": "x", "token": "T", "max_sessions": "9" * 30},
        {"driver": "x", "token": "T", "kind": "rfidd"},
        {"driver": "x", "token": "T", "group": "=1"},
        {"driver": "x", "visual_number": "7"},
        {"driver": "ben", "token": "CARD-OF-ADA"},
        {"name": "Nobody"},
        {"country": "DE"},
        {},
    ],
)
async def test_a_line_with_a_mistake_is_an_error_and_says_which(small: Small, row: dict[str, str]) -> None:
    await take(small, {"driver": "ada", "token": "CARD-OF-ADA"})
    view = await take(small, row)
    assert outcomes(view) == ["error"]
    assert view.rows[0].why


async def test_a_quote_that_marks_text_in_sheets_is_no_part_of_it(small: Small) -> None:
    await take(small, {"driver": "ada", "phone": "'+49 30 1234"})
    assert (await drivers.show(small.core, ShowDriver("ada"), ANA)).phone == "+49 30 1234"


async def test_key_codes_come_from_a_file_and_are_not_told(small: Small) -> None:
    view = await take(small, {"driver": "ada", "token": "471100", "kind": "key-code"})
    assert "471100" not in str(view)
    assert "471100" not in str(await tokens.list_(small.core, ListTokens(), ANA))


async def test_too_many_lines_are_refused_at_once(small: Small) -> None:
    with pytest.raises(Invalid, match="too many"):
        await take(small, *[{"driver": "ada"}] * 5001)

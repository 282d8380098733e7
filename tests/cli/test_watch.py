"""--watch: on a terminal only what differs is written, and the picture is right all the same."""

from __future__ import annotations

import pyte
import pytest

from cli.watch import _picture

FIRST = ["ID    LINK", "CP-1  online", "CP-2  offline"]


@pytest.mark.parametrize(
    ("lines", "seen"),
    [
        (["ID    LINK", "CP-1  online", "CP-2  online"], ["ID    LINK", "CP-1  online", "CP-2  online"]),
        (["ID    LINK", "CP-2  off"], ["ID    LINK", "CP-2  off"]),
        ([*FIRST, "CP-3  online"], [*FIRST, "CP-3  online"]),
        ([f"CP-{n}" for n in range(9)], ["CP-0", "CP-1", "CP-2", "CP-3", "... 5 more"]),
        ([], []),
    ],
)
def test_the_new_picture_stands_where_the_old_one_stood(lines: list[str], seen: list[str]) -> None:
    screen = pyte.Screen(20, 6)
    stream = pyte.Stream(screen)
    stream.feed("what stood there before\r\n")
    stream.feed(_picture(FIRST, [], 6))
    stream.feed(_picture(lines, FIRST, 6))
    assert [line.rstrip() for line in screen.display if line.strip()] == seen


def test_a_line_that_stays_is_not_written_again() -> None:
    again = _picture([*FIRST[:2], "CP-2  online"], FIRST, 6)
    assert "CP-1" not in again
    assert "\x1b[2J" not in again

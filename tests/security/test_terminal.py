"""The automaton itself: it lets through what our driver sends, and finds everything else."""

from __future__ import annotations

import pytest

from cms.contract.safe import safe
from tests.security.strings import HOSTILE, OBEYED, random_texts
from tests.security.terminal import COMMAND, CONSOLE, WATCHED, Screening, obeys_nothing, screened
from tui.widgets.paint import clean, fit


@pytest.mark.parametrize(
    "sent",
    [
        "\x1b[?1049h\x1b[?25l\x1b[m\x1b[2J\x1b[3;7H\x1b[0;1;38;2;1;2;3mABB\x1b[12X\x1b[12C\x1b[K\x1b[6n",
        "\x1b]22;pointer\x07",
        "\x1b[?2026h充電器 é ▌✖ ░\x1b[?2026l",
    ],
)
def test_what_the_driver_sends_is_no_finding(sent: str) -> None:
    assert screened(sent.encode(), CONSOLE) == []


@pytest.mark.parametrize("text", OBEYED)
def test_every_hostile_text_is_found_when_it_is_sent_as_it_is(text: str) -> None:
    if not text.isprintable():
        assert screened(text.encode(), CONSOLE) or screened(text.encode(), COMMAND)


@pytest.mark.parametrize("raw", [b"\x9b2J", b"\xff", b"\xed\xa0\x80", b"\x1b", b"\x1b[2", b"\xe5\x85"])
def test_bytes_that_are_no_text_are_found(raw: bytes) -> None:
    assert screened(raw, CONSOLE)


def test_a_command_may_not_move_the_cursor_and_a_watched_table_may() -> None:
    assert screened(b"\x1b[H\x1b[2J", COMMAND)
    assert screened(b"\x1b[H\x1b[2J", WATCHED) == []


def test_a_stream_is_screened_alike_however_it_is_cut() -> None:
    sent = "".join(HOSTILE).encode() + b"\x1b[1m\xe5\x85\x85\xff"
    piecewise = Screening(CONSOLE)
    for byte in sent:
        piecewise.feed(bytes([byte]))
    assert piecewise.end() == screened(sent, CONSOLE)


def test_ten_thousand_random_texts_are_harmless_and_take_their_cells() -> None:
    from rich.cells import cell_len

    for text in (*HOSTILE, *random_texts(10_000)):
        assert obeys_nothing(safe(text)), repr(text)
        assert obeys_nothing(clean(text)), repr(text)
        assert screened(clean(text).encode(), COMMAND) == []
        assert cell_len(fit(text, 17)) == 17, repr(text)

"""The changed-cells layer shows exactly what Textual's own output shows; the pace follows the terminal."""

from __future__ import annotations

import io
import itertools
import random

import pyte
import pytest
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from tui.driver import DEAF_AFTER, PATIENCE_S, RESET, Cells, Pace

WIDTH, HEIGHT = 40, 8
STYLES = [
    Style(),
    Style(color="red"),
    Style(color="#5aa9e6", bgcolor="#10151a"),
    Style(bold=True, color="white", bgcolor="blue"),
    Style(bold=True),
    Style(color="#5aa9e6"),
    Style(reverse=True, color="bright_red"),
    Style(color="default", bgcolor="color(200)", dim=True),
]
COLORS = ColorSystem.TRUECOLOR


class Terminal:
    """An independent terminal (pyte) that shows what it is sent."""

    def __init__(self) -> None:
        self.screen = pyte.Screen(WIDTH, HEIGHT)
        self.stream = pyte.Stream(self.screen)

    def feed(self, text: str) -> None:
        self.stream.feed(text)

    def shows(self) -> list[list[tuple[str, str, str, bool]]]:
        rows = self.screen.buffer
        return [
            [(rows[y][x].data, rows[y][x].fg, rows[y][x].bg, rows[y][x].bold) for x in range(WIDTH)]
            for y in range(HEIGHT)
        ]


def console() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, color_system="truecolor", width=WIDTH)


def words(source: random.Random, width: int, alphabet: str) -> Strip:
    segments: list[Segment] = []
    left = width
    while left > 0:
        length = min(left, source.randint(1, 30))
        text = "".join(source.choice(alphabet) for _ in range(length))
        segments.append(Segment(text, source.choice(STYLES)))
        left -= length
    return Strip(segments, width)


def whole(source: random.Random, alphabet: str = "ab c●✖─|") -> LayoutUpdate:
    return LayoutUpdate(
        [[words(source, WIDTH, alphabet)] for _ in range(HEIGHT)], Region(0, 0, WIDTH, HEIGHT)
    )


def parts(source: random.Random, alphabet: str = "ab c●✖─|") -> ChopsUpdate:
    """Some lines, cut into three chops, of which some spans are dirty."""
    cuts = [0, 10, 25, WIDTH]
    chops = []
    for _ in range(HEIGHT):
        chops.append({start: words(source, end - start, alphabet) for start, end in itertools.pairwise(cuts)})
    rows = sorted(source.sample(range(HEIGHT), 3))
    spans = [(y, cuts[source.randint(0, 1)], cuts[source.randint(2, 3)]) for y in rows]
    return ChopsUpdate(chops, spans, [cuts[1:] for _ in range(HEIGHT)])


@pytest.mark.parametrize("alphabet", ["ab c●✖─|", "a               "])
@pytest.mark.parametrize("in_colour", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_the_terminal_shows_the_same_as_with_the_stock_driver(
    seed: int, in_colour: bool, alphabet: str
) -> None:
    source = random.Random(seed)
    stock, lean = Terminal(), Terminal()
    cells = Cells(WIDTH, HEIGHT, erases_in_colour=in_colour)
    updates = [
        whole(source, alphabet),
        *((parts if source.random() < 0.7 else whole)(source, alphabet) for _ in range(12)),
    ]
    for update in updates:
        stock.feed(RESET + update.render_segments(console()).replace("\n", "\r\n"))
        assert cells.apply(update, COLORS)
        lean.feed(cells.changes())
        assert lean.shows() == stock.shows()


@pytest.mark.parametrize("seed", range(4))
def test_wide_characters_are_never_cut(seed: int) -> None:
    source = random.Random(seed)
    cells, lean = Cells(WIDTH, HEIGHT), Terminal()
    for _ in range(20):
        y, x = source.randrange(HEIGHT), source.randrange(0, WIDTH - 8)
        text = "".join(source.choice("a充電b ●") for _ in range(4))
        cells.put(x, y, Strip([Segment(text, source.choice(STYLES))]), COLORS)
        lean.feed(cells.changes())
        afresh = Terminal()
        cells.forget()
        afresh.feed(cells.changes())
        assert [[c[0] for c in row] for row in lean.shows()] == [
            [c[0] for c in row] for row in afresh.shows()
        ]


def test_an_unchanged_picture_sends_nothing() -> None:
    cells = Cells(WIDTH, HEIGHT)
    update = whole(random.Random(1))
    cells.apply(update, COLORS)
    assert cells.changes()
    cells.apply(update, COLORS)
    assert cells.changes() == ""


def test_one_changed_figure_sends_a_few_bytes() -> None:
    cells = Cells(WIDTH, HEIGHT)
    cells.put(0, 3, Strip([Segment("CP-0042   21.7 kW")]), COLORS)
    cells.changes()
    cells.put(0, 3, Strip([Segment("CP-0042   21.8 kW")]), COLORS)
    assert cells.changes() == "\x1b[4;14H8"


def test_blanks_are_erased_rather_than_sent() -> None:
    cells = Cells(WIDTH, HEIGHT)
    cells.put(0, 0, Strip([Segment("x" * WIDTH)]), COLORS)
    cells.changes()
    cells.put(0, 0, Strip([Segment("a" + " " * (WIDTH - 1))]), COLORS)
    assert cells.changes() == "\x1b[1Ha\x1b[K"


def test_only_what_differs_of_the_pen_is_told() -> None:
    cells = Cells(WIDTH, HEIGHT)
    cells.changes()
    ground = Style(color="#5aa9e6", bgcolor="#10151a")
    cells.put(0, 0, Strip([Segment("a", ground), Segment("b", ground + Style(color="red"))]), COLORS)
    assert cells.changes() == "\x1b[1H\x1b[38;2;90;169;230;48;2;16;21;26ma\x1b[31mb\x1b[m"


def test_after_forgetting_every_cell_is_sent_again() -> None:
    cells = Cells(WIDTH, HEIGHT)
    cells.apply(whole(random.Random(1)), COLORS)
    first = cells.changes()
    cells.forget()
    assert cells.changes() == first


def test_two_frames_may_be_on_their_way() -> None:
    pace = Pace()
    pace.sent(0.0)
    assert pace.may_send(0.1)
    pace.sent(0.1)
    assert not pace.may_send(0.2)
    pace.answered(0.4)
    assert pace.may_send(0.4)
    assert pace.round_trip_s == pytest.approx(0.4)


def test_a_lost_answer_holds_the_picture_up_only_for_a_while() -> None:
    pace = Pace()
    pace.sent(0.0)
    pace.sent(0.1)
    assert not pace.may_send(PATIENCE_S - 0.1)
    assert pace.may_send(PATIENCE_S + 0.1)


def test_a_terminal_that_never_answers_is_not_asked_for_ever() -> None:
    pace = Pace()
    now = 0.0
    for _ in range(DEAF_AFTER):
        pace.sent(now)
        now += PATIENCE_S
        pace.may_send(now)
    assert not pace.asks
    assert pace.may_send(now)

"""Text as the worst station, driver or partner would supply it, for terminals and for sheets.

Sequences are spelt with leading zeros where our own terminal driver sends the same one: a terminal obeys both
spellings, and the automaton of ``terminal.py`` tells by it who spoke.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

#: Stands in every hostile text, so that a test sees that the text was shown at all.
MARK = "Zq"

#: What terminals obey, or what hides and turns text around.
OBEYED = (
    f"\x1b]0;{MARK}pwned\x07",
    f"\x1b]52;c;{MARK}cm0gLXJmIH4=\x1b\\",
    f"\x1b]8;;https://evil.example/{MARK}\x1b\\click\x1b]8;;\x1b\\",
    f"{MARK}\x1b[02J\x1b[001;1Hgone",
    f"{MARK}\x1b[06n\x1b[0c\x1b]10;?\x07",
    f"{MARK}\x1b[?01049l\x1b[?025l\x1bc",
    f'{MARK}\x1bP$q"p\x1b\\\x1b_Gf=24\x1b\\\x1b^x\x1b\\\x1bXy\x1b\\',
    f"{MARK}\x9b31m\x9d0;c1\x9c\x90x\x9c\x85next",
    f"{MARK}\u202etxet\u202c\u2066in\u2069\u200f\u061c",
    f"{MARK}\u2028line\u2029paragraph\x85\x0b\x0c\x1c\x1d\x1e",
    f"{MARK}\r\n\tline\nbreak\rover\x08\x08back\x00nul\x7fdel\x0eshift",
    f"{MARK}\u200b\u200d\ufeff\u2060\U000e0041\ue000\U0010ffff\u0378",
    f"{MARK}" + "a\u0300\u0301\u0302" * 40,
)
#: What Rich and Textual would read as markup; the first crashes a Static.
MARKUP = (
    f"{MARK} vendor [/]",
    f"{MARK}[@click=app.bell]x[/]",
    f"{MARK}[bold red]x[/bold]",
    f"{MARK}[link=https://evil.example]x",
    f"{MARK}[$error]\\[",
)
#: What a spreadsheet would compute.
FORMULAS = (
    f'=HYPERLINK("https://evil.example/{MARK}")',
    f"+{MARK}+1",
    f"-{MARK}-1",
    f"@SUM({MARK})",
    f"  =cmd|'/c calc'!{MARK}",
    f"\t={MARK}",
    f"\r={MARK}",
    f"\x00={MARK}",
    f"＝{MARK}",
    f"＋{MARK}",
    f"－{MARK}",
    f"＠{MARK}",
    f"\u200b={MARK}",
    f"\ufeff={MARK}",
    f"\n={MARK}",
    f'{MARK}",=1+1,"',
    f"{MARK};=1+1",
)
#: What only confuses: wide, joined, long, quoted, format strings.
ODD = (
    f"{MARK}充電器",
    f"{MARK}👩‍👩‍👧",
    f"{MARK} %s %(x)s {{0}} ${{HOME}} `id` $(id) '; rm -rf ~ #",
    f"{MARK} \\ \" ' \\u001b[2J",
    MARK + "x" * 700,
)
HOSTILE = (*OBEYED, *MARKUP, *FORMULAS, *ODD)

_PIECES = (
    *"\x00\x07\x08\t\n\r\x1b\x7f\x80\x85\x8d\x90\x98\x9b\x9d\x9f []/@=();:!?<>%'\"\\",
    *(
        "\x1b[",
        "\x1b]0;",
        "\x1b]52;c;",
        "[/",
        "[@click=",
        "\u202e",
        "\u2066",
        "\u2028",
        "\u0301",
        "\ufe0f",
        "\u200d",
    ),
    *(
        "充",
        "👩",
        "🇩🇪",
        "ﷺ",
        "ก็็็",
        "\ud800",
        "\udfff",
        "\U000e0041",
        "\ue000",
        "\uffff",
        "＝",
        "0;1m",
        "2J",
        "6n",
    ),
)


def random_texts(count: int, seed: int = 13) -> Iterator[str]:
    """Texts of up to 60 characters from anywhere in Unicode, lone surrogates among them, and from the pieces above."""
    chance = random.Random(seed)
    for _ in range(count):
        yield "".join(
            chr(chance.randrange(0x110000)) if chance.random() < 0.3 else chance.choice(_PIECES)
            for _ in range(chance.randrange(60))
        )

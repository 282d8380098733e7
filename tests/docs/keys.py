"""``docs/keys.md``: every key of the console, made from its key table.

``python -m tests.docs.keys`` writes it; a test fails when it is stale.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tui.keymap import Keymap, as_markdown

PAGE: Final = Path(__file__).parents[2] / "docs" / "keys.md"

_HEAD: Final = """Made by `python -m tests.docs.keys` from the key table (`tui/keys.py`). What the keys are for:
[console.md](console.md). A key that names its places has there its own meaning and no other."""


def page() -> str:
    """The whole page."""
    _, *rest = as_markdown(Keymap())
    return "\n".join(["# Keys of the console", "", _HEAD, *rest]) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())

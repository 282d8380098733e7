"""The scripts of ``docs/scripting.md``: every block in ``sh``, with the heading it stands under."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parents[2] / "docs" / "scripting.md"
_PART = re.compile(r"^## (?P<heading>[^\n]+)$|^```sh\n(?P<script>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Script:
    heading: str
    text: str


def scripts() -> list[Script]:
    """In the order of the page."""
    found, heading = [], ""
    for part in _PART.finditer(PAGE.read_text("utf-8")):
        heading = part["heading"] or heading
        if part["script"]:
            found.append(Script(heading, part["script"]))
    return found

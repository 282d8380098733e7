"""What a spreadsheet would compute in a sheet of comma-separated values."""

from __future__ import annotations

import csv
import re

#: ASVS 5.0 1.2.10, with the full-width forms that Excel takes for the others.
FORMULA = re.compile(r"^\s*[=+\-@\t\r\x00＝＋－＠]")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", re.ASCII)


def formulas(sheet: str) -> list[str]:
    """The cells that would be computed; a number is none."""
    lines = csv.reader(sheet.replace("\r\n", "\n").split("\n"))
    return [cell for line in lines for cell in line if FORMULA.match(cell) and not _NUMBER.fullmatch(cell)]


def unmarked(cell: str) -> str:
    """The text of a cell without the sign that says it is text."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell.lstrip("'")) else cell

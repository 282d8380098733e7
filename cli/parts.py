"""A long file of drivers, in parts that a daemon takes at once; what belongs together stays together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from cms.contract.drivers import DriverRow
from cms.contract.refusals import Invalid

#: So many lines are one commit of the daemon, which takes no more at once.
MOST_LINES = 5_000


def parts(rows: Sequence[DriverRow], most: int | None = None) -> list[tuple[DriverRow, ...]]:
    """The lines in parts of at most ``most`` (MOST_LINES), each in the order of the file.

    Lines that name the same driver or token are in the same part, so that judging a part says what judging
    the whole file would. Raises Invalid where more lines than ``most`` belong together.
    """
    most = most or MOST_LINES
    found: list[list[DriverRow]] = [[]]
    for group in _together(rows):
        if len(group) > most:
            more = f"{len(group)} lines belong together, line {group[0].line} and others"
            raise Invalid(f"{more}: a daemon takes {most} at once", "divide the file by hand")
        if len(found[-1]) + len(group) > most:
            found.append([])
        found[-1] += group
    return [tuple(sorted(part, key=lambda row: row.line)) for part in found]


def _together(rows: Sequence[DriverRow]) -> Iterator[list[DriverRow]]:
    """Groups of lines that share drivers or tokens, by their first lines."""
    root: dict[str, str] = {}

    def top(name: str) -> str:
        while (above := root.setdefault(name, name)) != name:
            root[name] = root[above] = root.get(above, above)
            name = root[name]
        return name

    firsts = []
    for row in rows:
        names = _names(row)
        firsts.append(names[0])
        for name in names[1:]:
            root[top(name)] = top(names[0])
    groups: dict[str, list[DriverRow]] = defaultdict(list)
    for row, name in zip(rows, firsts, strict=True):
        groups[top(name)].append(row)
    yield from groups.values()


def _names(row: DriverRow) -> list[str]:
    """What a line is about, however it is spelled; a line about nothing stands alone."""
    driver = row.driver.strip().lstrip("'").casefold()
    token = "".join(filter(str.isalnum, row.token.casefold())).removeprefix("vid")
    named = [f"{kind} {name}" for kind, name in (("driver", driver), ("token", token)) if name]
    return named or [f"line {row.line}"]

"""``cms import``: sessions that another system knew."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.errors import note
from cli.flags import Flags
from cli.noun import confirmed, flags_of, group, tell_list
from cli.progress import progress
from cli.render import Column, Row, cell, kwh, show_one, when
from cms.client import ask
from cms.contract import history
from cms.contract.refusals import Invalid, Refusal
from cms.contract.safe import csv_cell

if TYPE_CHECKING:
    from cli.history import File, Layout, Line
    from cli.seen import Seen

app = group("Sessions that another system knew: bring them in, see what was brought in, take it back.")

#: What a part may take: the daemon writes it in one commit.
_PATIENCE_S = 120.0
#: So many bad lines are shown; --bad writes all of them.
_SHOWN = 20
_KEPT = 1_000
_KB = 1_000


_SOME = 8


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SOME]) + (f" and {len(names) - _SOME} more" if len(names) > _SOME else "")


def _unknown(which: str) -> Callable[[Any], str]:
    def told(unknown: Any) -> str:
        found = [each for each in unknown or () if each["kind"] == which]
        becomes = found[0]["becomes"] if found else ""
        return f"{_some([each['name'] for each in found])}: {becomes}" if found else ""

    return told


TOLD = (
    Column("file"),
    Column("import", "import"),
    Column("done", "written"),
    Column("rows", "lines"),
    Column("new", "new sessions"),
    Column("duplicates"),
    Column("bad", "bad lines"),
    Column("energy_wh", "energy", kwh),
    Column("first", "first begins"),
    Column("last", "last begins"),
    Column("stations", "at stations", lambda names: _some(names or ())),
    Column("unknown", "unknown stations", _unknown("station")),
    Column("unknown", "unknown evses", _unknown("evse")),
    Column("unknown", "unknown tokens", _unknown("token")),
    Column("unknown", "unknown drivers", _unknown("driver")),
)
LIST = (
    Column("id"),
    Column("file"),
    Column("status"),
    Column("sessions", right=True),
    Column("energy_wh", "energy", kwh, right=True),
    Column("first", "from", lambda at: (at or "")[:10]),
    Column("last", "to", lambda at: (at or "")[:10]),
    Column("stations_added", "stations added", wide=True),
    Column("by"),
    Column("at", "when", when),
    Column("digest", wide=True),
)
REMOVED = (Column("id", "import"), Column("removed", "sessions removed"), Column("left", "sessions left"))

Import = Annotated[str, typer.Argument(metavar="IMPORT", help="As `cms import list` names it, e.g. I3.")]


@dataclass(slots=True)
class _Told:
    """What became of the lines so far."""

    rows: int = 0
    new: int = 0
    duplicates: int = 0
    bad: int = 0
    energy_wh: int = 0
    id: str | None = None
    first: str | None = None
    last: str | None = None
    stations: set[str] = field(default_factory=set)
    unknown: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    lines: list[dict[str, Any]] = field(default_factory=list)
    reasons: dict[str, list[int]] = field(default_factory=dict)
    """What is wrong with bad lines -> the first of them, and how many they are."""

    def row(self, file: str, layout: Layout, *, judged: bool) -> Row:
        """The same as scripts read it; ``judged``: nothing was written."""
        return {
            "file": file,
            "import": None if judged else self.id,
            "done": not judged and self.id is not None,
            "rows": self.rows,
            "new": self.new,
            "duplicates": self.duplicates,
            "bad": self.bad,
            "energy_wh": self.energy_wh,
            "first": self.first,
            "last": self.last,
            "stations": sorted(self.stations),
            "unknown": [
                {"kind": kind, "name": name, "rows": rows, "becomes": becomes}
                for (kind, name, becomes), rows in sorted(self.unknown.items())
            ],
            "columns": dict(layout.columns.of),
            "lines": self.lines,
        }


@app.command("sessions")
def sessions(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="CSV or JSON; - for stdin.")],
    map_: Annotated[
        str | None,
        typer.Option("--map", metavar="FIELD=COLUMN,...", help="Which column says what; others are guessed."),
    ] = None,
    mapping: Annotated[
        str | None, typer.Option("--mapping", metavar="FILE", help="The same, and more, in a YAML file.")
    ] = None,
    time_zone: Annotated[
        str | None,
        typer.Option("--time-zone", metavar="NAME", help="Of times that name none: Europe/Berlin."),
    ] = None,
    date_format: Annotated[
        str | None, typer.Option("--date-format", metavar="FORMAT", help="E.g. '%d.%m.%y %H:%M'.")
    ] = None,
    decimal: Annotated[str | None, typer.Option("--decimal", metavar=".|,")] = None,
    unit: Annotated[
        str | None, typer.Option("--unit", metavar="Wh|kWh|MWh", help="Of energy whose heading names none.")
    ] = None,
    delimiter: Annotated[str | None, typer.Option("--delimiter", metavar="CHARACTER")] = None,
    currency: Annotated[
        str | None, typer.Option("--currency", metavar="EUR|...", help="Of costs that name none.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option("--encoding", metavar="NAME", help="Unless it is UTF-8 or UTF-16.")
    ] = None,
    add_stations: Annotated[
        bool, typer.Option("--add-stations", help="Register stations that nobody knows, for their history.")
    ] = False,
    site: Annotated[
        str | None, typer.Option("--site", metavar="SITE", help="Where stations stand that are registered.")
    ] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Take the good lines though some are bad.")
    ] = False,
    bad: Annotated[
        Path | None, typer.Option("--bad", metavar="FILE", help="Write bad lines there, as CSV with reasons.")
    ] = None,
) -> None:
    """Bring sessions of another system in, as history that is never billed. All lines are judged before one is written.

    --dry-run says what would happen. The same file again brings nothing twice, and goes on where an import broke off.
    """
    from cli.history import file_named, layout_of
    from cli.mapping import Columns, checked, read_map, read_mapping

    flags = flags_of(ctx)
    told = read_mapping(mapping) if mapping else Columns()
    said = {
        "time_zone": time_zone,
        "date_format": date_format,
        "decimal": decimal,
        "unit": unit,
        "delimiter": "\t" if delimiter == "\\t" else delimiter,
        "currency": currency,
        "encoding": encoding,
    }
    more: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
    told = checked(replace(told, of={**told.of, **read_map(map_ or "")}, **more))
    with file_named(file) as known:
        layout = layout_of(known, told)
        _say_columns(flags, layout)
        terms = _Terms(known, layout, add_stations, site, skip_bad)
        code = _import(flags, terms, bad)
    raise typer.Exit(code)


@dataclass(frozen=True, slots=True)
class _Terms:
    """What is imported, and how."""

    file: File
    layout: Layout
    add_stations: bool
    site: str | None
    skip_bad: bool

    def request(
        self, rows: Sequence[history.HistoryRow], last: bool, dry_run: bool
    ) -> history.ImportSessions:
        return history.ImportSessions(
            tuple(rows),
            self.file.name,
            self.file.digest,
            last=last,
            dry_run=dry_run,
            skip_bad=self.skip_bad,
            add_stations=self.add_stations,
            site=self.site,
        )


def _say_columns(flags: Flags, layout: Layout) -> None:
    """Which column was taken for what: a guess that nobody sees cannot be mended."""
    known = f"{layout.known_as}: " if layout.known_as else ""
    taken = ", ".join(f"{name}={column}" for name, column in layout.columns.of.items())
    unused = f"; not used: {', '.join(layout.unused)}" if layout.unused else ""
    note(f"{known}{taken}{unused}", flags.quiet)


def _import(flags: Flags, terms: _Terms, bad: Path | None) -> int:
    """Judge all lines, then write them; the exit code."""
    from cli.seen import Seen

    with ExitStack() as stack:
        note_bad = stack.enter_context(_bad_lines(bad, terms.layout))
        if flags.dry_run or not terms.skip_bad:
            seen = Seen()
            stack.callback(seen.close)
            judged = _run(flags, terms, "checking kB", note_bad, seen)
            if flags.dry_run or judged.bad:
                return _end(flags, terms, judged, bad, done=False)
            note_bad = _noted  # there are none, or they were noted
        written = _run(flags, terms, "importing kB", note_bad, None)
    return _end(flags, terms, written, bad, done=True)


def _noted(line: Line, why: str) -> None:
    pass


def _end(flags: Flags, terms: _Terms, told: _Told, bad: Path | None, *, done: bool) -> int:
    row = told.row(terms.file.name, terms.layout, judged=not done)
    columns = [column for column in TOLD if flags.output not in ("table", "wide") or cell(row, column)]
    show_one(row, columns, flags, "file")
    for why, (first, count) in list(told.reasons.items())[:_SHOWN]:
        note(f"line {first}{f' and {count - 1} more' if count > 1 else ''}: {why}", flags.quiet)
    if len(told.reasons) > _SHOWN or (told.bad and not bad):
        note("all bad lines: --bad FILE writes them" if not bad else f"all bad lines: {bad}", flags.quiet)
    if done:
        return 0
    if told.bad and not terms.skip_bad:
        note("nothing was written: mend the bad lines, or leave them out with --skip-bad", flags.quiet)
        return Invalid.exit_code
    note("nothing was written: this was a dry run", flags.quiet)
    return 0


@contextmanager
def _bad_lines(path: Path | None, layout: Layout) -> Iterator[Callable[[Line, str], None]]:
    """A function that writes a bad line and its reason to the file, where one is wanted."""
    from cli.history import shown

    if path is None:
        yield _noted
        return
    try:
        file = path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise Invalid(f"{path} cannot be written: {error.strerror}") from None
    with file:
        sheet = csv.writer(file)
        sheet.writerow(["line", "why", *map(csv_cell, layout.headings)])

        def write(line: Line, why: str) -> None:
            cells = (csv_cell(shown(line.record, heading)) for heading in layout.headings)
            sheet.writerow([line.number, csv_cell(why), *cells])

        yield write


def _run(
    flags: Flags, terms: _Terms, what: str, note_bad: Callable[[Line, str], None], seen: Seen | None
) -> _Told:
    """All lines in parts. With ``seen`` they are judged alone: it knows of repeats in other parts."""
    from cli.history import lines_of

    told = _Told()
    with progress(flags, what, terms.file.size // _KB) as at:
        try:
            for part, last in _parts(lines_of(terms.file, terms.layout)):
                rows = [line.row for line in part if line.row is not None]
                request = terms.request(rows, last, dry_run=seen is not None)
                answer = ask(request, flags.address, max(flags.patience_s, _PATIENCE_S))
                _add(told, part, answer, note_bad, seen)
                at((part[-1].at if part else terms.file.size) // _KB)
        except (Refusal, KeyboardInterrupt):
            if seen is None and told.new:
                note(
                    f"{told.new} sessions are written as import {told.id}, the rest is not: the same command goes on",
                    flags.quiet,
                )
            raise
    return told


def _parts(lines: Iterator[Line]) -> Iterator[tuple[list[Line], bool]]:
    """Parts that a daemon takes at once, and whether each is the last."""
    part: list[Line] = []
    points = 0
    for line in lines:
        more = len(line.row.points) if line.row is not None else 0
        if part and (len(part) >= history.MOST_ROWS or points + more > history.PART_POINTS):
            yield part, False
            part, points = [], 0
        part.append(line)
        points += more
    yield part, True


def _add(
    told: _Told, part: list[Line], answer: Row, note_bad: Callable[[Line, str], None], seen: Seen | None
) -> None:
    """Add what became of a part."""
    outcomes = {each["line"]: each for each in answer["lines"]}
    repeats = 0
    for line in part:
        told.rows += 1
        outcome = outcomes.get(line.number)
        if line.row is None:
            outcome = {"line": line.number, "outcome": "bad", "why": line.why}
        elif outcome is None and seen is not None and (before := seen.before(line.row)) is not None:
            outcome = {"line": line.number, "outcome": "duplicate", "why": f"line {before}"}
            repeats += 1
            told.energy_wh -= line.row.energy_wh
        if outcome is None:
            continue
        if outcome["outcome"] == "bad":
            told.bad += 1
            note_bad(line, outcome["why"])
            if outcome["why"] in told.reasons or len(told.reasons) < _KEPT:
                told.reasons.setdefault(outcome["why"], [line.number, 0])[1] += 1
        else:
            told.duplicates += 1
        if len(told.lines) < _KEPT:
            told.lines.append(outcome)
    told.new += answer["new"] - repeats
    told.energy_wh += answer["energy_wh"]
    told.id = answer["id"] or told.id
    told.stations |= set(answer["stations"])
    told.first = min(filter(None, (told.first, answer["first"])), default=None)
    told.last = max(filter(None, (told.last, answer["last"])), default=None)
    for each in answer["unknown"]:
        told.unknown[each["kind"], each["name"], each["becomes"]] += each["rows"]


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """All imports, newest first."""
    tell_list(flags_of(ctx), history.ListSessionImports(), LIST)


@app.command()
def show(ctx: typer.Context, import_: Import) -> None:
    """One import."""
    flags = flags_of(ctx)
    show_one(ask(history.ShowSessionImport(import_), flags.address, flags.patience_s), LIST, flags)


@app.command()
def remove(ctx: typer.Context, import_: Import) -> None:
    """Remove the sessions that an import brought, with their readings. Stations that it registered stay."""
    flags = flags_of(ctx)
    address, patience_s = flags.address, max(flags.patience_s, _PATIENCE_S)
    would = ask(
        history.RemoveSessionImport(import_, dry_run=True), replace(address, dry_run=False), patience_s
    )
    if flags.dry_run:
        note(f"would remove {would['left']} sessions of import {would['id']}", flags.quiet)
        return
    if not confirmed(flags, f"Remove {would['left']} sessions of import {would['id']}?"):
        raise typer.Exit(130)
    total, removed, left = would["left"], 0, would["left"]
    with progress(flags, "removing", total) as at:
        try:
            while left or not removed:
                told = ask(history.RemoveSessionImport(import_, reason=flags.reason), address, patience_s)
                before, left = left, told["left"]
                removed += told["removed"]
                at(removed)
                if left >= before:
                    break
        except (Refusal, KeyboardInterrupt):
            note(f"{removed} sessions are removed, the others are not: the same command goes on", flags.quiet)
            raise
    show_one({"id": would["id"], "removed": removed, "left": left}, REMOVED, flags)

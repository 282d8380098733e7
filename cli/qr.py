"""``cms stations qr``: the QR code of an EVSE, on the terminal or as a picture."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.errors import note
from cli.files import written
from cli.flags import Flags
from cli.noun import Station, flags_of
from cli.render import Column, show_one
from cms.client import ask
from cms.contract.refusals import Invalid
from cms.contract.safe import safe

#: (upper, lower) module of a cell -> its sign; light modules are drawn, as terminals are dark.
_HALVES = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}
_MARGIN = 4  # ISO/IEC 18004: modules around it stay light
#: White on black, whatever colours the terminal has.
_COLOURS = ("\x1b[97;40m", "\x1b[0m")
_SCALE = 8

_COLUMNS = (Column("station"), Column("evse"), Column("evse_id", "evse id"), Column("text"))


def add_to(app: typer.Typer) -> None:
    """The verb, among those of stations."""
    app.command("qr")(qr)


def qr(
    ctx: typer.Context,
    station: Station,
    evse: Annotated[int, typer.Argument(metavar="EVSE")] = 1,
    svg: Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="Write it there.")] = None,
    png: Annotated[Path | None, typer.Option("--png", metavar="FILE", help="Write it there.")] = None,
    inverted: Annotated[
        bool, typer.Option("--inverted", help="For a light terminal without colours.")
    ] = False,
) -> None:
    """The QR code of an EVSE, as drivers scan it; -o json gives its text alone."""
    from cms.contract.evses import ShowQr

    flags = flags_of(ctx)
    view = ask(ShowQr(station, evse), flags.address, flags.patience_s)
    for kind, file in (("svg", svg), ("png", png)):
        if file is not None:
            _write(view["text"], kind, file)
            note(f"wrote {file}", flags.quiet)
    if flags.output not in ("table", "wide"):
        show_one(view, _COLUMNS, flags)
    elif svg is None and png is None:
        for line in lines(view["text"], flags, inverted):
            print(line)
        print(safe(view["text"]))


def _code(text: str) -> Any:
    import segno

    return segno.make_qr(text, error="m")


def _write(text: str, kind: str, file: Path) -> None:
    with written(file) as target:
        _code(text).save(target, kind=kind, scale=_SCALE, border=_MARGIN)


def lines(text: str, flags: Flags, inverted: bool) -> Iterator[str]:
    """The code in half blocks. Invalid when it is wider than the terminal: half a code is none."""
    modules = [list(row) for row in _code(text).matrix_iter(border=_MARGIN)]
    columns = shutil.get_terminal_size().columns
    if len(modules[0]) > columns:
        raise Invalid(
            f"the code is {len(modules[0])} cells wide, the terminal {columns}", "write it with --svg FILE"
        )
    before, after = _COLOURS if flags.colour else ("", "")
    for upper, lower in _pairs(modules):
        signs = (_HALVES[_seen(pair, inverted)] for pair in zip(upper, lower, strict=True))
        yield f"{before}{''.join(signs)}{after}"


def _seen(pair: tuple[int, int], inverted: bool) -> tuple[int, int]:
    upper, lower = bool(pair[0]), bool(pair[1])
    return (int(upper is not inverted), int(lower is not inverted))


def _pairs(modules: Sequence[list[int]]) -> Iterator[tuple[list[int], list[int]]]:
    """Two rows of modules are one line; the last has none below it."""
    for at in range(0, len(modules), 2):
        below = modules[at + 1] if at + 1 < len(modules) else [0] * len(modules[at])
        yield modules[at], below

"""What is shown, as a file: the rows of a list, or the picture of the screen."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from cms.contract.safe import csv_cell, safe
from tui import filing
from tui.widgets.menu import Choice, Menu
from tui.widgets.paint import Span

if TYPE_CHECKING:
    from tui.app import CmsApp
    from tui.screens.listed import Listed

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


def open_export(app: CmsApp, place: Listed) -> None:
    """Ask in which form."""
    rows = len(place.listing.shown)
    choices = [
        Choice("CSV, the columns that are shown", "c", value=partial(_write, app, place, "csv")),
        Choice("JSON, all that is known of each row", "j", value=partial(_write, app, place, "json")),
        Choice("copy the CSV", "y", value=partial(_copy, app, place)),
        *place.more_exports(),
    ]
    app.screen.query_one(Menu).open("export", f"Export {rows:,} rows", choices)


def as_csv(place: Listed) -> str:
    """Heading and the rows that the filter shows, in their order; no cell is a formula."""
    table = place.list_table()
    titles = [column.title for column in place.columns]
    chosen = [n for n, title in enumerate(titles) if title and title in table.shown_columns]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([titles[n] for n in chosen])
    for key in place.listing.shown:
        cells = place.cells(key)
        writer.writerow([csv_cell(_text(cells[n])) for n in chosen])
    return file.getvalue()


def as_json(place: Listed) -> bytes:
    """The views themselves, as the command line tells them."""
    views = place.views()
    told = [msgspec.to_builtins(views[key], str_keys=True) for key in place.listing.shown if key in views]
    return msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"


def _text(cell: Span) -> str:
    return safe(cell if isinstance(cell, str) else cell[0]).strip()


def named(what: str, now: datetime, suffix: str) -> str:
    """``cms-stations-20261122-1201.csv``."""
    return f"cms-{_NOT_IN_NAMES.sub('-', what).strip('-').lower()}-{now.astimezone():%Y%m%d-%H%M%S}.{suffix}"


def _write(app: CmsApp, place: Listed, form: str) -> None:
    content = as_csv(place).encode() if form == "csv" else as_json(place)
    name = named(place.kept_name, app.now(), form)
    app.say(*filing.told(name, content, f"{len(place.listing.shown):,} rows"))


def _copy(app: CmsApp, place: Listed) -> None:
    app.copy(as_csv(place))
    app.say(f"copied: {len(place.listing.shown):,} rows as CSV", "good")


def write_picture(app: CmsApp) -> None:
    """The screen as a drawing (SVG) and as text, into the present folder."""
    what = "-".join(app.here.crumbs()) if app.here is not None else "screen"
    lines: Sequence[Any] = app.screen._compositor.render_strips()
    text = "\n".join(strip.text.rstrip() for strip in lines) + "\n"
    filing.told(named(what, app.now(), "txt"), text.encode(), "text")
    app.say(
        *filing.told(named(what, app.now(), "svg"), app.export_screenshot(title="cms").encode(), "picture")
    )

"""``cms config``: the daemon's settings as they would be here and now."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.noun import flags_of, group
from cli.render import Column, select, show_list

app = group("The daemon's settings.")

COLUMNS = (Column("key"), Column("value"), Column("source"))


@app.command()
def show(
    ctx: typer.Context,
    config: Annotated[Path | None, typer.Option("--config", metavar="FILE")] = None,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", metavar="DIR")] = None,
) -> None:
    """The effective settings, and where each came from: flag, CMS_* variable, file or default."""
    from cms.settings import load

    flags = flags_of(ctx)
    settings = load({"data_dir": data_dir, "socket": flags.socket}, config)
    rows = [{"key": key, "value": value, "source": source} for key, value, source in settings.effective()]
    show_list(select(rows, flags), COLUMNS, flags, name="key")

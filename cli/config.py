"""``cms config``: the daemon's settings as they would be here and now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.noun import flags_of, group
from cli.render import Column, select, show_list

if TYPE_CHECKING:
    from cms.settings import Settings

app = group("The daemon's settings.")


def _word(value: Any) -> str:
    """As it would stand in the file."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


COLUMNS = (Column("key"), Column("value", show=_word), Column("source"))


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
    rows = [
        {"key": key, "value": _in_force(settings, key, shown), "source": source}
        for key, shown, source in settings.effective()
    ]
    show_list(select(rows, flags), COLUMNS, flags, name="key")


def _in_force(settings: Settings, key: str, shown: str) -> Any:
    """The value as JSON has it; text as it may be shown, without passwords."""
    value = getattr(settings, key)
    if key == "database" and value is None:
        return settings.database_url
    return value if value is None or isinstance(value, bool | int | float) else shown

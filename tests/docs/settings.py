"""``docs/settings.md``: everything a daemon can be told, made from ``cms.settings``.

``python -m tests.docs.settings`` writes it; a test fails when it is stale.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from cms.settings import PREFIX, Settings

PAGE: Final = Path(__file__).parents[2] / "docs" / "settings.md"

_HEAD: Final = f"""# Settings

What `cms serve` can be told: as a key of the TOML file, or as a variable (`ocpp_port` is `{PREFIX}OCPP_PORT`;
lists are JSON there). [running.md](running.md) says which of them wins. Times are seconds, sizes bytes.
`cms config show` prints what is in force.

| setting | default | what it is |
| --- | --- | --- |
"""

#: Defaults that differ from machine to machine.
_FOUND: Final = {"data_dir": "the user's data directory", "socket": "in the runtime or data directory"}


def page() -> str:
    """The whole page."""
    return _HEAD + "".join(_row(name, field) for name, field in Settings.model_fields.items())


def _row(name: str, field: FieldInfo) -> str:
    default = _FOUND.get(name) or _shown(field.default)
    return f"| `{name}` | {default} | {field.description} |\n"


def _shown(default: Any) -> str:
    assert default is not PydanticUndefined
    if default is None or default == ():
        return "–"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")

"""``docs/schemas/``: the JSON Schema of everything a daemon answers, made from the contract's types.

``python -m tests.docs.schemas`` writes it; a test fails when it is stale.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from cli.schema import DRAFT, definitions, rows

FOLDER: Final = Path(__file__).parents[2] / "docs" / "schemas"

_HEAD: Final = """# Schemas

[cms.schema.json](cms.schema.json) has the JSON Schema (2020-12) of every object that the daemon answers, which is what
`-o json` prints: of a list an array, of `show` and of an order one object. `cms schema StationView` prints one of them
with all that it needs, `cms schema 'StationView[]'` its list.

Every key is always there; what is absent is `null`. Keys may be added, so take no offence at more of them.

Made by `python -m tests.docs.schemas` from the contract's types.

| answer | to |
| --- | --- |
"""


def files() -> dict[str, str]:
    """Name -> text."""
    table = "".join(f"| `{row['name']}` | {', '.join(row['requests'])} |\n" for row in rows())
    schema = {"$schema": DRAFT, "$id": "cms.schema.json", "$defs": definitions()}
    return {"README.md": _HEAD + table, "cms.schema.json": json.dumps(schema, indent=1) + "\n"}


def write() -> None:
    """Write them."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in files().items():
        (FOLDER / name).write_text(text, "utf-8")


if __name__ == "__main__":
    write()

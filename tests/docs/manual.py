"""``docs/cli/`` and ``docs/man/``: every command, made from the commands themselves.

``python -m tests.docs.manual`` writes them; a test fails when they are stale.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cli.main import COMMANDS
from cli.manual import index, markdown, page_of, roff, roff_of_all

DOCS: Final = Path(__file__).parents[2] / "docs"


def pages() -> dict[str, str]:
    """Path below docs/ -> text."""
    found = {"cli/README.md": index(), "man/cms.1": roff_of_all()}
    for noun in COMMANDS:
        page = page_of(noun)
        found[f"cli/{noun}.md"] = markdown(page)
        found[f"man/cms-{noun}.1"] = roff(page)
    return found


def written() -> dict[str, str]:
    """What lies there now."""
    files = [*(DOCS / "cli").glob("*.md"), *(DOCS / "man").glob("*.1")]
    return {str(file.relative_to(DOCS)): file.read_text("utf-8") for file in files}


def write() -> None:
    """Write the pages, and remove those of commands that are gone."""
    made = pages()
    for name in written().keys() - made.keys():
        (DOCS / name).unlink()
    for name, text in made.items():
        (DOCS / name).parent.mkdir(exist_ok=True)
        (DOCS / name).write_text(text, "utf-8")


if __name__ == "__main__":
    write()

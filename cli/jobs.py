"""What ``cms firmware`` and ``cms logs`` have in common: jobs as rows."""

from __future__ import annotations

from typing import Any

from cli.flags import Flags
from cli.noun import tell_list
from cli.render import Column, when
from cms.contract.jobs import ListJobs

_SIGNS = {"running": "…", "done": "✔", "failed": "✖", "cancelled": "–", "refused": "✖"}


def _outcome(word: Any) -> str:
    return f"{_SIGNS.get(word, '?')} {word}"


def _files(uploads: Any) -> str:
    return ", ".join(f"{file['name']} ({file['size']} B)" for file in uploads or ())


COMMON = (
    Column("station"),
    Column("request_id", "request", right=True),
    Column("requested_at", "requested", when),
    Column("outcome", show=_outcome),
    Column("status", "last word"),
    Column("detail"),
)
FIRMWARE = (
    *COMMON,
    Column("kind", wide=True),
    Column("before", "from"),
    Column("after", "to"),
    Column("signed", wide=True),
    Column("retrieve_at", "retrieve", when, wide=True),
    Column("install_at", "install", when, wide=True),
    Column("location", wide=True),
)
LOGS = (
    *COMMON,
    Column("log_type", "log"),
    Column("file_name", "file"),
    Column("uploads", "uploaded here", _files),
    Column("location", wide=True),
)


def tell_jobs(flags: Flags, station: str | None, kind: str | None, columns: tuple[Column, ...]) -> None:
    """The jobs of a kind, the youngest first."""
    tell_list(flags, ListJobs(station, kind), columns)

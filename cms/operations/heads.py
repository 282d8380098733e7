"""The end of the audit log, told where the record does not reach: whoever cuts the record off is found out.

Once a minute, when it has moved, the log has a line, and a file beside the database (0600) the last one of each
organisation.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import structlog

from cms.core import Core
from cms.domain.audit import Head

log = structlog.get_logger("cms.audit")

_NAME = "audit.head"


def _path(core: Core) -> Path | None:
    """None where nothing is kept in a folder: a core of a test, or without one."""
    return Path(core.terms.data_dir) / _NAME if core.terms.data_dir else None


def _all(path: Path | None) -> dict[str, Head]:
    """By organisation. What cannot be read is as good as none."""
    if path is None:
        return {}
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Head])
    except (OSError, msgspec.MsgspecError):
        return {}


def told(core: Core) -> list[Head]:
    """The head that was told last, if any."""
    head = _all(_path(core)).get(core.organisation)
    return [] if head is None else [head]


async def tell(core: Core) -> None:
    """Tell the head, if it has moved since."""
    path = _path(core)
    known = _all(path)
    head = await core.store.audit_head(core.organisation)
    before = known.get(core.organisation, Head())
    if head.seq < before.seq:  # the file keeps what proves it
        log.error("audit.cut", organisation=core.organisation, told=before.seq, seq=head.seq)
        return
    if head == before:
        return
    log.info("audit.head", organisation=core.organisation, seq=head.seq, mac=head.mac)
    if path is not None:
        _write(path, msgspec.json.encode({**known, core.organisation: head}))


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing, for the daemon's user alone. The log has it too: nobody waits for the disk."""
    new = path.with_suffix(".new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    new.replace(path)

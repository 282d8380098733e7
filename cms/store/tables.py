"""All tables: importing this module fills ``METADATA``."""

from __future__ import annotations

from cms.store import changes, events
from cms.store.schema import Row

METADATA = Row.metadata
__all__ = ["METADATA", "changes", "events"]

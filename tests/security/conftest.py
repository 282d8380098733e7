"""Threats are tried against the same small core that operations are tested with."""

from __future__ import annotations

from tests.operations.conftest import empty_record, small

__all__ = ["empty_record", "small"]

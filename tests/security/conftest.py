"""Threats are tried against the same small core that operations are tested with."""

from __future__ import annotations

from tests.operations.conftest import small

__all__ = ["small"]

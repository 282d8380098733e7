"""Stories are long; of the daemon's log only what went wrong is worth reading."""

from __future__ import annotations

import pytest

from cms.logs import set_up


@pytest.fixture(autouse=True)
def _quiet_log() -> None:
    set_up("error", "auto")

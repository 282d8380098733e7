"""What ``cms profiles`` makes of its arguments."""

from __future__ import annotations

from decimal import Decimal as D
from pathlib import Path

import pytest

from cli.charging import read_profile, schedule
from cms.contract.charging import Period, Schedule
from cms.contract.refusals import Invalid


def test_limits_are_read_as_people_write_them() -> None:
    assert schedule(["16A"], None, None, None) == Schedule("A", (Period(0, D(16)),))
    steps = schedule(["2h=6.5 A", "16A"], 3, None, "1d")
    assert steps.periods == (Period(0, D(16), 3), Period(7200, D("6.5"), 3))
    assert steps.duration_s == 86_400
    assert schedule(["11kW", "1h=3.7kW"], None, None, None).periods == (
        Period(0, D(11_000)),
        Period(3600, D("3700.0")),
    )


@pytest.mark.parametrize("limits", (None, [], ["16"], ["sixteen A"], ["6A", "1h=1kW"], ["=6A"]))
def test_what_is_no_limit_is_refused(limits: list[str] | None) -> None:
    with pytest.raises(Invalid):
        schedule(limits, None, None, None)


def test_a_profile_is_read_from_a_file_with_its_decimals(tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    path.write_text('{"purpose": "tx", "schedules": [{"unit": "A", "periods": [{"limit": 6.1}]}]}')
    assert read_profile(str(path)).schedules[0].periods[0].limit == D("6.1")
    path.write_text('{"purpose": "tx"}')
    with pytest.raises(Invalid, match="no charging profile"):
        read_profile(str(path))
    path.write_text('{"purpose": "tx", "schedules": [{"unit": "A", "periods": [{"start": 9, "limit": 6}]}]}')
    with pytest.raises(Invalid, match="called 'start'"):
        read_profile(str(path))
    with pytest.raises(Invalid, match="cannot be read"):
        read_profile(str(tmp_path / "none.json"))

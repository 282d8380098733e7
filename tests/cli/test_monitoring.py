"""``cms stations config|boot``, ``cms monitoring`` and ``cms ocpp data`` as scripts call them."""

from __future__ import annotations

from cms.contract import configuration, datatransfer, monitoring
from tests.api.small import House
from tests.cli.conftest import Cms
from tests.cli.test_orders import given


async def test_a_report_of_everything_is_what_is_meant_without_names(cms: Cms, house: House) -> None:
    await cms("stations", "config", "report", "CP-1")
    await cms("stations", "config", "report", "CP-1", "EVSE@1", "--criteria", "problem", "--within", "10m")
    assert given(house) == [
        configuration.ReportConfiguration(station="CP-1", base="full"),
        configuration.ReportConfiguration(
            station="CP-1", criteria=("problem",), names=("EVSE@1",), within_s=600.0
        ),
    ]


async def test_reports_are_listed_with_their_holes(cms: Cms) -> None:
    said = await cms("stations", "config", "reports", "CP-1", "-o", "json")
    assert [(row["request_id"], row["complete"], row["holes"]) for row in said.told] == [(7, False, [1])]


async def test_what_happens_at_boots_is_shown_and_changed(cms: Cms, house: House) -> None:
    assert (await cms("stations", "boot", "CP-1", "-o", "json")).told["policy"] == "accepted"
    await cms("stations", "boot", "CP-1", "--set", "A=1", "--set", "B=x=y", "--inventory", "off")
    await cms("stations", "boot", "CP-1", "--unset", "--reason", "done by hand")
    changes = [asked for asked in house.asked if isinstance(asked, configuration.SetBoot)]
    assert changes == [
        configuration.SetBoot(station="CP-1", values={"A": "1", "B": "x=y"}, inventory="off"),
        configuration.SetBoot(station="CP-1", values={}, reason="done by hand"),
    ]
    assert (await cms("stations", "boot", "CP-1", "--set", "A")).code == 2


async def test_monitors_are_set_and_cleared(cms: Cms, house: House) -> None:
    await cms(
        "monitoring", "set", "CP-1", "EVSE@1.Power", "upper-threshold", "--value", "11000", "--severity", "5",
        "--stream-every", "1m",
    )  # fmt: skip
    await cms("monitoring", "clear", "CP-1", "3", "4")
    wish = monitoring.MonitorWish("EVSE@1.Power", "upper-threshold", 5, 11000.0, interval_s=60)
    assert given(house) == [
        monitoring.SetMonitors(station="CP-1", monitors=(wish,)),
        monitoring.ClearMonitors(station="CP-1", ids=(3, 4)),
    ]
    assert (await cms("monitoring", "set", "CP-1", "delta", "--severity", "5")).code == 2


async def test_base_level_report_and_streams_are_orders_too(cms: Cms, house: House) -> None:
    await cms("monitoring", "base", "CP-1", "all")
    await cms("monitoring", "level", "CP-1", "4")
    await cms("monitoring", "report", "CP-1", "--criteria", "delta", "--criteria", "periodic")
    await cms("monitoring", "adjust", "CP-1", "7", "--every", "30s", "--values", "2")
    assert given(house) == [
        monitoring.SetMonitoringBase(station="CP-1", base="all"),
        monitoring.SetMonitoringLevel(station="CP-1", severity=4),
        monitoring.ReportMonitors(station="CP-1", criteria=("delta", "periodic")),
        monitoring.AdjustStream(station="CP-1", stream=7, interval_s=30, values=2),
    ]


async def test_problems_are_told_with_severity_in_words_and_no_escape_of_the_station(cms: Cms) -> None:
    said = await cms("monitoring", "problems")
    assert "4 error" in said.out
    assert "\x1b" not in said.out
    assert (await cms("monitoring", "problems", "-o", "json")).told[0]["severity"] == 4


async def test_data_of_a_vendor_may_come_from_stdin(cms: Cms, house: House) -> None:
    await cms("ocpp", "data", "CP-1", "com.example", "ping", "-", "--json", stdin='{"a": 1}')
    await cms("ocpp", "data", "CP-1", "com.example")
    assert given(house) == [
        datatransfer.SendData(
            station="CP-1", vendor="com.example", message="ping", data='{"a": 1}', as_json=True
        ),
        datatransfer.SendData(station="CP-1", vendor="com.example"),
    ]

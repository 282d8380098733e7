"""A report of usage says what happened, whoever asks for it, in whatever order it was learned."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cms.contract.cdrs import CorrectCdr
from cms.contract.refusals import Invalid, NotFound
from cms.contract.sites import AddSite
from cms.contract.stations import SetStation
from cms.contract.tariffs import Money
from cms.contract.usage import ShowUsage, UsageReport
from cms.operations import cdrs, sites, stations, usage
from tests.domain.build import after, start, stop
from tests.operations.small import ANA, Small
from tests.operations.test_cdrs import charged, kwh, sell

MONEY = replace(ANA, permissions=frozenset({"billing.read"}))


async def asked(small: Small, **words: Any) -> UsageReport:
    return await usage.show(small.core, ShowUsage(**words), MONEY)


def figures(report: UsageReport) -> list[tuple[str, int, int]]:
    return [(row.key, row.usage.sessions, row.usage.energy_wh) for row in report.rows if row.usage.sessions]


async def test_a_report_counts_a_session_by_every_grouping(small: Small) -> None:
    await sell(small, kwh("T1", "0.50"))
    await charged(small)
    small.clock.time = after(180)
    for by, key in {
        "hour": "2026-05-04T12:00+00:00",
        "day": "2026-05-04",
        "week": "2026-W19",
        "month": "2026-05",
        "site": "",
        "station": "CP1",
        "connector": "CP1/1/1",
        "driver": "",
        "tariff": "T1",
        "hour-of-week": "0-12",
    }.items():
        report = await asked(small, by=by, last="7d")
        assert figures(report) == [(key, 1, 5000)], by
        assert (report.total.sessions, report.total.energy_wh, report.total.connected_s) == (1, 5000, 3600)
        assert report.total.revenue == (Money(Decimal("2.98"), "EUR"),)
        assert (report.total.starts, report.total.failed, report.total.success) == (1, 0, 1.0)
        assert report.total.peak_w == 5000

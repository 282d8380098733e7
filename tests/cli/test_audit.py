"""The audit log as a script reads it."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from cms.api.app import create_app
from cms.api.metrics import Metrics
from cms.api.server import serve_api
from cms.client import Address
from cms.contract.stations import AddStation
from cms.operations import OPERATIONS, heads, stations
from tests.cli.conftest import Cms
from tests.operations.small import ANA, Small


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[Small]:
    system = await Small(tmp_path).open()
    system.core.terms = replace(system.core.terms, data_dir=str(tmp_path))
    await stations.add(system.core, AddStation("CP1"), ANA)
    yield system
    await system.close()


@pytest.fixture
async def address(small: Small, folder: Path) -> AsyncIterator[Address]:
    running = await serve_api(create_app(small.core, OPERATIONS, Metrics()), folder / "cms.sock", None)
    yield Address(socket=str(running.socket_path))
    await running.close()


async def test_what_was_done_is_listed_with_who_and_why(cms: Cms) -> None:
    await cms("stations", "set", "CP1", "--note", "door", "--reason", "moved")
    assert (await cms("stations", "remove", "CP9", "--yes")).code == 4
    told = (await cms("audit", "list", "-o", "json")).told
    assert [(row["operation"], row["target"], row["result"], row["reason"]) for row in told] == [
        ("SetStation", "CP1", "changed", "moved"),
        ("RemoveStation", "CP9", "NotFound", None),
    ]
    shown = await cms("audit", "list", "--target", "cp1")
    assert "SetStation" in shown.out and "moved" in shown.out and "CP9" not in shown.out
    assert (await cms("audit", "list", "--result", "NotFound", "-o", "name")).out == "2\n"
    assert (await cms("audit", "list", "--before", "2", "-o", "name")).out == "1\n"
    assert (await cms("audit", "list", "--operation", "ResetStation", "-o", "name")).out == ""


async def test_looks_can_be_left_out(cms: Cms) -> None:
    await cms("tokens", "add", "CARD1")
    await cms("tokens", "list")
    assert (await cms("audit", "list", "-o", "name")).out == "1\n2\n"
    assert (await cms("audit", "list", "--no-looks", "-o", "name")).out == "1\n"


async def test_all_rows_are_exported_page_by_page(
    cms: Cms, small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.audit._PAGE", 2)
    for n in range(5):
        await cms("stations", "set", "CP1", "--reason", f'=HYPERLINK("{n}")')
    lines = (await cms("audit", "export")).out.splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [1, 2, 3, 4, 5]
    sheet = (await cms("audit", "export", "--format", "csv")).out
    rows = list(csv.DictReader(io.StringIO(sheet)))
    assert [row["seq"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert {row["reason"][:2] for row in rows} == {"'="}, "no cell is a formula"
    assert (await cms("audit", "export", "--format", "xml")).code == 2


async def test_a_changed_row_makes_verify_exit_5_and_is_named(
    cms: Cms, small: Small, capsys: pytest.CaptureFixture[str]
) -> None:
    for n in range(3):
        await cms("stations", "set", "CP1", "--note", str(n))
    await heads.tell(small.core)
    capsys.readouterr()  # what the daemon logs
    whole = await cms("audit", "verify", "-o", "json")
    assert whole.code == 0
    assert (whole.told["rows"], whole.told["heads"]) == (3, 1)

    def tamper() -> None:
        with sqlite3.connect(small.folder / "cms.db") as connection:
            connection.execute("DROP TRIGGER audit_no_update")
            connection.execute("UPDATE audit SET actor = 'eve' WHERE seq = 2")
        connection.close()

    await asyncio.to_thread(tamper)
    wrong = await cms("audit", "verify")
    assert wrong.code == 5
    assert "row 2 of the audit log is not as it was written" in wrong.err

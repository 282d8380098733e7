"""Tariffs from a file to the explained price, by commands alone; a whole daemon behind them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from cli.tariffs import place_of
from cms.client import Address
from cms.contract.refusals import Invalid
from cms.daemon import Daemon
from cms.domain.observations import Received
from cms.operations.observe import observe
from cms.settings import Settings
from tests.cli.conftest import Cms
from tests.domain.build import start, stop

DAY = """
id: DC-day
currency: EUR
zone: Europe/Berlin
vat: 19
prices: include-vat
text: 49 cents
energy: 0.49
idle: {price: 0.10, after: 20 min}
"""


@pytest.fixture
async def daemon(folder: Path) -> AsyncIterator[Daemon]:
    daemon = Daemon(Settings(data_dir=folder, ocpp_host="127.0.0.1", ocpp_port=0))
    with capture_logs():
        await daemon.start()
        yield daemon
        await daemon.stop()


@pytest.fixture
def address(daemon: Daemon) -> Address:
    return Address(socket=str(daemon.settings.socket))


async def charged(daemon: Daemon) -> str:
    """An hour at CP-7 that ended now, with 5 kWh; its id."""
    now = datetime.now(UTC).replace(microsecond=0)
    core = daemon.core
    began = start("TAG1", at=now - timedelta(hours=1))
    await observe(core, "CP-7", Received(began, now, "1.6", "StartTransaction", "[]"))
    [session] = core.lane("CP-7").state.sessions.values()
    ended = stop(session.transaction_id, at=now)
    await observe(core, "CP-7", Received(ended, now, "1.6", "StopTransaction", "[]"))
    return session.id


async def test_a_tariff_from_a_file_to_the_explained_price(cms: Cms, daemon: Daemon, tmp_path: Path) -> None:
    file = tmp_path / "day.yaml"
    file.write_text(DAY)
    await cms("stations", "add", "CP-7", "--site", "garage")
    await cms("tokens", "add", "TAG1", "--driver", "ada")

    assert (await cms("tariffs", "lint", str(file), "-o", "json")).told == []
    odd = await cms("tariffs", "lint", "-", "-o", "json", stdin=DAY + "session: 1\nmin: 9\nmax: 2\n")
    assert (odd.code, odd.told[0]["rule"]) == (1, "bounds")
    added = await cms("tariffs", "add", str(file), "-o", "json")
    assert (added.code, added.told["id"]) == (0, "DC-day")
    assert (await cms("tariffs", "add", "-", stdin=DAY.replace("0.49", "0.55"))).code == 5
    revised = await cms("tariffs", "add", "-", "--revise", "-o", "json", stdin=DAY.replace("0.49", "0.55"))
    assert revised.told["id"] == "DC-day.2"
    rows = (await cms("tariffs", "versions", "DC-day", "-o", "json")).told
    assert [row["changes"] for row in rows] == [[], ["energy: 0.49 -> 0.55"]]
    assert (await cms("tariffs", "diff", "DC-day.1", "DC-day.2", "-o", "name")).out == "energy\n"
    assert "energy: 0.55" in (await cms("tariffs", "show", "DC-day", "--as", "yaml")).out

    assert (await cms("tariffs", "use", "DC-day.1", "--site", "garage", "--since", "2d")).code == 0
    assert (await cms("tariffs", "use", "DC-day.1", "--site", "garage", "--since", "2020-01-01")).code == 0
    used = (await cms("tariffs", "uses", "-o", "json")).told
    assert [(row["place"], row["tariff"], row["version"]) for row in used] == [
        ("site garage", "DC-day.1", "DC-day")
    ]
    ladder = await cms("tariffs", "resolve", "CP-7:1", "--token", "TAG1")
    assert ladder.err.endswith("DC-day holds (site)\n")
    assert (await cms("tariffs", "resolve", "CP-7", "--at", "2020-01-02", "-o", "json")).told[
        "rung"
    ] == "site"
    shown = await cms("tariffs", "text", "CP-7:1", "-o", "json")
    assert shown.told["lines"][0] == "€0.49 per kWh"
    assert (await cms("tariffs", "text", "CP-7:1")).out == "49 cents\n"

    session = await charged(daemon)
    told = (await cms("price", "explain", session, "-o", "json")).told
    assert (told["gross"], told["tariffs"]) == ("2.45", ["DC-day"])
    assert [line["gross"] for line in told["lines"]] == ["2.45"]
    people = await cms("price", "explain", session)
    assert "€2.45, €0.39 of it VAT" in people.out
    simulated = await cms("price", "simulate", "--tariff", "DC-day.2", "--last", "1d", "-o", "json")
    assert (simulated.told["before"]["amount"], simulated.told["after"]["amount"]) == ("2.45", "2.75")
    table = await cms(
        "price", "simulate", "--tariff", "-", "--site", "garage", stdin=DAY.replace("0.49", "1")
    )
    assert table.lines[-1].split()[:2] == ["all", "1"]


async def test_mistakes_in_files_are_usage_errors_that_name_the_line(cms: Cms) -> None:
    told = await cms("tariffs", "add", "-", stdin="id: T\nenrgy: 0.49\n")
    assert (told.code, "line 2: nothing in a tariff is called 'enrgy'" in told.err) == (2, True)
    said = {"currency": "EUR", "energy": {"prices": [{"amount": "0.2", "wen": {}}]}}
    told = await cms("tariffs", "add", "NIGHT", "--file", "-", stdin=json.dumps(said))
    assert (told.code, "nothing in one is called 'wen'" in told.err) == (2, True)
    told = await cms("tariffs", "add", "DAY", "--kwh", "0.39", "--tax", "19", "--max", "40", "-o", "json")
    assert (told.code, told.told["summary"]) == (0, "0.4641 EUR/kWh")


def test_a_place_is_a_station_and_perhaps_its_evse_and_connector() -> None:
    assert place_of("CP-7") == ("CP-7", None, None)
    assert place_of("CP-7:1:2") == ("CP-7", 1, 2)
    with pytest.raises(Invalid, match="is no place"):
        place_of("CP-7:left")

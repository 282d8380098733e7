"""Sites, EVSEs, organisations and QR codes, against a daemon."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.flags import Flags
from cli.qr import lines
from cms.contract.refusals import Invalid
from tests.cli.conftest import Cms
from tests.cli.test_daemon import address, daemon

__all__ = ["address", "daemon"]

GARAGE = ("sites", "add", "garage", "--name", "Garage Nord", "--city", "Ulm", "--time-zone", "Europe/Berlin")


async def test_a_site_is_registered_changed_filtered_and_removed(cms: Cms) -> None:
    added = (await cms(*GARAGE, "--hours", "mon-fri 6-22", "--limit-kw", "400", "-o", "json")).told
    assert (added["hours"], added["grid_limit_w"], added["stations"]) == ("mon-fri 06:00-22:00", 400_000, 0)
    changed = await cms("sites", "set", "GARAGE", "--hours", "", "--closed", "2026-12-25", "-o", "json")
    [closed] = changed.told["opening_hours"]["exceptional_closings"]
    assert closed == {"begin": "2026-12-24T23:00:00Z", "end": "2026-12-25T23:00:00Z"}
    assert (await cms("sites", "list", "--filter", "city=ulm", "-o", "name")).out == "garage\n"
    assert "Garage Nord" in (await cms("sites", "list")).out
    assert "2026-12-24T23:00:00Z/2026-12-25T23:00:00Z" in (await cms("sites", "show", "garage")).out
    assert (await cms("sites", "set", "garage")).code == 2
    assert (await cms("sites", "set", "garage", "--country", "Germany")).code == 2
    assert (await cms("sites", "add", "Garage")).code == 5
    assert (await cms("sites", "remove", "garage", "--yes")).code == 0
    assert (await cms("sites", "show", "garage")).code == 4


async def test_a_station_is_taken_away_from_its_site(cms: Cms) -> None:
    await cms(*GARAGE)
    await cms("stations", "add", "CP-1", "--site", "GARAGE")
    shown = (await cms("stations", "show", "CP-1", "-o", "json")).told
    assert (shown["site"], shown["site_name"], shown["city"]) == ("garage", "Garage Nord", "Ulm")
    assert (await cms("sites", "remove", "garage", "--yes")).code == 5
    await cms("stations", "set", "CP-1", "--site", "")
    assert (await cms("stations", "show", "CP-1", "-o", "json")).told["site"] is None


async def test_an_evse_has_an_id_outlets_and_a_qr_code(cms: Cms, tmp_path: Path) -> None:
    await cms("stations", "add", "CP-1")
    said = await cms(
        "evses", "set", "CP-1", "1", "--id", "de-abc-e1", "--standard", "ccs2", "--kw", "150", "-o", "json"
    )
    assert said.told["evse_id"] == "DE*ABC*E1"
    assert said.told["connectors"][0]["power_w"] == 150_000
    assert "IEC_62196_T2_COMBO" in (await cms("evses", "show", "CP-1", "1")).out
    listed = await cms("evses", "list", "--filter", "standard=*COMBO", "-o", "name")
    assert listed.out == "CP-1:1\n"
    code = await cms("stations", "qr", "CP-1", "1")
    assert code.lines[-1] == "DE*ABC*E1"
    assert set("".join(code.lines[:-1])) == set("█▀▄ ")
    assert (await cms("stations", "qr", "CP-1", "1", "-o", "json")).told["text"] == "DE*ABC*E1"
    svg, png = tmp_path / "evse.svg", tmp_path / "evse.png"
    assert (await cms("stations", "qr", "CP-1", "1", "--svg", str(svg), "--png", str(png))).out == ""
    assert b"<svg" in svg.read_bytes()
    assert png.read_bytes().startswith(b"\x89PNG")
    assert (await cms("stations", "qr", "CP-1", "1", "--svg", str(tmp_path / "no" / "where"))).code == 2
    assert (await cms("stations", "qr", "CP-1", "7")).code == 4
    assert (await cms("evses", "remove", "CP-1", "1")).code == 0
    assert (await cms("evses", "list", "-o", "json")).told == []


async def test_organisations_are_added_told_of_and_suspended(cms: Cms) -> None:
    assert (await cms("organisations", "list", "-o", "name")).out == "main\n"
    added = await cms(
        "organisations", "add", "city", "--name", "Stadtwerke", "--party", "DEABC", "-o", "json"
    )
    assert (added.told["party"], added.told["status"]) == ("DE*ABC", "active")
    assert (await cms("organisations", "set", "main", "--party", "DE-ABC")).code == 5
    assert (await cms("organisations", "set", "main")).code == 2
    assert (await cms("organisations", "suspend", "city")).code == 2  # nobody is there to ask
    suspended = await cms("organisations", "suspend", "city", "--yes", "-o", "json")
    assert suspended.told["status"] == "suspended"
    assert (await cms("organisations", "resume", "city", "-o", "json")).told["status"] == "active"
    assert (await cms("organisations", "show", "-o", "json")).told["id"] == "main"
    assert (await cms("organisations", "show", "citi")).code == 4


def plain(text: str, *, inverted: bool = False) -> list[str]:
    return list(lines(text, Flags(no_color=True), inverted))


def test_a_code_is_drawn_with_a_margin_of_light_modules_and_can_be_inverted() -> None:
    drawn, inverted = plain("DE*ABC*E1"), plain("DE*ABC*E1", inverted=True)
    assert drawn[:2] == ["█" * 29] * 2
    assert all(line.startswith("████") and line.endswith("████") for line in drawn)
    other = str.maketrans("█ ▀▄", " █▄▀")
    assert [line.translate(other) for line in drawn[:-1]] == inverted[:-1]


def test_without_colour_nothing_but_blocks_is_drawn_and_every_usual_code_fits_80_columns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for text in ("CP1*1", "https://charge.example/organisation/DE*ABC*E123456789012345678901234567890"):
        drawn = plain(text)
        assert {len(line) for line in drawn} == {len(drawn[0])}
        assert len(drawn[0]) <= 80
    with pytest.raises(Invalid, match="the code is 93 cells wide, the terminal 80"):
        plain("x" * 500)


async def test_sites_and_stations_are_taken_from_files_and_passwords_are_shown_this_once(
    cms: Cms, tmp_path: Path
) -> None:
    sites, stations = tmp_path / "sites.csv", tmp_path / "stations.csv"
    sites.write_text("site;name;city\ngarage;Garage Nord;Ulm\n")
    stations.write_text("station,site,evse,evse_id\nCP-1,garage,1,DE*ABC*E1\nCP-1,,2,DE*ABC*E2\n")
    assert (await cms("stations", "import", str(stations))).code == 2  # there is no such site yet
    dry = await cms("sites", "import", str(sites), "--dry-run")
    assert (dry.code, dry.err) == (0, "cms: nothing was written\n")
    assert (await cms("sites", "import", str(sites))).code == 0
    first, second = (await cms("stations", "import", str(stations), "-o", "json")).told
    assert (first["outcome"], len(first["password"]), second["password"]) == ("added", 27, None)
    assert (await cms("evses", "list", "-o", "name")).lines == ["CP-1:1", "CP-1:2"]
    again = (await cms("stations", "import", str(stations), "-o", "json")).told
    assert [row["outcome"] for row in again] == ["known", "known"]

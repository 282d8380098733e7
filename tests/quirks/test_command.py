"""``cms stations quirks``, ``probe`` and ``capabilities`` against a whole daemon."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from cli.main import run
from tests.quirks.raw import BOOT_16, Site, a_site

THOR = {"chargePointVendor": "Growatt", "chargePointModel": "THOR 11AS", "firmwareVersion": "V5.2.4"}


async def cms(site: Site, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, and what was said on stdout and stderr."""
    capsys.readouterr()
    code = await asyncio.to_thread(run, [*words, "--socket", str(site.daemon.settings.socket)])
    out, err = capsys.readouterr()
    return code, out, err


async def test_a_switch_is_set_seen_and_unset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with a_site(tmp_path) as site:
        raw = await site.station("CP-7", "ocpp1.6")
        await raw.call("BootNotification", THOR)
        code, out, _ = await cms(site, capsys, "stations", "show", "CP-7")
        assert code == 0 and "max-measurands=5 (its make)" in out
        setting = ("stations", "quirks", "CP-7", "--set", "max-measurands=9", "--set", "lenient-lengths=yes")
        code, out, _ = await cms(site, capsys, *setting, "--reason", "tried it", "-o", "json")
        told = {quirk["name"]: quirk for quirk in json.loads(out)}
        assert (code, told["max-measurands"]["value"], told["max-measurands"]["origin"]) == (
            0,
            "9",
            "operator",
        )
        assert told["lenient-lengths"]["why"] == "tried it"
        code, out, _ = await cms(
            site, capsys, "stations", "quirks", "CP-7", "--unset", "max-measurands", "-o", "json"
        )
        assert {quirk["name"]: quirk["value"] for quirk in json.loads(out)}["max-measurands"] == "5"
        code, out, _ = await cms(site, capsys, "stations", "quirks", "CP-7")
        assert code == 0 and "set here" in out and "its make" in out


@pytest.mark.parametrize("wrong", ["nonsense=1", "max-measurands=many", "lenient-lengths"])
async def test_a_mistake_is_named_and_exits_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: str
) -> None:
    async with a_site(tmp_path) as site:
        code, _, err = await cms(site, capsys, "stations", "quirks", "CP-7", "--set", wrong)
        assert code == 2 and wrong.partition("=")[0] in err


async def test_a_probe_shows_what_was_found_and_so_does_the_next_look(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def configuration(asked: Any) -> dict[str, Any]:
        known = [{"key": "ChargeProfileMaxStackLevel", "readonly": True, "value": "2"}]
        return {
            "configurationKey": [key for key in known if key["key"] in asked["key"]],
            "unknownKey": [name for name in asked["key"] if name != "ChargeProfileMaxStackLevel"],
        }

    async with a_site(tmp_path) as site:
        raw = await site.station("CP-7", "ocpp1.6")
        code, _, err = await cms(site, capsys, "stations", "probe", "CP-7")
        assert code == 5 and "has not said which make it is" in err
        await raw.call("BootNotification", BOOT_16)
        code, _, err = await cms(site, capsys, "stations", "capabilities", "CP-7")
        assert code == 4 and "nothing is known of Acme One 1.0" in err
        raw.answers["GetConfiguration"] = configuration
        for verb in ("probe", "capabilities"):
            code, out, err = await cms(site, capsys, "stations", verb, "CP-7", "-o", "json")
            assert code == 0, err
            assert json.loads(out)["stack_levels"] == 3
            assert json.loads(out)["measurands"] is None
        code, out, _ = await cms(site, capsys, "stations", "capabilities", "CP-7")
        assert "stack levels" in out and "NumberOfConnectors" in out

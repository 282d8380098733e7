"""The pay page in a daemon: where it listens, what the codes say, what it is never."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from cms.contract.evses import SetEvse, ShowQr
from cms.contract.organisations import AddOrganisation
from cms.contract.stations import AddStation
from cms.contract.status import ShowStatus
from cms.settings import Settings
from tests.fleet import client_of, running


async def test_a_daemon_serves_the_page_where_its_settings_say_and_codes_lead_there(tmp_path: Path) -> None:
    url = "https://pay.volt.example"
    async with running(tmp_path, pay_port=0, pay_url=url) as daemon, client_of(daemon) as desk:
        assert daemon.pay_page is not None
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{daemon.pay_page.port}") as phone:
            assert (await phone.get("/")).status_code == 200
            # The control API is not here.
            for path in ("/v1/stations", "/openapi.json", "/metrics", "/v1/status"):
                assert (await phone.get(path)).status_code == 404
        assert (await desk.ask(ShowStatus())).pay_url == url
        await desk.ask(AddStation("CP-1"))
        await desk.ask(SetEvse(station="CP-1", evse=1, evse_id="DE*ABC*E1"))
        assert (await desk.ask(ShowQr("CP-1", 1))).text == f"{url}/e/DE*ABC*E1"
        await desk.ask(AddOrganisation(organisation="acme", name="Acme"))
        assert daemon.houses.of("acme").terms.qr_url == f"{url}/acme/e/{{evse_id}}"


async def test_without_the_setting_nobody_listens_and_codes_say_the_id(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon, client_of(daemon) as desk:
        assert daemon.pay_page is None
        assert (await desk.ask(ShowStatus())).pay_url == ""
        assert daemon.core.terms.qr_url == "{evse_id}"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"pay_port": 1, "pay_host": "0.0.0.0"}, "nobody pays in clear"),
        ({"pay_url": "javascript:alert(1)"}, "no address of a web page"),
        ({"pay_links": ("terms=javascript:alert(1)",)}, "is none of terms, privacy, imprint"),
        ({"pay_links": ("jobs=https://volt.example",)}, "is none of terms, privacy, imprint"),
    ],
)
def test_settings_that_would_not_be_safe_are_refused(given: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Settings(**given)  # type: ignore[arg-type]

"""The pay page in a daemon: where it listens, what the codes say, what it is never."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from cms.contract.evses import SetEvse, ShowQr
from cms.contract.organisations import AddOrganisation
from cms.contract.stations import AddStation
from cms.contract.status import ShowStatus
from cms.settings import Settings
from tests.fleet import client_of, running
from tests.pki.world import SERVER, make


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


async def test_with_a_certificate_it_is_https_and_believes_no_proxy(tmp_path: Path) -> None:
    begins = datetime.now(UTC) - timedelta(days=1)
    root = make("root", authority=True, begins=begins)
    page = make("127.0.0.1", root, usages=(SERVER,), begins=begins)
    (tmp_path / "page.pem").write_text(page.chain + page.key_pem)
    settings: dict[str, Any] = {"pay_port": 0, "pay_tls_certificate": tmp_path / "page.pem"}
    async with running(tmp_path, **settings) as daemon:
        assert daemon.pay_page is not None
        assert daemon.core.terms.pay_url == f"https://127.0.0.1:{daemon.pay_page.port}"
        trusting = ssl.create_default_context(cadata=root.pem)
        trusting.check_hostname = False
        async with httpx.AsyncClient(base_url=daemon.core.terms.pay_url, verify=trusting) as phone:
            told = [
                (await phone.get(f"/e/DE*ABC*E{n}", headers={"X-Forwarded-For": f"192.0.2.{n}"})).status_code
                for n in range(30)
            ]
            assert told[0] == 404 and told[-1] == 429
            assert "max-age" in (await phone.get("/")).headers["strict-transport-security"]
        async with httpx.AsyncClient() as phone:
            with pytest.raises(httpx.HTTPError):
                await phone.get(f"http://127.0.0.1:{daemon.pay_page.port}/")


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

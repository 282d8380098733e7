"""``-o json`` is what docs/schemas promise: every key is there, and of its kind."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from structlog.testing import capture_logs

from cli.schema import alone, definitions
from cms.client import Address
from cms.daemon import Daemon
from cms.settings import Settings
from tests.cli.conftest import Cms
from tests.docs.schemas import FOLDER, files

#: What is done first, so that there is something to tell.
DONE = (
    "sites add garage --name Garage --city Ulm",
    "stations add CP-1 --site garage",
    "evses set CP-1 1 --standard ccs2 --kw 150",
    "drivers add ada --name Ada",
    "tokens add TAG1 --driver ada",
    "access add night deny --everyone --station CP-1 --hours 22:00-06:00",
    "tariffs add DAY --kwh 0.39 --tax 19",
    "tariffs use DAY",
    "stations reset CP-1 --queue 2h",
    "balances top-up ada 50 --currency EUR --reference R1",
)
#: Command -> what it answers.
TOLD = {
    "status": "StatusView",
    "stations list": "StationView[]",
    "stations show CP-1": "StationView",
    "stations add CP-2": "StationCredential",
    "stations unknown": "UnknownStation[]",
    "stations reset CP-1 --queue 2h": "IntentView",
    "stations reset CP-1 --queue 2h --dry-run": "Preview",
    "stations boot CP-1": "BootView",
    "sessions list": "SessionView[]",
    "sites show garage": "SiteView",
    "evses list": "EvseView[]",
    "drivers show ada": "DriverView",
    "tokens list": "TokenView[]",
    "access list": "RuleView[]",
    "tariffs show DAY": "TariffView",
    "intents list": "IntentView[]",
    "events list": "Event[]",
    "audit list": "AuditView[]",
    "balances show ada": "BalanceView",
    "auth status": "Identity",
}


def test_the_schemas_are_what_the_contract_says() -> None:
    for name, text in files().items():
        assert (FOLDER / name).read_text("utf-8") == text, "stale: run `python -m tests.docs.schemas`"


def test_each_object_can_stand_alone() -> None:
    known = definitions()
    Draft202012Validator.check_schema({"$defs": known})
    for name in known:
        assert not _dangling(alone(f"{name}[]", known))


def _dangling(schema: dict[str, object]) -> list[str]:
    text = json.dumps(schema)
    there = schema["$defs"]
    assert isinstance(there, dict)
    references = {part.split('"')[0] for part in text.split('"#/$defs/')[1:]}
    return [name for name in references if name not in there]


@pytest.fixture
async def address(folder: Path) -> AsyncIterator[Address]:
    daemon = Daemon(Settings(data_dir=folder, ocpp_host="127.0.0.1", ocpp_port=0))
    with capture_logs():
        await daemon.start()
        yield Address(socket=str(daemon.settings.socket))
        await daemon.stop()


async def test_what_a_daemon_tells_is_what_its_schema_says(cms: Cms) -> None:
    for line in DONE:
        said = await cms(*line.split(), "-q")
        assert said.code == 0, said.err
    known = definitions()
    for line, name in TOLD.items():
        said = await cms(*line.split(), "-o", "json")
        assert said.code == 0, said.err
        errors = [error.message for error in Draft202012Validator(alone(name, known)).iter_errors(said.told)]
        assert errors == [], line
        assert said.told or line in ("stations unknown", "sessions list"), f"{line} told nothing"

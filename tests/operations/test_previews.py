"""The command line that a preview prints: the whole order, as the command line itself reads it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from typer.core import TyperGroup

from cli.flags import OWN, TABLE, take
from cli.main import COMMANDS
from cli.noun import root
from cms.contract import charging, der, payments, sessions, stations, tariffs
from cms.contract.datatransfer import SendData
from cms.operations import charging as charging_operations
from cms.operations import datatransfer as data_operations
from cms.operations import der as der_operations
from cms.operations import payments as payment_operations
from cms.operations import remote
from cms.operations import sessions as session_operations
from cms.operations import tariffs as tariff_operations
from tests.operations.small import ANA, Small

AT = datetime(2030, 1, 1, 12, tzinfo=UTC)

LINES: list[tuple[Any, Any, str]] = [
    (
        remote.reset,
        stations.ResetStation(
            station="CP1", when_idle=True, at=AT, queue_s=7200, timeout_s=5, reason="it hangs"
        ),
        "stations reset CP1 --kind soft --when-idle --at 2030-01-01T12:00:00Z --queue 7200s --timeout 5s"
        " --reason 'it hangs'",
    ),
    (
        remote.availability,
        stations.ChangeAvailability(station="CP1", availability="inoperative", evse=1, connector=2),
        "stations availability CP1 inoperative --evse 1 --connector 2",
    ),
    (
        session_operations.start,
        sessions.StartSession(
            station="CP1",
            token="CARD1",
            evse=1,
            max_cost=Decimal("20.50"),
            max_energy_wh=Decimal(30_000),
            max_time_s=7200,
            max_soc=80,
        ),
        "sessions start CP1 --token CARD1 --evse 1 --max-cost 20.50 --max-kwh 30 --max-time 7200s --max-soc 80",
    ),
    (
        tariff_operations.set_station,
        tariffs.SetStationTariff(station="CP1", tariff="DAY", evse=2),
        "tariffs install DAY CP1 --evse 2",
    ),
    (
        payment_operations.set_up,
        payments.SetUpWebPayment(
            station="CP1", validity_s=90, length=10, url="https://pay.example/{evse}?v=1"
        ),
        "payments setup CP1 --validity 90s --length 10 --template 'https://pay.example/{evse}?v=1'",
    ),
    (
        payment_operations.authorize,
        payments.AuthorizePayment(psp_ref="REF", station="CP1", max_cost=Decimal(30)),
        "payments authorize REF CP1 --max-cost 30",
    ),
    (
        charging_operations.get_composite,
        charging.GetComposite(station="CP1", duration_s=60, unit="W"),
        "profiles composite CP1 --evse 0 --duration 60s --unit W",
    ),
    (
        der_operations.clear,
        der.ClearDerControls(station="CP1", control_type="FreqDroop", default=True),
        "der clear CP1 --type FreqDroop --default",
    ),
    (
        data_operations.send,
        SendData(station="CP1", vendor="com.example", data='{"a": 1}', as_json=True),
        """ocpp data CP1 com.example '' '{"a": 1}' --json""",
    ),
]


@pytest.mark.parametrize(("operation", "asked", "said"), LINES)
async def test_a_preview_prints_all_of_the_order(small: Small, operation: Any, asked: Any, said: str) -> None:
    small.stations.connect("CP1", "2.1")
    await tariff_operations.add(small.core, tariffs.AddTariff(tariffs.Tariff("DAY", "EUR")), ANA)
    shown = await operation(small.core, replace(asked, dry_run=True), ANA)
    assert shown.cli == f"cms {said}"


def leaf(words: list[str]) -> tuple[Any, list[str]]:
    """The command that these words lead to, and what it is given."""
    command, given = root(COMMANDS), list(words)
    while isinstance(command, TyperGroup):
        command = command.get_command(command.make_context("cms", [given[0]]), given.pop(0))
    return command, given


def leaves(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not isinstance(command, TyperGroup):
        yield path, command
        return
    context = command.make_context("cms", ["--help"], resilient_parsing=True)
    for name in command.list_commands(context):
        yield from leaves(command.get_command(context, name), (*path, name))


@pytest.mark.parametrize("said", [line[2] for line in LINES])
def test_the_command_line_reads_what_previews_print(said: str) -> None:
    command, given = leaf(take(shlex.split(said))[1])
    command.make_context("cms", given)


def test_no_command_has_a_flag_that_means_something_else_everywhere_else() -> None:
    clashes = [
        f"{' '.join(path)} {option}"
        for path, command in leaves(root(COMMANDS), ())
        for parameter in command.params
        for option in parameter.opts
        if option in TABLE and option not in OWN.get(path[0], ())
    ]
    assert clashes == []

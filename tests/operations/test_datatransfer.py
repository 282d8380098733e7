from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from cms.contract.datatransfer import SendData
from cms.contract.refusals import Invalid
from cms.domain.datatransfer import Transfer
from cms.domain.observations import DataAnswer, DataTransferred
from cms.operations import datatransfer
from tests.operations.small import ANA, Small


async def transferred(small: Small, vendor: str, message: str | None = None) -> Any:
    seen = DataTransferred(vendor, message, "hello", b"d" * 16)
    return await small.hear("CP1", seen, "1.6", "DataTransfer")


def plug_in(small: Small, **handlers: Any) -> None:
    small.core.vendors = {
        "com.example": {"": handlers.pop("others"), **handlers} if "others" in handlers else handlers
    }


async def test_data_of_an_unknown_vendor_is_not_accepted(small: Small) -> None:
    assert await transferred(small, "com.example") == DataAnswer("unknown-vendor-id")


async def test_a_vendors_handler_answers_its_messages_and_no_others(small: Small) -> None:
    heard: list[Transfer] = []

    def ping(transfer: Transfer) -> tuple[str, str]:
        heard.append(transfer)
        return "accepted", "pong"

    plug_in(small, ping=ping)
    assert await transferred(small, "COM.Example", "ping") == DataAnswer("accepted", "pong")
    assert heard == [Transfer("CP1", "1.6", "COM.Example", "ping", "hello")]
    assert await transferred(small, "com.example", "other") == DataAnswer("unknown-message-id")
    assert await transferred(small, "com.example") == DataAnswer("unknown-message-id")


async def test_a_handler_may_wait_and_answer_for_all_messages(small: Small) -> None:
    async def others(transfer: Transfer) -> str:
        await asyncio.sleep(0)
        return "rejected"

    plug_in(small, others=others)
    assert await transferred(small, "com.example", "any") == DataAnswer("rejected")


@pytest.mark.parametrize("answer", ["maybe", ("accepted", 5), None])
async def test_a_handler_that_answers_nonsense_has_said_no(small: Small, answer: Any) -> None:
    plug_in(small, others=lambda transfer: answer)
    assert await transferred(small, "com.example") == DataAnswer("rejected")


async def test_a_handler_that_fails_or_takes_too_long_has_said_no(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(transfer: Transfer) -> str:
        await asyncio.Event().wait()
        return "accepted"

    monkeypatch.setattr(datatransfer, "PATIENCE_S", 0.01)
    plug_in(small, slow=never, broken=lambda transfer: 1 / 0)
    assert await transferred(small, "com.example", "slow") == DataAnswer("rejected")
    assert await transferred(small, "com.example", "broken") == DataAnswer("rejected")


async def test_a_handler_may_order_the_station_whose_data_it_answers(small: Small) -> None:
    async def others(transfer: Transfer) -> str:
        await datatransfer.send(small.core, SendData(station=transfer.station, vendor=transfer.vendor), ANA)
        return "accepted"

    plug_in(small, others=others)
    assert await transferred(small, "com.example") == DataAnswer("accepted")
    assert len(small.stations.given) == 1


async def test_ids_are_as_long_as_the_specification_allows(small: Small) -> None:
    for nonsense in (
        SendData(station="CP1", vendor=""),
        SendData(station="CP1", vendor="v", message="m" * 51),
    ):
        with pytest.raises(Invalid):
            await datatransfer.send(small.core, nonsense, ANA)


def test_a_package_beside_this_one_plugs_in_and_a_broken_one_hurts_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "its_handlers.py").write_text("HANDLERS = {'ping': lambda transfer: ('accepted', 'pong')}")
    described = tmp_path / "its_package-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Name: its-package\nVersion: 1.0\n")
    points = (
        "[charging_cms.datatransfer]\nCom.Example = its_handlers:HANDLERS\ncom.broken = nowhere:HANDLERS\n"
    )
    (described / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(tmp_path)
    vendors = datatransfer.installed()
    assert list(vendors["com.example"]) == ["ping"]
    assert vendors["com.broken"] == {}

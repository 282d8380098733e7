from __future__ import annotations

import pytest

from cms.contract.ocpp import CallStation, SendRaw
from cms.contract.refusals import Invalid
from cms.domain.orders import CallAction, OrderAnswer
from cms.operations.ocpp import call, send_raw
from tests.operations.small import ANA, Small


async def test_a_call_goes_out_as_it_stands_and_its_answer_is_the_outcome(small: Small):
    small.stations.answer = OrderAnswer("accepted", "Rejected", {"status": "Rejected"})
    done = await call(small.core, CallStation(station="CP1", action="ClearCache"), ANA)
    assert small.stations.given == [("CP1", CallAction("ClearCache", {}))]
    assert (done.status, done.answer) == ("confirmed", {"status": "Rejected"})


async def test_secrets_of_a_call_are_not_written_down(small: Small):
    payload = {"key": "AuthorizationKey", "value": "hunter2hunter2hunter2"}
    done = await call(
        small.core, CallStation(station="CP1", action="ChangeConfiguration", payload=payload), ANA
    )
    assert "hunter2" not in str(done.params)
    assert small.stations.given[-1][1].payload == payload
    location = {"location": "ftp://me:hunter2@logs.example/up"}
    done = await call(small.core, CallStation(station="CP1", action="GetDiagnostics", payload=location), ANA)
    assert done.params["payload"] == {"location": "ftp://***@logs.example/up"}


async def test_unchecked_text_is_sent_in_laboratories_only(small: Small):
    with pytest.raises(Invalid, match="laboratories"):
        await send_raw(small.core, SendRaw(station="CP1", text="[2,"), ANA)
    assert small.stations.given == []
    await send_raw(small.core, SendRaw(station="CP1", text="[2,", lab=True), ANA)
    assert small.stations.given[-1][1].text == "[2,"

"""A station that speaks real frames: what it sends goes through its version's dialect into a small core."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from cms.ocpp.dialect import V16, V21, V201, Dialect
from tests.ocpp.fakes import converse
from tests.operations.small import Small

VERSIONS: dict[str, Dialect] = {"1.6": V16, "2.0.1": V201, "2.1": V21}


class Speaker:
    """One station, one version."""

    def __init__(self, small: Small, version: str, station: str = "CP1", late_min: int = 0) -> None:
        self._small, self._version, self._station = small, version, station
        self._late = timedelta(minutes=late_min)

    async def send(self, action: str, payload: dict[str, Any], at: datetime) -> Any:
        """What is answered to this frame at this instant."""
        talk = converse(VERSIONS[self._version])
        await talk.hear([2, "m1", action, payload])
        (received,) = talk.backend.received
        self._small.clock.time = at + self._late
        return await self._small.hear(self._station, received.observation, self._version, action)


def stamp(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


class Charging:
    """The same facts told in any version: a car that charges, pauses, and leaves."""

    def __init__(
        self,
        small: Small,
        version: str,
        transaction: str = "tx-1",
        station: str = "CP1",
        late_min: int = 0,
    ) -> None:
        self._speaker = Speaker(small, version, station, late_min)
        self._old = version == "1.6"
        self._transaction: Any = transaction
        self._seq = 0

    async def begin(self, at: datetime, wh: int, token: str = "CARD1", **signed: Any) -> None:
        if self._old:
            payload = {"connectorId": 1, "idTag": token, "meterStart": wh, "timestamp": stamp(at)}
            answer = await self._speaker.send("StartTransaction", payload, at)
            self._transaction = int(answer.transaction_id)
            await self.state("Charging", at)
            return
        more = {"evse": {"id": 1, "connectorId": 1}, "idToken": {"idToken": token, "type": "ISO14443"}}
        sample = _sample(wh, "Transaction.Begin", old=False, **signed)
        await self._event("Started", "Authorized", at, "Charging", [sample], **more)

    async def meter(self, at: datetime, wh: int) -> None:
        sample = _sample(wh, "Sample.Periodic", old=self._old)
        if self._old:
            values = [{"timestamp": stamp(at), "sampledValue": [sample]}]
            payload = {"connectorId": 1, "transactionId": self._transaction, "meterValue": values}
            await self._speaker.send("MeterValues", payload, at)
        else:
            await self._event("Updated", "MeterValuePeriodic", at, None, [sample])

    async def state(self, state: str, at: datetime) -> None:
        """Charging, or SuspendedEV."""
        if self._old:
            payload = {"connectorId": 1, "errorCode": "NoError", "status": state, "timestamp": stamp(at)}
            await self._speaker.send("StatusNotification", payload, at)
        else:
            await self._event("Updated", "ChargingStateChanged", at, state, [])

    async def end(self, at: datetime, wh: int, **signed: Any) -> None:
        if self._old:
            payload = {"transactionId": self._transaction, "meterStop": wh, "timestamp": stamp(at)}
            if signed:
                value = {"value": signed["text"], "format": "SignedData", "context": "Transaction.End"}
                payload["transactionData"] = [{"timestamp": stamp(at), "sampledValue": [value]}]
            await self._speaker.send("StopTransaction", payload, at)
            return
        sample = _sample(wh, "Transaction.End", old=False, **signed)
        await self._event("Ended", "EVDeparted", at, None, [sample])

    async def _event(
        self, kind: str, trigger: str, at: datetime, state: str | None, samples: list[Any], **more: Any
    ) -> None:
        info: dict[str, Any] = {"transactionId": self._transaction}
        if state is not None:
            info["chargingState"] = state
        payload: dict[str, Any] = {
            "eventType": kind,
            "timestamp": stamp(at),
            "triggerReason": trigger,
            "seqNo": self._seq,
            "transactionInfo": info,
            **more,
        }
        if samples:
            payload["meterValue"] = [{"timestamp": stamp(at), "sampledValue": samples}]
        self._seq += 1
        await self._speaker.send("TransactionEvent", payload, at)


def _sample(wh: int, context: str, *, old: bool, sent: Any = None, text: str | None = None) -> dict[str, Any]:
    shared = {"context": context, "measurand": "Energy.Active.Import.Register"}
    if old:
        return {**shared, "value": str(wh), "unit": "Wh"}
    found: dict[str, Any] = {**shared, "value": wh, "unitOfMeasure": {"unit": "Wh"}}
    return {**found, "signedMeterValue": sent} if sent is not None else found

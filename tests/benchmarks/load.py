"""A light load generator: many stations on raw sockets, with frames made by pasting text.

Run in a process of its own (``python -m tests.benchmarks.load``); prints one JSON line of what it saw. It
validates nothing and parses only the answer to a 1.6 start, so that it is never what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import itertools
import json
import os
import random
import re
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

TRANSACTION = re.compile(rb'"transactionId"\s*:\s*(\d+)')
T0 = datetime.now(UTC) - timedelta(hours=2)
SAMPLES = (
    ("Energy.Active.Import.Register", "Wh", None),
    ("Power.Active.Import", "W", None),
    ("Current.Import", "A", "L1"),
    ("Current.Import", "A", "L2"),
    ("Current.Import", "A", "L3"),
    ("Voltage", "V", "L1-N"),
    ("Voltage", "V", "L2-N"),
    ("Voltage", "V", "L3-N"),
)


class Station(asyncio.Protocol):
    """One connection: RFC 6455 as a client that masks with zeros, which costs nothing and is legal."""

    def __init__(self) -> None:
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._answer: asyncio.Future[bytes] | None = None
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        for waiting in (self.open, self._answer):
            if waiting is not None and not waiting.done():
                waiting.set_exception(error or ConnectionError("the server closed the connection"))

    def ask(self, head: bytes) -> None:
        assert self._transport is not None
        self._transport.write(head)

    async def call(self, text: str) -> bytes:
        """Send a CALL; the answer's text."""
        self._answer = asyncio.get_running_loop().create_future()
        self._write(0x81, text.encode())
        return await self._answer

    def _write(self, first: int, body: bytes) -> None:
        assert self._transport is not None
        length = len(body)
        if length < 126:
            head = bytes((first, 0x80 | length))
        else:
            head = bytes((first, 0x80 | 126)) + length.to_bytes(2)
        self._transport.write(head + b"\0\0\0\0" + body)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self.open.done() and not self._opened():
            return
        for first, body in self._frames():
            self._hear(first & 15, body)

    def _opened(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = bytes(self._buffer[:end])
        del self._buffer[: end + 4]
        if b" 101 " in head[:16]:
            self.open.set_result(None)
        else:
            self.open.set_exception(ConnectionError(head.split(b"\r\n")[0].decode()))
        return True

    def _frames(self) -> Iterator[tuple[int, bytes]]:
        buffer = self._buffer
        while len(buffer) >= 2:
            length, start = buffer[1] & 127, 2
            if length == 126:
                length, start = int.from_bytes(buffer[2:4]), 4
            elif length == 127:
                length, start = int.from_bytes(buffer[2:10]), 10
            if len(buffer) < start + length:
                return
            first, body = buffer[0], bytes(buffer[start : start + length])
            del buffer[: start + length]
            yield first, body

    def _hear(self, opcode: int, body: bytes) -> None:
        if opcode == 9:
            self._write(0x8A, body)
        elif opcode == 1 and body[:2] == b"[2":
            self._write(0x81, json.dumps([4, json.loads(body)[1], "NotSupported", "", {}]).encode())
        elif opcode == 1 and self._answer is not None and not self._answer.done():
            self._answer.set_result(body)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


async def dial(url: str, identity: str, version: str) -> Station:
    place = urlsplit(url)
    assert place.hostname is not None
    loop = asyncio.get_running_loop()
    _, station = await loop.create_connection(Station, place.hostname, place.port)
    key = base64.b64encode(os.urandom(16)).decode()
    station.ask(
        (
            f"GET {place.path}/{identity} HTTP/1.1\r\nHost: {place.netloc}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: ocpp{version}\r\n\r\n"
        ).encode()
    )
    await station.open
    return station


class Talk:
    """What one station says: the mix of a session, again and again, never the same twice."""

    def __init__(self, identity: str, version: str) -> None:
        self._old = version == "1.6"
        self._identity = identity
        self._ids = itertools.count(1)
        self._seconds = itertools.count(1)
        self._meter_wh = 1000
        self._sessions = 0
        self.transaction: str | int = 1

    def _frame(self, action: str, payload: str) -> str:
        return f'[2,"{next(self._ids)}","{action}",{payload}]'

    def _now(self) -> str:
        return (T0 + timedelta(seconds=next(self._seconds))).strftime("%Y-%m-%dT%H:%M:%SZ")

    def greeting(self) -> list[str]:
        if self._old:
            boot = '{"chargePointVendor":"Load","chargePointModel":"L1"}'
        else:
            boot = '{"reason":"PowerUp","chargingStation":{"vendorName":"Load","model":"L1"}}'
        return [self._frame("BootNotification", boot), self.status("Available")]

    def status(self, word: str) -> str:
        if self._old:
            payload = (
                f'{{"connectorId":1,"errorCode":"NoError","status":"{word}","timestamp":"{self._now()}"}}'
            )
        else:
            word = "Available" if word == "Available" else "Occupied"
            payload = f'{{"timestamp":"{self._now()}","connectorStatus":"{word}","evseId":1,"connectorId":1}}'
        return self._frame("StatusNotification", payload)

    def session(self) -> Iterator[str]:
        """Boot, status, authorise, start, five meter values of eight samples, stop."""
        self._sessions += 1
        yield from self.greeting()
        if self._old:
            yield self._frame("Authorize", '{"idTag":"LOAD"}')
        else:
            yield self._frame("Authorize", '{"idToken":{"idToken":"LOAD","type":"ISO14443"}}')
        yield self.start()
        for _ in range(5):
            yield self.meter_values()
        yield self.stop()

    def start(self) -> str:
        if self._old:
            return self._frame(
                "StartTransaction",
                f'{{"connectorId":1,"idTag":"LOAD","meterStart":{self._meter_wh},"timestamp":"{self._now()}"}}',
            )
        self.transaction = f"{self._identity}-{os.getpid()}-{self._sessions}"
        self._seq = 0
        return self._event(
            "Started",
            "Authorized",
            '"evse":{"id":1,"connectorId":1},"idToken":{"idToken":"LOAD","type":"ISO14443"},',
        )

    def meter_values(self) -> str:
        self._meter_wh += 100
        if self._old:
            values = f'[{{"timestamp":"{self._now()}","sampledValue":[{self._samples()}]}}]'
            return self._frame(
                "MeterValues",
                f'{{"connectorId":1,"transactionId":{self.transaction},"meterValue":{values}}}',
            )
        return self._event("Updated", "MeterValuePeriodic", "")

    def stop(self) -> str:
        if self._old:
            return self._frame(
                "StopTransaction",
                f'{{"transactionId":{self.transaction},"idTag":"LOAD","meterStop":{self._meter_wh},'
                f'"timestamp":"{self._now()}","reason":"Local"}}',
            )
        return self._event("Ended", "StopAuthorized", "")

    def _event(self, kind: str, trigger: str, more: str) -> str:
        at = self._now()
        values = f'"meterValue":[{{"timestamp":"{at}","sampledValue":[{self._samples()}]}}],'
        payload = (
            f'{{"eventType":"{kind}","timestamp":"{at}","triggerReason":"{trigger}","seqNo":{self._seq},'
            f"{more}{values if kind == 'Updated' else ''}"
            f'"transactionInfo":{{"transactionId":"{self.transaction}","chargingState":"Charging"}}}}'
        )
        self._seq += 1
        return self._frame("TransactionEvent", payload)

    def _samples(self) -> str:
        return ",".join(self._sample(*sample) for sample in SAMPLES)

    def _sample(self, measurand: str, unit: str, phase: str | None) -> str:
        value = self._meter_wh if unit == "Wh" else 11_000 if unit == "W" else 16
        on = f',"phase":"{phase}"' if phase else ""
        if self._old:
            return (
                f'{{"value":"{value}","context":"Sample.Periodic","measurand":"{measurand}",'
                f'"location":"Outlet","unit":"{unit}"{on}}}'
            )
        return (
            f'{{"value":{value},"context":"Sample.Periodic","measurand":"{measurand}",'
            f'"location":"Outlet","unitOfMeasure":{{"unit":"{unit}"}}{on}}}'
        )

    def learn(self, answer: bytes) -> None:
        """A 1.6 start's answer gives the transaction its number."""
        if self._old and (found := TRANSACTION.search(answer)):
            self.transaction = int(found[1])


class Tally:
    """What was seen: latencies in seconds and errors."""

    def __init__(self) -> None:
        self.latencies_s: list[float] = []
        self.errors: list[str] = []

    async def exchange(self, station: Station, talk: Talk, text: str) -> None:
        began = time.perf_counter()
        answer = await station.call(text)
        self.latencies_s.append(time.perf_counter() - began)
        talk.learn(answer)
        if answer[:2] != b"[3":
            self.errors.append(answer[:200].decode())

    def summary(self, seconds: float) -> dict[str, object]:
        ordered = sorted(self.latencies_s) or [0.0]

        def at(share: float) -> float:
            return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2)

        return {
            "messages": len(self.latencies_s),
            "seconds": round(seconds, 3),
            "p50_ms": at(0.50),
            "p95_ms": at(0.95),
            "p99_ms": at(0.99),
            "errors": len(self.errors),
            "first_error": self.errors[0] if self.errors else None,
        }


def identities(count: int, version: str, group: str) -> list[str]:
    return [f"{group}-{version.replace('.', '')}-{number}" for number in range(count)]


async def busy(url: str, names: list[str], version: str, sessions: int, tally: Tally) -> float:
    """Each station tells its sessions as fast as it is answered."""
    stations = [(await dial(url, name, version), Talk(name, version)) for name in names]

    async def work(station: Station, talk: Talk) -> None:
        for _ in range(sessions):
            for text in talk.session():
                await tally.exchange(station, talk, text)

    began = time.perf_counter()
    await asyncio.gather(*(work(station, talk) for station, talk in stations))
    took_s = time.perf_counter() - began
    for station, _ in stations:
        station.close()
    return took_s


async def paced(
    url: str, names: list[str], version: str, seconds: float, every_s: float, tally: Tally
) -> float:
    """Each station is in a session and sends meter values at its own times, whatever others do."""
    stations = []
    for name in names:
        station, talk = await dial(url, name, version), Talk(name, version)
        for text in (*talk.greeting(), talk.start()):
            talk.learn(await station.call(text))
        stations.append((station, talk))

    async def work(station: Station, talk: Talk) -> None:
        rng = random.Random(talk.transaction)
        due = loop.time() + rng.uniform(0, every_s)
        while due < began + seconds:
            await asyncio.sleep(max(0.0, due - loop.time()))
            await tally.exchange(station, talk, talk.meter_values())
            due += every_s * rng.uniform(0.8, 1.2)

    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.gather(*(work(station, talk) for station, talk in stations))
    return loop.time() - began


async def idle(url: str, names: list[str], version: str, tally: Tally) -> float:
    """Stations that boot and say no more, until stdin is closed."""
    began = time.perf_counter()
    stations = []
    for name in names:
        station, talk = await dial(url, name, version), Talk(name, version)
        stations.append(station)
        for text in talk.greeting():
            await tally.exchange(station, talk, text)
    print(json.dumps(tally.summary(time.perf_counter() - began)), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    return 0.0


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=("busy", "paced", "idle"))
    parser.add_argument("url")
    parser.add_argument("--ocpp", default="1.6")
    parser.add_argument("--stations", type=int, default=50)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--every", type=float, default=10)
    parser.add_argument("--group", default="B")
    told = parser.parse_args()
    names, tally = identities(told.stations, told.ocpp, told.group), Tally()
    match told.mode:
        case "busy":
            took_s = await busy(told.url, names, told.ocpp, told.sessions, tally)
        case "paced":
            took_s = await paced(told.url, names, told.ocpp, told.seconds, told.every, tally)
        case _:
            await idle(told.url, names, told.ocpp, tally)
            return
    print(json.dumps(tally.summary(took_s)), flush=True)


if __name__ == "__main__":
    asyncio.run(main())

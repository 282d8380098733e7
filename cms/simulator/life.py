"""A station's life on the network: it dials, boots, tells what is true, is cut off, and dials again."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING, NoReturn

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake
from websockets.typing import Subprotocol

from cms.simulator.evse import Evse
from cms.simulator.misbehaviour import bend_for
from cms.simulator.schemas import Malformed, check_answer
from cms.simulator.wire import LinkLost, Refused, Silence, Wire

if TYPE_CHECKING:
    from cms.simulator.station import Station

REBOOT_S = 25.0
PENDING_S = 60.0
FLAP_S = 240.0
LINGER_S = 20.0
#: Vain attempts to reach a CSMS by a new network profile before the former one is taken again (B09, B10).
ATTEMPTS = 3


class Life:
    """One station's connections, one after another. ``run`` ends when it is cancelled."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self.wire: Wire | None = None
        self.online = False
        """Connected and accepted."""
        self.registered = False
        self.boot_reason = "PowerUp"
        self.boot_now = asyncio.Event()
        self.accepted = asyncio.Event()
        """Set while online."""
        self._away_s = 0.0
        self._statuses: deque[tuple[Evse | None, str]] = deque()
        self._told: dict[int, str] = {}
        """The last status by EVSE; 0 is the station."""
        self._status_news = asyncio.Event()
        self._old: ClientConnection | None = None
        self._probed = False

    async def run(self) -> NoReturn:
        """Connect, and stay connected as well as the world allows."""
        station, failures = self._station, 0
        if "flapping" in station.faults:
            station.do(self._flap)
        try:
            while True:
                await self._be_away()
                failures = 0 if await self._connect_once() else failures + 1
                if failures >= ATTEMPTS and station.network.fall_back():
                    failures = 0
                await station.pace.sleep(self._back_off(failures))
        finally:
            if self._old is not None:
                await self._old.close()

    async def _be_away(self) -> None:
        while self._away_s > 0:
            away_s, self._away_s = self._away_s, 0.0
            await self._station.pace.sleep(away_s)

    def _back_off(self, failures: int) -> float:
        """2.0.1 part 4 section 5.3, and not unusual in 1.6: doubling waits with a random part."""
        if "redials" in self._station.faults:
            return 3.0
        if "slow-redial" in self._station.faults:
            return self._station.rng.uniform(360.0, 1140.0)
        return self._station.back_off_s * (2.0 ** min(failures, 3) + self._station.rng.random())

    async def _connect_once(self) -> bool:
        """One connection from dial to loss; whether it came about."""
        station = self._station
        try:
            if "probe-16" in station.faults and not self._probed:
                self._probed = True
                await (await self._dial("ocpp1.6")).close()
            if "two-sockets" in station.faults:
                self._old = await self._dial(station.language.subprotocol)
            socket = await self._dial(station.language.subprotocol)
        except (OSError, InvalidHandshake, TimeoutError, EOFError) as why:
            station.news(station, "cannot connect", str(why) or type(why).__name__)
            return False
        async with contextlib.AsyncExitStack() as open_:
            await open_.enter_async_context(socket)
            if self._old is not None:
                await open_.enter_async_context(self._old)
                self._old = None
            station.news(station, "connected", socket.subprotocol or "no subprotocol")
            station.news(station, "disconnected", await self._converse(socket))
            if "lingering-socket" in station.faults and self._away_s:
                open_.pop_all()
                self._old = socket
        return True

    async def _dial(self, subprotocol: str) -> ClientConnection:
        station = self._station
        return await connect(
            station.place.address(station.identity_as_written),
            subprotocols=None if "no-subprotocol" in station.faults else [Subprotocol(subprotocol)],
            additional_headers=station.place.headers,
            user_agent_header=None,
            compression=None,
            proxy=None,
            ping_interval=None,
            open_timeout=station.patience_s,
            close_timeout=1.0,
            ssl=station.place.tls(),
        )

    async def _converse(self, socket: ClientConnection) -> str:
        """Live on one connection until it is lost; why it was."""
        station = self._station
        self.wire = wire = Wire(socket, station.obey, station.do, station.patience_s, bend_for(station))
        wire.doubts = "result-error" in station.faults
        wire.contradicts, wire.judge = station.version == "2.1", self._judge
        # No TaskGroup here: before Python 3.13 one with errors forgets a cancellation that comes with them,
        # and a station would outlive its end.
        listening, talking = asyncio.create_task(wire.listen()), asyncio.create_task(self._talk())
        try:
            await asyncio.wait((listening, talking), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.wire, self.online = None, False
            self.accepted.clear()
            listening.cancel()
            talking.cancel()
            ends = await asyncio.gather(listening, talking, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception) and not isinstance(end, LinkLost):
                raise end
        return str(ends[0])

    def _judge(self, action: str, answer: dict[str, object]) -> str | None:
        """An answer that breaks its schema is none."""
        try:
            check_answer(self._station.version, action, answer)
        except Malformed as why:
            self._station.news(self._station, "malformed answer", str(why))
            return str(why)[:255]
        return None

    async def _talk(self) -> None:
        """Everything that is said on this connection without being asked for, until it is lost."""
        try:
            async with asyncio.TaskGroup() as tasks:
                if self._needs_boot():
                    await self._boot()
                self.online = self.registered = True
                self.accepted.set()
                self._retell_statuses()
                tasks.create_task(self._station.queue.deliver(self._station.deliver))
                tasks.create_task(self._tell_statuses())
                tasks.create_task(self._beat())
        except* LinkLost:
            pass  # listening says it too, and why

    def _needs_boot(self) -> bool:
        station = self._station
        return "no-boot" not in station.faults and (not self.registered or station.boots_always)

    async def _boot(self) -> None:
        """Announce itself until accepted; ask again after the interval that the CSMS named."""
        station = self._station
        while True:
            try:
                answer = await station.call(*station.language.boot(station, self.boot_reason))
            except (Refused, Silence):
                answer = {"status": "Rejected", "interval": 0}
            interval_s = float(answer.get("interval") or 0)
            if answer["status"] == "Accepted":
                if interval_s:
                    station.configuration.turn("heartbeat_s", str(int(interval_s)))
                return
            station.news(station, "not accepted", answer["status"])
            self.boot_now.clear()
            wait_s = 3.0 if "impatient-boot" in station.faults else interval_s or PENDING_S
            await station.pace.wait(self.boot_now, wait_s)

    async def _beat(self) -> None:
        station = self._station
        while True:
            await station.pace.sleep(station.configuration.number("heartbeat_s") or 86_400)
            await station.say("Heartbeat", {})

    async def _flap(self) -> None:
        while True:
            await self._station.pace.sleep(FLAP_S * (0.5 + self._station.rng.random()))
            self.lose_link(5.0)

    # Statuses

    def _retell_statuses(self) -> None:
        """After an outage only what is true now is told, not what was."""
        self._statuses.clear()
        self._told.clear()
        self.note_whole()
        for evse in self._station.evses:
            self.note_status(evse)

    def note_status(self, evse: Evse) -> None:
        self._note(evse.id, evse, evse.status)

    def note_whole(self) -> None:
        """The station's own status, where the version has one."""
        self._note(0, None, self._station.word)

    def _note(self, number: int, evse: Evse | None, status: str) -> None:
        if self.online and self._told.get(number) != status:
            self._told[number] = status
            self._statuses.append((evse, status))
            self._status_news.set()

    async def _tell_statuses(self) -> None:
        station = self._station
        while True:
            while self._statuses:
                message = station.language.status(station, *self._statuses.popleft())
                if message is not None:
                    await station.say(*message)
            self._status_news.clear()
            await self._status_news.wait()

    # Interruptions

    def lose_link(self, seconds: float) -> None:
        """The network goes away for a while; the station goes on charging."""
        self._away_s = max(self._away_s, seconds)
        if self.wire is not None:
            self.accepted.clear()  # here, not only when the loss is noticed: who waits for it waits for the next
            self.wire.cut()

    def lose_power(self, seconds: float) -> None:
        self.registered, self.boot_reason = False, "PowerUp"
        self.lose_link(seconds + REBOOT_S)

    async def go_down(self, boot_reason: str) -> None:
        """Close the link and be away for a reboot."""
        self.registered, self.boot_reason, self._away_s = False, boot_reason, REBOOT_S
        self._station.network.choose()
        if self.wire is None:
            return
        if "lingering-socket" in self._station.faults:
            self._away_s = 1.0
            self.wire.abandon()
        else:
            await self.wire.close(1001, "reset")

    async def reconnect(self) -> None:
        """Close the link a moment from now, and dial again with what has changed."""
        await self._station.pace.sleep(1.0)
        if self.wire is not None:
            await self.wire.close(1000, "reconnecting")

    async def reboot(self, boot_reason: str) -> None:
        """Go down, and return when the CSMS has accepted the station again."""
        await self.go_down(boot_reason)
        self.accepted.clear()
        await self.accepted.wait()

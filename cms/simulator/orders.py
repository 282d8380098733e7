"""What orders set going, whatever the version's words for them are."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING

from cms.simulator.evse import Awaited, Evse
from cms.simulator.language import Later

if TYPE_CHECKING:
    from cms.simulator.station import Station


def evse_for_start(station: Station, evse_id: int | None, token: str) -> Evse | None:
    """Where a remote start may begin: where a car waits, else anywhere free; nowhere before acceptance."""
    if not station.online:
        return None
    able = [
        evse
        for evse in station.evses_named(evse_id)
        if evse.unclaimed and evse.operative and evse.fault is None and evse.awaited is None
        if station.not_reserved(evse, token)
    ]
    return next((evse for evse in able if evse.car is not None), next(iter(able), None))


def starting(station: Station, evse: Evse, who: Awaited) -> Later:
    """What a remote start sets going: at once where a car is plugged in, else as soon as one is."""

    async def start() -> None:
        if "idle-start" in station.faults:
            return
        asks = station.configuration.flag("asks_remote")
        if asks and not await station.lets_in(who.token, who.token_kind):
            return
        if not evse.unclaimed:
            return
        station.let_in(evse, who, "RemoteStart")
        if evse.car is None:
            station.awaits_driver(evse)

    return start


def await_car(station: Station, evse: Evse, who: Awaited) -> None:
    """Somebody was let in before there was a car: wait for it, for as long as configured."""
    wait_s = station.configuration.number("plug_in_s")
    until = station.pace.now() + timedelta(seconds=wait_s)
    awaited = Awaited(who.token, until, who.remote_start_id, who.token_kind, who.profile)

    async def expire() -> None:
        await station.pace.sleep(wait_s + 1)
        if evse.awaited is awaited:
            evse.awaited = None
            if evse.car is None:
                station.charging.end(evse, "no-car")
            station.note_status(evse)

    evse.awaited = awaited
    station.note_status(evse)
    station.do(expire)


def stopping(station: Station, evse: Evse, why: str) -> Later:
    async def stop() -> None:
        station.charging.stop(evse, why)

    return stop


def set_availability(station: Station, evses: list[Evse], operative: bool, *, whole: bool) -> str:
    """Accepted, or Scheduled where a transaction must end first (1.6 section 5.2, 2.0.1 G03, G04).

    ``whole``: the station itself was named, not its EVSEs one by one.
    """
    if whole:
        station.operative = operative
    for evse in evses:
        if evse.idle:
            evse.operative, evse.operative_later = operative, None
            station.note_status(evse)
            if not operative:
                station.lose_reservation(evse)
        else:
            evse.operative_later = operative
    station.life.note_whole()
    waits = [evse for evse in evses if not evse.idle and evse.operative != operative]
    return "Scheduled" if waits else "Accepted"


def resetting(station: Station, why: str, boot_reason: str, *, resumes: bool = False) -> Later:
    """End what runs (unless it is resumed, 2.1 B13), go down, come back."""

    async def reset() -> None:
        if "silent-reset" in station.faults:
            return
        for evse in station.evses:
            evse.awaited = None
            if resumes:
                station.charging.freeze(evse)
            else:
                station.charging.end(evse, why)
        await station.life.go_down(boot_reason)
        if resumes:
            station.life.accepted.clear()
            await station.charging.resume()

    return reset


def triggered(station: Station, message: str, evses: list[Evse]) -> Later | None:
    """What TriggerMessage asks for; None when this station has no such message."""
    send = station.language.triggers.get(message)
    if send is None:
        return None

    async def go() -> None:
        one_of_many = len(evses) < len(station.evses)
        if "idle-trigger" in station.faults or ("idle-evse-trigger" in station.faults and one_of_many):
            return
        await send(station, evses)

    return go


def change(station: Station, name: str, value: str) -> str:
    """Set a configuration value: accepted, reboot (accepted, needs one), refused or unknown."""
    configuration = station.configuration
    if name not in configuration:
        return "unknown"
    setting = configuration[name]
    if setting.access == "r" or not setting.takes(value):
        return "refused"
    if configuration.is_knob(name, "security_profile") and int(value) < int(setting.value):
        return "refused"  # A05.FR.02, 1.6 whitepaper: it may only rise
    configuration.put(name, value)
    _take_effect(station, name, value)
    return "reboot" if setting.reboot else "accepted"


def _take_effect(station: Station, name: str, value: str) -> None:
    configuration = station.configuration
    if configuration.is_knob(name, "password"):
        station.place.password = _password(value, station.version)
        station.do(station.life.reconnect)  # A01.FR.11
    if configuration.is_knob(name, "measurands") and "boot-loop" in station.faults:
        station.do(lambda: _boot_over_and_over(station))
    if configuration.is_knob(name, "aligned_s"):
        align(station)
    for evse in station.evses:
        if evse.transaction is not None:
            evse.transaction.stirred.set()


def _password(value: str, version: str) -> str:
    """1.6 security whitepaper A00.FR.205: AuthorizationKey is hexadecimal; some send it as it is."""
    if version == "1.6" and len(value) % 2 == 0 and len(value) >= 32:
        with contextlib.suppress(ValueError):
            return bytes.fromhex(value).decode("utf-8")
    return value


async def _boot_over_and_over(station: Station) -> None:
    """A list of measurands that is too long for this firmware: it boots until the list is short again."""
    while len(station.configuration.knob("measurands").split(",")) > 4:
        await station.pace.sleep(30.0)
        for evse in station.evses:
            station.charging.end(evse, "reboot")
        await station.life.reboot("Watchdog")


def align(station: Station) -> None:
    """Begin, or end, to send meter values by the clock (1.6 ClockAlignedDataInterval, 2.0.1 J01, J02)."""
    task: asyncio.Task[None] | None = station.aligning
    if task is not None:
        task.cancel()
    every_s = station.configuration.number("aligned_s")
    station.aligning = station.do(lambda: _align(station, every_s)) if every_s else None


async def _align(station: Station, every_s: int) -> None:
    """At midnight UTC and every so many seconds from it."""
    while True:
        now = station.pace.now()
        passed_s = (now - now.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()
        await station.pace.sleep(every_s - passed_s % every_s)
        for evse in station.evses:
            if evse.transaction is not None:
                station.charging.meter([evse], "Sample.Clock")
            elif station.online:
                await station.say(*station.language.aligned(station, evse))

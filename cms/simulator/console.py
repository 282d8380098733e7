"""What the operator of simulated stations can tell them to do, a line at a time: ``CP-001 plug 1``.

A line is a station (left out when there is one only, ``all`` for every one), a word of ``WORDS``, and its arguments.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cms.simulator.cars import Car, some_car
from cms.simulator.evse import CARD, Evse
from cms.simulator.faults import named
from cms.simulator.misbehaviour import bend_for
from cms.simulator.orders import resetting
from cms.simulator.schemas import UNCONFIRMED, Malformed, check_call, knows
from cms.simulator.station import Station
from cms.simulator.v2 import battery_swap, der, payment, smart_charging
from cms.simulator.v2.variables import value_of
from cms.simulator.wire import LinkLost, Refused, Silence


class Wrong(Exception):
    """A line that cannot be done: one sentence."""


Do = Callable[[Station, list[str]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Word:
    """``usage`` is its arguments; ``least`` how many there must be; ``versions`` who knows it."""

    usage: str
    what: str
    do: Do
    least: int = 0
    versions: tuple[str, ...] = ("1.6", "2.0.1", "2.1")


def _evse(station: Station, text: str) -> Evse:
    evse = station.evse(int(text)) if text.isdigit() else None
    if evse is None:
        raise Wrong(f"{station.id} has no EVSE {text}; it has {len(station.evses)}")
    return evse


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise Wrong(f"{text} is not a number") from None


def _flag(text: str) -> bool:
    if text not in ("on", "off"):
        raise Wrong(f"say on or off, not {text}")
    return text == "on"


async def _plug(station: Station, args: list[str]) -> None:
    evse = _evse(station, args[0])
    if evse.car is not None:
        raise Wrong(f"there is a car at EVSE {evse.id} of {station.id}")
    car = some_car(station.rng)
    if len(args) > 1:
        car = Car(60_000, _number(args[1]) / 100, 1.0, 11_000, 100_000)
    station.plug_in(evse, car)


async def _unplug(station: Station, args: list[str]) -> None:
    station.unplug(_evse(station, args[0]))


async def _card(station: Station, args: list[str]) -> None:
    word = await station.present(_evse(station, args[0]), args[1], args[2] if len(args) > 2 else CARD)
    station.news(station, "card", f"EVSE {args[0]} {word}")


async def _stop(station: Station, args: list[str]) -> None:
    station.charging.end(_evse(station, args[0]), "emergency")


async def _link(station: Station, args: list[str]) -> None:
    station.lose_link(_number(args[0]))


async def _power(station: Station, args: list[str]) -> None:
    station.lose_power(_number(args[0]))


async def _break(station: Station, args: list[str]) -> None:
    station.break_down(_evse(station, args[0]), args[1] if len(args) > 1 else "GroundFailure")


async def _mend(station: Station, args: list[str]) -> None:
    station.mend(_evse(station, args[0]))


async def _set(station: Station, args: list[str]) -> None:
    """Whatever a CSMS may set: a sensor's value, too."""
    if args[0] not in station.configuration:
        raise Wrong(f"{station.id} has no {args[0]}")
    station.configuration.put(args[0], args[1])
    await station.language.look(station)


async def _get(station: Station, args: list[str]) -> None:
    wanted = args[0].lower() if args else ""
    for name in station.configuration:
        if wanted in name.lower() and station.configuration[name].access != "w":
            value = station.configuration[name].value if station.version == "1.6" else value_of(station, name)
            station.tell(station, name, value)


async def _fault(station: Station, args: list[str]) -> None:
    try:
        wanted = named(args[0])
    except ValueError as wrong:
        raise Wrong(str(wrong)) from None
    on = _flag(args[1]) if len(args) > 1 else True
    station.faults = station.faults | wanted if on else station.faults - wanted
    if station.life.wire is not None:
        station.life.wire.bend = bend_for(station)


async def _limit(station: Station, args: list[str]) -> None:
    limit_w = None if args[1] == "off" else _number(args[1])
    if args[0] != "0":
        _evse(station, args[0])
    source = args[2] if len(args) > 2 else "EMS"
    await smart_charging.limit_from_elsewhere(station, int(args[0]), limit_w, source)


async def _needs(station: Station, args: list[str]) -> None:
    await smart_charging.tell_needs(station, _evse(station, args[0]))


async def _priority(station: Station, args: list[str]) -> None:
    await smart_charging.prioritise(station, _evse(station, args[0]), _flag(args[1]))


async def _swap(station: Station, args: list[str]) -> None:
    await battery_swap.swap_with_card(station, args[0])


async def _settle(station: Station, args: list[str]) -> None:
    last = station.transactions[-1] if station.transactions else None
    status = args[1] if len(args) > 1 else "Settled"
    await _call(station, "NotifySettlement", payment.settlement(station, last, _number(args[0]), status))


async def _der_alarm(station: Station, args: list[str]) -> None:
    await _call(station, "NotifyDERAlarm", der.alarm(station, not _flag(args[0])))


async def _sign(station: Station, args: list[str]) -> None:
    station.do(station.certificates.request(args[0] if args else "ChargingStationCertificate"))


async def _security(station: Station, args: list[str]) -> None:
    await station.report(*station.language.security_event(station, args[0]))


async def _boot(station: Station, args: list[str]) -> None:
    await resetting(station, "reboot", "LocalReset")()


async def _send(station: Station, args: list[str]) -> None:
    """A message with this payload, or with one of ours."""
    action = args[0]
    if not knows(station.version, action):
        raise Wrong(f"OCPP {station.version} has no {action}")
    if len(args) == 1:
        sample = station.language.samples.get(action)
        if sample is None:
            raise Wrong(f"stations do not send {action}; give a payload to send it all the same")
        payload: Any = sample(station)
    else:
        payload = _json(" ".join(args[1:]))
    try:
        check_call(station.version, action, payload)
    except Malformed as why:
        raise Wrong(f"{why}; send-raw sends a frame that is not valid") from None
    await _call(station, action, payload)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as why:
        raise Wrong(f"the payload is not JSON: {why}") from None


async def _call(station: Station, action: str, payload: Any) -> None:
    try:
        if action in UNCONFIRMED:
            if station.life.wire is None:
                raise LinkLost("offline")
            await station.life.wire.send(action, payload)
            return
        answer = await station.call(action, payload)
    except (LinkLost, Silence, Refused) as why:
        raise Wrong(f"{station.id} sent {action}: {why}") from None
    station.news(station, f"answer {action}", json.dumps(answer))


async def _send_raw(station: Station, args: list[str]) -> None:
    if station.life.wire is None:
        raise Wrong(f"{station.id} is offline")
    await station.life.wire.send_text(" ".join(args))


async def _wait(station: Station, args: list[str]) -> None:
    await station.pace.sleep(_number(args[0]))


async def _show(station: Station, args: list[str]) -> None:
    link = "online" if station.online else "offline"
    station.tell(station, "is", f"{link}, OCPP {station.version}, firmware {station.make.firmware}")
    for evse in station.evses:
        transaction = evse.transaction
        doing = f", transaction {transaction.id} of {transaction.token}" if transaction else ""
        station.tell(
            station,
            f"EVSE {evse.id}",
            f"{evse.status}, {evse.power_w:.0f} of {evse.offer_w:.0f} W, {evse.meter_wh} Wh{doing}",
        )


V2 = ("2.0.1", "2.1")
NEW = ("2.1",)

WORDS: dict[str, Word] = {
    "plug": Word("EVSE [SOC]", "plug a car in, SOC percent full", _plug, 1),
    "card": Word("EVSE TAG [TYPE]", "hold a card to the reader; again to stop", _card, 2),
    "unplug": Word("EVSE", "take the cable out", _unplug, 1),
    "emergency": Word("EVSE", "press the emergency stop", _stop, 1),
    "link": Word("SECONDS", "lose the link for so long", _link, 1),
    "power": Word("SECONDS", "lose power for so long", _power, 1),
    "reboot": Word("", "reset at the station", _boot),
    "break": Word("EVSE [CODE]", "break down with a 1.6 error code", _break, 1),
    "mend": Word("EVSE", "mend it", _mend, 1),
    "set": Word("NAME VALUE", "set a variable or key, measured ones too", _set, 2),
    "get": Word("[TEXT]", "show variables or keys whose name holds a text", _get),
    "fault": Word("NAME,... [on|off]", "begin or end to misbehave", _fault, 1),
    "limit": Word("EVSE|0 WATTS|off [SOURCE]", "a limit from elsewhere, told to the CSMS", _limit, 2, V2),
    "needs": Word("EVSE", "the car tells what it needs (ISO 15118)", _needs, 1, V2),
    "priority": Word("EVSE on|off", "the driver asks for priority charging", _priority, 2, NEW),
    "swap": Word("TAG", "swap a battery", _swap, 1, NEW),
    "settle": Word("AMOUNT [STATUS]", "a payment of the last transaction is settled", _settle, 1, NEW),
    "der-alarm": Word("on|off", "the grid is out of bounds", _der_alarm, 1, NEW),
    "sign": Word("[TYPE]", "ask for a certificate", _sign),
    "security": Word("TYPE", "tell a security event", _security, 1),
    "send": Word("ACTION [JSON]", "send a message; without a payload a believable one", _send, 1),
    "send-raw": Word("TEXT", "send a frame as it is, however wrong", _send_raw, 1),
    "show": Word("", "how the station is", _show),
    "wait": Word("SECONDS", "wait before the next line", _wait, 1),
}


def usage() -> str:
    """A line per word."""
    width = max(len(f"{word} {entry.usage}") for word, entry in WORDS.items())
    return "\n".join(f"{f'{word} {entry.usage}':<{width}}  {entry.what}" for word, entry in WORDS.items())


async def do(stations: Sequence[Station], line: str) -> None:
    """Do a line. Raises Wrong."""
    parts = _parts(line)
    if not parts or parts[0].startswith("#"):
        return
    wanted, parts = _stations(stations, parts)
    if not parts or parts[0] not in WORDS:
        raise Wrong(f"there is no word {parts[0] if parts else ''!r}; there are: {', '.join(WORDS)}")
    name, args = parts[0], parts[1:]
    word = WORDS[name]
    if len(args) < word.least:
        raise Wrong(f"{name} needs {word.usage}")
    for station in wanted:
        if station.version not in word.versions:
            raise Wrong(
                f"{station.id} speaks OCPP {station.version}; {name} is of {', '.join(word.versions)}"
            )
        await word.do(station, args)


def _parts(line: str) -> list[str]:
    """Words, and a JSON payload or frame as it is."""
    start = min((at for at in (line.find("{"), line.find("[")) if at >= 0), default=len(line))
    try:
        return [*shlex.split(line[:start]), *([line[start:].strip()] if line[start:] else [])]
    except ValueError as why:
        raise Wrong(str(why)) from None


def _stations(stations: Sequence[Station], parts: list[str]) -> tuple[list[Station], list[str]]:
    if parts[0] == "all":
        return list(stations), parts[1:]
    by_id = {station.id: station for station in stations}
    if parts[0] in by_id:
        return [by_id[parts[0]]], parts[1:]
    if len(stations) == 1:
        return list(stations), parts
    raise Wrong(f"there is no station {parts[0]!r}; name one of the {len(stations)} first, or all")

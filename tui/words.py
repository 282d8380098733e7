"""Figures, times and events as short text for a narrow column; not safe to paint before safe()."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from cms.contract.events import Event
from cms.contract.refusals import Refusal
from cms.contract.stations import ConnectorView

NONE = "·"
DAY = timedelta(days=1)


def sentence(refusal: Refusal) -> str:
    """Why not, and in brackets what can be done about it."""
    return f"{refusal.message} ({refusal.hint})" if refusal.hint else refusal.message


def kilowatts(power_w: int | None) -> str:
    """``21.7``; a dot where there is nothing to say."""
    return NONE if not power_w else f"{power_w / 1000:,.1f}"


def power(power_w: int) -> str:
    """With a unit that fits: ``840 W``, ``21.7 kW``, ``3.42 MW``."""
    if abs(power_w) < 1000:
        return f"{power_w} W"
    if abs(power_w) < 1_000_000:
        return f"{power_w / 1000:.1f} kW"
    return f"{power_w / 1_000_000:.2f} MW"


def energy(energy_wh: int) -> str:
    """With a unit that fits: ``840 Wh``, ``11.4 kWh``, ``31.20 MWh``."""
    if abs(energy_wh) < 1000:
        return f"{energy_wh} Wh"
    if abs(energy_wh) < 1_000_000:
        return f"{energy_wh / 1000:.1f} kWh"
    return f"{energy_wh / 1_000_000:.2f} MWh"


def kilowatt_hours(energy_wh: int) -> str:
    return f"{energy_wh / 1000:,.1f}"


def percent(value: float | None) -> str:
    return NONE if value is None else f"{value:.0f}%"


def ago(then: datetime | None, now: datetime) -> str:
    """How long since, in one unit: ``<1m``, ``6m``, ``3h``, ``12d``; coarse, so that idle screens rest."""
    if then is None:
        return NONE
    minutes = int((now - then).total_seconds() // 60)
    if minutes < 1:
        return "<1m"
    if minutes < 60:
        return f"{minutes}m"
    if minutes < 48 * 60:
        return f"{minutes // 60}h"
    return f"{minutes // 1440}d"


def lasting(start: datetime, end: datetime) -> str:
    """A duration as ``h:mm``."""
    minutes = max(0, int((end - start).total_seconds() // 60))
    return f"{minutes // 60}:{minutes % 60:02d}"


def clock(at: datetime) -> str:
    """Local time of day, ``12:41:05``."""
    return at.astimezone().strftime("%H:%M:%S")


def counted(count: int, noun: str) -> str:
    """So many of them: ``1 site``, ``2,000 sites``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def day(at: date | None) -> str:
    """A calendar day, ``2026-11-22``; nothing where there is none."""
    return "" if at is None else f"{at:%Y-%m-%d}"


def day_or_clock(at: datetime, now: datetime) -> str:
    """Local time of day of what is less than a day old, ``12:41``; the day of what is older, ``11-22``."""
    return at.astimezone().strftime("%H:%M" if now - at < DAY else "%m-%d")


def moment(at: datetime | None) -> str:
    """Local date and time, ``2026-11-22 12:41:05``."""
    return NONE if at is None else at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def minute(at: datetime | None) -> str:
    """Local date and time without seconds, where a column is narrow: ``2026-11-22 12:41``."""
    return NONE if at is None else at.astimezone().strftime("%Y-%m-%d %H:%M")


def plug(evse: int | None, connector: int | None) -> str:
    """A connector's short name: ``1``, or ``1.2`` for the second connector of EVSE 1."""
    if evse is None:
        return NONE
    return str(evse) if connector in (None, 0, 1) else f"{evse}.{connector}"


def plug_of(connector: ConnectorView) -> str:
    return plug(connector.evse, connector.connector)


def _identity(said: Mapping[str, Any]) -> str:
    return " ".join(str(said[k]) for k in ("vendor", "model", "firmware") if said.get(k))


def _connector(said: Mapping[str, Any]) -> str:
    trouble = [str(said[k]) for k in ("error_code", "info") if said.get(k)]
    return " ".join([f"c{plug(said.get('evse'), said.get('connector'))}", str(said.get("status")), *trouble])


def _metered(said: Mapping[str, Any]) -> str:
    parts = [f"c{plug(said.get('evse'), said.get('connector'))}"]
    if (wh := said.get("energy_wh")) is not None:
        parts.append(energy(wh))
    if (watts := said.get("power_w")) is not None:
        parts.append(power(watts))
    if (soc := said.get("soc_percent")) is not None:
        parts.append(f"SoC {percent(soc)}")
    return " ".join(parts)


def _session(said: Mapping[str, Any]) -> str:
    view = said.get("session")
    if not isinstance(view, Mapping):
        return str(view or "")
    parts = [f"c{plug(view.get('evse'), view.get('connector'))}", str(view.get("status"))]
    parts += [str(view[k]) for k in ("token", "stop_reason") if view.get(k)]
    if view.get("energy_wh"):
        parts.append(energy(view["energy_wh"]))
    return " ".join(parts)


def _intent(said: Mapping[str, Any]) -> str:
    view = said.get("intent")
    if not isinstance(view, Mapping):
        return str(view or "")
    return " ".join(str(view[k]) for k in ("order", "status", "detail") if view.get(k))


def _token(said: Mapping[str, Any]) -> str:
    view = said.get("token")
    name = view.get("id") if isinstance(view, Mapping) else view
    return " ".join(str(part) for part in (name, said.get("status")) if part)


def _configuration(said: Mapping[str, Any]) -> str:
    values = said.get("values")
    return f"{len(values)} values" if isinstance(values, Mapping | list | tuple) else ""


def _alert(said: Mapping[str, Any]) -> str:
    view = said.get("alert")
    if not isinstance(view, Mapping):
        return str(view or "")
    state = " ".join(str(view[k]) for k in ("state", "by") if view.get(k) and view.get("state") != "new")
    return " ".join(
        part for part in (view.get("what"), view.get("why"), f"({state})" if state else "") if part
    )


#: What a nested object is called by, and what of it is worth a word.
_NAMING = ("psp_ref", "id", "request_id", "name", "kind", "log_type", "token", "status", "outcome", "detail")


def _plain(value: Any) -> str:
    """Any value of an event in words: of an object what names it, of a list its members."""
    if isinstance(value, Mapping):
        return " ".join(_plain(value[key]) for key in _NAMING if _says(value.get(key)))
    if isinstance(value, list | tuple):
        return ", ".join(filter(None, map(_plain, value)))
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _says(value: Any) -> bool:
    return value not in (None, "", [], {})


def _any(said: Mapping[str, Any]) -> str:
    """Each field by its name; an object speaks for itself."""
    told = {key: _plain(value) for key, value in said.items() if _says(value)}
    return " ".join(text if isinstance(said[key], Mapping) else f"{key} {text}" for key, text in told.items())


_TOLD: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "station.connected": lambda said: f"OCPP {said.get('ocpp_version')} from {said.get('address')}",
    "station.disconnected": lambda said: str(said.get("reason") or ""),
    "station.unknown": lambda said: f"{said.get('reason')} from {said.get('address')}",
    "station.refused": lambda said: f"{said.get('reason')} from {said.get('address')}",
    "station.identity_conflict": lambda said: (
        "connects in turns from " + " and ".join(map(str, said.get("addresses") or ()))
    ),
    "station.security": lambda said: " ".join(str(said[k]) for k in ("kind", "detail") if said.get(k)),
    "station.notified": lambda said: f"{said.get('component')}.{said.get('variable')} = {said.get('value')}",
    "station.booted": lambda said: f"{said.get('status')} {_identity(said)}",
    "station.configuration": _configuration,
    "connector.status": _connector,
    "session.metered": _metered,
    "session.started": _session,
    "session.changed": _session,
    "session.ended": _session,
    "session.flagged": lambda said: ", ".join(map(str, said.get("flags") or ())),
    "energy.gap": lambda said: f"EVSE {said.get('evse')}: {said.get('gap_wh')} Wh that no session tells of",
    "intent.created": _intent,
    "intent.changed": _intent,
    "token.presented": _token,
    "token.added": _token,
    "token.changed": _token,
    "token.removed": _token,
    "alert.raised": _alert,
    "alert.changed": _alert,
    "alert.ended": _alert,
}

#: Events that tell of trouble stand out in lists.
TONES = {
    "station.disconnected": "warn",
    "station.refused": "warn",
    "station.identity_conflict": "bad",
    "station.unknown": "warn",
    "station.security": "warn",
    "session.flagged": "warn",
    "energy.gap": "warn",
    "quarantine.added": "warn",
    "daemon.stopped": "warn",
}


def told(event: Event) -> str:
    """What an event says beside its type and its station, in a few words."""
    return _TOLD.get(event.type, _any)(event.data)


def happening(event: Event) -> str:
    """An event in a line: the second half of its type where the rest says what it is about, else all of it."""
    head = event.type.partition(".")[2] if event.type in _TOLD else event.type
    return f"{head} {told(event)}"


def tone_of(event: Event) -> str:
    """The tone of an event in a list; empty for the usual."""
    if event.type == "connector.status" and event.data.get("status") == "faulted":
        return "bad"
    return TONES.get(event.type, "")

"""Tariffs in YAML as people write them; ``tariffwriting`` writes them so again.

    id: DC-day
    currency: EUR
    zone: Europe/Berlin
    vat: 19
    prices: include-vat
    energy: [{price: 0.39, from: 22:00, to: 06:00}, 0.49]
    idle: {price: 0.10, after: 20 min, from: 08:00, to: 22:00}
    min: 1.00
    max: 60
    text: {de: 49 Cent je kWh, en: 49 cents a kWh}

docs/prices.md has the whole language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cms.contract.refusals import Invalid
from cms.contract.tariffs import Bound, Component, Price, Tariff, TariffText, Tax, When
from cms.domain.tariffs import DAYS, FORMATS
from cms.domain.yamltext import Node
from cms.domain.yamltext import read as read_tree

#: What is paid for, as it is written -> the field of a tariff.
COMPONENTS = {
    "energy": "energy",
    "charging": "charging_time",
    "idle": "idle_time",
    "session": "fixed_fee",
    "reservation": "reservation_time",
    "reservation-fee": "reservation_fixed",
}
TIMED = frozenset({"charging", "idle", "reservation"})
#: What ``after`` and ``before`` count, by what is paid for; else the time since the session began.
AFTER = {"charging": "charging_s", "idle": "idle_s"}
_NUMBER = re.compile(r"-?\d{1,12}(\.\d{1,28})?", re.ASCII)
_ENERGY = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)\s*(kWh|Wh)", re.ASCII)
_SPAN = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)\s*([a-z]+)", re.ASCII)
_SECONDS = {
    "s": 1,
    "sec": 1,
    "second": 1,
    "m": 60,
    "min": 60,
    "minute": 60,
    "h": 3600,
    "hour": 3600,
    "d": 86_400,
}
_SECONDS |= {f"{word}s": seconds for word, seconds in _SECONDS.items() if len(word) > 1} | {"days": 86_400}
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)", re.ASCII)
_WEEK = {day[:3].casefold(): index for index, day in enumerate(DAYS)}
_SPANS_OF_DAYS = {"weekdays": DAYS[:5], "weekend": DAYS[5:]}


def _fail(node: Node, key: str, words: str, hint: str | None = None) -> Invalid:
    return Invalid(f"line {node.line}: {key}: {words}", hint)


def _said(node: Node, key: str) -> str:
    if node.text is None:
        raise _fail(node, key, "one word or number is meant" if node.value is not None else "nothing is said")
    return node.text.strip()


def _amount(node: Node, key: str) -> Decimal:
    said = _said(node, key)
    if not _NUMBER.fullmatch(said):
        hint = f"write {said.replace(',', '.')}" if _NUMBER.fullmatch(said.replace(",", ".")) else None
        raise _fail(node, key, f"{said[:40]!r} is no number", hint)
    return Decimal(said)


def _of_thousand(node: Node, key: str) -> Decimal:
    """kWh or kW as Wh or W."""
    return _amount(node, key).scaleb(3)


def _span(node: Node, key: str) -> int:
    """``20 min``, ``1 h 30 min``, ``90 s`` in seconds."""
    said = _said(node, key)
    parts = _SPAN.findall(said)
    known = all(unit in _SECONDS for _, unit in parts)
    if not parts or not known or _SPAN.sub("", said).strip():
        raise _fail(node, key, f"{said[:40]!r} is no span of time", "e.g. 20 min, 1 h 30 min, 90 s")
    seconds = sum((Decimal(count) * _SECONDS[unit] for count, unit in parts), Decimal(0))
    if seconds != seconds.to_integral_value():
        raise _fail(node, key, "whole seconds are meant")
    return int(seconds)


def _clock(node: Node, key: str) -> str:
    said = _said(node, key)
    found = _CLOCK.fullmatch(said)
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        raise _fail(node, key, f"{said[:40]!r} is no time of day", "write HH:MM; 00:00 is midnight")
    return f"{int(found[1]):02d}:{found[2]}"


def _date(node: Node, key: str) -> str:
    said = _said(node, key)
    try:
        return date.fromisoformat(said).isoformat()
    except ValueError:
        raise _fail(node, key, f"{said[:40]!r} is no date", "write YYYY-MM-DD") from None


def _days(node: Node, key: str) -> tuple[str, ...]:
    """``[sat, sun]``, ``mon-fri``, ``weekend``."""
    nodes = node.value if isinstance(node.value, list) else [node]
    found: set[str] = set()
    for one in nodes:
        said = _said(one, key).casefold()
        first, _, last = said.partition("-")
        if said in _SPANS_OF_DAYS:
            found |= set(_SPANS_OF_DAYS[said])
        elif _day(first) is None or (last and _day(last) is None):
            raise _fail(one, key, f"{said[:40]!r} is no day", "e.g. mon, mon-fri, weekdays, weekend")
        else:
            begin, end = _day(first), _day(last or first)
            assert begin is not None
            assert end is not None
            found |= {DAYS[(begin + more) % 7] for more in range((end - begin) % 7 + 1)}
    return tuple(day for day in DAYS if day in found)


def _day(said: str) -> int | None:
    full = {day.casefold(): index for index, day in enumerate(DAYS)}
    return _WEEK.get(said, full.get(said))


def _kind(node: Node, key: str) -> str:
    said = _said(node, key).upper()
    if said not in ("AC", "DC"):
        raise _fail(node, key, f"AC or DC, not {said[:20]!r}")
    return said


def _expired(node: Node, key: str) -> str:
    """OCPI's word for whether somebody came for what he had reserved."""
    words = {
        "yes": "RESERVATION_EXPIRES",
        "true": "RESERVATION_EXPIRES",
        "no": "RESERVATION",
        "false": "RESERVATION",
    }
    said = _said(node, key).casefold()
    if said not in words:
        raise _fail(node, key, f"yes or no, not {said[:20]!r}")
    return words[said]


def _step(node: Node, name: str) -> int:
    """``1 kWh``, ``100 Wh``, ``5 min`` in Wh or seconds."""
    said = _said(node, "step")
    if name in TIMED:
        return _span(node, "step")
    found = _ENERGY.fullmatch(said)
    wh = Decimal(found[1]) * (1000 if found[2] == "kWh" else 1) if found else None
    if name != "energy" or wh is None or wh != wh.to_integral_value():
        raise _fail(node, "step", f"{said[:40]!r} is no step of {name}", "e.g. 1 kWh, 100 Wh, of time 5 min")
    return int(wh)


def _word(node: Node, key: str) -> str:
    said = _said(node, key)
    if not 0 < len(said) <= 60 or not said.isprintable():
        raise _fail(node, key, "1 to 60 printable characters are meant")
    return said


#: Conditions as they are written -> field of When, how it is read.
CONDITIONS: dict[str, tuple[str, Callable[[Node, str], Any]]] = {
    "from": ("from_time", _clock),
    "to": ("to_time", _clock),
    "days": ("days", _days),
    "since": ("from_date", _date),
    "until": ("to_date", _date),
    "current": ("evse_kind", _kind),
    "min-kwh": ("min_energy_wh", _of_thousand),
    "max-kwh": ("max_energy_wh", _of_thousand),
    "min-kw": ("min_power_w", _of_thousand),
    "max-kw": ("max_power_w", _of_thousand),
    "min-ampere": ("min_current_a", _amount),
    "max-ampere": ("max_current_a", _amount),
    "min-time": ("min_time_s", _span),
    "max-time": ("max_time_s", _span),
    "min-charging": ("min_charging_s", _span),
    "max-charging": ("max_charging_s", _span),
    "min-idle": ("min_idle_s", _span),
    "max-idle": ("max_idle_s", _span),
    "brand": ("payment_brand", _word),
    "recognition": ("payment_recognition", _word),
    "expired": ("reservation", _expired),
}
_PRICE_KEYS = {"price", "per", "step", "vat"}
_TOP_KEYS = {
    "id",
    "currency",
    "zone",
    "vat",
    "prices",
    "valid-from",
    "valid-to",
    "text",
    "min",
    "max",
    "elements",
    *COMPONENTS,
}


def read(text: str, id: str | None = None) -> Tariff:
    """The tariff that a YAML text describes; ``id`` precedes the one in it. Raises Invalid, naming the line."""
    root = read_tree(text)
    top = _mapping(root, "a tariff", _TOP_KEYS)
    gross = _gross(top)
    taxes = _taxes(top["vat"], "vat") if "vat" in top else ()
    prices: dict[str, list[Price]] = {}
    own: dict[str, tuple[Tax, ...]] = {}
    for element in _list(top.get("elements")):
        _read_element(element, prices)
    for name in COMPONENTS:
        if name in top:
            below, said = _of_component(top[name], name)
            own |= {} if said is None else {name: said}
            prices.setdefault(name, []).extend(_read_price(node, name, {}) for node in below)
    written = _word(top["id"], "id") if "id" in top else None
    if not (id or written):
        raise Invalid("the tariff has no id", "e.g. id: DC-day")
    if "currency" not in top:
        raise Invalid("the tariff has no currency", "e.g. currency: EUR")
    return Tariff(
        id=id or written or "",
        currency=_said(top["currency"], "currency"),
        min_cost=_bound(top.get("min"), "min", taxes, gross),
        max_cost=_bound(top.get("max"), "max", taxes, gross),
        texts=_texts(top.get("text")),
        valid_from=_instant(top, "valid-from"),
        valid_to=_instant(top, "valid-to"),
        time_zone=_zone(top),
        tax_included=gross,
        **{COMPONENTS[name]: Component(tuple(said), own.get(name, taxes)) for name, said in prices.items()},
    )


def _of_component(node: Node, name: str) -> tuple[list[Node], tuple[Tax, ...] | None]:
    """Its prices: one, a list, or ``{prices: [...], vat: 7}`` where its taxes are not the tariff's."""
    if isinstance(node.value, dict) and "prices" in node.value:
        said = _mapping(node, name, {"prices", "vat"})
        return _list(said["prices"]), _taxes(said["vat"], "vat") if "vat" in said else None
    return _list(node), None


def _list(node: Node | None) -> list[Node]:
    if node is None:
        return []
    return node.value if isinstance(node.value, list) else [node]


def _gross(top: Mapping[str, Node]) -> bool:
    if "prices" not in top:
        return False
    said = _said(top["prices"], "prices")
    if said not in ("include-vat", "exclude-vat"):
        raise _fail(top["prices"], "prices", f"include-vat or exclude-vat, not {said[:40]!r}")
    return said == "include-vat"


def _zone(top: Mapping[str, Node]) -> str:
    if "zone" not in top:
        return "UTC"
    said = _said(top["zone"], "zone")
    try:
        ZoneInfo(said)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _fail(
            top["zone"], "zone", f"there is no time zone {said[:60]!r}", "e.g. Europe/Berlin"
        ) from None
    return said


def _instant(top: Mapping[str, Node], key: str) -> datetime | None:
    """A date or a time; local to the tariff's zone where it names none."""
    if key not in top:
        return None
    said = _said(top[key], key)
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        hint = "e.g. 2027-01-01 or 2027-01-01T06:00:00Z"
        raise _fail(top[key], key, f"{said[:40]!r} is no time", hint) from None
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(_zone(top)))).astimezone(UTC)


def _taxes(node: Node, key: str) -> tuple[Tax, ...]:
    """``19``; ``{State: 4, County: 2.5}``; with a stack ``[{name: State, percent: 4, stack: 0}]``; ``none``."""
    if isinstance(node.value, dict):
        return tuple(Tax(name, _amount(below, name)) for name, below in node.value.items())
    if isinstance(node.value, list):
        return tuple(_tax(below, key) for below in node.value)
    return () if node.text == "none" else (Tax("VAT", _amount(node, key)),)


def _tax(node: Node, key: str) -> Tax:
    said = _mapping(node, key, {"name", "percent", "stack"})
    if "percent" not in said:
        raise _fail(node, key, "a tax has a percent")
    stack = _amount(said["stack"], "stack") if "stack" in said else Decimal(0)
    name = _said(said["name"], "name") if "name" in said else "VAT"
    return Tax(name, _amount(said["percent"], "percent"), int(stack))


def _read_element(node: Node, prices: dict[str, list[Price]]) -> None:
    """Several prices with conditions in common: each is one more price of its component."""
    said = _mapping(node, "an element", {"when", *COMPONENTS})
    when = _mapping(said["when"], "when", {*CONDITIONS, "after", "before"}) if "when" in said else {}
    for name in COMPONENTS:
        for below in _list(said.get(name)):
            prices.setdefault(name, []).append(_read_price(below, name, when))


def _read_price(node: Node, name: str, shared: Mapping[str, Node]) -> Price:
    """``0.49``, or ``{price: 0.49, from: 08:00, ...}``; with the conditions of its element."""
    if node.text is not None:
        return Price(_amount(node, name), _when(name, shared))
    said = _mapping(node, name, {*_PRICE_KEYS, *CONDITIONS, "after", "before"})
    if "price" not in said:
        raise _fail(node, name, "there is no price", "e.g. {price: 0.49, from: 08:00}")
    conditions = {key: below for key, below in said.items() if key not in _PRICE_KEYS}
    for key in sorted(conditions.keys() & shared.keys()):
        raise _fail(conditions[key], key, "its element says it too")
    return Price(
        amount=_amount(said["price"], "price"),
        when=_when(name, {**shared, **conditions}),
        taxes=_taxes(said["vat"], "vat") if "vat" in said else None,
        step=_step(said["step"], name) if "step" in said else None,
        per_hour="per" in said and _per_hour(said["per"], name),
    )


def _per_hour(node: Node, name: str) -> bool:
    said = _said(node, "per")
    if name not in TIMED or said not in ("minute", "hour"):
        raise _fail(node, "per", "a price of time is per minute or per hour")
    return said == "hour"


def _when(name: str, said: Mapping[str, Node]) -> When | None:
    fields: dict[str, Any] = {}
    for key, node in said.items():
        if key in ("after", "before"):
            field, value = (
                f"{'min' if key == 'after' else 'max'}_{AFTER.get(name, 'time_s')}",
                _span(node, key),
            )
        else:
            field, value = CONDITIONS[key][0], CONDITIONS[key][1](node, key)
        if field in fields:
            raise _fail(node, key, "this is said twice, in two ways")
        fields[field] = value
    return When(**fields) if fields else None


def _bound(node: Node | None, key: str, taxes: tuple[Tax, ...], gross: bool) -> Bound | None:
    """``1.00`` with or without VAT as prices are, or ``{incl-vat: 1.00}``, ``{excl-vat: 0.84}``."""
    if node is None:
        return None
    if node.text is not None:
        amount = _amount(node, key)
        return Bound(incl_tax=amount, taxes=taxes) if gross else Bound(excl_tax=amount, taxes=taxes)
    said = _mapping(node, key, {"incl-vat", "excl-vat", "vat"})
    amounts = {name: _amount(said[name], name) if name in said else None for name in ("excl-vat", "incl-vat")}
    own = _taxes(said["vat"], "vat") if "vat" in said else taxes
    return Bound(amounts["excl-vat"], amounts["incl-vat"], own)


def _texts(node: Node | None) -> tuple[TariffText, ...]:
    """``49 cents a kWh``; by language ``{de: ..., en: ...}``; ``[{text: ..., language: de, format: HTML}]``."""
    if node is None:
        return ()
    if node.text is not None:
        return (TariffText(node.text),)
    if isinstance(node.value, dict):
        return tuple(TariffText(_content(below, lang), lang) for lang, below in node.value.items())
    return tuple(_text(below) for below in _list(node))


def _text(node: Node) -> TariffText:
    if node.text is not None:
        return TariffText(node.text)
    said = _mapping(node, "text", {"text", "language", "format"})
    if "text" not in said:
        raise _fail(node, "text", "there is no text in it")
    form = _said(said["format"], "format").upper() if "format" in said else "UTF8"
    if form not in FORMATS:
        raise _fail(said["format"], "format", f"one of {', '.join(FORMATS)}, not {form[:20]!r}")
    language = _said(said["language"], "language") if "language" in said else None
    return TariffText(_content(said["text"], "text"), language, form)


def _content(node: Node, key: str) -> str:
    """As it was written, with the spaces at its ends."""
    _said(node, key)
    return node.text or ""


def _mapping(node: Node, what: str, keys: set[str]) -> Mapping[str, Node]:
    if not isinstance(node.value, dict):
        raise Invalid(f"line {node.line}: {what} is a mapping of words to values", "e.g. energy: 0.49")
    for name, below in node.value.items():
        if name not in keys:
            raise _unknown(below, what, name, keys)
        if below.value is None:
            raise _fail(below, name, "nothing is said")
    return node.value


def _unknown(node: Node, what: str, name: str, keys: set[str]) -> Invalid:
    from difflib import get_close_matches

    near = get_close_matches(name, keys, n=1)
    hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(sorted(keys))}"
    return Invalid(f"line {node.line}: nothing in {what} is called {name[:40]!r}", hint)

"""Tariffs as OCPI has them (2.2.1 and 2.3.0 mod_tariffs): the JSON of a Tariff object, in and out.

OCPI lists elements, each a few price components under restrictions in common; for each dimension the first element
that matches counts. We list the prices of each component, the first that matches counts: the same rule, turned.
TIME is charging time and PARKING_TIME idle time, both per hour; with a reservation restriction TIME and FLAT are of
the reservation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from cms.contract.refusals import Invalid
from cms.contract.tariffs import Bound, Component, Price, Tariff, TariffText, Tax, When
from cms.domain.evolve import evolve
from cms.domain.tariffs import DAYS

Json = Mapping[str, Any]
VERSIONS = ("2.2.1", "2.3.0")

#: (OCPI's dimension, whether it is about a reservation) -> the field of a tariff.
_FIELDS = {
    ("ENERGY", False): "energy",
    ("TIME", False): "charging_time",
    ("PARKING_TIME", False): "idle_time",
    ("FLAT", False): "fixed_fee",
    ("TIME", True): "reservation_time",
    ("FLAT", True): "reservation_fixed",
}
_DIMENSIONS = {field: key for key, field in _FIELDS.items()}
#: A restriction -> the field of When.
_RESTRICTIONS = {
    "start_time": "from_time",
    "end_time": "to_time",
    "start_date": "from_date",
    "end_date": "to_date",
    "min_kwh": "min_energy_wh",
    "max_kwh": "max_energy_wh",
    "min_current": "min_current_a",
    "max_current": "max_current_a",
    "min_power": "min_power_w",
    "max_power": "max_power_w",
    "min_duration": "min_time_s",
    "max_duration": "max_time_s",
    "day_of_week": "days",
    "reservation": "reservation",
}
#: Members of a Tariff that say nothing of prices: who it is of, and what else a driver may like to know.
_UNREAD = {
    "country_code",
    "party_id",
    "type",
    "tariff_alt_url",
    "energy_mix",
    "last_updated",
    "preauthorize_amount",
}
_READ = {
    "id",
    "currency",
    "tariff_alt_text",
    "min_price",
    "max_price",
    "elements",
    "start_date_time",
    "end_date_time",
    "tax_included",
}


def read(said: Json, id: str | None = None) -> Tariff:
    """The tariff that a Tariff object describes; amounts are Decimal or text. Raises Invalid, naming the member."""
    _known(said, "the tariff", _READ | _UNREAD)
    prices: dict[str, list[Price]] = {}
    for place, element in enumerate(_objects(said, "elements", "the tariff")):
        for name, price in _element(element, f"elements[{place}]"):
            prices.setdefault(name, []).append(price)
    components: dict[str, Any] = {name: _component(rows) for name, rows in prices.items()}
    levied = [component.taxes for component in components.values()]
    taxes = levied[0] if levied and all(own == levied[0] for own in levied) else ()
    return Tariff(
        id=id or _text(said, "id", "the tariff"),
        currency=_text(said, "currency", "the tariff"),
        min_cost=_bound(said.get("min_price"), "min_price", taxes),
        max_cost=_bound(said.get("max_price"), "max_price", taxes),
        texts=tuple(
            TariffText(_text(text, "text", "tariff_alt_text"), _text(text, "language", "tariff_alt_text"))
            for text in _objects(said, "tariff_alt_text", "the tariff")
        ),
        valid_from=_instant(said, "start_date_time"),
        valid_to=_instant(said, "end_date_time"),
        tax_included=_gross(said),
        **components,
    )


def _component(prices: list[Price]) -> Component:
    """With its taxes said once where all its prices have the same."""
    if any(price.taxes != prices[0].taxes for price in prices):
        return Component(tuple(prices))
    return Component(tuple(evolve(price, taxes=None) for price in prices), prices[0].taxes or ())


def _element(said: Json, where: str) -> Iterator[tuple[str, Price]]:
    _known(said, where, {"price_components", "restrictions"})
    restrictions = said.get("restrictions")
    if restrictions is not None and not isinstance(restrictions, dict):
        raise Invalid(f"{where}: restrictions are an object")
    when = _when(restrictions, where) if restrictions else None
    found = list(_objects(said, "price_components", where))
    if not found:
        raise Invalid(f"{where}: there are no price_components")
    for said_price in found:
        yield _price(said_price, when, f"{where}.price_components")


def _price(said: Json, when: When | None, where: str) -> tuple[str, Price]:
    _known(said, where, {"type", "price", "vat", "step_size"})
    dimension = _text(said, "type", where)
    reserved = when is not None and when.reservation is not None
    field = _FIELDS.get((dimension, reserved))
    if field is None:
        of = (
            "a reservation has TIME and FLAT"
            if reserved
            else "a price is of ENERGY, TIME, PARKING_TIME or FLAT"
        )
        raise Invalid(f"{where}: {of}, not {dimension[:20]!r}")
    step = _number(said, "step_size", where) if said.get("step_size") is not None else Decimal(0)
    if step != step.to_integral_value() or step < 0:
        raise Invalid(f"{where}: step_size is a whole number")
    vat = _number(said, "vat", where) if said.get("vat") is not None else None
    return field, Price(
        amount=_number(said, "price", where),
        when=when,
        taxes=() if vat is None else (Tax("VAT", vat),),
        step=int(step) if step and dimension != "FLAT" else None,
        per_hour=dimension in ("TIME", "PARKING_TIME"),
    )


def _when(said: Json, where: str) -> When:
    where = f"{where}.restrictions"
    _known(said, where, set(_RESTRICTIONS))
    found: dict[str, Any] = {}
    for name, field in _RESTRICTIONS.items():
        if said.get(name) in (None, []):
            continue
        found[field] = _restriction(said, name, field, where)
    return When(**found)


def _restriction(said: Json, name: str, field: str, where: str) -> Any:
    if field == "days":
        names = {day.upper(): day for day in DAYS}
        days = said[name] if isinstance(said[name], list) else [said[name]]
        unknown = [day for day in days if day not in names]
        if unknown:
            raise Invalid(f"{where}: {str(unknown[0])[:20]!r} is no day of the week")
        return tuple(names[day] for day in names if day in days)
    if field in ("from_date", "to_date"):
        return _date(_text(said, name, where), name, where)
    if field in ("from_time", "to_time"):
        return _text(said, name, where)
    if field == "reservation":
        word = _text(said, name, where)
        if word not in ("RESERVATION", "RESERVATION_EXPIRES"):
            raise Invalid(f"{where}: reservation is RESERVATION or RESERVATION_EXPIRES, not {word[:20]!r}")
        return word
    number = _number(said, name, where)
    if field.endswith("_time_s"):
        return int(number)
    return number.scaleb(3) if field.endswith(("_wh", "_w")) else number


def _date(text: str, name: str, where: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise Invalid(f"{where}: {name}: {text[:20]!r} is no date") from None


def _gross(said: Json) -> bool:
    """2.3.0 says whether taxes are in the prices; in 2.2.1 they never are."""
    word = said.get("tax_included", "NO")
    if word not in ("YES", "NO", "N/A"):
        raise Invalid(f"the tariff: tax_included is YES, NO or N/A, not {str(word)[:20]!r}")
    return bool(word == "YES")


def _bound(said: Any, name: str, taxes: tuple[Tax, ...]) -> Bound | None:
    """2.2.1 has a Price, 2.3.0 a PriceLimit; the VAT between its amounts is that of the prices where they have one."""
    if said is None:
        return None
    if not isinstance(said, dict):
        raise Invalid(f"{name}: an object is meant", 'e.g. {"excl_vat": 1.00, "incl_vat": 1.19}')
    old, new = {"excl_vat", "incl_vat"}, {"before_taxes", "after_taxes"}
    _known(said, name, new if said.keys() & new else old)
    excl, incl = ("before_taxes", "after_taxes") if said.keys() & new else ("excl_vat", "incl_vat")
    return Bound(
        _number(said, excl, name) if said.get(excl) is not None else None,
        _number(said, incl, name) if said.get(incl) is not None else None,
        taxes,
    )


def _instant(said: Json, name: str) -> datetime | None:
    if said.get(name) is None:
        return None
    text = _text(said, name, "the tariff")
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"the tariff: {name}: {text[:40]!r} is no time") from None
    # OCPI 2.2.1 types DateTime: without a zone it is UTC.
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def _known(said: Any, where: str, names: set[str]) -> None:
    if not isinstance(said, dict):
        raise Invalid(f"{where}: an object is meant")
    for name in said:
        if name not in names:
            raise Invalid(
                f"{where}: OCPI has no {str(name)[:40]!r} here", f"one of {', '.join(sorted(names))}"
            )


def _objects(said: Json, name: str, where: str) -> Iterator[Json]:
    found = said.get(name)
    if found is None:
        return
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Invalid(f"{where}: {name} is a list of objects")
    yield from found


def _text(said: Json, name: str, where: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not value:
        raise Invalid(f"{where}: {name} is missing" if value is None else f"{where}: {name} is a text")
    return value


def _number(said: Json, name: str, where: str) -> Decimal:
    value = said.get(name)
    if value is None:
        raise Invalid(f"{where}: {name} is missing")
    try:
        if isinstance(value, bool):
            raise InvalidOperation
        number = Decimal(str(value))
    except InvalidOperation:
        raise Invalid(f"{where}: {name}: {str(value)[:40]!r} is no number") from None
    if not number.is_finite() or abs(number) > 10**9:
        raise Invalid(f"{where}: {name}: {str(value)[:40]!r} is no number")
    return number


def write(tariff: Tariff, party: str, changed_at: datetime, version: str = "2.2.1") -> dict[str, Any]:
    """A Tariff object; ``party`` as ``DE*ABC``. Raises Invalid for what OCPI has no words for."""
    if version not in VERSIONS:
        raise Invalid(f"OCPI {version[:20]} is not written here", f"one of {', '.join(VERSIONS)}")
    if len(tariff.id) > 36:
        raise Invalid(f"{tariff.id} is longer than the 36 characters that OCPI has for an id")
    if tariff.tax_included and version == "2.2.1":
        raise Invalid(f"the prices of {tariff.id} include VAT, and OCPI 2.2.1 has none such", "write 2.3.0")
    country, _, own = party.partition("*")
    said: dict[str, Any] = {
        "country_code": country,
        "party_id": own,
        "id": tariff.id,
        "currency": tariff.currency,
        "tariff_alt_text": [
            {"language": text.language or "en", "text": text.content[:512]} for text in tariff.texts
        ],
    }
    for name, bound in (("min_price", tariff.min_cost), ("max_price", tariff.max_cost)):
        if bound is not None:
            said[name] = _said_bound(bound, version)
    said["elements"] = list(_said_elements(tariff))
    if version != "2.2.1":
        said["tax_included"] = "YES" if tariff.tax_included else "NO"
    for name, at in (("start_date_time", tariff.valid_from), ("end_date_time", tariff.valid_to)):
        if at is not None:
            said[name] = _rfc3339(at)
    return {name: value for name, value in said.items() if value != []} | {
        "last_updated": _rfc3339(changed_at)
    }


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _said_elements(tariff: Tariff) -> Iterator[dict[str, Any]]:
    """Prices with the same conditions share an element, where no order is turned by that."""
    rows = [
        (field, component, price)
        for field in _DIMENSIONS
        if (component := getattr(tariff, field)) is not None
        for price in component.prices
    ]
    elements: list[tuple[dict[str, Any], list[dict[str, Any]], set[str]]] = []
    for field, component, price in rows:
        restrictions = _said_when(tariff, field, price.when)
        said = _said_price(tariff, field, component, price)
        last = max((i for i, (_, _, fields) in enumerate(elements) if field in fields), default=-1)
        shared = next((e for e in elements[last + 1 :] if e[0] == restrictions), None)
        if shared is None:
            elements.append((restrictions, [said], {field}))
        else:
            shared[1].append(said)
            shared[2].add(field)
    for restrictions, components, _ in elements:
        yield {"price_components": components} | ({"restrictions": restrictions} if restrictions else {})


def _words(field: str) -> str:
    return field.replace("_", " ")


def _said_price(tariff: Tariff, field: str, component: Component, price: Price) -> dict[str, Any]:
    taxes = component.taxes if price.taxes is None else price.taxes
    if len(taxes) > 1:
        raise Invalid(f"{tariff.id}: {_words(field)} has several taxes, and OCPI has one VAT")
    dimension, _ = _DIMENSIONS[field]
    hourly = dimension in ("TIME", "PARKING_TIME")
    amount = price.amount * 60 if hourly and not price.per_hour else price.amount
    said: dict[str, Any] = {"type": dimension, "price": amount}
    if taxes:
        said["vat"] = taxes[0].percent
    return {**said, "step_size": price.step or 1}


def _said_when(tariff: Tariff, field: str, when: When | None) -> dict[str, Any]:
    said: dict[str, Any] = {}
    names = {own: name for name, own in _RESTRICTIONS.items()}
    for own in fields(When) if when is not None else ():
        value = getattr(when, own.name)
        if value is None or value == ():
            continue
        if own.name not in names:
            raise Invalid(f"{tariff.id}: {_words(field)}: OCPI has no word for {_words(own.name)}")
        said[names[own.name]] = _said_value(own.name, value)
    if _DIMENSIONS[field][1]:
        said.setdefault("reservation", "RESERVATION")
    return said


def _said_value(own: str, value: Any) -> Any:
    if own == "days":
        return [day.upper() for day in value]
    return value.scaleb(-3) if own.endswith(("_wh", "_w")) else value


def _said_bound(bound: Bound, version: str) -> dict[str, Any]:
    excl, incl = ("excl_vat", "incl_vat") if version == "2.2.1" else ("before_taxes", "after_taxes")
    amounts = {excl: bound.excl_tax, incl: bound.incl_tax}
    return {name: amount for name, amount in amounts.items() if amount is not None}

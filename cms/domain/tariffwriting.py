"""Tariffs written in the YAML that ``tariffyaml`` reads: ``read(write(tariff))`` is the tariff again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any

from cms.contract.tariffs import Bound, Component, Price, Tariff, TariffText, Tax, When
from cms.domain import yamltext
from cms.domain.tariffyaml import AFTER, COMPONENTS, CONDITIONS, TIMED


def write(tariff: Tariff) -> str:
    """The tariff as people would write it."""
    return "\n".join(yamltext.write(said_of(tariff))) + "\n"


def said_of(tariff: Tariff) -> dict[str, Any]:
    """What is written of a tariff, by key: text, numbers, lists and mappings."""
    taxes = _usual(tariff)
    said: dict[str, Any] = {"id": tariff.id, "currency": tariff.currency}
    if tariff.time_zone != "UTC":
        said["zone"] = tariff.time_zone
    if taxes:
        said["vat"] = _said_taxes(taxes)
    if tariff.tax_included:
        said["prices"] = "include-vat"
    for key, at in (("valid-from", tariff.valid_from), ("valid-to", tariff.valid_to)):
        if at is not None:
            said[key] = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    for name, field in COMPONENTS.items():
        component: Component | None = getattr(tariff, field)
        if component is not None:
            said[name] = _said_component(component, name, taxes)
    for key, bound in (("min", tariff.min_cost), ("max", tariff.max_cost)):
        if bound is not None:
            said[key] = _said_bound(bound, taxes, tariff.tax_included)
    if tariff.texts:
        said["text"] = _said_texts(tariff.texts)
    return said


def _usual(tariff: Tariff) -> tuple[Tax, ...]:
    """The taxes that most of its components have."""
    every = [getattr(tariff, field) for field in COMPONENTS.values()]
    levied = [component.taxes for component in every if component is not None]
    levied = levied or [bound.taxes for bound in (tariff.min_cost, tariff.max_cost) if bound is not None]
    return max(levied, key=levied.count, default=())


def _said_taxes(taxes: tuple[Tax, ...]) -> Any:
    names = {tax.kind for tax in taxes}
    if not taxes:
        return "none"
    if any(tax.stack for tax in taxes) or len(names) < len(taxes):
        return [{"name": tax.kind, "percent": tax.percent, "stack": tax.stack} for tax in taxes]
    return taxes[0].percent if names == {"VAT"} else {tax.kind: tax.percent for tax in taxes}


def _said_component(component: Component, name: str, usual: tuple[Tax, ...]) -> Any:
    prices = [_said_price(price, name) for price in component.prices]
    if component.taxes != usual:
        return {"prices": prices, "vat": _said_taxes(component.taxes)}
    return prices[0] if len(prices) == 1 else prices


def _said_price(price: Price, name: str) -> Any:
    said: dict[str, Any] = {"price": price.amount}
    if price.per_hour:
        said["per"] = "hour"
    if price.step is not None:
        said["step"] = _said_span(price.step) if name in TIMED else _said_energy(price.step)
    if price.taxes is not None:
        said["vat"] = _said_taxes(price.taxes)
    said |= _said_when(price.when, name) if price.when is not None else {}
    return price.amount if len(said) == 1 else said


def _said_when(when: When, name: str) -> dict[str, Any]:
    said = {}
    for key, (field, _) in CONDITIONS.items():
        value = getattr(when, field)
        if value is None or value == ():
            continue
        counted = field.removeprefix("min_") == AFTER.get(name, "time_s")
        said["after" if counted else key] = _SAID_AS.get(field.rpartition("_")[2], lambda value: value)(value)
    if when.days:
        said["days"] = [day[:3].casefold() for day in when.days]
    if when.reservation is not None:
        said["expired"] = yamltext.Word("yes" if when.reservation == "RESERVATION_EXPIRES" else "no")
    return said


def _said_span(seconds: int) -> str:
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _said_energy(wh: int) -> str:
    return f"{wh // 1000} kWh" if wh and wh % 1000 == 0 else f"{wh} Wh"


#: Unit of a condition's field -> how its value is written.
_SAID_AS: dict[str, Callable[[Any], Any]] = {
    "wh": lambda wh: wh.scaleb(-3),
    "w": lambda w: w.scaleb(-3),
    "s": _said_span,
}


def _said_bound(bound: Bound, usual: tuple[Tax, ...], gross: bool) -> Any:
    plain, other = (bound.incl_tax, bound.excl_tax) if gross else (bound.excl_tax, bound.incl_tax)
    if plain is not None and other is None and bound.taxes == usual:
        return plain
    amounts = {"excl-vat": bound.excl_tax, "incl-vat": bound.incl_tax}
    said: dict[str, Any] = {key: amount for key, amount in amounts.items() if amount is not None}
    return said if bound.taxes == usual else {**said, "vat": _said_taxes(bound.taxes)}


def _said_texts(texts: tuple[TariffText, ...]) -> Any:
    languages = {text.language for text in texts}
    plain = all(text.format == "UTF8" for text in texts)
    if plain and languages == {None} and len(texts) == 1:
        return texts[0].content
    if plain and None not in languages and len(languages) == len(texts):
        return {text.language: text.content for text in texts}
    return [
        {"text": text.content}
        | ({"language": text.language} if text.language is not None else {})
        | ({"format": text.format} if text.format != "UTF8" else {})
        for text in texts
    ]

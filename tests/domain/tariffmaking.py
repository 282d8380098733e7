"""Any tariff, by a seed: what people may write, and what OCPI has words for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from cms.contract.tariffs import Bound, Component, Price, Tariff, TariffText, Tax, When
from cms.domain.tariffs import DAYS, FORMATS, RESERVATIONS

NAMES = ("energy", "charging_time", "idle_time", "fixed_fee", "reservation_time", "reservation_fixed")
_TIMED = ("charging_time", "idle_time", "reservation_time")
#: Signs that try a reader's patience.
_SIGNS = "aZ09 äß€🙂:#'\"\\-{}[],&*!|>%@`~?\n\t\x00\x85\u2028\ufeff."


def _clock(r: Random) -> str:
    return f"{r.randrange(24):02d}:{r.randrange(60):02d}"


def _date(r: Random) -> str:
    return (datetime(2020, 1, 1) + timedelta(days=r.randrange(30_000))).date().isoformat()


def _number(r: Random) -> Decimal:
    return Decimal(r.randrange(10**9)).scaleb(-r.randrange(4))


def _amount(r: Random) -> Decimal:
    return Decimal(r.randrange(-(10**6), 10**6)).scaleb(-r.randrange(5))


def _span(r: Random) -> int:
    return r.choice((0, 59, 60, 3600, 5400, r.randrange(10**6)))


def _word(r: Random) -> str:
    return r.choice(("yes", "null", "12", "1e3", "VAT", "~", "no: it", "#1", "ä", "US/CA", "- x"))


def _text(r: Random) -> str:
    return "x" + "".join(r.choices(_SIGNS, k=r.randrange(20)))


def _instant(r: Random) -> datetime:
    return datetime(2020, 1, 1, tzinfo=UTC) + timedelta(microseconds=r.randrange(2 * 10**15))


def _days(r: Random) -> tuple[str, ...]:
    return tuple(day for day in DAYS if r.random() < 0.5)


def _percent(r: Random) -> Decimal:
    return Decimal(r.randrange(10_001)).scaleb(-2)


#: Conditions that OCPI has words for.
_OCPI: dict[str, Callable[[Random], Any]] = {
    "from_time": _clock,
    "to_time": _clock,
    "days": _days,
    "from_date": _date,
    "to_date": _date,
    "min_energy_wh": _number,
    "max_energy_wh": _number,
    "min_current_a": _number,
    "max_current_a": _number,
    "min_power_w": _number,
    "max_power_w": _number,
    "min_time_s": _span,
    "max_time_s": _span,
}
_MORE: dict[str, Callable[[Random], Any]] = {
    "evse_kind": lambda r: r.choice(("AC", "DC")),
    "min_charging_s": _span,
    "max_charging_s": _span,
    "min_idle_s": _span,
    "max_idle_s": _span,
    "payment_brand": _word,
    "payment_recognition": _word,
}


def _when(r: Random, known: dict[str, Callable[[Random], Any]], name: str) -> When | None:
    fields = {field: make(r) for field, make in known.items() if r.random() < 0.15}
    if name.startswith("reservation") and r.random() < 0.7:
        fields["reservation"] = r.choice(RESERVATIONS)
    when = When(**fields)
    return None if when == When() else when


def _vat(r: Random) -> tuple[Tax, ...]:
    return r.choice(((), (Tax("VAT", Decimal(19)),), (Tax("VAT", _percent(r)),)))


def _taxes(r: Random) -> tuple[Tax, ...]:
    several = tuple(Tax(_word(r), _percent(r), r.randrange(3)) for _ in range(r.randrange(3)))
    return r.choice((_vat(r), several))


def _component(r: Random, name: str, conditions: dict[str, Callable[[Random], Any]]) -> Component:
    def price() -> Price:
        return Price(
            _amount(r),
            _when(r, conditions, name),
            r.choice((None, _taxes(r))),
            r.choice((None, r.randrange(1, 10**5))) if name in (*_TIMED, "energy") else None,
            name in _TIMED and r.random() < 0.5,
        )

    return Component(tuple(price() for _ in range(r.randrange(1, 4))), _taxes(r))


def _bound(r: Random, taxes: tuple[Tax, ...]) -> Bound | None:
    both = (_amount(r), _amount(r))
    excl, incl = r.choice(((None, None), (both[0], None), (None, both[1]), both))
    return None if excl is None and incl is None else Bound(excl, incl, taxes)


def tariff(seed: int) -> Tariff:
    """Any tariff that there may be."""
    r = Random(seed)
    parts: dict[str, Any] = {name: _component(r, name, _OCPI | _MORE) for name in NAMES if r.random() < 0.5}
    return Tariff(
        id=_word(r),
        currency=r.choice(("EUR", "JPY")),
        **parts,
        min_cost=_bound(r, _taxes(r)),
        max_cost=_bound(r, _taxes(r)),
        texts=tuple(
            TariffText(_text(r), r.choice((None, "de", _word(r))), r.choice(FORMATS))
            for _ in range(r.randrange(3))
        ),
        valid_from=r.choice((None, _instant(r))),
        valid_to=r.choice((None, _instant(r))),
        time_zone=r.choice(("UTC", "Europe/Berlin")),
        tax_included=r.random() < 0.5,
    )


def ocpi_tariff(seed: int) -> Tariff:
    """Any tariff as OCPI would have it: per hour, with a step, one VAT, reservation prices said to be such."""
    r = Random(seed)
    found: dict[str, Any] = {name: _ocpi_component(r, name) for name in NAMES if r.random() < 0.5}
    found = found or {"energy": _ocpi_component(r, "energy")}
    levied = [component.taxes for component in found.values()]
    usual = levied[0] if all(taxes == levied[0] for taxes in levied) else ()
    return Tariff(
        id=_word(r),
        currency="EUR",
        min_cost=_bound(r, usual),
        max_cost=_bound(r, usual),
        texts=tuple(TariffText(_text(r), r.choice(("de", "en"))) for _ in range(r.randrange(3))),
        valid_from=r.choice((None, _instant(r))),
        valid_to=r.choice((None, _instant(r))),
        tax_included=r.random() < 0.5,
        **found,
    )


def _ocpi_component(r: Random, name: str) -> Component:
    def price() -> Price:
        when = _when(r, _OCPI, name)
        if name.startswith("reservation"):
            said = {} if when is None else {field: getattr(when, field) for field in _OCPI}
            when = When(**said, reservation=r.choice(RESERVATIONS))
        step = r.randrange(1, 10**4) if name in (*_TIMED, "energy") else None
        return Price(_amount(r), when, None, step, name in _TIMED)

    return Component(tuple(price() for _ in range(r.randrange(1, 4))), _vat(r))

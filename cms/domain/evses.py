"""EVSEs as places: eMI3 ids (ISO 15118-2 annex H), and their outlets in OCPI's words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from cms.contract.evses import Outlet
from cms.contract.refusals import Invalid
from cms.contract.stations import Variable
from cms.domain.countries import country
from cms.domain.devicemodel import Model
from cms.domain.evolve import with_fields
from cms.domain.record import record

KIND = "evse"

_ID = re.compile(r"([A-Z]{2})\*?([A-Z0-9]{3})\*?E([A-Z0-9][A-Z0-9*]{0,30})", re.ASCII)
_SEPARATORS = re.compile(r"[*\-_ ]+", re.ASCII)
_ID_HINT = "country, operator, E and up to 31 characters, e.g. DE*ABC*E1001*2"
_LONGEST = {"directions": 200}
_USUAL = 40

FORMATS = ("SOCKET", "CABLE")
POWER_TYPES = ("AC_1_PHASE", "AC_2_PHASE", "AC_2_PHASE_SPLIT", "AC_3_PHASE", "DC")
#: OCPI 2.2.1 ConnectorType, and SAE_J3400 and MCS of 2.3.
STANDARDS = (
    "CHADEMO CHAOJI GBT_AC GBT_DC IEC_60309_2_single_16 IEC_60309_2_three_16 IEC_60309_2_three_32 "
    "IEC_60309_2_three_64 IEC_62196_T1 IEC_62196_T1_COMBO IEC_62196_T2 IEC_62196_T2_COMBO IEC_62196_T3A "
    "IEC_62196_T3C MCS NEMA_5_20 NEMA_6_30 NEMA_6_50 NEMA_10_30 NEMA_10_50 NEMA_14_30 NEMA_14_50 "
    "PANTOGRAPH_BOTTOM_UP PANTOGRAPH_TOP_DOWN SAE_J3400 TESLA_R TESLA_S "
    + " ".join(f"DOMESTIC_{letter}" for letter in "ABCDEFGHIJKLMNO")
).split()
_BY_NAME = {name.casefold(): name for name in STANDARDS} | {
    "type1": "IEC_62196_T1",
    "type2": "IEC_62196_T2",
    "ccs": "IEC_62196_T2_COMBO",
    "ccs1": "IEC_62196_T1_COMBO",
    "ccs2": "IEC_62196_T2_COMBO",
    "gbt": "GBT_DC",
    "nacs": "SAE_J3400",
    "schuko": "DOMESTIC_F",
    "tesla": "TESLA_S",
}
#: OCPP 2.x ConnectorEnumType -> OCPI standard and format. What names no outlet (Other..., w...) is not here.
REPORTED: dict[str, tuple[str, str]] = {
    "cCCS1": ("IEC_62196_T1_COMBO", "CABLE"),
    "cCCS2": ("IEC_62196_T2_COMBO", "CABLE"),
    "cChaoJi": ("CHAOJI", "CABLE"),
    "cG105": ("CHADEMO", "CABLE"),
    "cGBT": ("GBT_DC", "CABLE"),
    "cGBT-DC": ("GBT_DC", "CABLE"),
    "cMCS": ("MCS", "CABLE"),
    "cNACS": ("SAE_J3400", "CABLE"),
    "cTesla": ("TESLA_S", "CABLE"),
    "cType1": ("IEC_62196_T1", "CABLE"),
    "cType2": ("IEC_62196_T2", "CABLE"),
    "s309-1P-16A": ("IEC_60309_2_single_16", "SOCKET"),
    "s309-3P-16A": ("IEC_60309_2_three_16", "SOCKET"),
    "s309-3P-32A": ("IEC_60309_2_three_32", "SOCKET"),
    "sBS1361": ("DOMESTIC_G", "SOCKET"),
    "sCEE-7-7": ("DOMESTIC_F", "SOCKET"),
    "sType2": ("IEC_62196_T2", "SOCKET"),
    "sType3": ("IEC_62196_T3C", "SOCKET"),
    "OppCharge": ("PANTOGRAPH_TOP_DOWN", "CABLE"),
    "Pan": ("PANTOGRAPH_BOTTOM_UP", "CABLE"),
}
_DIRECT_CURRENT = frozenset(
    {"IEC_62196_T1_COMBO", "IEC_62196_T2_COMBO", "CHADEMO", "CHAOJI", "GBT_DC", "MCS"}
)
#: How many live wires carry the current.
_PHASES = {"AC_1_PHASE": 1, "AC_2_PHASE": 2, "AC_2_PHASE_SPLIT": 2, "AC_3_PHASE": 3, "DC": 1}


@record
class Evse:
    """What was registered of one EVSE; kept with its station under its number. ``id`` is its eMI3 id."""

    id: str | None = None
    reference: str | None = None
    floor: str | None = None
    directions: str | None = None
    outlets: tuple[Outlet, ...] = ()
    reported: bool = False
    """Whether the outlets are as the station told them."""

    def outlet(self, connector: int) -> Outlet | None:
        """The outlet with this number."""
        return next((outlet for outlet in self.outlets if outlet.connector == connector), None)


def read_id(text: str, parties: Iterable[str] = ()) -> str:
    """An EVSE id as it is kept: capitals, ``*`` between its parts. With ``parties`` it is one of theirs."""
    said = _SEPARATORS.sub("*", text.strip().upper()).strip("*")
    found = _ID.fullmatch(said)
    if found is None:
        raise Invalid(f"{text[:60]!r} is no EVSE id", _ID_HINT)
    party = f"{country(found[1])}*{found[2]}"
    known = tuple(parties)
    if known and party not in known:
        raise Invalid(
            f"EVSE id {said[:60]} is of {party}, and this place is of {' or '.join(known)}",
            f"cms sites set SITE --party '{party}', if it is",
        )
    return f"{party}*E{found[3]}"


def same_id(evse_id: str) -> str:
    """Ids that differ in separators or case alone are the same (ISO 15118-2 annex H.2)."""
    return _SEPARATORS.sub("", evse_id.upper())


def number(evse: int) -> str:
    """Under which an EVSE is kept."""
    return str(evse)


def read_standard(text: str) -> str:
    """OCPI's word, or one that people say: type2, ccs2, chademo."""
    found = _BY_NAME.get(text.strip().casefold())
    if found is None:
        raise Invalid(f"{text[:40]!r} is no connector standard", "e.g. type2, ccs2, chademo, IEC_62196_T2")
    return found


def _one_of(name: str, words: tuple[str, ...]) -> Any:
    def read(text: str) -> str:
        word = text.strip().upper().replace("-", "_")
        if word not in words:
            raise Invalid(f"{name} must be one of {', '.join(words)}, not {text[:40]!r}")
        return word

    return read


def _positive(value: int) -> int:
    if not 0 < value < 10_000_000:
        raise Invalid(f"{value} cannot be volts, amperes or watts of an outlet")
    return value


_OUTLET = {
    "standard": read_standard,
    "format": _one_of("format", FORMATS),
    "power_type": _one_of("power type", POWER_TYPES),
    "voltage_v": _positive,
    "current_a": _positive,
    "power_w": _positive,
}
_TEXTS = ("reference", "floor", "directions")


def described(evse: Evse, said: Mapping[str, Any]) -> Evse:
    """The EVSE with what is said of it and of one of its outlets; null says nothing, empty or 0 takes back."""
    fields: dict[str, Any] = {name: _text(name, said[name]) for name in _TEXTS if said.get(name) is not None}
    outlet = {
        name: read(said[name]) if said[name] else None
        for name, read in _OUTLET.items()
        if said.get(name) is not None
    }
    connector = int(said.get("connector") or 1)
    if outlet or said.get("no_outlet"):
        others = tuple(o for o in evse.outlets if o.connector != connector)
        if said.get("no_outlet"):
            fields["outlets"] = others
        else:
            changed = with_fields(evse.outlet(connector) or Outlet(connector), outlet)
            fields["outlets"] = tuple(sorted((*others, _completed(changed)), key=lambda o: o.connector))
        fields["reported"] = False
    return with_fields(evse, fields)


def _text(name: str, said: str) -> str | None:
    text, most = said.strip(), _LONGEST.get(name, _USUAL)
    if len(text) > most or not text.isprintable():
        raise Invalid(f"{name} has at most {most} printable characters")
    return text or None


def _completed(outlet: Outlet) -> Outlet:
    """With what follows: DC from its standard, W from V and A."""
    more: dict[str, Any] = {}
    power_type = outlet.power_type
    if power_type is None and outlet.standard in _DIRECT_CURRENT:
        more["power_type"] = power_type = "DC"
    if outlet.power_w is None and outlet.voltage_v and outlet.current_a and power_type:
        more["power_w"] = outlet.voltage_v * outlet.current_a * _PHASES[power_type]
    return with_fields(outlet, more)


def reported(variables: Iterable[Variable], evse: int, connectors: Iterable[int]) -> Evse:
    """What a 2.x station's device model tells of an EVSE: ConnectorType, SupplyPhases, the most of Power, its id."""
    model = Model(variables)
    power = model.variable(f"EVSE@{evse}.Power", "Actual")
    watts = int(power.max_limit) if power and power.max_limit and 0 < power.max_limit < 10_000_000 else None
    outlets = []
    for connector in sorted(connectors):
        at = f"Connector@{evse}:{connector}"
        told = (model.value(f"{at}.ConnectorType") or "").split(",")[0].strip()
        standard, form = REPORTED.get(told, (None, None))
        phases = model.value(f"{at}.SupplyPhases") or model.value(f"EVSE@{evse}.SupplyPhases")
        power_type = "DC" if standard in _DIRECT_CURRENT else _BY_PHASES.get((phases or "").strip())
        outlet = Outlet(connector, standard, form, power_type, power_w=watts)
        if outlet != Outlet(connector):
            outlets.append(outlet)
    return Evse(_its_id(model.value(f"EVSE@{evse}.ISO15118EvseId")), outlets=tuple(outlets), reported=True)


#: 2.x SupplyPhases: 0 is DC.
_BY_PHASES = {"0": "DC", "1": "AC_1_PHASE", "2": "AC_2_PHASE", "3": "AC_3_PHASE"}


def _its_id(told: str | None) -> str | None:
    """What the station takes for its id, where that is one: many ship with another's, or with zeros."""
    try:
        return read_id(told) if told else None
    except Invalid:
        return None

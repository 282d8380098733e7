"""Names of 2.x variables as people write them, and which names are secret.

    Component[#instance][@evse[:connector]].Variable[#instance][:Attribute]

``OCPPCommCtrlr.OfflineThreshold``, ``Connector@1:2.AvailabilityState``, ``EVSE@1.Power``,
``SampledDataCtrlr#fast.TxUpdatedMeasurands``, ``NetworkConfiguration#1.OcppCsmsUrl``.

The attribute (Target, MinSet, MaxSet; else Actual) is read by domain.devicemodel.attribute_of.
The first dot ends the component. ``. # @ : %`` inside a name or an instance are written as %2E %23 %40 %3A %25.
1.6 keys are taken as they are.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from cms.contract.refusals import Invalid
from cms.domain.masking import is_secret
from cms.ocpp.values import Json

__all__ = ["is_secret", "parse", "parse_component", "spell"]

_NAME = re.compile(
    r"(?P<component>[^.#@:]+)(#(?P<instance>[^.#@:]+))?(@(?P<evse>\d{1,9})(:(?P<connector>\d{1,9}))?)?"
    r"\.(?P<variable>[^.#@:]+)(#(?P<variable_instance>[^.#@:]+))?",
    re.ASCII,
)
_RESERVED = str.maketrans({sign: f"%{ord(sign):02X}" for sign in ".#@:%"})


def parse(name: str) -> tuple[Json, Json]:
    """The ``component`` and ``variable`` of 2.x that this name means. Raises Invalid."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise Invalid(
            f"{name!r} does not name a variable",
            "write Component.Variable, e.g. OCPPCommCtrlr.OfflineThreshold",
        )
    component = _named(found["component"], found["instance"])
    if found["evse"] is not None:
        component["evse"] = {"id": int(found["evse"])}
        if found["connector"] is not None:
            component["evse"]["connectorId"] = int(found["connector"])
    return component, _named(found["variable"], found["variable_instance"])


def parse_component(name: str) -> Json:
    """The ``component`` of 2.x that ``Component[#instance][@evse[:connector]]`` means. Raises Invalid."""
    return parse(f"{name}.*")[0]


def _named(name: str, instance: str | None) -> Json:
    named: Json = {"name": unquote(name)}
    if instance is not None:
        named["instance"] = unquote(instance)
    return named


def spell(component: Json, variable: Json) -> str:
    """The name that ``parse`` turns back into these two."""
    return f"{_spelled(component)}{_place(component.get('evse'))}.{_spelled(variable)}"


def _spelled(named: Json) -> str:
    name = str(named["name"]).translate(_RESERVED)
    instance = named.get("instance")
    return name if instance is None else f"{name}#{str(instance).translate(_RESERVED)}"


def _place(evse: Any) -> str:
    if not evse:
        return ""
    connector = evse.get("connectorId")
    return f"@{int(evse['id'])}" if connector is None else f"@{int(evse['id'])}:{int(connector)}"

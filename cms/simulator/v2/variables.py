"""Block B: the device model, read, changed and reported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from cms.simulator.evse import Evse
from cms.simulator.language import Later, Order
from cms.simulator.orders import change
from cms.simulator.setting import DATA_TYPES, Setting
from cms.simulator.v2.words import STATUS
from cms.simulator.wire import Fault, Payload, Reply

if TYPE_CHECKING:
    from cms.simulator.station import Station

PART = 20
"""Variables in one NotifyReport."""
ACCESS = {"r": "ReadOnly", "w": "WriteOnly", "rw": "ReadWrite"}
SET_WORDS = {"accepted": "Accepted", "reboot": "RebootRequired", "refused": "Rejected"}
#: SummaryInventory: what needs an operator's attention (B07.FR.09).
SUMMARY = frozenset({"AvailabilityState", "Problem"})

Live = Callable[["Station", "Evse | None"], str]


def _state(evse: Evse | None) -> str:
    return STATUS[evse.status] if evse is not None else "Available"


def _bool(is_so: bool) -> str:
    return "true" if is_so else "false"


#: Variables that are measured rather than kept, by component and variable.
LIVE: dict[str, Live] = {
    "chargingstation.availabilitystate": lambda station, _: STATUS[station.word],
    "chargingstation.problem": lambda station, _: _bool(any(evse.fault for evse in station.evses)),
    "clockctrlr.datetime": lambda station, _: station.stamp(),
    "connector.availabilitystate": lambda _, evse: _state(evse),
    "connectorplugretentionlock.problem": lambda _, evse: _bool(
        evse is not None and evse.fault == "ConnectorLockFailure"
    ),
    "displaymessagectrlr.displaymessages": lambda station, _: str(len(station.kept.displays)),
    "electricalfeed.energyimportregister": lambda _, evse: str(evse.meter_wh if evse else 0),
    "evse.availabilitystate": lambda _, evse: _state(evse),
    "evse.power": lambda _, evse: f"{evse.power_w:.0f}" if evse else "0",
    "localauthlistctrlr.entries": lambda station, _: str(len(station.authorization.entries)),
    "monitoringctrlr.monitoringbase": lambda station, _: station.kept.monitoring_base,
    "monitoringctrlr.monitoringlevel": lambda station, _: str(station.kept.monitoring_level),
    "securityctrlr.certificateentries": lambda station, _: str(len(station.certificates.of_kinds(None))),
}


def name_of(entry: Payload) -> str:
    """The name in our configuration of the component and variable of an entry; without a variable its component."""
    component, variable = entry["component"], entry.get("variable")
    name: str = component["name"]
    if component.get("instance"):
        name += f"#{component['instance']}"  # no component here has instances
    if "evse" in component:
        connector = component["evse"].get("connectorId")
        name += f"@{component['evse']['id']}" + (f"/{connector}" if connector is not None else "")
    parts = [name, variable["name"], variable.get("instance")] if variable else [name]
    return ".".join(part for part in parts if part)


def entry_of(station: Station, name: str) -> Payload:
    """Component and variable as they are sent."""
    place, variable, *instance = name.split(".", 2)
    component, _, at = place.partition("@")
    told: Payload = {"name": component}
    if at and "report-flat" not in station.faults:
        evse, _, connector = at.partition("/")
        told["evse"] = {"id": int(evse), **({"connectorId": int(connector)} if connector else {})}
    return {
        "component": told,
        "variable": {"name": variable, **({"instance": instance[0]} if instance else {})},
    }


def value_of(station: Station, name: str) -> str:
    """What a variable is now."""
    place, variable = name.split(".", 2)[:2]
    component, _, at = place.partition("@")
    live = LIVE.get(f"{component}.{variable}".lower())
    if live is None:
        return station.configuration[name].value
    return live(station, station.evse(int(at.partition("/")[0])) if at else None)


def unknown(station: Station, name: str) -> str:
    component = name.split(".", 1)[0].lower() + "."
    known = any(other.lower().startswith(component) for other in station.configuration)
    return "UnknownVariable" if known else "UnknownComponent"


def _same(entry: Payload) -> Payload:
    return {key: entry[key] for key in ("component", "variable", "attributeType") if key in entry}


def _limit(station: Station, action: str) -> int:
    """ItemsPerMessage (B05.FR.11, B06.FR.16)."""
    return int(station.configuration[f"DeviceDataCtrlr.ItemsPerMessage.{action}"].value)


def too_many(station: Station, action: str, entries: Sequence[object], limit: int) -> Fault | None:
    if len(entries) <= limit:
        return None
    return Fault(station.language.too_many, f"more than {limit} entries in one {action}")


def _get_variables(station: Station, order: Payload) -> Reply | Fault:
    asked = order["getVariableData"]
    return too_many(station, "GetVariables", asked, _limit(station, "GetVariables")) or Reply(
        {"getVariableResult": [_got(station, entry) for entry in asked]}
    )


def _got(station: Station, entry: Payload) -> Payload:
    name = name_of(entry)
    same = _same(entry)
    if name not in station.configuration:
        return {**same, "attributeStatus": unknown(station, name)}
    setting = station.configuration[name]
    value = _attribute(station, name, setting, entry.get("attributeType", "Actual"))
    if value is None:
        return {**same, "attributeStatus": "NotSupportedAttributeType"}
    if setting.access == "w":
        return {**same, "attributeStatus": "Rejected"}
    return {**same, "attributeStatus": "Accepted", "attributeValue": value}


def _attribute(station: Station, name: str, setting: Setting, attribute: str) -> str | None:
    """MinSet and MaxSet are the limits of what can be set; there are no targets here."""
    limits = {"MinSet": setting.low, "MaxSet": setting.high}
    if attribute == "Actual":
        return value_of(station, name)
    limit = limits.get(attribute)
    return None if limit is None or setting.access != "rw" else f"{limit:g}"


def _set_variables(station: Station, order: Payload) -> Reply | Fault:
    asked = order["setVariableData"]
    return too_many(station, "SetVariables", asked, _limit(station, "SetVariables")) or Reply(
        {"setVariableResult": [_set(station, entry) for entry in asked]}
    )


def _set(station: Station, entry: Payload) -> Payload:
    name = name_of(entry)
    same = _same(entry)
    if entry.get("attributeType", "Actual") != "Actual":
        known = name in station.configuration
        return {**same, "attributeStatus": "NotSupportedAttributeType" if known else unknown(station, name)}
    word = SET_WORDS.get(change(station, name, entry["attributeValue"])) or unknown(station, name)
    return {**same, "attributeStatus": word}


# Reports


def _base_report(station: Station, order: Payload) -> Reply:
    chosen: dict[str, Callable[[str], bool]] = {
        "FullInventory": lambda name: True,
        "ConfigurationInventory": lambda name: station.configuration[name].access != "r",
        "SummaryInventory": lambda name: name.split(".")[1] in SUMMARY,
    }
    if "no-summary" in station.faults and order["reportBase"] == "SummaryInventory":
        return Reply({"status": "NotSupported"})
    names = [name for name in station.configuration if chosen[order["reportBase"]](name)]
    return Reply({"status": "Accepted"}, reporting(station, order["requestId"], names))


def _report(station: Station, order: Payload) -> Reply | Fault:
    """B08: by component and variable, by criteria, or both."""
    asked = order.get("componentVariable")
    if asked is not None and (fault := too_many(station, "GetReport", asked, _limit(station, "GetReport"))):
        return fault
    criteria = order.get("componentCriteria")
    names = [
        name
        for name in station.configuration
        if (asked is None or any(_fits(name, entry) for entry in asked))
        and (criteria is None or any(_meets(station, name, criterion) for criterion in criteria))
    ]
    if not names:
        return Reply({"status": "EmptyResultSet"})
    return Reply({"status": "Accepted"}, reporting(station, order["requestId"], names))


def _fits(name: str, entry: Payload) -> bool:
    """B08.FR.20 to 24: without a variable all of them; without an EVSE those of all EVSEs."""
    wanted, name = name_of(entry).lower(), name.lower()
    if "evse" not in entry["component"]:
        place, _, rest = name.partition(".")
        name = f"{place.partition('@')[0]}.{rest}"
    elif "connectorId" not in entry["component"]["evse"]:
        place, _, rest = name.partition(".")
        name = f"{place.partition('/')[0]}.{rest}"
    return name == wanted or name.startswith(wanted + ".")


def _meets(station: Station, name: str, criterion: str) -> bool:
    """B08.FR.07 to 10: the component's variable of that name is true; without one it is so, but no problem."""
    flag = f"{name.split('.', 1)[0]}.{criterion}"
    if flag not in station.configuration:
        return criterion != "Problem"
    return value_of(station, flag) == "true"


def reporting(station: Station, request_id: int, names: list[str]) -> Later:
    """The parts, one after another."""

    async def report() -> None:
        parts = [names[start : start + PART] for start in range(0, len(names), PART)]
        for seq_no, part in enumerate(parts):
            payload: Payload = {
                "requestId": request_id,
                "generatedAt": station.stamp(),
                "seqNo": seq_no,
                "tbc": seq_no < len(parts) - 1,
                "reportData": [_reported(station, name) for name in part],
            }
            await station.say("NotifyReport", payload)

    return report


def _reported(station: Station, name: str) -> Payload:
    setting = station.configuration[name]
    attribute: Payload = {"type": "Actual", "mutability": ACCESS[setting.access], "persistent": True}
    if setting.access != "w":
        attribute["value"] = value_of(station, name)
    traits: Payload = {
        "dataType": DATA_TYPES[setting.kind],
        "supportsMonitoring": setting.monitored,
        **({"unit": setting.unit} if setting.unit else {}),
        **({"minLimit": setting.low} if setting.low is not None else {}),
        **({"maxLimit": setting.high} if setting.high is not None else {}),
        **({"valuesList": ",".join(setting.allowed)} if setting.allowed else {}),
    }
    return {
        **entry_of(station, name),
        "variableAttribute": [attribute],
        "variableCharacteristics": traits,
    }


ORDERS: dict[str, Order] = {
    "GetVariables": _get_variables,
    "SetVariables": _set_variables,
    "GetBaseReport": _base_report,
    "GetReport": _report,
}

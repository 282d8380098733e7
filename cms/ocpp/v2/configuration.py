"""OCPP 2.x block B05 to B08: GetVariables, SetVariables, GetBaseReport, GetReport, NotifyReport."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cms.contract.refusals import NotSupported
from cms.domain.devicemodel import Characteristics, ReportVariables, attribute_of
from cms.domain.observations import ReportReceived, VariableReported
from cms.domain.orders import OrderAnswer, ReadVariables, VariableAnswer, WriteVariables
from cms.ocpp.names import is_secret, parse, parse_component, spell
from cms.ocpp.schemas import TOLD
from cms.ocpp.translation import (
    Asked,
    Incoming,
    Outgoing,
    nothing,
    of_readings,
    of_variables,
    shown,
    status_of,
)
from cms.ocpp.v2.batches import parts
from cms.ocpp.values import Json, Remarks, digest, real, text, whole

_BASES = {"full": "FullInventory", "configuration": "ConfigurationInventory", "summary": "SummaryInventory"}


#: Two names and two instances of 50 characters, written out; what is longer is no name.
_LONGEST_NAME = 700
_LONGEST_VALUE = 10_000


def get_variables(order: ReadVariables) -> list[Asked]:
    if not order.names:
        raise NotSupported("OCPP 2.x reads variables by name only", "name them as Component.Variable")
    wanted = [_variable(name) for name in order.names]
    return [
        ("GetVariables", {"getVariableData": part})
        for part in parts(wanted, order.per_message, order.bytes_per_message)
    ]


def set_variables(order: WriteVariables) -> list[Asked]:
    wanted = [_variable(name) | {"attributeValue": value} for name, value in order.values.items()]
    return [
        ("SetVariables", {"setVariableData": part})
        for part in parts(wanted, order.per_message, order.bytes_per_message)
    ]


def _variable(name: str) -> Json:
    """Without attributeType for the one that is meant anyway: some stations know no other."""
    bare, attribute = attribute_of(name)
    component, variable = parse(bare)
    said: Json = {"component": component, "variable": variable}
    return said if attribute == "Actual" else said | {"attributeType": attribute}


def variables_got(_: ReadVariables, answers: Sequence[Json]) -> OrderAnswer:
    return of_readings([_got(item) for answer in answers for item in answer["getVariableResult"]], answers)


def _got(item: Json) -> VariableAnswer:
    name = spell(item["component"], item["variable"])
    value = None if is_secret(name) else item.get("attributeValue")
    return VariableAnswer(name, value, item["attributeStatus"], None, item.get("attributeType", "Actual"))


def variables_set(order: WriteVariables, answers: Sequence[Json]) -> OrderAnswer:
    written = {}
    for name, value in order.values.items():
        bare, attribute = attribute_of(name)
        written[spell(*parse(bare)).casefold(), attribute] = value
    results = [item for answer in answers for item in answer["setVariableResult"]]
    return of_variables([_set(item, written) for item in results], answers)


def _set(item: Json, written: dict[tuple[str, str], str]) -> VariableAnswer:
    name, attribute = spell(item["component"], item["variable"]), item.get("attributeType", "Actual")
    value = None if is_secret(name) else written.get((name.casefold(), attribute))
    return VariableAnswer(name, value, item["attributeStatus"], None, attribute)


def get_report(order: ReportVariables) -> list[Asked]:
    if order.base is not None:
        return [("GetBaseReport", {"requestId": order.request_id, "reportBase": _BASES[order.base]})]
    said: Json = {"requestId": order.request_id}
    if order.criteria:
        said["componentCriteria"] = [word.capitalize() for word in order.criteria]
    if order.names:
        said["componentVariable"] = [component_variable(name) for name in order.names]
    return [("GetReport", said)]


def component_variable(name: str) -> Json:
    """``Component`` alone means all of its variables (B08.FR.20)."""
    if "." not in name:
        return {"component": parse_component(name)}
    component, variable = parse(name)
    return {"component": component, "variable": variable}


def report_asked(_: ReportVariables, answers: Sequence[Json]) -> OrderAnswer:
    return of_report(answers)


def of_report(answers: Sequence[Json]) -> OrderAnswer:
    """An empty result is an answer, not a refusal (B08.FR.05, N02)."""
    if answers[0]["status"] == "EmptyResultSet":
        return OrderAnswer("accepted", "EmptyResultSet", shown(answers))
    return status_of(None, answers)


def report_received(payload: Json, _: Remarks) -> ReportReceived:
    request_id, seq_no = int(payload["requestId"]), int(payload["seqNo"])
    return ReportReceived(
        key=f"report|{request_id}|{seq_no}",
        digest=digest(payload),
        request_id=request_id,
        seq_no=seq_no,
        variables=tuple(variable for item in payload.get("reportData") or () for variable in _reported(item)),
        more=payload.get("tbc") is True,
    )


def _reported(item: Json) -> Iterator[VariableReported]:
    name = spell(item["component"], item["variable"])
    if len(name) > _LONGEST_NAME:
        return
    kind = _characteristics(item.get("variableCharacteristics"))
    for attribute in item["variableAttribute"]:
        mutability = attribute.get("mutability", "ReadWrite")
        hidden = mutability == "WriteOnly" or is_secret(name)
        yield VariableReported(
            name,
            None if hidden else _value(attribute),
            attribute.get("type", "Actual"),
            mutability == "ReadOnly",
            mutability=mutability,
            persistent=attribute.get("persistent") is True,
            constant=attribute.get("constant") is True,
            characteristics=kind,
        )


def _value(attribute: Json) -> str | None:
    """As long as a value may be (2.1: ReportingValueSize), and no longer."""
    value = attribute.get("value")
    return None if value is None else str(value)[:_LONGEST_VALUE]


def _characteristics(told: Json | None) -> Characteristics | None:
    if told is None:
        return None
    listed = str(told.get("valuesList") or "").split(",")
    return Characteristics(
        data_type=told.get("dataType"),
        unit=text(told.get("unit")),
        min_limit=real(told.get("minLimit")),
        max_limit=real(told.get("maxLimit")),
        max_elements=whole(told.get("maxElements")),
        values=tuple(word.strip() for word in listed if word.strip()),
        monitored=told.get("supportsMonitoring"),
    )


INCOMING = {"NotifyReport": Incoming(TOLD, report_received, nothing)}


def _got_nothing(payload: Json) -> Json:
    """What an error to GetVariables stands for: none of these was told."""
    return {
        "getVariableResult": [{**item, "attributeStatus": "Rejected"} for item in payload["getVariableData"]]
    }


def _set_nothing(payload: Json) -> Json:
    items = ({**item, "attributeStatus": "Rejected"} for item in payload["setVariableData"])
    return {"setVariableResult": [{k: v for k, v in item.items() if k != "attributeValue"} for item in items]}


OUTGOING = {
    ReadVariables: Outgoing(
        get_variables,
        variables_got,
        ("GetVariables",),
        {"GetVariables": "getVariableData"},
        refused=_got_nothing,
    ),
    WriteVariables: Outgoing(
        set_variables,
        variables_set,
        ("SetVariables",),
        {"SetVariables": "setVariableData"},
        refused=_set_nothing,
    ),
    ReportVariables: Outgoing(get_report, report_asked, ("GetBaseReport", "GetReport")),
}

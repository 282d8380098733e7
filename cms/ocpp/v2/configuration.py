"""OCPP 2.x block B05 to B08: GetVariables, SetVariables, NotifyReport."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from cms.contract.refusals import NotSupported
from cms.domain.observations import ReportReceived, VariableReported
from cms.domain.orders import OrderAnswer, ReadVariables, VariableAnswer, WriteVariables
from cms.ocpp.names import is_secret, parse, spell
from cms.ocpp.schemas import TOLD
from cms.ocpp.translation import Asked, Incoming, Outgoing, nothing, of_readings, of_variables
from cms.ocpp.values import Json, Remarks, digest


def get_variables(order: ReadVariables) -> list[Asked]:
    if not order.names:
        raise NotSupported("OCPP 2.x reads variables by name only", "name them as Component.Variable")
    wanted = [_variable(name) for name in order.names]
    return [("GetVariables", {"getVariableData": part}) for part in _parts(wanted, order.per_message)]


def set_variables(order: WriteVariables) -> list[Asked]:
    wanted = [_variable(name) | {"attributeValue": value} for name, value in order.values.items()]
    return [("SetVariables", {"setVariableData": part}) for part in _parts(wanted, order.per_message)]


def _variable(name: str) -> Json:
    component, variable = parse(name)
    return {"component": component, "variable": variable}


def _parts(items: list[Json], per_message: int | None) -> Iterator[list[Json]]:
    """Never more in one message than the station takes (B05.FR.11, B06.FR.05)."""
    rest = iter(items)
    while part := list(islice(rest, per_message or len(items))):
        yield part


def variables_got(_: ReadVariables, answers: Sequence[Json]) -> OrderAnswer:
    return of_readings([_got(item) for answer in answers for item in answer["getVariableResult"]], answers)


def _got(item: Json) -> VariableAnswer:
    name = spell(item["component"], item["variable"])
    value = None if is_secret(name) else item.get("attributeValue")
    return VariableAnswer(name, value, item["attributeStatus"], None, item.get("attributeType", "Actual"))


def variables_set(order: WriteVariables, answers: Sequence[Json]) -> OrderAnswer:
    written = {spell(*parse(name)).casefold(): value for name, value in order.values.items()}
    results = [item for answer in answers for item in answer["setVariableResult"]]
    return of_variables([_set(item, written) for item in results], answers)


def _set(item: Json, written: dict[str, str]) -> VariableAnswer:
    name = spell(item["component"], item["variable"])
    value = None if is_secret(name) else written.get(name.casefold())
    return VariableAnswer(name, value, item["attributeStatus"], None, item.get("attributeType", "Actual"))


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
    for attribute in item["variableAttribute"]:
        mutability = attribute.get("mutability", "ReadWrite")
        hidden = mutability == "WriteOnly" or is_secret(name)
        value = None if hidden else attribute.get("value")
        yield VariableReported(name, value, attribute.get("type", "Actual"), mutability == "ReadOnly")


INCOMING = {"NotifyReport": Incoming(TOLD, report_received, nothing)}

OUTGOING = {
    ReadVariables: Outgoing(get_variables, variables_got, ("GetVariables",)),
    WriteVariables: Outgoing(set_variables, variables_set, ("SetVariables",)),
}

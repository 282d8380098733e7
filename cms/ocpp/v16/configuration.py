"""OCPP 1.6: GetConfiguration, and ChangeConfiguration with one key a CALL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cms.domain.orders import OrderAnswer, ReadVariables, VariableAnswer, WriteVariables
from cms.ocpp.names import is_secret
from cms.ocpp.translation import Asked, Outgoing, of_readings, of_variables
from cms.ocpp.values import Json


def get_configuration(order: ReadVariables) -> list[Asked]:
    size = order.per_message or len(order.names) or 1
    parts = [order.names[at : at + size] for at in range(0, len(order.names), size)]
    return [("GetConfiguration", {"key": list(part)} if part else {}) for part in parts or [()]]


def configuration(order: ReadVariables, answers: Sequence[Json]) -> OrderAnswer:
    return of_readings([variable for answer in answers for variable in _keys(answer)], answers)


def _keys(answer: Json) -> Iterator[VariableAnswer]:
    for item in answer.get("configurationKey") or ():
        value = None if is_secret(item["key"]) else item.get("value")
        yield VariableAnswer(item["key"], value, "Accepted", item.get("readonly"))
    for name in answer.get("unknownKey") or ():
        yield VariableAnswer(name, None, "UnknownKey")


def change_configuration(order: WriteVariables) -> list[Asked]:
    return [("ChangeConfiguration", {"key": key, "value": value}) for key, value in order.values.items()]


def changed(order: WriteVariables, answers: Sequence[Json]) -> OrderAnswer:
    variables = [
        VariableAnswer(key, None if is_secret(key) else value, answer["status"])
        for (key, value), answer in zip(order.values.items(), answers, strict=True)
    ]
    return of_variables(variables, answers)


OUTGOING = {
    ReadVariables: Outgoing(
        get_configuration, configuration, ("GetConfiguration",), {"GetConfiguration": "key"}
    ),
    WriteVariables: Outgoing(
        change_configuration, changed, ("ChangeConfiguration",), refused=lambda _: {"status": "Rejected"}
    ),
}

"""OCPP 1.6: calls that are OCPP already, and what their answers tell of the configuration."""

from __future__ import annotations

from collections.abc import Sequence

from cms.domain.evolve import evolve
from cms.domain.orders import CallAction, OrderAnswer, ReadVariables, VariableAnswer, WriteVariables
from cms.ocpp import raw
from cms.ocpp.translation import Outgoing
from cms.ocpp.v16 import configuration
from cms.ocpp.values import Json


def answered(order: CallAction, answers: Sequence[Json]) -> OrderAnswer:
    return evolve(raw.answered(order, answers), variables=_variables(order, answers))


def _variables(order: CallAction, answers: Sequence[Json]) -> tuple[VariableAnswer, ...]:
    """Keys that were read or set are known from then on, however they were asked for."""
    match order.action:
        case "ChangeConfiguration":
            write = WriteVariables({order.payload["key"]: order.payload["value"]})
            return configuration.changed(write, answers).variables
        case "GetConfiguration":
            return configuration.configuration(ReadVariables(), answers).variables
        case _:
            return ()


OUTGOING = {CallAction: Outgoing(raw.call, answered, ())}

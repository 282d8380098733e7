"""A version of OCPP is two tables, its schemas and its words for failures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cms.ocpp import v2, v16
from cms.ocpp.frames import Failure, Refused
from cms.ocpp.schemas import Schemas
from cms.ocpp.translation import Incoming, Outgoing
from cms.ocpp.values import Json


@dataclass(frozen=True, slots=True)
class Dialect:
    """``codes`` without a row: nothing is said, the frame is ignored. ``suffix`` is of request schema names."""

    version: str
    subprotocol: str
    schemas: Schemas
    incoming: Mapping[str, Incoming]
    outgoing: Mapping[type[Any], Outgoing]
    codes: Mapping[Failure, str]
    sends: frozenset[str] = frozenset()
    """Actions that come as SEND, never answered; with any, a CALLRESULT can be refused too (2.1)."""
    unreadable_id: str | None = None
    """The message id of a CALLERROR for a frame whose own could not be read; None: it is dropped."""


#: Spelled as in OCPP-J 1.6 section 4.2.3; "will not be fixed" (J errata 5.1, 5.2).
_CODES_16: dict[Failure, str] = {
    Failure.NOT_IMPLEMENTED: "NotImplemented",
    Failure.NOT_SUPPORTED: "NotSupported",
    Failure.INTERNAL: "InternalError",
    Failure.SECURITY: "SecurityError",
    Failure.FORMAT: "FormationViolation",
    Failure.PROPERTY: "PropertyConstraintViolation",
    Failure.OCCURRENCE: "OccurenceConstraintViolation",
    Failure.TYPE: "TypeConstraintViolation",
    Failure.FRAMEWORK: "FormationViolation",
}
#: 2.0.1 Part 4 section 4.3.
_CODES_201: dict[Failure, str] = _CODES_16 | {
    Failure.FORMAT: "FormatViolation",
    Failure.OCCURRENCE: "OccurrenceConstraintViolation",
    Failure.FRAMEWORK: "RpcFrameworkError",
    Failure.MESSAGE_TYPE: "MessageTypeNotSupported",
}
#: 2.1 ignores message types it does not know (Part 4 section 4.1.3).
_CODES_21: dict[Failure, str] = {
    failure: code for failure, code in _CODES_201.items() if failure is not Failure.MESSAGE_TYPE
}

V16 = Dialect("1.6", "ocpp1.6", Schemas("v16", ""), v16.INCOMING, v16.OUTGOING, _CODES_16)
V201 = Dialect(
    "2.0.1",
    "ocpp2.0.1",
    Schemas("v201", "Request"),
    v2.INCOMING_201,
    v2.OUTGOING_201,
    _CODES_201,
    unreadable_id="-1",
)
V21 = Dialect(
    "2.1",
    "ocpp2.1",
    Schemas("v21", "Request"),
    v2.INCOMING_21,
    v2.OUTGOING_21,
    _CODES_21,
    sends=frozenset({"NotifyPeriodicEventStream"}),
    unreadable_id="-1",
)

#: By WebSocket subprotocol.
DIALECTS = {dialect.subprotocol: dialect for dialect in (V16, V201, V21)}


def spoken_in(action: str, payload: Json) -> str | None:
    """The version in which this is a request a station may make; None: in none."""
    for dialect in (V16, V201):
        incoming = dialect.incoming.get(action)
        if incoming is None:
            continue
        try:
            dialect.schemas.check_call(action, payload, incoming.tolerance, [])
        except Refused:
            continue
        return dialect.version
    return None

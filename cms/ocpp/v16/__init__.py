"""OCPP 1.6J with the security extension, as two tables put together from its functional blocks."""

from typing import Any

from cms.ocpp.translation import Incoming, Outgoing, rows
from cms.ocpp.v16 import (
    availability,
    calls,
    charging,
    configuration,
    datatransfer,
    diagnostics,
    jobs,
    lists,
    provisioning,
    remote,
    reservations,
    security,
    transactions,
)

BLOCKS = (
    calls,
    provisioning,
    availability,
    transactions,
    configuration,
    datatransfer,
    remote,
    diagnostics,
    jobs,
    security,
    lists,
    reservations,
    charging,
)

INCOMING: dict[str, Incoming] = rows(BLOCKS, "INCOMING")
OUTGOING: dict[type[Any], Outgoing] = rows(BLOCKS, "OUTGOING")

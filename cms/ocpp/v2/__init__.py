"""OCPP 2.0.1 and 2.1 (2.1 = 2.0.1 plus), as two tables put together from their functional blocks.

A block has rows for both (INCOMING, OUTGOING) and, where the versions differ, for one (INCOMING_201 ...).
"""

from typing import Any

from cms.ocpp import raw
from cms.ocpp.translation import Incoming, Outgoing, rows
from cms.ocpp.v2 import (
    authorization,
    availability,
    charging,
    checks,
    configuration,
    customers,
    datatransfer,
    der,
    diagnostics,
    displays,
    iso15118,
    jobs,
    lists,
    meters,
    monitoring,
    payments,
    provisioning,
    remote,
    reservations,
    security,
    streams,
    swaps,
    tariffs,
    transactions,
    v2x,
)

BLOCKS = (
    raw,
    provisioning,
    availability,
    authorization,
    transactions,
    meters,
    configuration,
    datatransfer,
    remote,
    diagnostics,
    monitoring,
    streams,
    jobs,
    security,
    iso15118,
    lists,
    reservations,
    checks,
    customers,
    displays,
    charging,
    der,
    v2x,
    tariffs,
    payments,
    swaps,
)

INCOMING_201: dict[str, Incoming] = rows(BLOCKS, "INCOMING", "INCOMING_201")
INCOMING_21: dict[str, Incoming] = INCOMING_201 | rows(BLOCKS, "INCOMING_21")

OUTGOING_201: dict[type[Any], Outgoing] = rows(BLOCKS, "OUTGOING", "OUTGOING_201")
OUTGOING_21: dict[type[Any], Outgoing] = OUTGOING_201 | rows(BLOCKS, "OUTGOING_21")

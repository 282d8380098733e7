"""OCPP 2.0.1 and 2.1 (2.1 = 2.0.1 plus), as two tables put together from their functional blocks."""

from cms.ocpp import raw
from cms.ocpp.v2 import (
    authorization,
    availability,
    configuration,
    diagnostics,
    meters,
    provisioning,
    remote,
    transactions,
)

INCOMING_201 = (
    provisioning.INCOMING
    | availability.INCOMING
    | authorization.INCOMING_201
    | transactions.INCOMING_201
    | meters.INCOMING
    | configuration.INCOMING
    | diagnostics.INCOMING
)
INCOMING_21 = INCOMING_201 | authorization.INCOMING_21 | transactions.INCOMING_21

OUTGOING_201 = raw.OUTGOING | availability.OUTGOING | remote.OUTGOING_201 | configuration.OUTGOING
OUTGOING_21 = OUTGOING_201 | remote.OUTGOING_21

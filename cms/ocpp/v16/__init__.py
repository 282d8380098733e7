"""OCPP 1.6J with the security extension, as two tables put together from its functional blocks."""

from cms.ocpp import raw
from cms.ocpp.v16 import availability, configuration, diagnostics, provisioning, remote, transactions

INCOMING = provisioning.INCOMING | availability.INCOMING | transactions.INCOMING | diagnostics.INCOMING
OUTGOING = raw.OUTGOING | availability.OUTGOING | configuration.OUTGOING | remote.OUTGOING

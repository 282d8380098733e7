"""What a station says and obeys, whatever its OCPP version: the seam between station.py and v16.py, v2.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cms.simulator.wire import Fault, Payload, Reply

if TYPE_CHECKING:
    from cms.simulator.evse import Evse, Transaction
    from cms.simulator.station import Station

Message = tuple[str, Payload]
Order = Callable[["Station", Payload], "Reply | Fault"]


@dataclass(slots=True)
class Queued:
    """A transaction message that waits for its acknowledgement.

    The payload is built when it is sent: a 1.6 message needs the number that the answer to its start brings.
    """

    transaction: Transaction
    build: Callable[[], Message]
    settle: Callable[[Payload], None]
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class End:
    """A reason to end a transaction in the words of each version."""

    v16: str
    v2: str
    trigger: str


ENDS: dict[str, End] = {
    "local": End("Local", "Local", "StopAuthorized"),
    "remote": End("Remote", "Remote", "RemoteStop"),
    "unplugged": End("EVDisconnected", "EVDisconnected", "EVCommunicationLost"),
    "unlocked": End("UnlockCommand", "Other", "UnlockCommand"),
    "deauthorized": End("DeAuthorized", "DeAuthorized", "Deauthorized"),
    "soft-reset": End("SoftReset", "ImmediateReset", "ResetCommand"),
    "hard-reset": End("HardReset", "ImmediateReset", "ResetCommand"),
    "power-loss": End("PowerLoss", "PowerLoss", "AbnormalCondition"),
    "fault": End("Other", "Other", "AbnormalCondition"),
}


class Language(Protocol):
    """One OCPP version as a station speaks it."""

    version: str
    subprotocol: str
    malformed: str
    """The CALLERROR code for a payload that cannot be read."""
    orders: dict[str, Order]

    def boot(self, station: Station, reason: str) -> Message: ...

    def status(self, station: Station, evse: Evse | None, status: str) -> Message | None:
        """None where the version has no word for the whole station's status."""
        ...

    def authorize(self, token: str) -> Message: ...

    def verdict(self, answer: Payload) -> str:
        """The status word of an Authorize answer: Accepted or another."""
        ...

    def started(self, station: Station, evse: Evse, transaction: Transaction, trigger: str) -> Queued: ...

    def metered(self, station: Station, evse: Evse, transaction: Transaction) -> Queued: ...

    def suspended(self, station: Station, evse: Evse, transaction: Transaction) -> Queued | None: ...

    def ended(self, station: Station, evse: Evse, transaction: Transaction, end: End) -> Queued: ...

"""What a station says and obeys, whatever its OCPP version: the seam between the station and v16/, v2/."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from cms.simulator.wire import Fault, Payload, Reply, Slow

if TYPE_CHECKING:
    from cms.simulator.evse import Evse, Transaction
    from cms.simulator.firmware import Job
    from cms.simulator.station import Station

Message = tuple[str, Payload]
Order = Callable[["Station", Payload], "Reply | Fault | Slow"]
Later = Callable[[], Awaitable[None]]
#: What TriggerMessage asks for: sends it, about these EVSEs.
Trigger = Callable[["Station", "list[Evse]"], Awaitable[None]]


@dataclass(slots=True)
class Queued:
    """A transaction message that waits for its acknowledgement.

    The payload is built when it is sent: a 1.6 message needs the number that the answer to its start brings.
    """

    transaction: Transaction
    build: Callable[[], Message]
    settle: Callable[[Payload], None]
    attempts: int = 0
    meter: bool = False
    """It holds meter values of a running transaction and nothing else."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an authorisation answer says of a token."""

    status: str
    group: str | None = None
    tariff: Payload | None = None

    @property
    def accepted(self) -> bool:
        return self.status == "Accepted"


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
    "reboot": End("Reboot", "Reboot", "AbnormalCondition"),
    "power-loss": End("PowerLoss", "PowerLoss", "AbnormalCondition"),
    "fault": End("Other", "Other", "AbnormalCondition"),
    "emergency": End("EmergencyStop", "EmergencyStop", "AbnormalCondition"),
    "no-car": End("Other", "Timeout", "EVConnectTimeout"),
    "energy-limit": End("Other", "EnergyLimitReached", "EnergyLimitReached"),
    "time-limit": End("Other", "TimeLimitReached", "TimeLimitReached"),
    "cost-limit": End("Other", "LocalOutOfCredit", "CostLimitReached"),
    "soc-limit": End("Other", "SOCLimitReached", "SoCLimitReached"),
}


class Language(Protocol):
    """One OCPP version as a station speaks it."""

    version: str
    subprotocol: str
    malformed: str
    """The CALLERROR code for a payload that cannot be read."""
    too_many: str
    """The CALLERROR code for more items than the station takes in one message."""
    orders: Mapping[str, Order]
    triggers: Mapping[str, Trigger]
    samples: Mapping[str, Callable[[Station], Payload]]
    """A believable payload for every action that stations send."""

    def boot(self, station: Station, reason: str) -> Message: ...

    def status(self, station: Station, evse: Evse | None, status: str) -> Message | None:
        """None where the version has no word for the whole station's status."""
        ...

    def authorize(self, token: str, kind: str) -> Message: ...

    def verdict(self, answer: Payload) -> Verdict:
        """What an Authorize answer says."""
        ...

    def started(self, station: Station, evse: Evse, transaction: Transaction, trigger: str) -> Queued: ...

    def metered(
        self, station: Station, evse: Evse, transaction: Transaction, context: str = "Sample.Periodic"
    ) -> Queued: ...

    def changed(self, station: Station, evse: Evse, transaction: Transaction, trigger: str) -> Queued | None:
        """None where a status says it."""
        ...

    def ended(self, station: Station, evse: Evse, transaction: Transaction, end: End) -> Queued: ...

    async def look(self, station: Station) -> None:
        """Something may have changed that the station watches by itself."""
        ...

    def aligned(self, station: Station, evse: Evse) -> Message:
        """Meter values by the clock, of an EVSE without a transaction."""
        ...

    def firmware(self, status: str, job: Job | None) -> Message | None:
        """``status`` in the words of 2.x; None where the version has no such word."""
        ...

    def log(self, status: str, request_id: int | None, plain: bool) -> Message | None:
        """Likewise; ``plain`` is 1.6's GetDiagnostics, which has words of its own."""
        ...

    def security_event(self, station: Station, event: str) -> Message: ...

    def csr(self, station: Station, csr: str, kind: str, request_id: int) -> Message:
        """SignCertificate: ``kind`` is a certificateType of 2.x."""
        ...

    def reservation_ended(self, reservation_id: int, why: str) -> Message | None:
        """``why`` is Expired or Removed; None where a status says it."""
        ...


def nothing(_answer: Payload) -> None:
    """For messages whose answer says nothing."""


def always(payload: Payload) -> Order:
    """The same answer to every such order."""
    return lambda station, order: Reply(dict(payload))


def info(reason: str, more: str = "") -> dict[str, Any]:
    """A statusInfo of 2.x: a reason code of at most 20 characters, and words."""
    return {"statusInfo": {"reasonCode": reason, **({"additionalInfo": more} if more else {})}}

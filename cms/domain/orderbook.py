"""Every order there is, by the name under which it is stored: ORDERS on one page."""

from __future__ import annotations

from cms.domain import jobs
from cms.domain.orders import (
    CallAction,
    Order,
    ReadVariables,
    RemoteStart,
    RemoteStop,
    Reset,
    SendText,
    SetAvailability,
    Trigger,
    Unlock,
    WriteVariables,
)

ORDERS: dict[str, type[Order]] = {
    "reset": Reset,
    "start": RemoteStart,
    "stop": RemoteStop,
    "unlock": Unlock,
    "availability": SetAvailability,
    "trigger": Trigger,
    "config-get": ReadVariables,
    "config-set": WriteVariables,
    "call": CallAction,
    "send-text": SendText,
    "firmware": jobs.UpdateFirmware,
    "publish-firmware": jobs.PublishFirmware,
    "unpublish-firmware": jobs.UnpublishFirmware,
    "log": jobs.GetLog,
}

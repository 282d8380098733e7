"""OCPP 2.1 blocks K (K21, K28) and Q: priority, dynamic profiles, bidirectional charging."""

from __future__ import annotations

from typing import Any

from cms.domain.charging.notices import PriorityNotified, UpdateAnswer, UpdatePulled
from cms.domain.charging.orders import (
    AllowEnergyTransfer,
    SignalAfrr,
    UpdateDynamicSchedule,
    UsePriorityCharging,
)
from cms.ocpp.rates import RATE_NAMES
from cms.ocpp.schemas import TOLD
from cms.ocpp.translation import Asked, Incoming, Outgoing, nothing, status_of
from cms.ocpp.values import Json, Remarks, rfc3339


def use_priority(order: UsePriorityCharging) -> list[Asked]:
    said = {"transactionId": order.transaction_id, "activate": order.activate}
    return [("UsePriorityCharging", said)]


def update_dynamic(order: UpdateDynamicSchedule) -> list[Asked]:
    rates = {RATE_NAMES[name]: value for name, value in order.rates.items()}
    return [("UpdateDynamicSchedule", {"chargingProfileId": order.id, "scheduleUpdate": rates})]


def allow_transfer(order: AllowEnergyTransfer) -> list[Asked]:
    said = {"transactionId": order.transaction_id, "allowedEnergyTransfer": list(order.modes)}
    return [("NotifyAllowedEnergyTransfer", said)]


def signal_afrr(order: SignalAfrr) -> list[Asked]:
    return [("AFRRSignal", {"timestamp": rfc3339(order.at), "signal": order.signal})]


def priority_notified(payload: Json, _: Remarks) -> PriorityNotified:
    return PriorityNotified(payload["transactionId"], payload["activated"] is True)


def update_pulled(payload: Json, _: Remarks) -> UpdatePulled:
    return UpdatePulled(int(payload["chargingProfileId"]))


def update_answer(answer: UpdateAnswer) -> Json:
    if not answer.rates:
        return {"status": "Rejected"}
    rates = {RATE_NAMES[name]: value for name, value in answer.rates.items()}
    return {"status": "Accepted", "scheduleUpdate": rates}


INCOMING_21 = {
    "NotifyPriorityCharging": Incoming(TOLD, priority_notified, nothing),
    "PullDynamicScheduleUpdate": Incoming(TOLD, update_pulled, update_answer),
}
OUTGOING_21: dict[type[Any], Outgoing] = {
    UsePriorityCharging: Outgoing(use_priority, status_of, ("UsePriorityCharging",)),
    UpdateDynamicSchedule: Outgoing(update_dynamic, status_of, ("UpdateDynamicSchedule",)),
    AllowEnergyTransfer: Outgoing(allow_transfer, status_of, ("NotifyAllowedEnergyTransfer",)),
    SignalAfrr: Outgoing(signal_afrr, status_of, ("AFRRSignal",)),
}

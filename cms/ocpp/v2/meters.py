"""OCPP 2.x block J: MeterValues, and the meterValue lists of TransactionEvent."""

from __future__ import annotations

from cms.domain.observations import Metered, Reading, Sample
from cms.ocpp.meters import sample
from cms.ocpp.schemas import KEPT
from cms.ocpp.translation import Incoming, nothing
from cms.ocpp.values import Json, Remarks, instant, whole

#: Nobody measures beyond these powers of ten; a wilder multiplier leaves the value unread.
_MULTIPLIERS = range(-12, 13)


def readings(meter_values: list[Json] | None, remarks: Remarks) -> tuple[Reading, ...]:
    return tuple(
        Reading(
            instant(value["timestamp"], remarks),
            tuple([_sample(item, remarks) for item in value["sampledValue"]]),
        )
        for value in meter_values or ()
    )


def _sample(item: Json, remarks: Remarks) -> Sample:
    raw, measure, signed = item["value"], item.get("unitOfMeasure"), item.get("signedMeterValue")
    if signed is not None and not isinstance(signed, dict):
        signed = {"signedMeterData": signed}
    if not measure:
        return sample(raw, item, None, 0, signed)
    multiplier = int(measure.get("multiplier") or 0)
    if multiplier and multiplier not in _MULTIPLIERS:
        remarks.append("multiplier-absurd")
        raw, multiplier = f"{raw} x 10^{multiplier}", 0
    return sample(raw, item, measure.get("unit"), multiplier, signed)


def metered(payload: Json, remarks: Remarks) -> Metered:
    meter_values = readings(payload["meterValue"], remarks)
    return Metered(whole(payload["evseId"]) or 0, meter_values, flags=tuple(remarks))


INCOMING = {"MeterValues": Incoming(KEPT, metered, nothing)}

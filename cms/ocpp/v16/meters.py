"""OCPP 1.6: MeterValue lists, in MeterValues and in StopTransaction (sections 7.31 to 7.33)."""

from __future__ import annotations

from cms.domain.observations import Reading, Sample
from cms.ocpp.meters import sample
from cms.ocpp.values import Json, Remarks, instant


def readings(meter_values: list[Json] | None, remarks: Remarks) -> tuple[Reading, ...]:
    return tuple(
        Reading(
            instant(value["timestamp"], remarks), tuple([_sample(item) for item in value["sampledValue"]])
        )
        for value in meter_values or ()
    )


def _sample(item: Json) -> Sample:
    raw = item["value"]
    if item.get("format") == "SignedData":
        return sample(raw, item, item.get("unit"), 0, {"signedMeterData": raw})
    return sample(raw, item, item.get("unit"))

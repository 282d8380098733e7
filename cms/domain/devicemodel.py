"""The device model: what a station told about its components and variables, and what follows from it.

A variable is named ``Component[#instance][@evse[:connector]].Variable[#instance]``; a 1.6 configuration key is a
variable too, under its own name. ``KEYS`` says which 2.x variable a standard key is the same thing as.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal, InvalidOperation

from cms.contract.refusals import Conflict, Invalid
from cms.contract.stations import Variable
from cms.domain.orders import Order
from cms.domain.record import record

ATTRIBUTES = ("Actual", "Target", "MinSet", "MaxSet")


@record
class Characteristics:
    """VariableCharacteristicsType. ``values`` is its valuesList, ``monitored`` is supportsMonitoring."""

    data_type: str | None = None
    unit: str | None = None
    min_limit: float | None = None
    max_limit: float | None = None
    max_elements: int | None = None
    values: tuple[str, ...] = ()
    monitored: bool | None = None


@record
class ReportVariables(Order):
    """A report in parts: ``base`` full, configuration or summary; else by ``criteria`` and ``names``."""

    request_id: int
    base: str | None = None
    criteria: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    within_s: float = 300.0


BASES = ("full", "configuration", "summary")
CRITERIA = ("active", "available", "enabled", "problem")
#: The report that tells of everything: what it leaves out is no more.
FULL = "inventory"
#: What a report is about, by its base; None: a report by criteria and names.
SUBJECTS = {"full": FULL, "configuration": "configuration", "summary": "summary", None: "variables"}


@record
class Key:
    """A standard 1.6 key: the 2.x variable that is the same thing (None: 2.x has none), its type and unit."""

    variable: str | None
    data_type: str
    unit: str | None = None


def _key(variable: str | None, data_type: str, unit: str | None = None) -> Key:
    return Key(variable, data_type, unit)


#: OCPP 1.6 section 9 and the security whitepaper, by name.
KEYS: dict[str, Key] = {
    "AllowOfflineTxForUnknownId": _key("AuthCtrlr.OfflineTxForUnknownIdEnabled", "boolean"),
    "AuthorizationCacheEnabled": _key("AuthCacheCtrlr.Enabled", "boolean"),
    "AuthorizeRemoteTxRequests": _key("AuthCtrlr.AuthorizeRemoteStart", "boolean"),
    "BlinkRepeat": _key(None, "integer"),
    "ClockAlignedDataInterval": _key("AlignedDataCtrlr.Interval", "integer", "s"),
    "ConnectionTimeOut": _key("TxCtrlr.EVConnectionTimeOut", "integer", "s"),
    "ConnectorPhaseRotation": _key(None, "SequenceList"),
    "GetConfigurationMaxKeys": _key("DeviceDataCtrlr.ItemsPerMessage#GetVariables", "integer"),
    "HeartbeatInterval": _key("OCPPCommCtrlr.HeartbeatInterval", "integer", "s"),
    "LightIntensity": _key(None, "integer", "Percent"),
    "LocalAuthorizeOffline": _key("AuthCtrlr.LocalAuthorizeOffline", "boolean"),
    "LocalPreAuthorize": _key("AuthCtrlr.LocalPreAuthorize", "boolean"),
    "MaxEnergyOnInvalidId": _key("TxCtrlr.MaxEnergyOnInvalidId", "integer", "Wh"),
    "MeterValuesAlignedData": _key("AlignedDataCtrlr.Measurands", "MemberList"),
    "MeterValuesSampledData": _key("SampledDataCtrlr.TxUpdatedMeasurands", "MemberList"),
    "MeterValueSampleInterval": _key("SampledDataCtrlr.TxUpdatedInterval", "integer", "s"),
    "MinimumStatusDuration": _key(None, "integer", "s"),
    "NumberOfConnectors": _key(None, "integer"),
    "ResetRetries": _key("OCPPCommCtrlr.ResetRetries", "integer"),
    "StopTransactionOnEVSideDisconnect": _key("TxCtrlr.StopTxOnEVSideDisconnect", "boolean"),
    "StopTransactionOnInvalidId": _key("TxCtrlr.StopTxOnInvalidId", "boolean"),
    "StopTxnAlignedData": _key("AlignedDataCtrlr.TxEndedMeasurands", "MemberList"),
    "StopTxnSampledData": _key("SampledDataCtrlr.TxEndedMeasurands", "MemberList"),
    "SupportedFeatureProfiles": _key(None, "MemberList"),
    "TransactionMessageAttempts": _key("OCPPCommCtrlr.MessageAttempts#TransactionEvent", "integer"),
    "TransactionMessageRetryInterval": _key(
        "OCPPCommCtrlr.MessageAttemptInterval#TransactionEvent", "integer", "s"
    ),
    "UnlockConnectorOnEVSideDisconnect": _key("OCPPCommCtrlr.UnlockOnEVSideDisconnect", "boolean"),
    "WebSocketPingInterval": _key("OCPPCommCtrlr.WebSocketPingInterval", "integer", "s"),
    "LocalAuthListEnabled": _key("LocalAuthListCtrlr.Enabled", "boolean"),
    "LocalAuthListMaxLength": _key("LocalAuthListCtrlr.Entries", "integer"),
    "SendLocalListMaxLength": _key("LocalAuthListCtrlr.ItemsPerMessage", "integer"),
    "ReserveConnectorZeroSupported": _key("ReservationCtrlr.NonEvseSpecific", "boolean"),
    "ChargeProfileMaxStackLevel": _key("SmartChargingCtrlr.ProfileStackLevel", "integer"),
    "ChargingScheduleAllowedChargingRateUnit": _key("SmartChargingCtrlr.RateUnit", "MemberList"),
    "ChargingScheduleMaxPeriods": _key("SmartChargingCtrlr.PeriodsPerSchedule", "integer"),
    "ConnectorSwitch3to1PhaseSupported": _key("SmartChargingCtrlr.Phases3to1", "boolean"),
    "MaxChargingProfilesInstalled": _key("SmartChargingCtrlr.Entries#ChargingProfiles", "integer"),
    "AuthorizationKey": _key("SecurityCtrlr.BasicAuthPassword", "string"),
    "AdditionalRootCertificateCheck": _key("SecurityCtrlr.AdditionalRootCertificateCheck", "boolean"),
    "CertificateSignedMaxChainSize": _key("SecurityCtrlr.MaxCertificateChainSize", "integer"),
    "CertificateStoreMaxLength": _key("SecurityCtrlr.CertificateEntries", "integer"),
    "CpoName": _key("SecurityCtrlr.OrganizationName", "string"),
    "SecurityProfile": _key("SecurityCtrlr.SecurityProfile", "integer"),
}
_BY_NAME = {name.casefold(): key for name, key in KEYS.items()}
_BY_VARIABLE = {key.variable.casefold(): name for name, key in KEYS.items() if key.variable}


def standard(name: str) -> Key | None:
    """What is known of a standard 1.6 key, whatever its case (stations differ)."""
    return _BY_NAME.get(name.casefold())


def spoken(name: str, version: str | None) -> str:
    """The name in the language of the station: a 2.x name of a standard key in 1.6, and the other way round."""
    bare, attribute = attribute_of(name)
    if attribute == "Actual":
        name = bare  # said or not, it is the same attribute, and has the same rules
    if version == "1.6":
        return _BY_VARIABLE.get(name.casefold(), name)
    key = _BY_NAME.get(name.casefold())
    return key.variable if version is not None and key is not None and key.variable else name


def attribute_of(name: str) -> tuple[str, str]:
    """The variable and the attribute that ``Component.Variable:MaxSet`` names; Actual when it names none."""
    before, sign, word = name.rpartition(":")
    for attribute in ATTRIBUTES:
        # A colon before the dot is that of a place: Connector@1:2.AvailabilityState.
        if sign and "." in before and word.casefold() == attribute.casefold():
            return before, attribute
    return name, "Actual"


@record
class Budget:
    """How much a station takes in one message: items, and bytes of payload; None where it did not say."""

    items: int | None = None
    bytes: int | None = None


#: The message whose budget is meant -> the variables that tell its items, the first that is known counts.
_ITEMS = {
    "GetConfiguration": ("GetConfigurationMaxKeys",),
    "GetVariables": ("DeviceDataCtrlr.ItemsPerMessage#GetVariables",),
    "SetVariables": ("DeviceDataCtrlr.ItemsPerMessage#SetVariables",),
    "GetReport": ("DeviceDataCtrlr.ItemsPerMessage#GetReport",),
    "SetVariableMonitoring": ("MonitoringCtrlr.ItemsPerMessage#SetVariableMonitoring",),
    "ClearVariableMonitoring": ("MonitoringCtrlr.ItemsPerMessage#ClearVariableMonitoring",),
    "SendLocalList": ("LocalAuthListCtrlr.ItemsPerMessage", "SendLocalListMaxLength"),
}


class Model:
    """A station's variables by name, as they were last told. Values are text as the station wrote them."""

    def __init__(self, variables: Iterable[Variable]) -> None:
        self._variables = {(v.name.casefold(), v.attribute): v for v in variables}

    def variable(self, name: str, attribute: str = "Actual") -> Variable | None:
        """The variable, or the standard key of the other generation that is the same thing."""
        found = self._variables.get((name.casefold(), attribute))
        if found is not None:
            return found
        other = _BY_VARIABLE.get(name.casefold())
        key = _BY_NAME.get(name.casefold())
        twin = other or (key.variable if key else None)
        return self._variables.get((twin.casefold(), attribute)) if twin else None

    def value(self, name: str, attribute: str = "Actual") -> str | None:
        found = self.variable(name, attribute)
        return found.value if found else None

    def number(self, *names: str) -> int | None:
        """The first of these that holds a positive whole number."""
        for name in names:
            text = (self.value(name) or "").strip()
            if text.isdecimal() and text.isascii() and int(text[:18]) > 0:
                return int(text[:18])
        return None

    def yes(self, name: str) -> bool | None:
        """A boolean; None where it is not known."""
        return {"true": True, "false": False}.get((self.value(name) or "").strip().casefold())

    def budget(self, message: str) -> Budget:
        """What the station takes in one ``message`` (2.0.1 B05.FR.11, B06.FR.05, N06.FR.04, D01.FR.11)."""
        names = _ITEMS[message]
        # Drafts of 2.0 had ItemsPerMessageGetVariables; some products kept it.
        older = tuple(name.replace("#", "") for name in names if "#" in name)
        sizes = tuple(name.replace("Items", "Bytes") for name in names if "ItemsPerMessage" in name)
        return Budget(self.number(*names, *older), self.number(*sizes))

    def check(self, name: str, value: str) -> None:
        """Refuse what the station said that it will not take: Conflict for read-only, Invalid for a value."""
        name, attribute = attribute_of(name)
        variable = self.variable(name, attribute)
        if variable is not None and variable.readonly:
            raise Conflict(
                f"{name} is read-only: the station said so",
                "add --force to try all the same; see config list",
            )
        _fits(name, value, _kind(name, variable))


def _kind(name: str, variable: Variable | None) -> Characteristics:
    """What the station told of a variable, else what the specification says of a standard key."""
    key = standard(name)
    if variable is None or variable.data_type is None:
        return Characteristics(key.data_type, key.unit) if key else Characteristics()
    return Characteristics(
        variable.data_type,
        variable.unit,
        variable.min_limit,
        variable.max_limit,
        variable.max_elements,
        variable.values,
    )


def _fits(name: str, value: str, kind: Characteristics) -> None:
    complaint = _complaint(value, kind)
    if complaint is not None:
        raise Invalid(f"{name} {complaint}, not {value[:60]!r}", "add --force to try all the same")


def _complaint(value: str, kind: Characteristics) -> str | None:
    match kind.data_type:
        case "boolean":
            return None if value.casefold() in ("true", "false") else "is true or false"
        case "integer" | "decimal":
            return _number_complaint(value, kind)
        case "dateTime":
            return None if _is_time(value) else "is a time (RFC 3339)"
        case "OptionList":
            return _choice_complaint((value,), kind)
        case "SequenceList" | "MemberList":
            # 1.6 writes units and phases as it likes (``A``, ``Current``; ``1.RST``): without a list nothing is wrong.
            parts = tuple(part.strip() for part in value.split(",") if part.strip())
            if kind.max_elements is not None and len(parts) > kind.max_elements:
                return f"takes at most {kind.max_elements} values"
            return _choice_complaint(parts, kind)
        case "string":
            # For text the limits are lengths (Part 2, VariableCharacteristicsType).
            longest = kind.max_limit
            return f"takes at most {longest:g} characters" if longest and len(value) > longest else None
    return None


def _number_complaint(value: str, kind: Characteristics) -> str | None:
    try:
        number = Decimal(value.strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or (kind.data_type == "integer" and number != number.to_integral_value()):
        return "is a whole number" if kind.data_type == "integer" else "is a number"
    unit = f" {kind.unit}" if kind.unit else ""
    if kind.min_limit is not None and number < kind.min_limit:
        return f"is at least {kind.min_limit:g}{unit}"
    if kind.max_limit is not None and number > kind.max_limit:
        return f"is at most {kind.max_limit:g}{unit}"
    return None


def _choice_complaint(parts: tuple[str, ...], kind: Characteristics) -> str | None:
    known = {choice.casefold() for choice in kind.values}
    wrong = next((part for part in parts if known and part.casefold() not in known), None)
    return None if wrong is None else f"takes {', '.join(kind.values[:20])}"


def _is_time(value: str) -> bool:
    try:
        return datetime.fromisoformat(value.strip()).tzinfo is not None
    except ValueError:
        return False

"""What a station can be asked and told about itself: 1.6 configuration keys, 2.x variables.

One store for both: a name (``HeartbeatInterval``, ``OCPPCommCtrlr.HeartbeatInterval``) and its setting. Names
compare without case. The station reads its own behaviour from here, so a change takes effect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Setting:
    """``access``: rw, r or w (a secret). ``kind`` decides which values are taken: text, int or bool."""

    value: str
    access: str = "rw"
    kind: str = "text"
    reboot: bool = False

    def takes(self, value: str) -> bool:
        match self.kind:
            case "int":
                return value.isdigit()
            case "bool":
                return value.lower() in ("true", "false")
            case _:
                return len(value) <= 500


V16: dict[str, Setting] = {
    "AllowOfflineTxForUnknownId": Setting("true", kind="bool"),
    "AuthorizationCacheEnabled": Setting("false", kind="bool"),
    "AuthorizationKey": Setting("", "w"),
    "AuthorizeRemoteTxRequests": Setting("true", kind="bool"),
    "ClockAlignedDataInterval": Setting("0", kind="int"),
    "ConnectionTimeOut": Setting("120", kind="int"),
    "ConnectorPhaseRotation": Setting("0.RST,1.RST"),
    "GetConfigurationMaxKeys": Setting("50", "r", "int"),
    "HeartbeatInterval": Setting("300", kind="int"),
    "LocalAuthorizeOffline": Setting("true", kind="bool"),
    "LocalPreAuthorize": Setting("false", kind="bool"),
    "MeterValuesAlignedData": Setting("Energy.Active.Import.Register"),
    "MeterValuesSampledData": Setting(
        "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC"
    ),
    "MeterValueSampleInterval": Setting("60", kind="int"),
    "NumberOfConnectors": Setting("2", "r", "int"),
    "ResetRetries": Setting("1", kind="int"),
    "SecurityProfile": Setting("1", "r", "int"),
    "StopTransactionOnEVSideDisconnect": Setting("true", "r", "bool"),
    "StopTransactionOnInvalidId": Setting("true", kind="bool"),
    "StopTxnAlignedData": Setting(""),
    "StopTxnSampledData": Setting("Energy.Active.Import.Register"),
    "SupportedFeatureProfiles": Setting("Core,RemoteTrigger", "r"),
    "TransactionMessageAttempts": Setting("3", kind="int"),
    "TransactionMessageRetryInterval": Setting("60", kind="int"),
    "UnlockConnectorOnEVSideDisconnect": Setting("true", "r", "bool"),
    "WebSocketPingInterval": Setting("0", kind="int", reboot=True),
}

V2: dict[str, Setting] = {
    "AuthCtrlr.AuthorizeRemoteStart": Setting("true", kind="bool"),
    "AuthCtrlr.LocalAuthorizeOffline": Setting("true", kind="bool"),
    "AuthCtrlr.OfflineTxForUnknownIdEnabled": Setting("true", kind="bool"),
    "ChargingStation.AvailabilityState": Setting("Available", "r"),
    "ChargingStation.Model": Setting("", "r"),
    "ChargingStation.VendorName": Setting("", "r"),
    "ClockCtrlr.TimeSource": Setting("Heartbeat"),
    "DeviceDataCtrlr.ItemsPerMessage.GetVariables": Setting("20", "r", "int"),
    "DeviceDataCtrlr.ItemsPerMessage.SetVariables": Setting("20", "r", "int"),
    "OCPPCommCtrlr.HeartbeatInterval": Setting("300", kind="int"),
    "OCPPCommCtrlr.MessageAttemptInterval.TransactionEvent": Setting("60", kind="int"),
    "OCPPCommCtrlr.MessageAttempts.TransactionEvent": Setting("3", kind="int"),
    "OCPPCommCtrlr.MessageTimeout.Default": Setting("30", kind="int"),
    "OCPPCommCtrlr.OfflineThreshold": Setting("60", kind="int"),
    "OCPPCommCtrlr.RetryBackOffRandomRange": Setting("10", kind="int"),
    "OCPPCommCtrlr.RetryBackOffRepeatTimes": Setting("3", kind="int"),
    "OCPPCommCtrlr.RetryBackOffWaitMinimum": Setting("5", kind="int"),
    "OCPPCommCtrlr.WebSocketPingInterval": Setting("0", kind="int", reboot=True),
    "SampledDataCtrlr.TxUpdatedInterval": Setting("60", kind="int"),
    "SampledDataCtrlr.TxUpdatedMeasurands": Setting(
        "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC"
    ),
    "SecurityCtrlr.BasicAuthPassword": Setting("", "w"),
    "SecurityCtrlr.Identity": Setting("", "r"),
    "SecurityCtrlr.SecurityProfile": Setting("1", "r", "int"),
    "TxCtrlr.EVConnectionTimeOut": Setting("120", kind="int"),
    "TxCtrlr.StopTxOnEVSideDisconnect": Setting("true", "r", "bool"),
    "TxCtrlr.StopTxOnInvalidId": Setting("true", kind="bool"),
    "TxCtrlr.TxStartPoint": Setting("PowerPathClosed", "r"),
    "TxCtrlr.TxStopPoint": Setting("PowerPathClosed", "r"),
}

#: What the station's behaviour asks, in its own words: (1.6 key, 2.x variable).
KNOBS: dict[str, tuple[str, str]] = {
    "heartbeat_s": ("HeartbeatInterval", "OCPPCommCtrlr.HeartbeatInterval"),
    "sample_s": ("MeterValueSampleInterval", "SampledDataCtrlr.TxUpdatedInterval"),
    "attempts": ("TransactionMessageAttempts", "OCPPCommCtrlr.MessageAttempts.TransactionEvent"),
    "retry_s": ("TransactionMessageRetryInterval", "OCPPCommCtrlr.MessageAttemptInterval.TransactionEvent"),
    "plug_in_s": ("ConnectionTimeOut", "TxCtrlr.EVConnectionTimeOut"),
    "trusts_offline": ("AllowOfflineTxForUnknownId", "AuthCtrlr.OfflineTxForUnknownIdEnabled"),
    "asks_remote": ("AuthorizeRemoteTxRequests", "AuthCtrlr.AuthorizeRemoteStart"),
    "stops_invalid": ("StopTransactionOnInvalidId", "TxCtrlr.StopTxOnInvalidId"),
    "password": ("AuthorizationKey", "SecurityCtrlr.BasicAuthPassword"),
}


class Configuration(Mapping[str, Setting]):
    """A station's settings by name, without case."""

    def __init__(self, settings: Mapping[str, Setting], column: int) -> None:
        self._settings = dict(settings)
        self._spelling = {name.lower(): name for name in settings}
        self._column = column

    def __getitem__(self, name: str) -> Setting:
        return self._settings[self._spelling[name.lower()]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._settings)

    def __len__(self) -> int:
        return len(self._settings)

    def spelling(self, name: str) -> str:
        """The station's own spelling of a name that it knows."""
        return self._spelling[name.lower()]

    def put(self, name: str, value: str) -> None:
        """Set a value without asking whether one may."""
        spelling = self._spelling[name.lower()]
        self._settings[spelling] = replace(self._settings[spelling], value=value)

    def knob(self, knob: str) -> str:
        """A behaviour's value by its own word, whatever the version calls it."""
        return self[KNOBS[knob][self._column]].value

    def number(self, knob: str) -> int:
        return int(self.knob(knob))

    def flag(self, knob: str) -> bool:
        return self.knob(knob).lower() == "true"

    def is_knob(self, name: str, knob: str) -> bool:
        return name.lower() == KNOBS[knob][self._column].lower()

    def turn(self, knob: str, value: str) -> None:
        self.put(KNOBS[knob][self._column], value)


def configuration(version: str) -> Configuration:
    """A fresh station's configuration: ``version`` is 1.6, 2.0.1 or 2.1."""
    return Configuration(V16, 0) if version == "1.6" else Configuration(V2, 1)

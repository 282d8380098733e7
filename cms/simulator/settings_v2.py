"""A 2.x station's device model: components and variables as appendix 2 of the specification names them."""

from __future__ import annotations

from cms.simulator.evse import Evse
from cms.simulator.setting import Setting

MEASURANDS = (
    "Energy.Active.Import.Register",
    "Power.Active.Import",
    "Power.Offered",
    "Current.Import",
    "Voltage",
    "SoC",
)
STATES = ("Available", "Occupied", "Reserved", "Unavailable", "Faulted")
NEW = ("2.1",)


def _sampled(value: str) -> Setting:
    return Setting(value, kind="members", allowed=MEASURANDS)


V2: dict[str, Setting] = {
    "AlignedDataCtrlr.Available": Setting("true", "r", "bool"),
    "AlignedDataCtrlr.Interval": Setting("0", kind="int", unit="s", low=0),
    "AlignedDataCtrlr.Measurands": _sampled("Energy.Active.Import.Register"),
    "AlignedDataCtrlr.TxEndedInterval": Setting("0", kind="int", unit="s"),
    "AlignedDataCtrlr.TxEndedMeasurands": _sampled(""),
    "AuthCacheCtrlr.Available": Setting("true", "r", "bool"),
    "AuthCacheCtrlr.Enabled": Setting("false", kind="bool"),
    "AuthCacheCtrlr.LifeTime": Setting("86400", kind="int", unit="s"),
    "AuthCtrlr.AuthorizeRemoteStart": Setting("true", kind="bool"),
    "AuthCtrlr.Enabled": Setting("true", "r", "bool"),
    "AuthCtrlr.LocalAuthorizeOffline": Setting("true", kind="bool"),
    "AuthCtrlr.LocalPreAuthorize": Setting("false", kind="bool"),
    "AuthCtrlr.MasterPassGroupId": Setting(""),
    "AuthCtrlr.OfflineTxForUnknownIdEnabled": Setting("true", kind="bool"),
    "ChargingStation.AllowNewSessionsPendingFirmwareUpdate": Setting("false", kind="bool"),
    "ChargingStation.AvailabilityState": Setting("Available", "r", "option", allowed=STATES),
    "ChargingStation.Available": Setting("true", "r", "bool"),
    "ChargingStation.Model": Setting("", "r"),
    "ChargingStation.Problem": Setting("false", "r", "bool", monitored=True),
    "ChargingStation.SerialNumber": Setting("", "r"),
    "ChargingStation.SupplyPhases": Setting("3", "r", "int"),
    "ChargingStation.VendorName": Setting("", "r"),
    "ClockCtrlr.DateTime": Setting("", "r"),
    "ClockCtrlr.NtpServerUri": Setting("pool.ntp.org"),
    "ClockCtrlr.TimeOffset": Setting("+01:00"),
    "ClockCtrlr.TimeSource": Setting("Heartbeat", kind="sequence", allowed=("Heartbeat", "NTP")),
    "ClockCtrlr.TimeZone": Setting("Europe/Berlin"),
    "ControllerTemperature.Temperature": Setting(
        "31.5", "r", "decimal", unit="Celsius", low=-40, high=125, monitored=True
    ),
    "CustomizationCtrlr.CustomImplementationEnabled.org.openchargealliance.none": Setting(
        "false", kind="bool"
    ),
    "DeviceDataCtrlr.BytesPerMessage.GetReport": Setting("65000", "r", "int"),
    "DeviceDataCtrlr.BytesPerMessage.GetVariables": Setting("65000", "r", "int"),
    "DeviceDataCtrlr.BytesPerMessage.SetVariables": Setting("65000", "r", "int"),
    "DeviceDataCtrlr.ItemsPerMessage.GetReport": Setting("20", "r", "int"),
    "DeviceDataCtrlr.ItemsPerMessage.GetVariables": Setting("20", "r", "int"),
    "DeviceDataCtrlr.ItemsPerMessage.SetVariables": Setting("20", "r", "int"),
    "DisplayMessageCtrlr.Available": Setting("true", "r", "bool"),
    "DisplayMessageCtrlr.DisplayMessages": Setting("0", "r", "int", high=10),
    "DisplayMessageCtrlr.Enabled": Setting("true", kind="bool"),
    "DisplayMessageCtrlr.SupportedFormats": Setting("ASCII,UTF8,URI", "r", "members"),
    "DisplayMessageCtrlr.SupportedPriorities": Setting("AlwaysFront,InFront,NormalCycle", "r", "members"),
    "DisplayMessageCtrlr.SupportedStates": Setting("Charging,Faulted,Idle,Unavailable", "r", "members"),
    "FirmwareCtrlr.Download": Setting("HTTP,HTTPS,FTP", "r", "members"),
    "ISO15118Ctrlr.ContractValidationOffline": Setting("false", kind="bool"),
    "ISO15118Ctrlr.Enabled": Setting("false", kind="bool"),
    "ISO15118Ctrlr.PnCEnabled": Setting("false", kind="bool"),
    "LocalAuthListCtrlr.Available": Setting("true", "r", "bool"),
    "LocalAuthListCtrlr.Enabled": Setting("true", kind="bool"),
    "LocalAuthListCtrlr.Entries": Setting("0", "r", "int", high=1000),
    "LocalAuthListCtrlr.ItemsPerMessage": Setting("50", "r", "int"),
    "LocalAuthListCtrlr.BytesPerMessage": Setting("65000", "r", "int"),
    "LocalAuthListCtrlr.Storage": Setting("1000", "r", "int"),
    "MonitoringCtrlr.Available": Setting("true", "r", "bool"),
    "MonitoringCtrlr.BytesPerMessage.SetVariableMonitoring": Setting("65000", "r", "int"),
    "MonitoringCtrlr.Enabled": Setting("true", kind="bool"),
    "MonitoringCtrlr.ItemsPerMessage.ClearVariableMonitoring": Setting("20", "r", "int"),
    "MonitoringCtrlr.ItemsPerMessage.SetVariableMonitoring": Setting("20", "r", "int"),
    "MonitoringCtrlr.MonitoringBase": Setting("All", "r", "option"),
    "MonitoringCtrlr.MonitoringLevel": Setting("9", "r", "int"),
    "MonitoringCtrlr.OfflineQueuingSeverity": Setting("9", kind="int", low=0, high=9),
    "OCPPCommCtrlr.ActiveNetworkProfile": Setting("0", "r", "int"),
    "OCPPCommCtrlr.FileTransferProtocols": Setting("HTTP,HTTPS,FTP", "r", "members"),
    "OCPPCommCtrlr.HeartbeatInterval": Setting("300", kind="int", unit="s", low=1),
    "OCPPCommCtrlr.MessageAttemptInterval.TransactionEvent": Setting("60", kind="int", unit="s"),
    "OCPPCommCtrlr.MessageAttempts.TransactionEvent": Setting("3", kind="int"),
    "OCPPCommCtrlr.MessageTimeout.Default": Setting("30", kind="int", unit="s"),
    "OCPPCommCtrlr.NetworkConfigurationPriority": Setting("0", kind="sequence", reboot=True),
    "OCPPCommCtrlr.NetworkProfileConnectionAttempts": Setting("3", kind="int"),
    "OCPPCommCtrlr.OfflineThreshold": Setting("60", kind="int", unit="s"),
    "OCPPCommCtrlr.QueueAllMessages": Setting("false", kind="bool"),
    "OCPPCommCtrlr.ResetRetries": Setting("1", kind="int"),
    "OCPPCommCtrlr.RetryBackOffRandomRange": Setting("10", kind="int", unit="s"),
    "OCPPCommCtrlr.RetryBackOffRepeatTimes": Setting("3", kind="int"),
    "OCPPCommCtrlr.RetryBackOffWaitMinimum": Setting("5", kind="int", unit="s"),
    "OCPPCommCtrlr.UnlockOnEVSideDisconnect": Setting("true", "r", "bool"),
    "OCPPCommCtrlr.WebSocketPingInterval": Setting("0", kind="int", reboot=True, unit="s"),
    "ReservationCtrlr.Available": Setting("true", "r", "bool"),
    "ReservationCtrlr.Enabled": Setting("true", kind="bool"),
    "ReservationCtrlr.NonEvseSpecific": Setting("true", "r", "bool"),
    "SampledDataCtrlr.Available": Setting("true", "r", "bool"),
    "SampledDataCtrlr.TxEndedInterval": Setting("0", kind="int", unit="s"),
    "SampledDataCtrlr.TxEndedMeasurands": _sampled("Energy.Active.Import.Register"),
    "SampledDataCtrlr.TxStartedMeasurands": _sampled("Energy.Active.Import.Register"),
    "SampledDataCtrlr.TxUpdatedInterval": Setting("60", kind="int", unit="s"),
    "SampledDataCtrlr.TxUpdatedMeasurands": _sampled(
        "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC"
    ),
    "SecurityCtrlr.AdditionalRootCertificateCheck": Setting("false", "r", "bool"),
    "SecurityCtrlr.BasicAuthPassword": Setting("", "w"),
    "SecurityCtrlr.CertificateEntries": Setting("0", "r", "int", high=20),
    "SecurityCtrlr.CertSigningRepeatTimes": Setting("2", kind="int"),
    "SecurityCtrlr.CertSigningWaitMinimum": Setting("300", kind="int", unit="s"),
    "SecurityCtrlr.Identity": Setting("", "r"),
    "SecurityCtrlr.MaxCertificateChainSize": Setting("10000", "r", "int"),
    "SecurityCtrlr.OrganizationName": Setting(""),
    "SecurityCtrlr.SecurityProfile": Setting("1", "r", "int"),
    "SmartChargingCtrlr.ACPhaseSwitchingSupported": Setting("false", "r", "bool"),
    "SmartChargingCtrlr.Available": Setting("true", "r", "bool"),
    "SmartChargingCtrlr.Enabled": Setting("true", kind="bool"),
    "SmartChargingCtrlr.Entries.ChargingProfiles": Setting("20", "r", "int"),
    "SmartChargingCtrlr.ExternalControlSignalsEnabled": Setting("true", kind="bool"),
    "SmartChargingCtrlr.LimitChangeSignificance": Setting("5.0", kind="decimal", unit="Percent"),
    "SmartChargingCtrlr.NotifyChargingLimitWithSchedules": Setting("true", kind="bool"),
    "SmartChargingCtrlr.PeriodsPerSchedule": Setting("24", "r", "int"),
    "SmartChargingCtrlr.Phases3to1": Setting("false", "r", "bool"),
    "SmartChargingCtrlr.ProfileStackLevel": Setting("8", "r", "int"),
    "SmartChargingCtrlr.RateUnit": Setting("A,W", "r", "members"),
    "SmartChargingCtrlr.ChargingProfilePersistence.TxProfile": Setting("false", "r", "bool", versions=NEW),
    "SmartChargingCtrlr.SupportedAdditionalPurposes": Setting(
        "PriorityCharging,LocalGeneration", "r", "members", versions=NEW
    ),
    "SmartChargingCtrlr.SupportsDynamicProfiles": Setting("true", "r", "bool", versions=NEW),
    "TariffCostCtrlr.Available.Cost": Setting("true", "r", "bool"),
    "TariffCostCtrlr.Available.Tariff": Setting("true", "r", "bool"),
    "TariffCostCtrlr.Currency": Setting("EUR"),
    "TariffCostCtrlr.Enabled.Cost": Setting("true", kind="bool"),
    "TariffCostCtrlr.Enabled.Tariff": Setting("true", kind="bool"),
    "TariffCostCtrlr.TariffFallbackMessage": Setting("0.59 EUR/kWh"),
    "TariffCostCtrlr.TotalCostFallbackMessage": Setting("The cost will be on your invoice"),
    "TariffCostCtrlr.MaxElements.Tariff": Setting("10", "r", "int", versions=NEW),
    "TariffCostCtrlr.ConditionsSupported.Tariff": Setting("false", "r", "bool", versions=NEW),
    "TariffCostCtrlr.HandleFailedTariff": Setting(
        "CentralCost", kind="option", allowed=("Deauthorize", "CentralCost"), versions=NEW
    ),
    "TxCtrlr.EVConnectionTimeOut": Setting("120", kind="int", unit="s"),
    "TxCtrlr.MaxEnergyOnInvalidId": Setting("0", kind="int", unit="Wh"),
    "TxCtrlr.StopTxOnEVSideDisconnect": Setting("true", "r", "bool"),
    "TxCtrlr.StopTxOnInvalidId": Setting("true", kind="bool"),
    "TxCtrlr.TxStartPoint": Setting(
        "PowerPathClosed", kind="members", allowed=("Authorized", "EVConnected", "PowerPathClosed")
    ),
    "TxCtrlr.TxStopPoint": Setting(
        "PowerPathClosed", kind="members", allowed=("EVConnected", "PowerPathClosed")
    ),
    "TxCtrlr.AllowEnergyTransferResumption": Setting("true", kind="bool", versions=NEW),
    "TxCtrlr.ResumptionTimeout": Setting("0", kind="int", unit="s", versions=NEW),
    "TxCtrlr.SupportedLimits": Setting("MaxEnergy,MaxTime,MaxCost,MaxSoC", "r", "members", versions=NEW),
    "WebPaymentsCtrlr.Enabled": Setting("true", kind="bool", versions=NEW),
    "WebPaymentsCtrlr.URLTemplate": Setting("", versions=NEW),
    "WebPaymentsCtrlr.Length": Setting("8", kind="int", versions=NEW),
    "WebPaymentsCtrlr.SharedSecret": Setting("", "w", versions=NEW),
    "WebPaymentsCtrlr.TOTPVersion": Setting("v1", versions=NEW),
    "WebPaymentsCtrlr.ValidityTime": Setting("30", kind="int", unit="s", versions=NEW),
}


def evse_settings(evse: Evse) -> dict[str, Setting]:
    """Variables of one EVSE."""
    at = f"EVSE@{evse.id}"
    return {
        f"{at}.AllowReset": Setting("true", "r", "bool"),
        f"{at}.AvailabilityState": Setting("Available", "r", "option", allowed=STATES),
        f"{at}.Available": Setting("true", "r", "bool"),
        f"{at}.ISO15118EvseId": Setting(f"DE*VNT*E{evse.id:04d}"),
        f"{at}.Power": Setting("0", "r", "decimal", unit="W", low=0, high=evse.offered_w, monitored=True),
        f"{at}.SupplyPhases": Setting("3", "r", "int"),
        f"ElectricalFeed@{evse.id}.DCVoltage" if evse.dc else f"ElectricalFeed@{evse.id}.ACVoltage": Setting(
            "400" if evse.dc else "230", "r", "decimal", unit="V", monitored=True
        ),
        f"ElectricalFeed@{evse.id}.EnergyImportRegister": Setting("0", "r", "int", unit="Wh", monitored=True),
    }


def connector_settings(evse: Evse) -> dict[str, Setting]:
    """Variables of its connector."""
    at = f"Connector@{evse.id}/{evse.connector}"
    return {
        f"{at}.AvailabilityState": Setting("Available", "r", "option", allowed=STATES, monitored=True),
        f"{at}.Available": Setting("true", "r", "bool"),
        f"{at}.ConnectorType": Setting(evse.kind, "r"),
        f"{at}.SupplyPhases": Setting("3", "r", "int"),
        f"ConnectorPlugRetentionLock@{evse.id}/{evse.connector}.Problem": Setting(
            "false", "r", "bool", monitored=True
        ),
    }

"""A 1.6 station's configuration keys: section 9 of the specification, and the security whitepaper's."""

from __future__ import annotations

from cms.simulator.setting import Setting

V16: dict[str, Setting] = {
    # Core
    "AllowOfflineTxForUnknownId": Setting("true", kind="bool"),
    "AuthorizationCacheEnabled": Setting("false", kind="bool"),
    "AuthorizeRemoteTxRequests": Setting("true", kind="bool"),
    "BlinkRepeat": Setting("3", kind="int"),
    "ClockAlignedDataInterval": Setting("0", kind="int"),
    "ConnectionTimeOut": Setting("120", kind="int"),
    "ConnectorPhaseRotation": Setting("0.RST,1.RST"),
    "GetConfigurationMaxKeys": Setting("50", "r", "int"),
    "HeartbeatInterval": Setting("300", kind="int"),
    "LightIntensity": Setting("80", kind="int", high=100),
    "LocalAuthorizeOffline": Setting("true", kind="bool"),
    "LocalPreAuthorize": Setting("false", kind="bool"),
    "MaxEnergyOnInvalidId": Setting("0", kind="int"),
    "MeterValuesAlignedData": Setting("Energy.Active.Import.Register"),
    "MeterValuesSampledData": Setting(
        "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC"
    ),
    "MeterValuesSampledDataMaxLength": Setting("8", "r", "int"),
    "MeterValueSampleInterval": Setting("60", kind="int"),
    "MinimumStatusDuration": Setting("0", kind="int"),
    "NumberOfConnectors": Setting("2", "r", "int"),
    "ResetRetries": Setting("1", kind="int"),
    "StopTransactionOnEVSideDisconnect": Setting("true", "r", "bool"),
    "StopTransactionOnInvalidId": Setting("true", kind="bool"),
    "StopTxnAlignedData": Setting(""),
    "StopTxnSampledData": Setting("Energy.Active.Import.Register"),
    "SupportedFeatureProfiles": Setting(
        "Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger", "r"
    ),
    "TransactionMessageAttempts": Setting("3", kind="int"),
    "TransactionMessageRetryInterval": Setting("60", kind="int"),
    "UnlockConnectorOnEVSideDisconnect": Setting("true", "r", "bool"),
    "WebSocketPingInterval": Setting("0", kind="int", reboot=True),
    # Local authorisation list, reservation, smart charging
    "LocalAuthListEnabled": Setting("true", kind="bool"),
    "LocalAuthListMaxLength": Setting("1000", "r", "int"),
    "SendLocalListMaxLength": Setting("50", "r", "int"),
    "ReserveConnectorZeroSupported": Setting("true", "r", "bool"),
    "ChargeProfileMaxStackLevel": Setting("8", "r", "int"),
    "ChargingScheduleAllowedChargingRateUnit": Setting("Current,Power", "r"),
    "ChargingScheduleMaxPeriods": Setting("24", "r", "int"),
    "ConnectorSwitch3to1PhaseSupported": Setting("false", "r", "bool"),
    "MaxChargingProfilesInstalled": Setting("20", "r", "int"),
    # Security
    "AdditionalRootCertificateCheck": Setting("false", "r", "bool"),
    "AuthorizationKey": Setting("", "w"),
    "CertSigningRepeatTimes": Setting("2", kind="int"),
    "CertSigningWaitMinimum": Setting("300", kind="int"),
    "CertificateSignedMaxChainSize": Setting("10000", "r", "int"),
    "CertificateStoreMaxLength": Setting("20", "r", "int"),
    "CpoName": Setting(""),
    "SecurityProfile": Setting("1", kind="int", low=1, high=3, reboot=True),
    "SupportedFileTransferProtocols": Setting("HTTP,HTTPS,FTP", "r"),
}

"""What a station can be asked and told about itself: 1.6 configuration keys, 2.x variables.

One store for both: a name and its setting. A 2.x name is ``Component.Variable`` or ``Component.Variable.Instance``,
with the EVSE, or EVSE and connector, after an @: ``EVSE@1.Power``, ``Connector@1/1.AvailabilityState``. Names compare
without case. The station reads its own behaviour from here, so a change takes effect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from cms.simulator.evse import Evse
from cms.simulator.setting import Setting
from cms.simulator.settings_v2 import V2, connector_settings, evse_settings
from cms.simulator.settings_v16 import V16

#: What the station's behaviour asks, in its own words: (1.6 key, 2.x variable).
KNOBS: dict[str, tuple[str, str]] = {
    "heartbeat_s": ("HeartbeatInterval", "OCPPCommCtrlr.HeartbeatInterval"),
    "sample_s": ("MeterValueSampleInterval", "SampledDataCtrlr.TxUpdatedInterval"),
    "aligned_s": ("ClockAlignedDataInterval", "AlignedDataCtrlr.Interval"),
    "measurands": ("MeterValuesSampledData", "SampledDataCtrlr.TxUpdatedMeasurands"),
    "attempts": ("TransactionMessageAttempts", "OCPPCommCtrlr.MessageAttempts.TransactionEvent"),
    "retry_s": ("TransactionMessageRetryInterval", "OCPPCommCtrlr.MessageAttemptInterval.TransactionEvent"),
    "plug_in_s": ("ConnectionTimeOut", "TxCtrlr.EVConnectionTimeOut"),
    "trusts_offline": ("AllowOfflineTxForUnknownId", "AuthCtrlr.OfflineTxForUnknownIdEnabled"),
    "authorizes_offline": ("LocalAuthorizeOffline", "AuthCtrlr.LocalAuthorizeOffline"),
    "pre_authorizes": ("LocalPreAuthorize", "AuthCtrlr.LocalPreAuthorize"),
    "caches": ("AuthorizationCacheEnabled", "AuthCacheCtrlr.Enabled"),
    "asks_remote": ("AuthorizeRemoteTxRequests", "AuthCtrlr.AuthorizeRemoteStart"),
    "stops_invalid": ("StopTransactionOnInvalidId", "TxCtrlr.StopTxOnInvalidId"),
    "password": ("AuthorizationKey", "SecurityCtrlr.BasicAuthPassword"),
    "organisation": ("CpoName", "SecurityCtrlr.OrganizationName"),
    "signing_wait_s": ("CertSigningWaitMinimum", "SecurityCtrlr.CertSigningWaitMinimum"),
    "signing_repeats": ("CertSigningRepeatTimes", "SecurityCtrlr.CertSigningRepeatTimes"),
    "security_profile": ("SecurityProfile", "SecurityCtrlr.SecurityProfile"),
    "max_stack_level": ("ChargeProfileMaxStackLevel", "SmartChargingCtrlr.ProfileStackLevel"),
    "max_periods": ("ChargingScheduleMaxPeriods", "SmartChargingCtrlr.PeriodsPerSchedule"),
    "max_profiles": ("MaxChargingProfilesInstalled", "SmartChargingCtrlr.Entries.ChargingProfiles"),
    "rate_units": ("ChargingScheduleAllowedChargingRateUnit", "SmartChargingCtrlr.RateUnit"),
    "list_items": ("SendLocalListMaxLength", "LocalAuthListCtrlr.ItemsPerMessage"),
    "list_enabled": ("LocalAuthListEnabled", "LocalAuthListCtrlr.Enabled"),
    "list_size": ("LocalAuthListMaxLength", "LocalAuthListCtrlr.Storage"),
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


def configuration(version: str, evses: Sequence[Evse]) -> Configuration:
    """A fresh station's configuration: ``version`` is 1.6, 2.0.1 or 2.1."""
    if version == "1.6":
        return Configuration(V16, 0)
    settings = {name: setting for name, setting in V2.items() if version in setting.versions}
    for evse in evses:
        settings |= evse_settings(evse) | connector_settings(evse)
    return Configuration(settings, 1)

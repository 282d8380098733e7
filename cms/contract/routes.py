"""Request -> HTTP route and what comes back: the one table that the API serves and the client asks by.

Fields of a request that appear in the path travel there; the others travel in the query (GET, DELETE) or in
the JSON body (POST, PATCH).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cms.contract import (
    certificates,
    charging,
    checks,
    configuration,
    customers,
    datatransfer,
    der,
    displays,
    events,
    intents,
    jobs,
    lists,
    monitoring,
    ocpp,
    payments,
    quirks,
    reservations,
    security,
    sessions,
    stations,
    status,
    swaps,
    tariffs,
    tokens,
)


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str
    answers: Any
    """The view type, or ``list[View]``, or None for an empty answer."""


_ORDER = intents.IntentView | intents.Preview

ROUTES: dict[type, Route] = {
    status.ShowStatus: Route("GET", "/v1/status", status.StatusView),
    status.ListQuarantine: Route("GET", "/v1/quarantine", list[status.QuarantinedMessage]),
    events.ListEvents: Route("GET", "/v1/events/list", list[events.Event]),
    # stations
    stations.ListStations: Route("GET", "/v1/stations", list[stations.StationView]),
    stations.AddStation: Route("POST", "/v1/stations", stations.StationCredential),
    stations.ShowStation: Route("GET", "/v1/stations/{station}", stations.StationView),
    stations.SetStation: Route(
        "PATCH", "/v1/stations/{station}", stations.StationView | stations.StationCredential
    ),
    stations.RemoveStation: Route("DELETE", "/v1/stations/{station}", None),
    stations.ListMessages: Route("GET", "/v1/stations/{station}/messages", list[stations.Message]),
    stations.ListVariables: Route("GET", "/v1/stations/{station}/variables", list[stations.Variable]),
    sessions.ListStationSamples: Route("GET", "/v1/stations/{station}/samples", list[sessions.Sample]),
    stations.ListUnknownStations: Route("GET", "/v1/unknown-stations", list[stations.UnknownStation]),
    stations.EnrolStation: Route("POST", "/v1/unknown-stations/{station}/enrol", stations.StationCredential),
    stations.ForgetUnknownStation: Route("DELETE", "/v1/unknown-stations/{station}", None),
    quirks.ListQuirks: Route("GET", "/v1/stations/{station}/quirks", list[quirks.Quirk]),
    quirks.SetQuirks: Route("PATCH", "/v1/stations/{station}/quirks", list[quirks.Quirk]),
    quirks.ShowCapabilities: Route("GET", "/v1/stations/{station}/capabilities", quirks.Capabilities),
    quirks.ProbeStation: Route("POST", "/v1/stations/{station}/capabilities", quirks.Capabilities),
    # orders to stations
    stations.ResetStation: Route("POST", "/v1/stations/{station}/reset", _ORDER),
    stations.UnlockConnector: Route("POST", "/v1/stations/{station}/unlock", _ORDER),
    stations.ChangeAvailability: Route("POST", "/v1/stations/{station}/availability", _ORDER),
    stations.TriggerMessage: Route("POST", "/v1/stations/{station}/trigger", _ORDER),
    stations.GetConfiguration: Route("POST", "/v1/stations/{station}/configuration/get", _ORDER),
    stations.SetConfiguration: Route("POST", "/v1/stations/{station}/configuration/set", _ORDER),
    configuration.ReportConfiguration: Route("POST", "/v1/stations/{station}/configuration/report", _ORDER),
    configuration.ListReports: Route("GET", "/v1/stations/{station}/reports", list[configuration.ReportView]),
    configuration.ShowBoot: Route("GET", "/v1/stations/{station}/boot", configuration.BootView),
    configuration.SetBoot: Route("PATCH", "/v1/stations/{station}/boot", configuration.BootView),
    datatransfer.SendData: Route("POST", "/v1/stations/{station}/data", _ORDER),
    # monitors, problems, streams
    monitoring.ShowMonitoring: Route("GET", "/v1/stations/{station}/monitoring", monitoring.MonitoringView),
    monitoring.SetMonitoringBase: Route("POST", "/v1/stations/{station}/monitoring/base", _ORDER),
    monitoring.SetMonitoringLevel: Route("POST", "/v1/stations/{station}/monitoring/level", _ORDER),
    monitoring.ListMonitors: Route("GET", "/v1/stations/{station}/monitors", list[monitoring.MonitorView]),
    monitoring.SetMonitors: Route("POST", "/v1/stations/{station}/monitors", _ORDER),
    monitoring.ClearMonitors: Route("POST", "/v1/stations/{station}/monitors/clear", _ORDER),
    monitoring.ReportMonitors: Route("POST", "/v1/stations/{station}/monitors/report", _ORDER),
    monitoring.ListStreamSamples: Route(
        "GET", "/v1/stations/{station}/monitors/{monitor}/samples", list[monitoring.StreamSample]
    ),
    monitoring.ListStreams: Route("GET", "/v1/stations/{station}/streams", list[monitoring.StreamView]),
    monitoring.ReadStreams: Route("POST", "/v1/stations/{station}/streams/read", _ORDER),
    monitoring.AdjustStream: Route("POST", "/v1/stations/{station}/streams/{stream}/adjust", _ORDER),
    monitoring.ListProblems: Route("GET", "/v1/problems", list[monitoring.ProblemView]),
    monitoring.DismissProblem: Route("POST", "/v1/stations/{station}/problems/dismiss", None),
    jobs.ListJobs: Route("GET", "/v1/jobs", list[jobs.JobView]),
    jobs.ReadUpload: Route("GET", "/v1/stations/{station}/jobs/{request_id}/uploads/{name}", jobs.FilePart),
    jobs.UpdateFirmware: Route("POST", "/v1/stations/{station}/firmware/update", _ORDER),
    jobs.PublishFirmware: Route("POST", "/v1/stations/{station}/firmware/publish", _ORDER),
    jobs.UnpublishFirmware: Route("POST", "/v1/stations/{station}/firmware/unpublish", _ORDER),
    jobs.GetLog: Route("POST", "/v1/stations/{station}/logs", _ORDER),
    ocpp.CallStation: Route("POST", "/v1/stations/{station}/ocpp/call", _ORDER),
    ocpp.SendRaw: Route("POST", "/v1/stations/{station}/ocpp/raw", _ORDER),
    # certificates and security
    certificates.ListAuthorities: Route("GET", "/v1/authorities", list[certificates.AuthorityView]),
    certificates.CreateAuthority: Route("POST", "/v1/authorities", certificates.AuthorityView),
    certificates.ListCertificates: Route("GET", "/v1/certificates", list[certificates.CertificateView]),
    certificates.RevokeCertificate: Route(
        "POST", "/v1/stations/{station}/certificates/{certificate}/revoke", certificates.CertificateView
    ),
    certificates.InstallCertificate: Route("POST", "/v1/stations/{station}/certificates/install", _ORDER),
    certificates.ReadCertificates: Route("POST", "/v1/stations/{station}/certificates/read", _ORDER),
    certificates.DeleteCertificate: Route(
        "POST", "/v1/stations/{station}/certificates/{certificate}/delete", _ORDER
    ),
    certificates.RenewCertificate: Route("POST", "/v1/stations/{station}/certificates/renew", _ORDER),
    security.ShowSecurity: Route("GET", "/v1/stations/{station}/security", security.SecurityView),
    security.AllowExpired: Route("POST", "/v1/stations/{station}/security/expired", security.SecurityView),
    security.RotatePassword: Route("POST", "/v1/stations/{station}/security/password", _ORDER),
    security.SetNetworkProfile: Route("POST", "/v1/stations/{station}/security/network", _ORDER),
    security.UpgradeSecurity: Route("POST", "/v1/stations/{station}/security/upgrade", _ORDER),
    # charging profiles
    charging.ListProfiles: Route("GET", "/v1/profiles", list[charging.ProfileView]),
    charging.ShowProfile: Route("GET", "/v1/stations/{station}/profile", charging.ProfileView),
    charging.SetProfile: Route("POST", "/v1/stations/{station}/profiles/set", _ORDER),
    charging.ClearProfiles: Route("POST", "/v1/stations/{station}/profiles/clear", _ORDER),
    charging.GetProfiles: Route("POST", "/v1/stations/{station}/profiles/get", _ORDER),
    charging.UpdateProfile: Route("POST", "/v1/stations/{station}/profiles/update", _ORDER),
    charging.GetComposite: Route("POST", "/v1/stations/{station}/composite", _ORDER),
    charging.ShowComposite: Route("GET", "/v1/stations/{station}/composite", charging.CompositeView),
    charging.SignalAfrr: Route("POST", "/v1/stations/{station}/afrr", _ORDER),
    charging.ListChargingLimits: Route("GET", "/v1/charging-limits", list[charging.ChargingLimitView]),
    charging.ListChargingNeeds: Route("GET", "/v1/charging-needs", list[charging.ChargingNeedsView]),
    charging.UsePriority: Route("POST", "/v1/sessions/{session}/priority", _ORDER),
    charging.AllowEnergyTransfer: Route("POST", "/v1/sessions/{session}/energy-transfer", _ORDER),
    charging.ListEnergyTransferRights: Route(
        "GET", "/v1/energy-transfer-rights", list[charging.EnergyTransferRight]
    ),
    charging.SetEnergyTransferRight: Route(
        "POST", "/v1/tokens/{token}/energy-transfer", charging.EnergyTransferRight
    ),
    # DER controls
    der.ListDerControls: Route("GET", "/v1/der-controls", list[der.DerControlView]),
    der.ListDerAlarms: Route("GET", "/v1/der-alarms", list[der.DerAlarmView]),
    der.SetDerControl: Route("POST", "/v1/stations/{station}/der-controls/set", _ORDER),
    der.GetDerControls: Route("POST", "/v1/stations/{station}/der-controls/get", _ORDER),
    der.ClearDerControls: Route("POST", "/v1/stations/{station}/der-controls/clear", _ORDER),
    # sessions
    sessions.ListSessions: Route("GET", "/v1/sessions", list[sessions.SessionView]),
    sessions.StartSession: Route("POST", "/v1/sessions", _ORDER),
    sessions.ShowSession: Route("GET", "/v1/sessions/{session}", sessions.SessionView),
    sessions.ListSamples: Route("GET", "/v1/sessions/{session}/samples", list[sessions.Sample]),
    sessions.StopSession: Route("POST", "/v1/sessions/{session}/stop", _ORDER),
    # tokens
    tokens.ListTokens: Route("GET", "/v1/tokens", list[tokens.TokenView]),
    tokens.AddToken: Route("POST", "/v1/tokens", tokens.TokenView),
    tokens.ShowToken: Route("GET", "/v1/tokens/{token}", tokens.TokenView),
    tokens.BlockToken: Route("POST", "/v1/tokens/{token}/block", tokens.TokenView),
    tokens.UnblockToken: Route("POST", "/v1/tokens/{token}/unblock", tokens.TokenView),
    tokens.RemoveToken: Route("DELETE", "/v1/tokens/{token}", None),
    # lists, reservations, displays, customers
    lists.ListLists: Route("GET", "/v1/lists", list[lists.ListView]),
    lists.ShowList: Route("GET", "/v1/stations/{station}/list", lists.ListContents),
    lists.SetList: Route("PATCH", "/v1/stations/{station}/list", lists.ListView),
    lists.SyncList: Route("POST", "/v1/stations/{station}/list/sync", _ORDER),
    lists.AskListVersion: Route("POST", "/v1/stations/{station}/list/version", _ORDER),
    lists.ClearCache: Route("POST", "/v1/stations/{station}/cache/clear", _ORDER),
    reservations.ListReservations: Route("GET", "/v1/reservations", list[reservations.ReservationView]),
    reservations.AddReservation: Route("POST", "/v1/reservations", _ORDER),
    reservations.ShowReservation: Route(
        "GET", "/v1/reservations/{reservation}", reservations.ReservationView
    ),
    reservations.CancelReservation: Route("POST", "/v1/reservations/{reservation}/cancel", _ORDER),
    displays.ListDisplayMessages: Route("GET", "/v1/displays", list[displays.DisplayView]),
    displays.SetDisplayMessage: Route("POST", "/v1/stations/{station}/displays", _ORDER),
    displays.GetDisplayMessages: Route("POST", "/v1/stations/{station}/displays/get", _ORDER),
    displays.ClearDisplayMessage: Route("POST", "/v1/stations/{station}/displays/{message}/clear", _ORDER),
    customers.AskCustomer: Route("POST", "/v1/stations/{station}/customers", _ORDER),
    customers.ListCustomerReports: Route(
        "GET", "/v1/stations/{station}/customers", list[customers.CustomerReportView]
    ),
    customers.ShowCustomerReport: Route(
        "GET", "/v1/stations/{station}/customers/report", customers.CustomerReportView
    ),
    customers.ForgetCustomerReports: Route("DELETE", "/v1/stations/{station}/customers", None),
    checks.CheckSession: Route("POST", "/v1/sessions/{session}/check", _ORDER),
    checks.CheckQueue: Route("POST", "/v1/stations/{station}/queue/check", _ORDER),
    # tariffs, costs, payments, battery swaps
    tariffs.ListTariffs: Route("GET", "/v1/tariffs", list[tariffs.TariffView]),
    tariffs.AddTariff: Route("POST", "/v1/tariffs", tariffs.TariffView),
    tariffs.UseTariff: Route("POST", "/v1/tariff-uses", None),
    tariffs.ShowTariff: Route("GET", "/v1/tariffs/{tariff}", tariffs.TariffView),
    tariffs.ShowCost: Route("GET", "/v1/sessions/{session}/cost", tariffs.CostView),
    tariffs.SendCost: Route("POST", "/v1/sessions/{session}/cost", _ORDER),
    tariffs.ChangeSessionTariff: Route("POST", "/v1/sessions/{session}/tariff", _ORDER | tariffs.CostView),
    tariffs.ListStationTariffs: Route("GET", "/v1/stations/{station}/tariffs", list[tariffs.InstalledTariff]),
    tariffs.SetStationTariff: Route("POST", "/v1/stations/{station}/tariffs", _ORDER),
    tariffs.GetStationTariffs: Route("POST", "/v1/stations/{station}/tariffs/get", _ORDER),
    tariffs.ClearStationTariffs: Route("POST", "/v1/stations/{station}/tariffs/clear", _ORDER),
    tariffs.ListCredits: Route("GET", "/v1/credits", list[tariffs.CreditView]),
    tariffs.SetCredit: Route("POST", "/v1/credits", tariffs.CreditView),
    tariffs.DropCredit: Route("DELETE", "/v1/credits/{token}", None),
    payments.ListPayments: Route("GET", "/v1/payments", list[payments.PaymentView]),
    payments.AuthorizePayment: Route("POST", "/v1/payments", _ORDER),
    payments.ShowPayment: Route("GET", "/v1/payments/{psp_ref}", payments.PaymentView),
    payments.SettlePayment: Route("POST", "/v1/payments/{psp_ref}/settle", payments.PaymentView),
    payments.SetUpWebPayment: Route("POST", "/v1/stations/{station}/web-payment/setup", _ORDER),
    payments.ShowWebPaymentCode: Route("GET", "/v1/stations/{station}/web-payment", payments.WebPaymentCode),
    payments.BeginWebPayment: Route("POST", "/v1/stations/{station}/web-payment", _ORDER),
    swaps.ListSwaps: Route("GET", "/v1/stations/{station}/swaps", list[swaps.SwapView]),
    swaps.RequestSwap: Route("POST", "/v1/stations/{station}/swaps", _ORDER),
    swaps.ListBatteries: Route("GET", "/v1/stations/{station}/batteries", list[swaps.BatteryView]),
    # intents
    intents.ListIntents: Route("GET", "/v1/intents", list[intents.IntentView]),
    intents.ShowIntent: Route("GET", "/v1/intents/{intent}", intents.IntentView),
    intents.AwaitIntent: Route("GET", "/v1/intents/{intent}/outcome", intents.IntentView),
    intents.CancelIntent: Route("POST", "/v1/intents/{intent}/cancel", intents.IntentView),
}

#: The server-sent event stream. Resumes after the cursor in ``Last-Event-ID`` or ``?after=``;
#: ``?frames=STATION`` adds that station's frames as they cross the link (event name ``frame``, without id).
EVENT_STREAM = "/v1/events"

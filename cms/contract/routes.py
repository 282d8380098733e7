"""Request -> HTTP route and what comes back: the one table that the API serves and the client asks by.

Fields of a request that appear in the path travel there; the others travel in the query (GET, DELETE) or in
the JSON body (POST, PATCH).

The rows stand by noun in functions: a command that asks one thing loads one noun, not all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str
    answers: Any
    """The view type, or ``list[View]``, or None for an empty answer."""


Rows = dict[type[Any], Route]


def _order() -> Any:
    """What an order is answered with."""
    from cms.contract import intents

    return intents.IntentView | intents.Preview


def _status() -> Rows:
    from cms.contract import status

    return {
        status.ShowStatus: Route("GET", "/v1/status", status.StatusView),
        status.ListQuarantine: Route("GET", "/v1/quarantine", list[status.QuarantinedMessage]),
    }


def _diagnosis() -> Rows:
    from cms.contract import diagnosis

    return {
        diagnosis.Diagnose: Route("GET", "/v1/diagnosis", diagnosis.Diagnosis),
        diagnosis.ListHandshakes: Route("GET", "/v1/handshakes", list[diagnosis.Handshake]),
    }


def _events() -> Rows:
    from cms.contract import events

    return {
        events.ListEvents: Route("GET", "/v1/events/list", list[events.Event]),
    }


def _stations() -> Rows:
    from cms.contract import stations

    order = _order()
    return {
        stations.ListStations: Route("GET", "/v1/stations", list[stations.StationView]),
        stations.AddStation: Route("POST", "/v1/stations", stations.StationCredential),
        stations.ShowStation: Route("GET", "/v1/stations/{station}", stations.StationView),
        stations.SetStation: Route(
            "PATCH", "/v1/stations/{station}", stations.StationView | stations.StationCredential
        ),
        stations.RemoveStation: Route("DELETE", "/v1/stations/{station}", None),
        stations.ListMessages: Route("GET", "/v1/stations/{station}/messages", list[stations.Message]),
        stations.ListVariables: Route("GET", "/v1/stations/{station}/variables", list[stations.Variable]),
        stations.ListUnknownStations: Route("GET", "/v1/unknown-stations", list[stations.UnknownStation]),
        stations.EnrolStation: Route(
            "POST", "/v1/unknown-stations/{station}/enrol", stations.StationCredential
        ),
        stations.ForgetUnknownStation: Route("DELETE", "/v1/unknown-stations/{station}", None),
        stations.ResetStation: Route("POST", "/v1/stations/{station}/reset", order),
        stations.UnlockConnector: Route("POST", "/v1/stations/{station}/unlock", order),
        stations.ChangeAvailability: Route("POST", "/v1/stations/{station}/availability", order),
        stations.TriggerMessage: Route("POST", "/v1/stations/{station}/trigger", order),
        stations.GetConfiguration: Route("POST", "/v1/stations/{station}/configuration/get", order),
        stations.SetConfiguration: Route("POST", "/v1/stations/{station}/configuration/set", order),
    }


def _history() -> Rows:
    from cms.contract import history

    return {
        history.ImportSessions: Route("POST", "/v1/session-imports", history.ImportedSessions),
        history.ListSessionImports: Route("GET", "/v1/session-imports", list[history.SessionImportView]),
        history.ShowSessionImport: Route("GET", "/v1/session-imports/{id}", history.SessionImportView),
        history.RemoveSessionImport: Route(
            "DELETE", "/v1/session-imports/{id}", history.RemovedSessionImport
        ),
    }


def _sessions() -> Rows:
    from cms.contract import sessions

    order = _order()
    return {
        sessions.ListStationSamples: Route("GET", "/v1/stations/{station}/samples", list[sessions.Sample]),
        sessions.ListSessions: Route("GET", "/v1/sessions", list[sessions.SessionView]),
        sessions.StartSession: Route("POST", "/v1/sessions", order),
        sessions.ShowSession: Route("GET", "/v1/sessions/{session}", sessions.SessionView),
        sessions.ListSamples: Route("GET", "/v1/sessions/{session}/samples", list[sessions.Sample]),
        sessions.StopSession: Route("POST", "/v1/sessions/{session}/stop", order),
    }


def _usage() -> Rows:
    from cms.contract import usage

    return {usage.ShowUsage: Route("GET", "/v1/usage", usage.UsageReport)}


def _quirks() -> Rows:
    from cms.contract import quirks

    return {
        quirks.ListQuirks: Route("GET", "/v1/stations/{station}/quirks", list[quirks.Quirk]),
        quirks.SetQuirks: Route("PATCH", "/v1/stations/{station}/quirks", list[quirks.Quirk]),
        quirks.ShowCapabilities: Route("GET", "/v1/stations/{station}/capabilities", quirks.Capabilities),
        quirks.ProbeStation: Route("POST", "/v1/stations/{station}/capabilities", quirks.Capabilities),
    }


def _configuration() -> Rows:
    from cms.contract import configuration

    order = _order()
    return {
        configuration.ReportConfiguration: Route(
            "POST", "/v1/stations/{station}/configuration/report", order
        ),
        configuration.ListReports: Route(
            "GET", "/v1/stations/{station}/reports", list[configuration.ReportView]
        ),
        configuration.ShowBoot: Route("GET", "/v1/stations/{station}/boot", configuration.BootView),
        configuration.SetBoot: Route("PATCH", "/v1/stations/{station}/boot", configuration.BootView),
    }


def _datatransfer() -> Rows:
    from cms.contract import datatransfer

    order = _order()
    return {
        datatransfer.SendData: Route("POST", "/v1/stations/{station}/data", order),
    }


def _monitoring() -> Rows:
    from cms.contract import monitoring

    order = _order()
    return {
        monitoring.ShowMonitoring: Route(
            "GET", "/v1/stations/{station}/monitoring", monitoring.MonitoringView
        ),
        monitoring.SetMonitoringBase: Route("POST", "/v1/stations/{station}/monitoring/base", order),
        monitoring.SetMonitoringLevel: Route("POST", "/v1/stations/{station}/monitoring/level", order),
        monitoring.ListMonitors: Route(
            "GET", "/v1/stations/{station}/monitors", list[monitoring.MonitorView]
        ),
        monitoring.SetMonitors: Route("POST", "/v1/stations/{station}/monitors", order),
        monitoring.ClearMonitors: Route("POST", "/v1/stations/{station}/monitors/clear", order),
        monitoring.ReportMonitors: Route("POST", "/v1/stations/{station}/monitors/report", order),
        monitoring.ListStreamSamples: Route(
            "GET", "/v1/stations/{station}/monitors/{monitor}/samples", list[monitoring.StreamSample]
        ),
        monitoring.ListStreams: Route("GET", "/v1/stations/{station}/streams", list[monitoring.StreamView]),
        monitoring.ReadStreams: Route("POST", "/v1/stations/{station}/streams/read", order),
        monitoring.AdjustStream: Route("POST", "/v1/stations/{station}/streams/{stream}/adjust", order),
        monitoring.ListProblems: Route("GET", "/v1/problems", list[monitoring.ProblemView]),
        monitoring.DismissProblem: Route("POST", "/v1/stations/{station}/problems/dismiss", None),
    }


def _jobs() -> Rows:
    from cms.contract import jobs

    order = _order()
    return {
        jobs.ListJobs: Route("GET", "/v1/jobs", list[jobs.JobView]),
        jobs.ReadUpload: Route(
            "GET", "/v1/stations/{station}/jobs/{request_id}/uploads/{name}", jobs.FilePart
        ),
        jobs.UpdateFirmware: Route("POST", "/v1/stations/{station}/firmware/update", order),
        jobs.PublishFirmware: Route("POST", "/v1/stations/{station}/firmware/publish", order),
        jobs.UnpublishFirmware: Route("POST", "/v1/stations/{station}/firmware/unpublish", order),
        jobs.GetLog: Route("POST", "/v1/stations/{station}/logs", order),
    }


def _ocpp() -> Rows:
    from cms.contract import ocpp

    order = _order()
    return {
        ocpp.CallStation: Route("POST", "/v1/stations/{station}/ocpp/call", order),
        ocpp.SendRaw: Route("POST", "/v1/stations/{station}/ocpp/raw", order),
    }


def _certificates() -> Rows:
    from cms.contract import certificates

    order = _order()
    return {
        certificates.ListAuthorities: Route("GET", "/v1/authorities", list[certificates.AuthorityView]),
        certificates.CreateAuthority: Route("POST", "/v1/authorities", certificates.AuthorityView),
        certificates.ListCertificates: Route("GET", "/v1/certificates", list[certificates.CertificateView]),
        certificates.RevokeCertificate: Route(
            "POST", "/v1/stations/{station}/certificates/{certificate}/revoke", certificates.CertificateView
        ),
        certificates.InstallCertificate: Route("POST", "/v1/stations/{station}/certificates/install", order),
        certificates.ReadCertificates: Route("POST", "/v1/stations/{station}/certificates/read", order),
        certificates.DeleteCertificate: Route(
            "POST", "/v1/stations/{station}/certificates/{certificate}/delete", order
        ),
        certificates.RenewCertificate: Route("POST", "/v1/stations/{station}/certificates/renew", order),
    }


def _security() -> Rows:
    from cms.contract import security

    order = _order()
    return {
        security.ShowSecurity: Route("GET", "/v1/stations/{station}/security", security.SecurityView),
        security.LowerSecurity: Route("POST", "/v1/stations/{station}/security/lower", security.SecurityView),
        security.AllowExpired: Route(
            "POST", "/v1/stations/{station}/security/expired", security.SecurityView
        ),
        security.RotatePassword: Route("POST", "/v1/stations/{station}/security/password", order),
        security.SetNetworkProfile: Route("POST", "/v1/stations/{station}/security/network", order),
        security.UpgradeSecurity: Route("POST", "/v1/stations/{station}/security/upgrade", order),
    }


def _charging() -> Rows:
    from cms.contract import charging

    order = _order()
    return {
        charging.ListProfiles: Route("GET", "/v1/profiles", list[charging.ProfileView]),
        charging.ShowProfile: Route("GET", "/v1/stations/{station}/profile", charging.ProfileView),
        charging.SetProfile: Route("POST", "/v1/stations/{station}/profiles/set", order),
        charging.ClearProfiles: Route("POST", "/v1/stations/{station}/profiles/clear", order),
        charging.GetProfiles: Route("POST", "/v1/stations/{station}/profiles/get", order),
        charging.UpdateProfile: Route("POST", "/v1/stations/{station}/profiles/update", order),
        charging.GetComposite: Route("POST", "/v1/stations/{station}/composite", order),
        charging.ShowComposite: Route("GET", "/v1/stations/{station}/composite", charging.CompositeView),
        charging.SignalAfrr: Route("POST", "/v1/stations/{station}/afrr", order),
        charging.ListChargingLimits: Route("GET", "/v1/charging-limits", list[charging.ChargingLimitView]),
        charging.ListChargingNeeds: Route("GET", "/v1/charging-needs", list[charging.ChargingNeedsView]),
        charging.UsePriority: Route("POST", "/v1/sessions/{session}/priority", order),
        charging.AllowEnergyTransfer: Route("POST", "/v1/sessions/{session}/energy-transfer", order),
        charging.ListEnergyTransferRights: Route(
            "GET", "/v1/energy-transfer-rights", list[charging.EnergyTransferRight]
        ),
        charging.SetEnergyTransferRight: Route(
            "POST", "/v1/tokens/{token}/energy-transfer", charging.EnergyTransferRight
        ),
    }


def _der() -> Rows:
    from cms.contract import der

    order = _order()
    return {
        der.ListDerControls: Route("GET", "/v1/der-controls", list[der.DerControlView]),
        der.ListDerAlarms: Route("GET", "/v1/der-alarms", list[der.DerAlarmView]),
        der.SetDerControl: Route("POST", "/v1/stations/{station}/der-controls/set", order),
        der.GetDerControls: Route("POST", "/v1/stations/{station}/der-controls/get", order),
        der.ClearDerControls: Route("POST", "/v1/stations/{station}/der-controls/clear", order),
    }


def _tokens() -> Rows:
    from cms.contract import tokens

    return {
        tokens.ListTokens: Route("GET", "/v1/tokens", list[tokens.TokenView]),
        tokens.AddToken: Route("POST", "/v1/tokens", tokens.TokenView),
        tokens.ShowToken: Route("GET", "/v1/tokens/{token}", tokens.TokenView),
        tokens.SetToken: Route("PATCH", "/v1/tokens/{token}", tokens.TokenView),
        tokens.BlockToken: Route("POST", "/v1/tokens/{token}/block", tokens.TokenView),
        tokens.UnblockToken: Route("POST", "/v1/tokens/{token}/unblock", tokens.TokenView),
        tokens.RemoveToken: Route("DELETE", "/v1/tokens/{token}", None),
        tokens.ListUnknownCards: Route("GET", "/v1/unknown-tokens", list[tokens.UnknownCardView]),
        tokens.EnrolCard: Route("POST", "/v1/unknown-tokens/{token}/enrol", tokens.TokenView),
        tokens.ForgetUnknownCard: Route("DELETE", "/v1/unknown-tokens/{token}", None),
        tokens.LearnToken: Route("POST", "/v1/stations/{station}/learning", tokens.LearningView),
        tokens.ShowLearning: Route("GET", "/v1/stations/{station}/learning", tokens.LearningView),
        tokens.StopLearning: Route("DELETE", "/v1/stations/{station}/learning", None),
    }


def _access() -> Rows:
    from cms.contract import access

    return {
        access.ListRules: Route("GET", "/v1/access/rules", list[access.RuleView]),
        access.AddRule: Route("POST", "/v1/access/rules", access.RuleView),
        access.ShowRule: Route("GET", "/v1/access/rules/{rule}", access.RuleView),
        access.SetRule: Route("PATCH", "/v1/access/rules", access.RuleView),
        access.RemoveRule: Route("DELETE", "/v1/access/rules/{rule}", None),
        access.ExplainAccess: Route("GET", "/v1/access/explanation", access.Explanation),
        access.ShowBudgets: Route("GET", "/v1/access/usage", list[access.UsageView]),
    }


def _drivers() -> Rows:
    from cms.contract import drivers

    return {
        drivers.ListDrivers: Route("GET", "/v1/drivers", list[drivers.DriverView]),
        drivers.AddDriver: Route("POST", "/v1/drivers", drivers.DriverView),
        drivers.ShowDriver: Route("GET", "/v1/drivers/{driver}", drivers.DriverView),
        drivers.SetDriver: Route("PATCH", "/v1/drivers/{driver}", drivers.DriverView),
        drivers.SuspendDriver: Route("POST", "/v1/drivers/{driver}/suspend", drivers.DriverView),
        drivers.ResumeDriver: Route("POST", "/v1/drivers/{driver}/resume", drivers.DriverView),
        drivers.CloseDriver: Route("POST", "/v1/drivers/{driver}/close", drivers.DriverView),
        drivers.RegisterDriver: Route("POST", "/v1/driver-registrations", drivers.DriverView),
        drivers.SendVerification: Route(
            "POST", "/v1/drivers/{driver}/verification", drivers.VerificationView
        ),
        drivers.VerifyDriver: Route("POST", "/v1/drivers/{driver}/verify", drivers.DriverView),
        drivers.ExportDriver: Route("GET", "/v1/drivers/{driver}/export", drivers.DriverExport),
        drivers.EraseDriver: Route("POST", "/v1/drivers/{driver}/erase", drivers.ErasedDriver),
        drivers.ImportDrivers: Route("POST", "/v1/driver-imports", drivers.ImportView),
        drivers.AddDriverNote: Route("POST", "/v1/drivers/{driver}/notes", drivers.DriverView),
    }


def _stationnotes() -> Rows:
    from cms.contract import stationnotes

    notes = list[stationnotes.StationNote]
    return {
        stationnotes.ListStationNotes: Route("GET", "/v1/stations/{station}/notes", notes),
        stationnotes.AddStationNote: Route("POST", "/v1/stations/{station}/notes", notes),
    }


def _support() -> Rows:
    from cms.contract import support

    return {
        support.FindDrivers: Route("GET", "/v1/driver-search", list[support.FoundDriver]),
        support.ShowSupportCard: Route("GET", "/v1/support-card", support.SupportCard),
    }


def _billingprofiles() -> Rows:
    from cms.contract import billingprofiles

    view = billingprofiles.BillingProfileView
    return {
        billingprofiles.ListBillingProfiles: Route(
            "GET", "/v1/billing-profiles", list[billingprofiles.BillingProfileView]
        ),
        billingprofiles.ShowBillingProfile: Route("GET", "/v1/drivers/{driver}/billing", view),
        billingprofiles.SetBillingProfile: Route("PATCH", "/v1/drivers/{driver}/billing", view),
    }


def _openmatters() -> Rows:
    from cms.contract import openmatters

    return {
        openmatters.ListOpenMatters: Route("GET", "/v1/open-matters", list[openmatters.OpenMatter]),
    }


def _plans() -> Rows:
    from cms.contract import plans

    view = plans.SubscriptionView
    return {
        plans.ListPlans: Route("GET", "/v1/plans", list[plans.PlanView]),
        plans.AddPlan: Route("POST", "/v1/plans", plans.PlanView),
        plans.ShowPlan: Route("GET", "/v1/plans/{plan}", plans.PlanView),
        plans.ClosePlan: Route("POST", "/v1/plans/{plan}/close", plans.PlanView),
        plans.ListSubscriptions: Route("GET", "/v1/subscriptions", list[plans.SubscriptionView]),
        plans.ShowSubscription: Route("GET", "/v1/drivers/{driver}/subscription", view),
        plans.SignUp: Route("POST", "/v1/drivers/{driver}/subscription", view),
        plans.ChangePlan: Route("PATCH", "/v1/drivers/{driver}/subscription", view),
        plans.CancelPlan: Route("POST", "/v1/drivers/{driver}/subscription/cancel", view),
    }


def _organisations() -> Rows:
    from cms.contract import organisations

    view = organisations.OrganisationView
    return {
        organisations.ListOrganisations: Route(
            "GET", "/v1/organisations", list[organisations.OrganisationView]
        ),
        organisations.AddOrganisation: Route("POST", "/v1/organisations", view),
        organisations.ShowOrganisation: Route("GET", "/v1/organisations/{organisation}", view),
        organisations.SetOrganisation: Route("PATCH", "/v1/organisations/{organisation}", view),
        organisations.SuspendOrganisation: Route("POST", "/v1/organisations/{organisation}/suspend", view),
        organisations.ShowOwnOrganisation: Route("GET", "/v1/organisation", view),
    }


def _apps() -> Rows:
    from cms.contract import apps

    return {
        apps.StartForDriver: Route("POST", "/v1/drivers/{driver}/starts", apps.DriverOrder),
        apps.ShowDriverStart: Route("GET", "/v1/drivers/{driver}/starts/{key}", apps.DriverOrder),
        apps.ListDriverSessions: Route("GET", "/v1/drivers/{driver}/sessions", list[apps.DriverSession]),
        apps.StopForDriver: Route("POST", "/v1/drivers/{driver}/sessions/{session}/stop", apps.DriverOrder),
        apps.ShowDriverAccount: Route("GET", "/v1/drivers/{driver}/account", apps.DriverAccount),
        apps.ShowPlace: Route("GET", "/v1/places/{evse_id}", apps.Place),
    }


def _sites() -> Rows:
    from cms.contract import sites

    return {
        sites.ListSites: Route("GET", "/v1/sites", list[sites.SiteView]),
        sites.AddSite: Route("POST", "/v1/sites", sites.SiteView),
        sites.ShowSite: Route("GET", "/v1/sites/{site}", sites.SiteView),
        sites.SetSite: Route("PATCH", "/v1/sites/{site}", sites.SiteView),
        sites.RemoveSite: Route("DELETE", "/v1/sites/{site}", None),
        sites.ImportSites: Route("POST", "/v1/imports/sites", sites.PlacesView),
        sites.ImportStations: Route("POST", "/v1/imports/stations", sites.PlacesView),
    }


def _evses() -> Rows:
    from cms.contract import evses

    return {
        evses.ListEvses: Route("GET", "/v1/evses", list[evses.EvseView]),
        evses.ShowEvse: Route("GET", "/v1/stations/{station}/evses/{evse}", evses.EvseView),
        evses.SetEvse: Route("PATCH", "/v1/stations/{station}/evses/{evse}", evses.EvseView),
        evses.ForgetEvse: Route("DELETE", "/v1/stations/{station}/evses/{evse}", None),
        evses.AdoptEvses: Route("POST", "/v1/stations/{station}/evse-adoption", list[evses.EvseView]),
        evses.ShowQr: Route("GET", "/v1/stations/{station}/evses/{evse}/qr", evses.QrView),
    }


def _lists() -> Rows:
    from cms.contract import lists

    order = _order()
    return {
        lists.ListLists: Route("GET", "/v1/lists", list[lists.ListView]),
        lists.ShowList: Route("GET", "/v1/stations/{station}/list", lists.ListContents),
        lists.SetList: Route("PATCH", "/v1/stations/{station}/list", lists.ListView),
        lists.SyncList: Route("POST", "/v1/stations/{station}/list/sync", order),
        lists.AskListVersion: Route("POST", "/v1/stations/{station}/list/version", order),
        lists.ClearCache: Route("POST", "/v1/stations/{station}/cache/clear", order),
    }


def _reservations() -> Rows:
    from cms.contract import reservations

    order = _order()
    return {
        reservations.ListReservations: Route("GET", "/v1/reservations", list[reservations.ReservationView]),
        reservations.AddReservation: Route("POST", "/v1/reservations", order),
        reservations.ShowReservation: Route(
            "GET", "/v1/reservations/{reservation}", reservations.ReservationView
        ),
        reservations.CancelReservation: Route("POST", "/v1/reservations/{reservation}/cancel", order),
    }


def _displays() -> Rows:
    from cms.contract import displays

    order = _order()
    return {
        displays.ListDisplayMessages: Route("GET", "/v1/displays", list[displays.DisplayView]),
        displays.SetDisplayMessage: Route("POST", "/v1/stations/{station}/displays", order),
        displays.GetDisplayMessages: Route("POST", "/v1/stations/{station}/displays/get", order),
        displays.ClearDisplayMessage: Route("POST", "/v1/stations/{station}/displays/{message}/clear", order),
    }


def _customers() -> Rows:
    from cms.contract import customers

    order = _order()
    return {
        customers.AskCustomer: Route("POST", "/v1/stations/{station}/customers", order),
        customers.ListCustomerReports: Route(
            "GET", "/v1/stations/{station}/customers", list[customers.CustomerReportView]
        ),
        customers.ShowCustomerReport: Route(
            "GET", "/v1/stations/{station}/customers/report", customers.CustomerReportView
        ),
        customers.ForgetCustomerReports: Route("DELETE", "/v1/stations/{station}/customers", None),
    }


def _checks() -> Rows:
    from cms.contract import checks

    order = _order()
    return {
        checks.CheckSession: Route("POST", "/v1/sessions/{session}/check", order),
        checks.CheckQueue: Route("POST", "/v1/stations/{station}/queue/check", order),
    }


def _prices() -> Rows:
    from cms.contract import prices

    order = _order()
    return {
        prices.SimulateTariff: Route("POST", "/v1/price-simulations", prices.Simulation),
        prices.ExplainPrice: Route("GET", "/v1/sessions/{session}/price", prices.Explanation),
        prices.LintTariff: Route("POST", "/v1/tariff-lint", list[prices.Finding]),
        prices.ShowPriceTag: Route("GET", "/v1/stations/{station}/price", prices.PriceTag),
        prices.DisplayTariff: Route("POST", "/v1/stations/{station}/price/display", order),
        prices.ResolveTariff: Route("GET", "/v1/stations/{station}/tariff", prices.ResolutionView),
    }


def _tariffs() -> Rows:
    from cms.contract import tariffs

    order = _order()
    return {
        tariffs.ListTariffs: Route("GET", "/v1/tariffs", list[tariffs.TariffView]),
        tariffs.AddTariff: Route("POST", "/v1/tariffs", tariffs.TariffView),
        tariffs.UseTariff: Route("POST", "/v1/tariff-uses", None),
        tariffs.ListTariffUses: Route("GET", "/v1/tariff-uses", list[tariffs.TariffUseView]),
        tariffs.ShowTariff: Route("GET", "/v1/tariffs/{tariff}", tariffs.TariffView),
        tariffs.ListTariffVersions: Route(
            "GET", "/v1/tariffs/{tariff}/versions", list[tariffs.TariffVersionView]
        ),
        tariffs.DiffTariffs: Route("GET", "/v1/tariffs/{tariff}/diff", list[tariffs.TariffChange]),
        tariffs.ExportTariff: Route("GET", "/v1/tariffs/{tariff}/file", tariffs.TariffFile),
        tariffs.ShowCost: Route("GET", "/v1/sessions/{session}/cost", tariffs.CostView),
        tariffs.SendCost: Route("POST", "/v1/sessions/{session}/cost", order),
        tariffs.ChangeSessionTariff: Route("POST", "/v1/sessions/{session}/tariff", order | tariffs.CostView),
        tariffs.ListStationTariffs: Route(
            "GET", "/v1/stations/{station}/tariffs", list[tariffs.InstalledTariff]
        ),
        tariffs.SetStationTariff: Route("POST", "/v1/stations/{station}/tariffs", order),
        tariffs.GetStationTariffs: Route("POST", "/v1/stations/{station}/tariffs/get", order),
        tariffs.ClearStationTariffs: Route("POST", "/v1/stations/{station}/tariffs/clear", order),
        tariffs.ListCredits: Route("GET", "/v1/credits", list[tariffs.CreditView]),
        tariffs.SetCredit: Route("POST", "/v1/credits", tariffs.CreditView),
        tariffs.DropCredit: Route("DELETE", "/v1/credits/{token}", None),
    }


def _adhoc() -> Rows:
    from cms.contract import adhoc

    return {
        adhoc.ShowOffer: Route("GET", "/v1/offers/{place}", adhoc.Offer),
        adhoc.BeginAdHoc: Route("POST", "/v1/ad-hoc", adhoc.AdHocView),
        adhoc.ShowAdHoc: Route("GET", "/v1/ad-hoc/{id}", adhoc.AdHocView),
        adhoc.ContinueAdHoc: Route("POST", "/v1/ad-hoc/{id}/continue", adhoc.AdHocView),
        adhoc.StopAdHoc: Route("POST", "/v1/ad-hoc/{id}/stop", adhoc.AdHocView),
    }


def _charges() -> Rows:
    from cms.contract import charges

    return {
        charges.ListCharges: Route("GET", "/v1/charges", list[charges.ChargeView]),
        charges.ShowCharge: Route("GET", "/v1/charges/{charge}", charges.ChargeView),
        charges.CaptureCharge: Route("POST", "/v1/charges/{charge}/capture", charges.ChargeView),
        charges.VoidCharge: Route("POST", "/v1/charges/{charge}/void", charges.ChargeView),
        charges.RefundCharge: Route("POST", "/v1/charges/{charge}/refund", charges.ChargeView),
        charges.RetryCharge: Route("POST", "/v1/charges/{charge}/retry", charges.ChargeView),
        charges.SaveCard: Route("POST", "/v1/drivers/{driver}/card", charges.CardView),
        charges.ForgetCard: Route("DELETE", "/v1/drivers/{driver}/card", charges.CardView),
        charges.LinkCard: Route("POST", "/v1/drivers/{driver}/card-link", charges.CardLink),
        charges.ShowCardLink: Route("GET", "/v1/card-links/{id}", charges.CardWish),
        charges.FinishCardLink: Route("POST", "/v1/card-links/{id}", charges.CardView),
    }


def _ledger() -> Rows:
    from cms.contract import ledger

    return {
        ledger.ListEntries: Route("GET", "/v1/ledger", list[ledger.EntryView]),
        ledger.ShowEntry: Route("GET", "/v1/ledger/entry", ledger.EntryView),
        ledger.ListAccounts: Route("GET", "/v1/ledger/accounts", list[ledger.AccountView]),
        ledger.VerifyLedger: Route("GET", "/v1/ledger/check", ledger.LedgerCheck),
        ledger.ExportLedger: Route("GET", "/v1/ledger/bookings", list[ledger.Booking]),
        ledger.CorrectLedger: Route("POST", "/v1/ledger/corrections", ledger.EntryView),
    }


def _statements() -> Rows:
    from cms.contract import statements

    return {
        statements.ImportStatement: Route("POST", "/v1/statements", list[statements.StatementLine]),
        statements.ListStatementLines: Route("GET", "/v1/statements/lines", list[statements.StatementLine]),
        statements.AssignStatementLine: Route("POST", "/v1/statements/assign", statements.StatementLine),
    }


def _balances() -> Rows:
    from cms.contract import balances

    return {
        balances.ListBalances: Route("GET", "/v1/balances", list[balances.BalanceView]),
        balances.ShowBalance: Route("GET", "/v1/balances/{holder}", balances.BalanceView),
        balances.SetBalance: Route("PATCH", "/v1/balances/{holder}", balances.BalanceView),
        balances.CloseBalance: Route("DELETE", "/v1/balances/{holder}", None),
        balances.TopUpBalance: Route("POST", "/v1/balances/{holder}/top-up", balances.BalanceView),
        balances.RefundBalance: Route("POST", "/v1/balances/{holder}/refund", balances.BalanceView),
        balances.CorrectBalance: Route("POST", "/v1/balances/{holder}/correct", balances.BalanceView),
    }


def _payments() -> Rows:
    from cms.contract import payments

    order = _order()
    return {
        payments.ListPayments: Route("GET", "/v1/payments", list[payments.PaymentView]),
        payments.AuthorizePayment: Route("POST", "/v1/payments", order),
        payments.ShowPayment: Route("GET", "/v1/payments/{psp_ref}", payments.PaymentView),
        payments.SettlePayment: Route("POST", "/v1/payments/{psp_ref}/settle", payments.PaymentView),
        payments.SetUpWebPayment: Route("POST", "/v1/stations/{station}/web-payment/setup", order),
        payments.ShowWebPaymentCode: Route(
            "GET", "/v1/stations/{station}/web-payment", payments.WebPaymentCode
        ),
        payments.BeginWebPayment: Route("POST", "/v1/stations/{station}/web-payment", order),
    }


def _invoices() -> Rows:
    from cms.contract import invoices

    view = invoices.InvoiceView
    return {
        invoices.ShowSeller: Route("GET", "/v1/seller", invoices.SellerView),
        invoices.SetSeller: Route("PATCH", "/v1/seller", invoices.SellerView),
        invoices.RunBilling: Route("POST", "/v1/billing-runs", invoices.BillingRunView),
        invoices.ListInvoices: Route("GET", "/v1/invoices", list[invoices.InvoiceView]),
        invoices.ShowInvoice: Route("GET", "/v1/invoices/{invoice}", view),
        invoices.ExportInvoice: Route("GET", "/v1/invoices/{invoice}/document", invoices.InvoiceFile),
        invoices.CreditInvoice: Route("POST", "/v1/invoices/{invoice}/credit", view),
        invoices.PayInvoice: Route("POST", "/v1/invoices/{invoice}/pay", view),
        invoices.SendInvoice: Route("POST", "/v1/invoices/{invoice}/send", invoices.SentView),
        invoices.MarkInvoiceSent: Route("POST", "/v1/invoices/{invoice}/sent", invoices.SentView),
        invoices.DisputeInvoice: Route("POST", "/v1/invoices/{invoice}/dispute", view),
        invoices.RemindInvoices: Route("POST", "/v1/invoice-reminders", list[invoices.ReminderView]),
    }


def _cdrs() -> Rows:
    from cms.contract import cdrs

    return {
        cdrs.ListCdrs: Route("GET", "/v1/cdrs", list[cdrs.CdrView]),
        cdrs.ShowCdr: Route("GET", "/v1/cdrs/{session}", cdrs.CdrDetail),
        cdrs.ExportCdrs: Route("GET", "/v1/cdr-exports", cdrs.CdrExport),
        cdrs.ListUnpriced: Route("GET", "/v1/unpriced-sessions", list[cdrs.UnpricedView]),
        cdrs.RerateSessions: Route("POST", "/v1/cdr-ratings", list[cdrs.RerateView]),
        cdrs.CorrectCdr: Route("POST", "/v1/cdrs/{session}/correct", cdrs.CdrDetail),
        cdrs.ReleaseCdr: Route("POST", "/v1/cdrs/{session}/release", cdrs.CdrDetail),
        cdrs.DisputeCdr: Route("POST", "/v1/cdrs/{session}/dispute", cdrs.CdrDetail),
        cdrs.ResolveDispute: Route("POST", "/v1/cdrs/{session}/resolve", cdrs.CdrDetail),
        cdrs.ShowTransparency: Route("GET", "/v1/sessions/{session}/transparency", cdrs.TransparencyView),
        cdrs.ListMeterKeys: Route("GET", "/v1/meter-keys", list[cdrs.MeterKeyView]),
        cdrs.SetMeterKey: Route("POST", "/v1/stations/{station}/meter-key", cdrs.MeterKeyView),
        cdrs.DropMeterKey: Route("DELETE", "/v1/stations/{station}/meter-key", None),
    }


def _swaps() -> Rows:
    from cms.contract import swaps

    order = _order()
    return {
        swaps.ListSwaps: Route("GET", "/v1/stations/{station}/swaps", list[swaps.SwapView]),
        swaps.RequestSwap: Route("POST", "/v1/stations/{station}/swaps", order),
        swaps.ListBatteries: Route("GET", "/v1/stations/{station}/batteries", list[swaps.BatteryView]),
    }


def _intents() -> Rows:
    from cms.contract import intents

    return {
        intents.ListIntents: Route("GET", "/v1/intents", list[intents.IntentView]),
        intents.ShowIntent: Route("GET", "/v1/intents/{intent}", intents.IntentView),
        intents.AwaitIntent: Route("GET", "/v1/intents/{intent}/outcome", intents.IntentView),
        intents.CancelIntent: Route("POST", "/v1/intents/{intent}/cancel", intents.IntentView),
    }


def _secrets() -> Rows:
    from cms.contract import secrets

    return {
        secrets.ShowSecrets: Route("GET", "/v1/secrets", secrets.SecretsView),
        secrets.RotateSecrets: Route("POST", "/v1/secrets/rotate", secrets.SecretsView),
        secrets.ForgetSecrets: Route("POST", "/v1/secrets/{version}/forget", secrets.SecretsView),
    }


def _operators() -> Rows:
    from cms.contract import operators

    return {
        operators.ShowIdentity: Route("GET", "/v1/identity", operators.Identity),
        operators.ListOperators: Route("GET", "/v1/operators", list[operators.OperatorView]),
        operators.MapOperator: Route("POST", "/v1/operators", operators.OperatorView),
        operators.UnmapOperator: Route("DELETE", "/v1/operators/{who}", None),
        operators.ListApiTokens: Route("GET", "/v1/api-tokens", list[operators.ApiTokenView]),
        operators.AddApiToken: Route("POST", "/v1/api-tokens", operators.ApiTokenCredential),
        operators.RevokeApiToken: Route("DELETE", "/v1/api-tokens/{id}", None),
        operators.ApprovePairing: Route("POST", "/v1/pairings/{code}/approve", operators.ApiTokenView),
    }


def _grants() -> Rows:
    from cms.contract import grants

    return {
        grants.ListGrants: Route("GET", "/v1/grants", list[grants.GrantView]),
        grants.AddGrant: Route("POST", "/v1/grants", grants.GrantView),
        grants.RevokeGrant: Route("DELETE", "/v1/grants/{id}", None),
    }


def _alerts() -> Rows:
    from cms.contract import alerts

    return {
        alerts.ListAlerts: Route("GET", "/v1/alerts", list[alerts.AlertView]),
        alerts.ShowAlert: Route("GET", "/v1/alerts/{alert}", alerts.AlertView),
        alerts.AcknowledgeAlert: Route("POST", "/v1/alerts/{alert}/acknowledge", alerts.AlertView),
        alerts.ClaimAlert: Route("POST", "/v1/alerts/{alert}/claim", alerts.AlertView),
        alerts.NoteAlert: Route("POST", "/v1/alerts/{alert}/notes", alerts.AlertView),
        alerts.ListMutes: Route("GET", "/v1/mutes", list[alerts.MuteView]),
        alerts.MuteAlert: Route("POST", "/v1/mutes", alerts.MuteView),
        alerts.UnmuteAlert: Route("DELETE", "/v1/mutes/{mute}", None),
    }


def _approvals() -> Rows:
    from cms.contract import approvals

    return {
        approvals.ListApprovals: Route("GET", "/v1/approvals", list[approvals.ApprovalView]),
        approvals.ShowApproval: Route("GET", "/v1/approvals/{id}", approvals.ApprovalView),
        approvals.Approve: Route("POST", "/v1/approvals/{id}/approve", approvals.ApprovalView),
        approvals.Reject: Route("POST", "/v1/approvals/{id}/reject", approvals.ApprovalView),
    }


def _audit() -> Rows:
    from cms.contract import audit

    return {
        audit.ListAudit: Route("GET", "/v1/audit", list[audit.AuditView]),
        audit.VerifyAudit: Route("GET", "/v1/audit/verdict", audit.AuditVerdict),
    }


_NOUNS: dict[str, Callable[[], Rows]] = {
    "status": _status,
    "diagnosis": _diagnosis,
    "events": _events,
    "stations": _stations,
    "stationnotes": _stationnotes,
    "sessions": _sessions,
    "usage": _usage,
    "quirks": _quirks,
    "configuration": _configuration,
    "datatransfer": _datatransfer,
    "monitoring": _monitoring,
    "jobs": _jobs,
    "ocpp": _ocpp,
    "certificates": _certificates,
    "security": _security,
    "secrets": _secrets,
    "charging": _charging,
    "der": _der,
    "tokens": _tokens,
    "drivers": _drivers,
    "history": _history,
    "support": _support,
    "billingprofiles": _billingprofiles,
    "plans": _plans,
    "openmatters": _openmatters,
    "access": _access,
    "organisations": _organisations,
    "apps": _apps,
    "sites": _sites,
    "evses": _evses,
    "lists": _lists,
    "reservations": _reservations,
    "displays": _displays,
    "customers": _customers,
    "checks": _checks,
    "prices": _prices,
    "tariffs": _tariffs,
    "adhoc": _adhoc,
    "charges": _charges,
    "ledger": _ledger,
    "balances": _balances,
    "statements": _statements,
    "payments": _payments,
    "cdrs": _cdrs,
    "invoices": _invoices,
    "swaps": _swaps,
    "intents": _intents,
    "audit": _audit,
    "operators": _operators,
    "grants": _grants,
    "alerts": _alerts,
    "approvals": _approvals,
}


class _Routes(Mapping[type[Any], Route]):
    """All rows, each noun loaded when it is first asked for."""

    def __init__(self) -> None:
        self._loaded: dict[str, Rows] = {}

    def _of(self, noun: str) -> Rows:
        if noun not in self._loaded:
            self._loaded[noun] = _NOUNS[noun]() if noun in _NOUNS else {}
        return self._loaded[noun]

    def __getitem__(self, request: type[Any]) -> Route:
        return self._of(request.__module__.rpartition(".")[2])[request]

    def __iter__(self) -> Iterator[type[Any]]:
        for noun in _NOUNS:
            yield from self._of(noun)

    def __len__(self) -> int:
        return sum(len(self._of(noun)) for noun in _NOUNS)


ROUTES: Mapping[type[Any], Route] = _Routes()

#: The server-sent event stream. Resumes after the cursor in ``Last-Event-ID`` or ``?after=``;
#: ``?frames=STATION`` adds that station's frames as they cross the link (event name ``frame``, without id).
EVENT_STREAM = "/v1/events"

#: Names the organisation that a request is about; ``*`` is the platform itself. Without it the asker's first one.
ORGANISATION_HEADER = "CMS-Organisation"

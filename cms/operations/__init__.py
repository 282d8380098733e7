"""What the system can do: one async function per request. OPERATIONS is the table of contents of the product."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from cms.contract import access as ac
from cms.contract import approvals as ap
from cms.contract import apps as aa
from cms.contract import audit as au
from cms.contract import billingprofiles as bp
from cms.contract import certificates as ce
from cms.contract import charging as cg
from cms.contract import checks as ch
from cms.contract import configuration as co
from cms.contract import customers as cu
from cms.contract import datatransfer as dt
from cms.contract import der as dc
from cms.contract import displays as d
from cms.contract import drivers as dr
from cms.contract import events as e
from cms.contract import evses as ev
from cms.contract import grants as gr
from cms.contract import intents as i
from cms.contract import jobs as j
from cms.contract import lists as li
from cms.contract import monitoring as m
from cms.contract import ocpp as o
from cms.contract import operators as op
from cms.contract import organisations as og
from cms.contract import payments as pa
from cms.contract import plans as pl
from cms.contract import quirks as q
from cms.contract import reservations as r
from cms.contract import secrets as sc
from cms.contract import security as se
from cms.contract import sessions as s
from cms.contract import sites as si
from cms.contract import stations as st
from cms.contract import status as a
from cms.contract import swaps as sw
from cms.contract import tariffs as ta
from cms.contract import tokens as t
from cms.core import Actor, Core
from cms.operations import (
    access,
    approvals,
    apps,
    audit,
    billingprofiles,
    boots,
    cards,
    certificates,
    charging,
    checks,
    configuration,
    customers,
    datatransfer,
    der,
    displays,
    drivers,
    events,
    evses,
    grants,
    imports,
    intents,
    jobs,
    lists,
    monitoring,
    ocpp,
    operators,
    organisations,
    payments,
    places,
    plans,
    privacy,
    quirks,
    remote,
    reservations,
    secrets,
    security,
    sessions,
    sites,
    stations,
    status,
    subscriptions,
    swaps,
    tariffs,
    tokens,
    v2x,
    verification,
)


@dataclass(frozen=True, slots=True)
class Operation:
    """What is done for a request, and the permission it takes. The HTTP route is in contract.routes."""

    function: Callable[[Core, Any, Actor], Awaitable[Any]]
    permission: str
    two: bool = False
    """Whether it is so grave that a second person must agree, where the organisation wants that (four_eyes)."""
    platform: bool = False
    """Whether it is about the platform: it is given the platform's core, whatever organisation is named."""
    while_suspended: bool = False
    """Whether it is done for a suspended organisation too: it takes away rights or what is personal, or a wish."""


OPERATIONS: dict[type, Operation] = {
    a.ShowStatus: Operation(status.show, "status.read"),
    a.ListQuarantine: Operation(status.quarantine, "messages.read"),
    e.ListEvents: Operation(events.list_, "events.read"),
    st.ListStations: Operation(stations.list_, "stations.read"),
    st.ShowStation: Operation(stations.show, "stations.read"),
    st.AddStation: Operation(stations.add, "stations.enrol"),
    st.SetStation: Operation(stations.set_, "stations.enrol"),
    st.RemoveStation: Operation(stations.remove, "stations.enrol", two=True),
    st.ListMessages: Operation(stations.messages, "messages.read"),
    st.ListVariables: Operation(configuration.list_, "stations.read"),
    st.ListUnknownStations: Operation(stations.unknown, "stations.read"),
    st.EnrolStation: Operation(stations.enrol, "stations.enrol"),
    st.ForgetUnknownStation: Operation(stations.forget, "stations.enrol"),
    q.ListQuirks: Operation(quirks.list_, "stations.read"),
    q.SetQuirks: Operation(quirks.set_, "stations.enrol"),
    q.ShowCapabilities: Operation(quirks.show, "stations.read"),
    q.ProbeStation: Operation(quirks.probe, "stations.command"),
    st.ResetStation: Operation(remote.reset, "stations.command"),
    st.UnlockConnector: Operation(remote.unlock, "stations.command"),
    st.ChangeAvailability: Operation(remote.availability, "stations.command"),
    st.TriggerMessage: Operation(remote.trigger, "stations.command"),
    st.GetConfiguration: Operation(configuration.get, "stations.command"),
    st.SetConfiguration: Operation(configuration.set_, "stations.command"),
    co.ReportConfiguration: Operation(configuration.report, "stations.command"),
    co.ListReports: Operation(configuration.list_reports, "stations.read"),
    co.ShowBoot: Operation(boots.show, "stations.read"),
    co.SetBoot: Operation(boots.set_, "stations.enrol"),
    m.ShowMonitoring: Operation(monitoring.show, "stations.read"),
    m.ListMonitors: Operation(monitoring.list_, "stations.read"),
    m.SetMonitors: Operation(monitoring.set_, "stations.command"),
    m.ClearMonitors: Operation(monitoring.clear, "stations.command"),
    m.SetMonitoringBase: Operation(monitoring.base, "stations.command"),
    m.SetMonitoringLevel: Operation(monitoring.level, "stations.command"),
    m.ReportMonitors: Operation(monitoring.report, "stations.command"),
    m.ListProblems: Operation(monitoring.problems, "stations.read"),
    m.DismissProblem: Operation(monitoring.dismiss, "stations.command"),
    m.ListStreams: Operation(monitoring.list_streams, "stations.read"),
    m.ReadStreams: Operation(monitoring.read_streams, "stations.command"),
    m.AdjustStream: Operation(monitoring.adjust, "stations.command"),
    m.ListStreamSamples: Operation(monitoring.samples, "stations.read"),
    dt.SendData: Operation(datatransfer.send, "stations.command"),
    j.ListJobs: Operation(jobs.list_, "stations.read"),
    j.ReadUpload: Operation(jobs.read_upload, "logs.read"),
    j.UpdateFirmware: Operation(jobs.update_firmware, "stations.firmware", two=True),
    j.PublishFirmware: Operation(jobs.publish, "stations.firmware", two=True),
    j.UnpublishFirmware: Operation(jobs.unpublish, "stations.firmware"),
    j.GetLog: Operation(jobs.get_log, "stations.command"),
    o.CallStation: Operation(ocpp.call, "ocpp.call"),
    o.SendRaw: Operation(ocpp.send_raw, "ocpp.raw", two=True),
    ce.ListAuthorities: Operation(certificates.authorities, "certificates.read"),
    ce.CreateAuthority: Operation(certificates.create_authority, "certificates.write", two=True),
    ce.ListCertificates: Operation(certificates.list_, "certificates.read"),
    ce.RevokeCertificate: Operation(
        certificates.revoke, "certificates.write", two=True, while_suspended=True
    ),
    ce.InstallCertificate: Operation(certificates.install, "certificates.write", two=True),
    ce.ReadCertificates: Operation(certificates.read, "stations.command"),
    ce.DeleteCertificate: Operation(certificates.delete, "certificates.write", two=True),
    ce.RenewCertificate: Operation(certificates.renew, "certificates.write"),
    se.ShowSecurity: Operation(security.show, "stations.read"),
    se.AllowExpired: Operation(security.allow_expired, "security.write"),
    se.LowerSecurity: Operation(security.lower, "secrets.write"),
    se.RotatePassword: Operation(security.rotate, "security.write"),
    se.SetNetworkProfile: Operation(security.set_network_profile, "security.write"),
    se.UpgradeSecurity: Operation(security.upgrade, "security.write", two=True),
    sc.ShowSecrets: Operation(secrets.show, "secrets.read", platform=True),
    sc.RotateSecrets: Operation(secrets.rotate, "secrets.write", platform=True),
    sc.ForgetSecrets: Operation(secrets.forget, "secrets.write", platform=True),
    cg.ListProfiles: Operation(charging.list_, "profiles.read"),
    cg.ShowProfile: Operation(charging.show, "profiles.read"),
    cg.SetProfile: Operation(charging.set_, "profiles.write"),
    cg.ClearProfiles: Operation(charging.clear, "profiles.write"),
    cg.GetProfiles: Operation(charging.get, "stations.command"),
    cg.UpdateProfile: Operation(v2x.update, "profiles.write"),
    cg.GetComposite: Operation(charging.get_composite, "stations.command"),
    cg.ShowComposite: Operation(charging.show_composite, "profiles.read"),
    cg.SignalAfrr: Operation(v2x.signal, "profiles.write"),
    cg.ListChargingLimits: Operation(charging.limited, "profiles.read"),
    cg.ListChargingNeeds: Operation(charging.needed, "profiles.read"),
    cg.UsePriority: Operation(v2x.use_priority, "sessions.command"),
    cg.AllowEnergyTransfer: Operation(v2x.allow, "sessions.command"),
    cg.ListEnergyTransferRights: Operation(v2x.rights, "tokens.read"),
    cg.SetEnergyTransferRight: Operation(v2x.set_right, "tokens.write"),
    dc.ListDerControls: Operation(der.list_, "profiles.read"),
    dc.ListDerAlarms: Operation(der.alarms, "profiles.read"),
    dc.SetDerControl: Operation(der.set_, "profiles.write"),
    dc.GetDerControls: Operation(der.get, "stations.command"),
    dc.ClearDerControls: Operation(der.clear, "profiles.write"),
    s.ListSessions: Operation(sessions.list_, "sessions.read"),
    s.ShowSession: Operation(sessions.show, "sessions.read"),
    s.ListSamples: Operation(sessions.samples, "sessions.read"),
    s.ListStationSamples: Operation(sessions.station_samples, "sessions.read"),
    s.StartSession: Operation(sessions.start, "sessions.command"),
    s.StopSession: Operation(sessions.stop, "sessions.command"),
    t.ListTokens: Operation(tokens.list_, "tokens.read"),
    t.ShowToken: Operation(tokens.show, "tokens.read"),
    t.AddToken: Operation(tokens.add, "tokens.write"),
    t.SetToken: Operation(tokens.set_, "tokens.write"),
    t.BlockToken: Operation(tokens.block, "tokens.write"),
    t.UnblockToken: Operation(tokens.unblock, "tokens.write"),
    t.RemoveToken: Operation(tokens.remove, "tokens.write"),
    t.ListUnknownCards: Operation(cards.list_, "tokens.read"),
    t.EnrolCard: Operation(cards.enrol, "tokens.write"),
    t.ForgetUnknownCard: Operation(cards.forget, "tokens.write"),
    t.LearnToken: Operation(cards.learn, "tokens.write"),
    t.ShowLearning: Operation(cards.show_learning, "tokens.read"),
    t.StopLearning: Operation(cards.stop_learning, "tokens.write"),
    dr.ListDrivers: Operation(drivers.list_, "drivers.read"),
    dr.ShowDriver: Operation(drivers.show, "drivers.read"),
    dr.AddDriver: Operation(drivers.add, "drivers.write"),
    dr.SetDriver: Operation(drivers.set_, "drivers.write"),
    dr.SuspendDriver: Operation(drivers.suspend, "drivers.write"),
    dr.ResumeDriver: Operation(drivers.resume, "drivers.write"),
    dr.CloseDriver: Operation(drivers.close, "drivers.write"),
    dr.RegisterDriver: Operation(verification.register, "drivers.write"),
    dr.SendVerification: Operation(verification.send, "drivers.write"),
    dr.VerifyDriver: Operation(verification.verify, "drivers.write"),
    dr.ExportDriver: Operation(privacy.export, "pii.read"),
    dr.EraseDriver: Operation(privacy.erase, "drivers.write", two=True, while_suspended=True),
    dr.ImportDrivers: Operation(imports.drivers_, "drivers.write"),
    dr.AddDriverNote: Operation(drivers.note, "drivers.write"),
    bp.ListBillingProfiles: Operation(billingprofiles.list_, "billing.read"),
    bp.ShowBillingProfile: Operation(billingprofiles.show, "billing.read"),
    bp.SetBillingProfile: Operation(billingprofiles.set_, "billing.write"),
    pl.ListPlans: Operation(plans.list_, "billing.read"),
    pl.ShowPlan: Operation(plans.show, "billing.read"),
    pl.AddPlan: Operation(plans.add, "billing.write"),
    pl.ClosePlan: Operation(plans.close, "billing.write"),
    pl.ListSubscriptions: Operation(subscriptions.members, "billing.read"),
    pl.ShowSubscription: Operation(subscriptions.show, "billing.read"),
    pl.SignUp: Operation(subscriptions.sign_up, "billing.write"),
    pl.ChangePlan: Operation(subscriptions.change, "billing.write"),
    pl.CancelPlan: Operation(subscriptions.cancel, "billing.write"),
    ac.ListRules: Operation(access.list_, "access.read"),
    ac.ShowRule: Operation(access.show, "access.read"),
    ac.AddRule: Operation(access.add, "access.write"),
    ac.SetRule: Operation(access.set_, "access.write"),
    ac.RemoveRule: Operation(access.remove, "access.write"),
    ac.ExplainAccess: Operation(access.explain, "access.read"),
    ac.ShowUsage: Operation(access.show_usage, "access.read"),
    li.ListLists: Operation(lists.list_, "lists.read"),
    li.ShowList: Operation(lists.show, "lists.read"),
    li.SetList: Operation(lists.set_, "lists.write"),
    li.SyncList: Operation(lists.sync, "stations.command"),
    li.AskListVersion: Operation(lists.version, "stations.command"),
    li.ClearCache: Operation(lists.clear_cache, "stations.command"),
    r.ListReservations: Operation(reservations.list_, "reservations.read"),
    r.ShowReservation: Operation(reservations.show, "reservations.read"),
    r.AddReservation: Operation(reservations.add, "reservations.write"),
    r.CancelReservation: Operation(reservations.cancel, "reservations.write"),
    d.ListDisplayMessages: Operation(displays.list_, "displays.read"),
    d.SetDisplayMessage: Operation(displays.set_, "stations.command"),
    d.GetDisplayMessages: Operation(displays.get, "stations.command"),
    d.ClearDisplayMessage: Operation(displays.clear, "stations.command"),
    cu.AskCustomer: Operation(customers.ask, "customers.command"),
    cu.ListCustomerReports: Operation(customers.list_, "customers.read"),
    cu.ShowCustomerReport: Operation(customers.show, "customers.read"),
    cu.ForgetCustomerReports: Operation(customers.forget, "customers.command", while_suspended=True),
    ch.CheckSession: Operation(checks.session, "sessions.command"),
    ch.CheckQueue: Operation(checks.queue, "stations.command"),
    ta.ListTariffs: Operation(tariffs.list_, "tariffs.read"),
    ta.ShowTariff: Operation(tariffs.show, "tariffs.read"),
    ta.AddTariff: Operation(tariffs.add, "tariffs.write"),
    ta.UseTariff: Operation(tariffs.use, "tariffs.write"),
    ta.ShowCost: Operation(tariffs.cost, "sessions.read"),
    ta.SendCost: Operation(tariffs.send_cost, "sessions.command"),
    ta.ChangeSessionTariff: Operation(tariffs.change, "tariffs.write"),
    ta.ListStationTariffs: Operation(tariffs.station_tariffs, "tariffs.read"),
    ta.SetStationTariff: Operation(tariffs.set_station, "tariffs.write"),
    ta.GetStationTariffs: Operation(tariffs.get_station, "stations.command"),
    ta.ClearStationTariffs: Operation(tariffs.clear_station, "tariffs.write"),
    ta.ListCredits: Operation(tariffs.credits_, "payments.read"),
    ta.SetCredit: Operation(tariffs.set_credit, "payments.write"),
    ta.DropCredit: Operation(tariffs.drop_credit, "payments.write"),
    pa.ListPayments: Operation(payments.list_, "payments.read"),
    pa.ShowPayment: Operation(payments.show, "payments.read"),
    pa.AuthorizePayment: Operation(payments.authorize, "payments.write"),
    pa.SettlePayment: Operation(payments.settle, "payments.write"),
    pa.SetUpWebPayment: Operation(payments.set_up, "payments.write"),
    pa.ShowWebPaymentCode: Operation(payments.code, "payments.write"),
    pa.BeginWebPayment: Operation(payments.begin, "payments.write"),
    sw.ListSwaps: Operation(swaps.list_, "stations.read"),
    sw.ListBatteries: Operation(swaps.batteries, "stations.read"),
    sw.RequestSwap: Operation(swaps.request, "sessions.command"),
    og.ListOrganisations: Operation(organisations.list_, "organisations.read", platform=True),
    og.ShowOrganisation: Operation(organisations.show, "organisations.read", platform=True),
    og.ShowOwnOrganisation: Operation(organisations.show_own, "status.read"),
    og.AddOrganisation: Operation(organisations.add, "organisations.write", platform=True),
    og.SetOrganisation: Operation(organisations.set_, "organisations.write", platform=True),
    og.SuspendOrganisation: Operation(organisations.suspend, "organisations.write", platform=True, two=True),
    aa.StartForDriver: Operation(apps.start, "sessions.behalf"),
    aa.ShowDriverStart: Operation(apps.show_start, "sessions.behalf"),
    aa.ListDriverSessions: Operation(apps.list_, "sessions.behalf"),
    aa.StopForDriver: Operation(apps.stop, "sessions.behalf"),
    aa.ShowPlace: Operation(apps.place, "sessions.behalf"),
    si.ListSites: Operation(sites.list_, "sites.read"),
    si.ShowSite: Operation(sites.show, "sites.read"),
    si.AddSite: Operation(sites.add, "sites.write"),
    si.SetSite: Operation(sites.set_, "sites.write"),
    si.RemoveSite: Operation(sites.remove, "sites.write"),
    si.ImportSites: Operation(places.sites_, "sites.write"),
    si.ImportStations: Operation(places.stations_, "stations.enrol"),
    ev.ListEvses: Operation(evses.list_, "sites.read"),
    ev.ShowEvse: Operation(evses.show, "sites.read"),
    ev.SetEvse: Operation(evses.set_, "sites.write"),
    ev.AdoptEvses: Operation(evses.adopt, "sites.write"),
    ev.ForgetEvse: Operation(evses.forget, "sites.write"),
    ev.ShowQr: Operation(evses.qr, "sites.read"),
    au.ListAudit: Operation(audit.list_, "audit.read"),
    au.VerifyAudit: Operation(audit.verify, "audit.read"),
    i.ListIntents: Operation(intents.list_, "intents.read"),
    i.ShowIntent: Operation(intents.show, "intents.read"),
    i.AwaitIntent: Operation(intents.outcome, "intents.read"),
    i.CancelIntent: Operation(intents.cancel, "intents.write", while_suspended=True),
    op.ShowIdentity: Operation(operators.identity, "self.read"),
    op.ListOperators: Operation(operators.list_, "operators.read"),
    op.MapOperator: Operation(operators.map_, "operators.write", two=True),
    op.UnmapOperator: Operation(operators.unmap, "operators.write", while_suspended=True),
    op.ListApiTokens: Operation(operators.tokens, "operators.read"),
    op.AddApiToken: Operation(operators.add_token, "operators.write"),
    op.RevokeApiToken: Operation(operators.revoke_token, "operators.write", while_suspended=True),
    op.ApprovePairing: Operation(operators.approve_pairing, "operators.write", two=True),
    gr.ListGrants: Operation(grants.list_, "grants.read"),
    gr.AddGrant: Operation(grants.add, "grants.write"),
    gr.RevokeGrant: Operation(grants.revoke, "grants.write", while_suspended=True),
    ap.ListApprovals: Operation(approvals.list_, "approvals.read"),
    ap.ShowApproval: Operation(approvals.show, "approvals.read"),
    ap.Approve: Operation(approvals.approve, "approvals.write", while_suspended=True),
    ap.Reject: Operation(approvals.reject, "approvals.read", while_suspended=True),
}

PERMISSIONS = frozenset(operation.permission for operation in OPERATIONS.values())

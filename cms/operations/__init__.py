"""What the system can do: one async function per request. OPERATIONS is the table of contents of the product."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from cms.contract import certificates as ce
from cms.contract import configuration as co
from cms.contract import events as e
from cms.contract import intents as i
from cms.contract import jobs as j
from cms.contract import ocpp as o
from cms.contract import quirks as q
from cms.contract import security as se
from cms.contract import sessions as s
from cms.contract import stations as st
from cms.contract import status as a
from cms.contract import tokens as t
from cms.core import Actor, Core
from cms.operations import (
    certificates,
    configuration,
    events,
    intents,
    jobs,
    ocpp,
    quirks,
    security,
    sessions,
    stations,
    status,
    tokens,
)


@dataclass(frozen=True, slots=True)
class Operation:
    """What is done for a request, and the permission it takes. The HTTP route is in contract.routes."""

    function: Callable[[Core, Any, Actor], Awaitable[Any]]
    permission: str


OPERATIONS: dict[type, Operation] = {
    a.ShowStatus: Operation(status.show, "status.read"),
    a.ListQuarantine: Operation(status.quarantine, "messages.read"),
    e.ListEvents: Operation(events.list_, "events.read"),
    st.ListStations: Operation(stations.list_, "stations.read"),
    st.ShowStation: Operation(stations.show, "stations.read"),
    st.AddStation: Operation(stations.add, "stations.enrol"),
    st.SetStation: Operation(stations.set_, "stations.enrol"),
    st.RemoveStation: Operation(stations.remove, "stations.enrol"),
    st.ListMessages: Operation(stations.messages, "messages.read"),
    st.ListVariables: Operation(configuration.list_, "stations.read"),
    st.ListUnknownStations: Operation(stations.unknown, "stations.read"),
    st.EnrolStation: Operation(stations.enrol, "stations.enrol"),
    st.ForgetUnknownStation: Operation(stations.forget, "stations.enrol"),
    q.ListQuirks: Operation(quirks.list_, "stations.read"),
    q.SetQuirks: Operation(quirks.set_, "stations.enrol"),
    q.ShowCapabilities: Operation(quirks.show, "stations.read"),
    q.ProbeStation: Operation(quirks.probe, "stations.command"),
    st.ResetStation: Operation(stations.reset, "stations.command"),
    st.UnlockConnector: Operation(stations.unlock, "stations.command"),
    st.ChangeAvailability: Operation(stations.availability, "stations.command"),
    st.TriggerMessage: Operation(stations.trigger, "stations.command"),
    st.GetConfiguration: Operation(configuration.get, "stations.command"),
    st.SetConfiguration: Operation(configuration.set_, "stations.command"),
    co.ReportConfiguration: Operation(configuration.report, "stations.command"),
    co.ListReports: Operation(configuration.list_reports, "stations.read"),
    j.ListJobs: Operation(jobs.list_, "stations.read"),
    j.ReadUpload: Operation(jobs.read_upload, "logs.read"),
    j.UpdateFirmware: Operation(jobs.update_firmware, "stations.firmware"),
    j.PublishFirmware: Operation(jobs.publish, "stations.firmware"),
    j.UnpublishFirmware: Operation(jobs.unpublish, "stations.firmware"),
    j.GetLog: Operation(jobs.get_log, "stations.command"),
    o.CallStation: Operation(ocpp.call, "ocpp.call"),
    o.SendRaw: Operation(ocpp.send_raw, "ocpp.raw"),
    ce.ListAuthorities: Operation(certificates.authorities, "certificates.read"),
    ce.CreateAuthority: Operation(certificates.create_authority, "certificates.write"),
    ce.ListCertificates: Operation(certificates.list_, "certificates.read"),
    ce.RevokeCertificate: Operation(certificates.revoke, "certificates.write"),
    ce.InstallCertificate: Operation(certificates.install, "certificates.write"),
    ce.ReadCertificates: Operation(certificates.read, "stations.command"),
    ce.DeleteCertificate: Operation(certificates.delete, "certificates.write"),
    ce.RenewCertificate: Operation(certificates.renew, "certificates.write"),
    se.ShowSecurity: Operation(security.show, "stations.read"),
    se.AllowExpired: Operation(security.allow_expired, "security.write"),
    se.RotatePassword: Operation(security.rotate, "security.write"),
    se.SetNetworkProfile: Operation(security.set_network_profile, "security.write"),
    se.UpgradeSecurity: Operation(security.upgrade, "security.write"),
    s.ListSessions: Operation(sessions.list_, "sessions.read"),
    s.ShowSession: Operation(sessions.show, "sessions.read"),
    s.ListSamples: Operation(sessions.samples, "sessions.read"),
    s.ListStationSamples: Operation(sessions.station_samples, "sessions.read"),
    s.StartSession: Operation(sessions.start, "sessions.command"),
    s.StopSession: Operation(sessions.stop, "sessions.command"),
    t.ListTokens: Operation(tokens.list_, "tokens.read"),
    t.ShowToken: Operation(tokens.show, "tokens.read"),
    t.AddToken: Operation(tokens.add, "tokens.write"),
    t.BlockToken: Operation(tokens.block, "tokens.write"),
    t.UnblockToken: Operation(tokens.unblock, "tokens.write"),
    t.RemoveToken: Operation(tokens.remove, "tokens.write"),
    i.ListIntents: Operation(intents.list_, "intents.read"),
    i.ShowIntent: Operation(intents.show, "intents.read"),
    i.AwaitIntent: Operation(intents.outcome, "intents.read"),
    i.CancelIntent: Operation(intents.cancel, "intents.write"),
}

PERMISSIONS = frozenset(operation.permission for operation in OPERATIONS.values())

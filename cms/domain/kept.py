"""What we keep about a station beside its sessions and connectors: every kind of it on one page.

A kind is a record type with a key per station. Where ``present``, it is part of StationState: decisions see it
without asking the record. The others are read when somebody asks (core.Store.kept). Kinds of no station
(tariffs ...) are kept under the station "" and are in core.Core.kept.
"""

from __future__ import annotations

from typing import Any

from cms.contract.access import Rule
from cms.contract.quirks import Capabilities
from cms.domain import (
    access,
    accounts,
    adhoc,
    alerts,
    approvals,
    apps,
    balances,
    billing,
    boots,
    capabilities,
    cards,
    checks,
    customers,
    der,
    displays,
    drivers,
    evses,
    gaps,
    grants,
    history,
    installed,
    jobs,
    lists,
    monitoring,
    network,
    operators,
    organisations,
    payments,
    plans,
    problems,
    quirks,
    reports,
    reservations,
    savedcards,
    security,
    sellers,
    signedvalues,
    signing,
    sites,
    statements,
    stationnotes,
    stationtariffs,
    streams,
    swaps,
    tariffs,
    usage,
    verification,
)
from cms.domain.charging import answers, needs, register
from cms.domain.charging import notices as charging
from cms.domain.record import record


@record
class Kind:
    """The record type, and whether it is held in memory."""

    type: type[Any]
    present: bool = True


KINDS: dict[str, Kind] = {
    drivers.KIND: Kind(drivers.Driver),
    drivers.PERSON: Kind(drivers.Box, present=False),
    drivers.NOTES: Kind(drivers.Box, present=False),
    cards.KIND: Kind(cards.UnknownCard),
    sites.KIND: Kind(sites.Site),
    sellers.KIND: Kind(sellers.Seller),
    apps.KIND: Kind(apps.AppUse),
    access.KIND: Kind(Rule),
    usage.KIND: Kind(usage.Spent),
    history.KIND: Kind(history.SessionImport),
    evses.KIND: Kind(evses.Evse),
    gaps.KIND: Kind(gaps.LastRegister),
    organisations.KIND: Kind(organisations.Organisation),
    operators.OPERATOR: Kind(operators.Operator),
    operators.API_TOKEN: Kind(operators.ApiToken),
    grants.KIND: Kind(grants.Grant),
    approvals.KIND: Kind(approvals.Approval),
    quirks.KIND: Kind(quirks.Overrides),
    quirks.ALIAS: Kind(quirks.Alias),
    capabilities.KIND: Kind(Capabilities),
    reports.KIND: Kind(reports.Report),
    monitoring.MONITOR: Kind(monitoring.Monitor),
    problems.KIND: Kind(problems.Problem),
    monitoring.MONITORING: Kind(monitoring.Monitoring),
    streams.KIND: Kind(streams.Stream),
    boots.KIND: Kind(boots.AtBoot),
    security.KIND: Kind(security.Security),
    security.REVOKED: Kind(security.Revoked),
    signedvalues.KIND: Kind(signedvalues.MeterKey),
    signing.SIGNING: Kind(signing.Signing),
    signing.ISSUED: Kind(signing.Issued),
    installed.KIND: Kind(installed.Installed),
    network.KIND: Kind(network.NetworkProfile),
    jobs.KIND: Kind(jobs.Job),
    lists.KIND: Kind(lists.LocalList),
    lists.HELD: Kind(lists.Held, present=False),
    reservations.KIND: Kind(reservations.Reservation),
    checks.KIND: Kind(checks.Check),
    displays.KIND: Kind(displays.Display, present=False),
    customers.KIND: Kind(customers.CustomerReport, present=False),
    accounts.KIND: Kind(accounts.Account),
    verification.KIND: Kind(verification.Verification, present=False),
    tariffs.TARIFF: Kind(tariffs.Registered),
    tariffs.USE: Kind(tariffs.Use),
    register.KIND: Kind(register.Installed),
    charging.LIMIT: Kind(charging.Limit),
    charging.PRIORITY: Kind(charging.Priority),
    charging.TOLD: Kind(answers.Told, present=False),
    needs.NEEDS: Kind(needs.Needs),
    needs.ALLOWED: Kind(answers.EnergyTransfer),
    der.KIND: Kind(der.Control),
    der.ALARM: Kind(der.Alarm),
    balances.KIND: Kind(balances.Balance),
    statements.LINE: Kind(statements.Kept, present=False),
    statements.PAYS_FROM: Kind(statements.PaysFrom, present=False),
    statements.BY_HAND: Kind(statements.Confirmed, present=False),
    adhoc.KIND: Kind(adhoc.AdHoc),
    savedcards.KIND: Kind(savedcards.Link),
    payments.CREDIT: Kind(payments.Credit),
    payments.DEBIT: Kind(payments.Debit),
    payments.WEB: Kind(payments.WebPayment),
    billing.KIND: Kind(billing.BillingProfile),
    billing.CONTACT: Kind(drivers.Box, present=False),
    plans.PLAN: Kind(plans.Offer),
    plans.SUBSCRIPTION: Kind(plans.Subscription),
    alerts.KIND: Kind(alerts.Alert),
    alerts.ENDED: Kind(alerts.Alert),
    alerts.MUTE: Kind(alerts.Mute),
    swaps.SWAP: Kind(swaps.Swap),
    swaps.BATTERY: Kind(swaps.Battery),
    stationnotes.KIND: Kind(stationnotes.Notes, present=False),
    stationtariffs.INSTALLED: Kind(stationtariffs.Installed),
}

"""What stations know of one customer: have it reported, have it cleared, read it, forget it."""

from __future__ import annotations

import re
import shlex

from cms.contract.customers import (
    AskCustomer,
    CustomerReportView,
    ForgetCustomerReports,
    ListCustomerReports,
    ShowCustomerReport,
)
from cms.contract.intents import IntentView, Preview
from cms.contract.lists import SyncList
from cms.contract.refusals import Invalid, NotFound, NotSupported, Refusal
from cms.core import Actor, Core, Lane, StoreDown
from cms.domain import customers, lists, reports
from cms.domain.changes import Decision, Keep
from cms.domain.customers import CertificateHash, CustomerReport, CustomerTold
from cms.domain.observations import Received
from cms.domain.reports import Report
from cms.domain.stations import StationState
from cms.operations.deciding import settle
from cms.operations.identifying import named, spoken
from cms.operations.intents import give
from cms.operations.lists import sync
from cms.operations.previews import preview
from cms.operations.stations import version_of
from cms.operations.tokens import kind_named

_CERTIFICATE = re.compile(
    r"(SHA256|SHA384|SHA512):([0-9a-f]{1,128}):([0-9a-f]{1,128}):([0-9a-f]{1,40})", re.IGNORECASE | re.ASCII
)
_LONGEST_IDENTIFIER = 64


async def told(core: Core, state: StationState, received: Received, part: CustomerTold) -> Decision:
    """NotifyCustomerInformation."""
    wanted = customers.asked_for(state, part.request_id)
    known = await core.store.kept(state.station.id, customers.KIND) if wanted else {}
    return customers.told(state, received, part, known if wanted else None)


async def ask(core: Core, request: AskCustomer, actor: Actor) -> IntentView | Preview:
    lane = core.lane(request.station)
    station = lane.state.station.id
    if version_of(core, lane) == "1.6":
        raise NotSupported(f"OCPP 1.6 knows nothing of customers, and {station} speaks 1.6")
    order = _order(core, request)
    said = [word for word, wanted in (("reports", request.report), ("forgets", request.clear)) if wanted]
    shown = preview(
        lane.state,
        customers.ASK,
        f"customers ask {station} {_flags(request)}",
        (),
        f"the station {' and '.join(said)} what it knows of the customer",
        level=2 if request.clear else 0,
    )
    given = await give(core, actor, station, customers.ASK, order, request, shown)
    if order.clear and order.token and isinstance(given, IntentView) and given.answered_at:
        core.spawn(_without_customer(core, lane, order.token, actor))
    return given


def _order(core: Core, request: AskCustomer) -> customers.AskCustomer:
    """Exactly one name for the customer, and something to do (N09.FR.04, N10.FR.08)."""
    names = (request.token, request.identifier, request.certificate)
    if sum(name is not None for name in names) != 1:
        raise Invalid("name the customer in one way: a token, an identifier or a certificate")
    if not request.report and not request.clear:
        raise Invalid("nothing to do: report, clear or both")
    if request.identifier is not None and not 0 < len(request.identifier) <= _LONGEST_IDENTIFIER:
        raise Invalid(f"an identifier has 1 to {_LONGEST_IDENTIFIER} characters")
    token = named(core, request.token) if request.token is not None else None
    kind = kind_named(request.kind) if request.kind is not None else token.kind if token else "rfid"
    return customers.AskCustomer(
        request_id=core.mint.number(),
        report=request.report,
        clear=request.clear,
        token=spoken(token, request.token) if request.token is not None else None,
        token_kind=kind if request.token is not None else None,
        identifier=request.identifier,
        certificate=_certificate(request.certificate) if request.certificate is not None else None,
    )


def _certificate(text: str) -> CertificateHash:
    found = _CERTIFICATE.fullmatch(text)
    if found is None:
        raise Invalid(
            "that is no certificate's hash",
            "write ALGORITHM:ISSUER_NAME_HASH:ISSUER_KEY_HASH:SERIAL, e.g. SHA256:6f..:a0..:1f",
        )
    algorithm, name, key, serial = found.groups()
    return CertificateHash(algorithm.upper(), name, key, serial)


def _flags(request: AskCustomer) -> str:
    """The same as a command line."""
    names = {"token": request.token, "identifier": request.identifier, "certificate": request.certificate}
    words = [f"--{name} {shlex.quote(value)}" for name, value in names.items() if value is not None]
    words += ["--clear"] if request.clear else []
    words += [] if request.report else ["--no-report"]
    return " ".join(words)


async def _without_customer(core: Core, lane: Lane, token: str, actor: Actor) -> None:
    """N10.FR.02: a customer that the station forgot leaves its local list, if he is in it."""
    held = (await core.store.kept(lane.state.station.id, lists.HELD)).get(lists.KEY)
    if held is None or token.casefold() not in held.entries:
        return
    request = SyncList(station=lane.state.station.id, reason="a customer of its list was cleared there")
    try:
        await sync(core, request, actor)
    except (Refusal, StoreDown):
        return  # the intent says why; until then the list is shown as stale


async def list_(core: Core, request: ListCustomerReports, actor: Actor) -> list[CustomerReportView]:
    lane = core.lane(request.station)
    kept = await core.store.kept(lane.state.station.id, customers.KIND)
    return [_view(lane, key, kept.get(key), with_text=False) for key in _keys(lane, kept)]


def _keys(lane: Lane, kept: dict[str, CustomerReport]) -> list[str]:
    """Reports that were asked for, and those whose text is kept; the latest last."""
    known = lane.state.kept_of(reports.KIND)
    asked = [key for key, report in known.items() if report.subject == customers.SUBJECT]
    # What is kept is in the order of its last parts; of what was asked for and is not, the text is gone or to come.
    waiting = [key for key in asked if key not in kept and known[key].heard_at is None]
    gone = [key for key in asked if key not in kept and key not in waiting]
    return [*gone, *kept, *waiting]


def _view(lane: Lane, key: str, kept: CustomerReport | None, *, with_text: bool) -> CustomerReportView:
    report: Report = lane.state.kept_of(reports.KIND).get(key) or Report(int(key), customers.SUBJECT)
    return CustomerReportView(
        request_id=report.request_id,
        station=lane.state.station.id,
        asked_at=report.asked_at,
        heard_at=report.heard_at or (kept.at if kept else None),
        parts=len(report.parts) or len(kept.parts if kept else ()),
        complete=report.complete,
        missing=report.holes,
        cut=kept.cut if kept else False,
        text=(kept.text if kept else "") if with_text else None,
    )


async def show(core: Core, request: ShowCustomerReport, actor: Actor) -> CustomerReportView:
    lane = core.lane(request.station)
    kept = await core.store.kept(lane.state.station.id, customers.KIND)
    keys = _keys(lane, kept)
    key = keys[-1] if request.request_id is None and keys else str(request.request_id)
    if key not in keys:
        what = "no report" if request.request_id is None else f"no report {request.request_id}"
        raise NotFound(
            f"there is {what} of a customer from {lane.state.station.id}", "see `cms customers list`"
        )
    return _view(lane, key, kept.get(key), with_text=True)


async def forget(core: Core, request: ForgetCustomerReports, actor: Actor) -> None:
    """Delete the texts, and that they were reported."""
    lane = core.lane(request.station)
    station, now = lane.state.station.id, core.clock.now()
    kept = await core.store.kept(station, customers.KIND)
    async with lane.lock:
        state, keys = lane.state, _keys(lane, kept)
        changes = [Keep(station, customers.KIND, key, None, now) for key in kept]
        for key in keys:
            if key in state.kept_of(reports.KIND):
                state = state.keeping(reports.KIND, key, None)
                changes.append(Keep(station, reports.KIND, key, None, now))
        await settle(core, lane, state, changes, ())

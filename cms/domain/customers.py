"""What a 2.x station knows of a customer: asked for, told in parts, cleared (N09, N10).

It is personal data: the text is kept apart and bounded, shown when somebody asks for it, and never part of an event.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from cms.domain import lists, reports
from cms.domain.changes import Change, Decision, Happened, Keep
from cms.domain.evolve import evolve
from cms.domain.observations import Noted, Observation, Received
from cms.domain.orders import Order, OrderAnswer
from cms.domain.record import record
from cms.domain.stations import StationState

if TYPE_CHECKING:
    from cms.domain.intents import Intent

KIND = "customer"
SUBJECT = "customer"
ASK = "customer"
#: How many reports of a station are kept, how many characters of one, and how many parts.
REMEMBERED = 5
LONGEST = 65_536
MOST_PARTS = 1_000


@record
class CertificateHash:
    """Which certificate: hashes as 2.x takes them, hexadecimal; ``algorithm``: SHA256, SHA384, SHA512."""

    algorithm: str
    issuer_name: str
    issuer_key: str
    serial: str


@record
class AskCustomer(Order):
    """Report and/or clear what is known of one customer, named in exactly one way (N09.FR.04)."""

    request_id: int
    report: bool
    clear: bool
    token: str | None = None
    token_kind: str | None = None
    identifier: str | None = None
    certificate: CertificateHash | None = None


@record
class CustomerTold(Observation):
    """One part of NotifyCustomerInformation."""

    request_id: int
    seq_no: int
    text: str
    more: bool = False


@record
class CustomerReport:
    """The parts that came, by their number. ``cut``: there was more than is kept."""

    request_id: int
    parts: tuple[tuple[int, str], ...] = ()
    cut: bool = False
    at: datetime | None = None

    @property
    def text(self) -> str:
        return "".join(text for _, text in self.parts)


def answered(
    state: StationState, intent: Intent, order: AskCustomer, answer: OrderAnswer, now: datetime
) -> Decision:
    """A report is expected; a customer whom the station forgets belongs in its local list no more (N10.FR.02)."""
    if answer.verdict == "rejected":
        return Decision(Noted(), state)
    decision = Decision(Noted(), state)
    if order.clear and order.token is not None and lists.of(state).version > 0:
        decision = lists.kept_out(state, order.token, now)
    if not order.report:
        return decision
    state, changes = reports.asked(decision.state, order.request_id, SUBJECT, now)
    return evolve(decision, state=state, changes=(*decision.changes, *changes))


def reports_follow(intent: Intent) -> bool:
    """A customer who is only cleared is not told of (N10)."""
    return intent.params.get("report") is True


def told(
    state: StationState, received: Received, part: CustomerTold, known: Mapping[str, CustomerReport] | None
) -> Decision:
    """One part. ``known`` is what is kept of this station; None: nobody asked (``asked_for``).

    What nobody asked for is answered and counted; its text is not kept: it is somebody's data.
    """
    state, changes, report = reports.part(
        state, part.request_id, SUBJECT, received.at, items=1, more=part.more, seq_no=part.seq_no
    )
    data = {"request_id": part.request_id, "parts": len(report.parts), "complete": report.complete}
    happened = Happened("customer.reported", received.at, state.station.id, data=data)
    if known is not None and changes:
        changes += _kept(state, part, known, received.at)
    return Decision(Noted(), state, tuple(changes), (happened,))


def asked_for(state: StationState, request_id: int) -> bool:
    """Also while the answer to the question is still on its way."""
    report = state.kept_of(reports.KIND).get(str(request_id))
    if report is not None and report.asked_at is not None:
        return bool(report.subject == SUBJECT)
    return any(i.order == ASK and i.params.get("request_id") == request_id for i in state.intents.values())


def _kept(
    state: StationState, part: CustomerTold, known: Mapping[str, CustomerReport], now: datetime
) -> list[Change]:
    station, key = state.station.id, str(part.request_id)
    before = known.get(key) or CustomerReport(part.request_id)
    room = max(0, LONGEST - sum(len(text) for _, text in before.parts))
    taken = room > 0 and len(before.parts) < MOST_PARTS
    parts = (*before.parts, (part.seq_no, part.text[:room])) if taken else before.parts
    report = CustomerReport(
        part.request_id, tuple(sorted(parts)), before.cut or not taken or len(part.text) > room, now
    )
    changes: list[Change] = [Keep(station, KIND, key, report, now)]
    others = [other for other in known if other != key]
    changes += [Keep(station, KIND, old, None, now) for old in others[: -(REMEMBERED - 1)]]
    return changes

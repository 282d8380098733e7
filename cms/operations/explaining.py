"""``cms price explain``: a session's price to the last cent, while it runs and after it."""

from __future__ import annotations

from datetime import datetime

from cms.contract.prices import ExplainPrice, Explanation
from cms.contract.refusals import NotFound
from cms.contract.tariffs import Bill, Tariff
from cms.core import Actor, Core
from cms.domain import accounts, assignment, explaining, tariffs
from cms.domain.accounts import Account
from cms.domain.assignment import Rung
from cms.domain.cdrs import Cdr
from cms.domain.record import record
from cms.domain.sessions import Session
from cms.operations import holding
from cms.operations.openings import known_tariffs
from cms.operations.sessions import find


@record
class Figures:
    """What is to be explained: a running session's present price, or a record's."""

    bill: Bill
    final: bool
    source: str
    charging_s: int
    idle_s: int
    zone: str
    tariffs: tuple[str, ...]
    remarks: tuple[str, ...]
    revision: int | None = None


async def explain(core: Core, request: ExplainPrice, actor: Actor) -> Explanation:
    """Every line and every reason; NotFound for a session without a price."""
    session = await find(core, request.session)
    figures = await _figures(core, session)
    known: dict[str, Tariff] = {}
    book = known_tariffs(core)
    for version in dict.fromkeys(figures.tariffs):
        if (tariff := book.get(version)) is not None:
            known[version] = tariff
    reasons = list(
        explaining.reasons(
            figures.bill,
            known,
            _rung(core, session, session.started_at),
            figures.zone,
            figures.charging_s,
            figures.idle_s,
        )
    )
    if figures.source == "station":
        reasons.insert(0, "the station calculated it (2.1 costDetails): its figures are the bill")
    bill = figures.bill
    return Explanation(
        session=session.id,
        station=session.station,
        final=figures.final,
        source=figures.source,
        currency=bill.currency,
        net=bill.net,
        vat=bill.gross - bill.net,
        gross=bill.gross,
        energy_wh=session.energy_wh,
        charging_s=figures.charging_s,
        idle_s=figures.idle_s,
        time_zone=figures.zone,
        tariffs=figures.tariffs,
        lines=explaining.lines(bill, known),
        reasons=(*reasons, *figures.remarks),
        revision=figures.revision,
    )


async def _figures(core: Core, session: Session) -> Figures:
    lane = core.lanes.get(session.station.casefold())
    running: Account | None = lane.state.kept_of(accounts.KIND).get(session.id) if lane else None
    if running is None:
        revisions = await core.store.accounting.revisions(session.id)
        if revisions:
            return _of_record(revisions[-1])
        running = await core.store.bill(session.id)
    bill = accounts.bill(running, session, known_tariffs(core)) if running is not None else None
    if running is None or bill is None:
        raise NotFound(
            f"session {session.id} has no price: no tariff held when it began",
            f"see `cms tariffs resolve {session.station} --at {session.started_at:%Y-%m-%dT%H:%M:%SZ}`",
        )
    shown = accounts.view(running, session, known_tariffs(core))
    assert shown is not None
    return Figures(
        bill=bill,
        final=running.final,
        source=shown.source,
        charging_s=shown.charging_s,
        idle_s=shown.idle_s,
        zone=_zone(running, known_tariffs(core).get(running.tariff or "")),
        tariffs=shown.tariffs,
        remarks=shown.remarks,
    )


def _of_record(cdr: Cdr) -> Figures:
    return Figures(
        bill=cdr.bill,
        final=True,
        source=cdr.source,
        charging_s=cdr.charging_s,
        idle_s=cdr.idle_s,
        zone=cdr.time_zone,
        tariffs=cdr.tariffs,
        remarks=(*cdr.remarks, *((f"revision {cdr.revision}: {cdr.reason}",) if cdr.revision > 1 else ())),
        revision=cdr.revision,
    )


def _zone(account: Account, tariff: Tariff | None) -> str:
    return account.progress.zone or (tariff.time_zone if tariff is not None else "UTC")


def _rung(core: Core, session: Session, at: datetime) -> Rung | None:
    """Which rung gave the session its tariff, by what is known today of its holder and its place."""
    lane = core.lanes.get(session.station.casefold())
    if lane is None:
        return None
    asked = holding.facts(core, lane.state, session.token, session.evse, session.connector, at)
    uses, register = core.kept.get(tariffs.USE, {}), core.kept.get(tariffs.TARIFF, {})
    return assignment.resolve(uses, register, asked, at)

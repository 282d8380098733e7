"""Access rules where a token is presented: at stations, for orders, for reservations.

Where nobody made a rule this costs one look-up; where there are rules, those that are about the token.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from cms.contract.stations import Variable
from cms.core import Core
from cms.domain import evses, organisations, sites
from cms.domain.access import KIND, Facts, Judgement, judge
from cms.domain.changes import Happened
from cms.domain.drivers import KIND as DRIVER
from cms.domain.drivers import Driver
from cms.domain.evolve import evolve
from cms.domain.observations import Received, TransactionReported
from cms.domain.sessions import RUNNING, Session
from cms.domain.stations import Station, StationState
from cms.domain.tokens import Authorization, Ruling, Token
from cms.domain.usage import KIND as USAGE
from cms.domain.usage import Rulebook, Spent, counted

#: A flag of sessions: a station let somebody charge who might not have then, while it could not ask.
AGAINST_RULES = "against-rules"
# What a station told of its connectors is read again after so long.
_TYPES_HOLD = timedelta(minutes=10)
# A ruling that hours or budgets may change is for this session alone, and not for a station's cache.
_CACHED = timedelta(minutes=1)


def rulebook(core: Core) -> Rulebook | None:
    """The rules made ready; None where there are none."""
    if not core.kept.get(KIND):
        return None
    if core.access is None:
        core.access = _made(core)
    return core.access


def rules_changed(core: Core) -> None:
    """A rule has changed: what is used is counted anew where the rule is a budget."""
    before = core.access
    if before is None or not before.ruled_by(core.kept.get(KIND, {}).values()):
        made_anew(core)


def made_anew(core: Core) -> None:
    """All of it is made anew; what was done already because of a rule is remembered."""
    before, core.access = core.access, None
    book = rulebook(core)
    if book is not None and before is not None:
        book.acted, book.types = before.acted, before.types


def _made(core: Core) -> Rulebook:
    book = Rulebook(core.kept[KIND].values(), core.kept.get(USAGE, {}).values())
    if book.rules.budgets:
        for lane in core.lanes.values():
            for session in lane.state.sessions.values():
                spent = spent_by(core, lane.state.station, session)
                if spent is not None and book.ledger.budgets(spent):
                    book.ledger.put(counted(spent, session, core.clock.now()))
    return book


async def ruled(
    core: Core, state: StationState, ruling: Ruling, at: datetime, evse: int | None = None
) -> Ruling:
    """The ruling of a token that is to start a session, with what the rules say; a no stays a no."""
    book = rulebook(core)
    if book is None or ruling.token is None or not ruling.accepted:
        return ruling
    await _ready(core, book, state)
    return _ruled(core, book, state, ruling, at, evse)


async def ruled_presented(core: Core, state: StationState, ruling: Ruling, at: datetime) -> Ruling:
    """Authorize: likewise, but whoever charges at this station may be about to stop."""
    token = ruling.token
    if not core.kept.get(KIND) or token is None or token.master or _charges_here(state, token):
        return ruling
    return await ruled(core, state, ruling, at)


def _charges_here(state: StationState, token: Token) -> bool:
    """Whether a session that it was given, or its group, runs at this station (C09: a group stops its own)."""
    own = token.id.casefold()
    return any(
        session.status in RUNNING
        and session.authorization == Authorization.ACCEPTED
        and (
            (session.token is not None and session.token.casefold() == own)
            or (token.group is not None and session.group == token.group)
        )
        for session in state.sessions.values()
    )


async def ruled_report(
    core: Core, state: StationState, received: Received, report: TransactionReported, ruling: Ruling
) -> tuple[Ruling, TransactionReported]:
    """The ruling of a transaction's token. What happened while the station could not ask is flagged, not refused."""
    if not core.kept.get(KIND):
        return ruling, report
    session = state.session_of(report.transaction_id) if report.transaction_id else None
    if report.stops or ruling.token is None or (session is not None and session.token is not None):
        return ruling, report
    evse = report.evse if report.evse is not None or session is None else session.evse
    then = report.at or received.at
    past = report.is_history(received.at)
    judged = await ruled(core, state, ruling, then if past else received.at, evse)
    if judged.accepted or not past:
        return judged, report
    return ruling, evolve(report, flags=(*report.flags, AGAINST_RULES))


def _ruled(
    core: Core, book: Rulebook, state: StationState, ruling: Ruling, at: datetime, evse: int | None
) -> Ruling:
    token = ruling.token
    assert token is not None
    facts = facts_of(core, state.station, token, evse or None)
    rules = book.rules.of(facts)
    if not rules:
        return ruling
    evses = ruling.evses
    if facts.evse is None and book.rules.by_evse:
        judged, evses = _anywhere(book, state, facts, ruling.evses, at)
    else:
        judged = judge(_with_types(book, state, facts), rules, book.used_up, at)
    if not judged.accepted:
        rule = judged.rule.id if judged.rule is not None else None
        return Ruling(judged.status, token, rule=rule, reason=judged.reason)
    passing = any(rule.hours is not None or rule.effect == "budget" for rule in rules)
    expires = at + _CACHED if passing else ruling.expires
    return evolve(ruling, evses=evses, expires=expires)


def _anywhere(
    book: Rulebook, state: StationState, facts: Facts, among: tuple[int, ...], at: datetime
) -> tuple[Judgement, tuple[int, ...]]:
    """The EVSE is not known yet: good where it is good (C01.FR.20), refused where none is."""
    rules = book.rules.of(facts)
    known = among or tuple(sorted({evse for evse, _ in state.connectors if evse})) or (1,)
    judged = [
        (evse, judge(_with_types(book, state, evolve(facts, evse=evse)), rules, book.used_up, at))
        for evse in known
    ]
    good = tuple(evse for evse, one in judged if one.accepted)
    if not good:
        return judged[0][1], ()
    first = next(one for _, one in judged if one.accepted)
    return first, among if good == known else good


def judgement(
    core: Core, state: StationState, token: Token, at: datetime, evse: int | None
) -> tuple[Judgement, tuple[int, ...]]:
    """For explanations: the same engine on the same facts, and the EVSEs that are good where not all are."""
    book = rulebook(core)
    facts = facts_of(core, state.station, token, evse)
    if book is None:
        return Judgement(Authorization.ACCEPTED, reason="there are no access rules"), ()
    if evse is None and book.rules.by_evse:
        return _anywhere(book, state, facts, (), at)
    return judge(_with_types(book, state, facts), book.rules.of(facts), book.used_up, at), ()


def free(core: Core, tokens: Iterable[Token]) -> Iterable[Token]:
    """Those that no rule about them, their driver or a group of theirs may refuse: a station need not ask."""
    book = rulebook(core)
    named = book.rules.restrained - {("everyone", "")} if book is not None else frozenset[tuple[str, str]]()
    if not named:
        return tokens
    return (token for token in tokens if named.isdisjoint(facts_of(core, _NOWHERE, token, None).subjects()))


_NOWHERE = Station("")


def facts_of(core: Core, station: Station, token: Token, evse: int | None) -> Facts:
    """Who and where, as rules ask for it."""
    groups = {token.group.casefold()} if token.group is not None else set[str]()
    driver: Driver | None = core.kept.get(DRIVER, {}).get(token.driver) if token.driver is not None else None
    if driver is not None:
        groups |= {group.casefold() for group in driver.groups}
    site: sites.Site | None = None
    if station.site is not None:
        site = core.kept.get(sites.KIND, {}).get(station.site.casefold())
    return Facts(
        token=token.id.casefold(),
        driver=token.driver.casefold() if token.driver is not None else None,
        groups=tuple(sorted(groups)),
        station=station.id.casefold(),
        site=station.site.casefold() if station.site is not None else None,
        evse=evse,
        time_zone=site.time_zone if site is not None else _zone(core),
    )


def _zone(core: Core) -> str:
    """The organisation's clock, for stations without a site."""
    own = organisations.own(core.kept)
    return own.time_zone if own is not None else "UTC"


def spent_by(core: Core, station: Station, session: Session, token: Token | None = None) -> Spent | None:
    """What a session would count as; None while nobody is known to charge, or who was refused takes nothing."""
    refused_ = session.authorization != Authorization.ACCEPTED and not session.energy_wh
    if session.token is None or refused_:
        return None
    token = token or core.tokens.get(session.token.casefold()) or Token(session.token, group=session.group)
    facts = facts_of(core, station, token, session.evse)
    return Spent(
        session=session.id,
        token=facts.token,
        began_at=session.started_at,
        driver=facts.driver,
        groups=facts.groups,
        station=facts.station,
        site=facts.site,
        evse=facts.evse,
        time_zone=facts.time_zone,
    )


async def ready(core: Core, state: StationState) -> None:
    """What the rules need to know of a station is at hand."""
    book = rulebook(core)
    if book is not None:
        await _ready(core, book, state)


async def _ready(core: Core, book: Rulebook, state: StationState) -> None:
    """The connector types, where rules speak of them: read now and then, not per card."""
    if not book.rules.by_type:
        return
    key, now = state.station.id.casefold(), core.clock.now()
    known = book.types.get(key)
    if known is None or now - known[0] > _TYPES_HOLD:
        book.types[key] = now, _types(state, await core.store.variables(state.station.id))


def _types(state: StationState, variables: Sequence[Variable]) -> dict[int, tuple[str, ...]]:
    """The standards of each EVSE's outlets, as the station told of them."""
    connectors: dict[int, list[int]] = {}
    for evse, connector in state.connectors:
        connectors.setdefault(evse, []).append(connector)
    return {
        number: _standards(evses.reported(variables, number, numbers))
        for number, numbers in connectors.items()
    }


def _standards(evse: evses.Evse) -> tuple[str, ...]:
    return tuple(outlet.standard.casefold() for outlet in evse.outlets if outlet.standard)


def _with_types(book: Rulebook, state: StationState, facts: Facts) -> Facts:
    """With the outlets of the EVSE: as registered, else as the station told."""
    if facts.evse is None or not book.rules.by_type:
        return facts
    registered: evses.Evse | None = state.kept_of(evses.KIND).get(evses.number(facts.evse))
    known = _standards(registered) if registered is not None else ()
    told = book.types.get(facts.station)
    if not known and told is not None:
        known = told[1].get(facts.evse, ())
    return evolve(facts, connector_types=known or None)


def refused(ruling: Ruling) -> str:
    """Why, for whoever wanted a session to start."""
    return f"{ruling.status}: {ruling.reason} (rule {ruling.rule})" if ruling.rule else str(ruling.status)


def told_why(event: Happened, ruling: Ruling) -> Happened:
    """The event with the rule that decided."""
    return event if ruling.rule is None else evolve(event, data={**event.data, "rule": ruling.rule})

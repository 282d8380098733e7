"""The register of access rules, and why a token may or may not charge: the engine's own answer."""

from __future__ import annotations

from datetime import datetime

from cms.contract.access import (
    SUBJECTS,
    AddRule,
    ExplainAccess,
    Explanation,
    ListRules,
    RemoveRule,
    Rule,
    RuleView,
    SetRule,
    ShowBudgets,
    ShowRule,
    Step,
    UsageView,
    Where,
)
from cms.contract.filters import keys_of, parse
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.core import Actor, Core
from cms.domain import drivers, evses, sites, tokens, usage
from cms.domain.access import KIND, Facts, local, precedence
from cms.domain.access_rules import check, says
from cms.domain.changes import Happened
from cms.domain.evolve import evolve
from cms.domain.observations import TokenRef
from cms.domain.stations import Station, StationState
from cms.domain.tokens import Presented, Ruling, Token
from cms.operations.access_budgets import counted_before
from cms.operations.access_rulings import facts_of, judgement, ready, rulebook, rules_changed
from cms.operations.credits import has_credit
from cms.operations.deciding import keep
from cms.operations.identifying import named, standing
from cms.operations.stations import check_place

#: Nobody reads more, and every card of a subject asks all of them that are about it.
MOST_RULES = 10_000


def _view(core: Core, rule: Rule) -> RuleView:
    return next(seen for seen in _views(core) if seen.id == rule.id)


def _views(core: Core) -> list[RuleView]:
    ordered = sorted(core.kept.get(KIND, {}).values(), key=precedence)
    return [_shown(rank, rule) for rank, rule in enumerate(ordered, 1)]


def _shown(rank: int, rule: Rule) -> RuleView:
    return RuleView(
        rank=rank,
        id=rule.id,
        effect=rule.effect,
        kind=rule.kind,
        subject=rule.subject,
        says=says(rule),
        priority=rule.priority,
        note=rule.note,
        changed_at=rule.changed_at,
        changed_by=rule.changed_by,
        rule=rule,
    )


async def list_(core: Core, request: ListRules, actor: Actor) -> list[RuleView]:
    chosen = parse(request.filter or "", keys_of(RuleView))
    return [seen for seen in _views(core) if chosen(seen)]


async def show(core: Core, request: ShowRule, actor: Actor) -> RuleView:
    return _view(core, _find(core, request.rule))


def _find(core: Core, rule_id: str) -> Rule:
    rule: Rule | None = core.kept.get(KIND, {}).get(rule_id.casefold())
    if rule is None:
        raise NotFound(f"there is no access rule {rule_id}", "see `cms access list`")
    return rule


async def add(core: Core, request: AddRule, actor: Actor) -> RuleView:
    rule = request.rule
    if not rule.id:
        rule = evolve(rule, id=f"{rule.effect}-{core.mint.id(core.clock.now())}")
    rule = _checked(core, rule, actor)
    async with core.books:
        known = core.kept.get(KIND, {})
        if rule.id.casefold() in known:
            raise Conflict(f"there is a rule {rule.id} already", f"cms access set {rule.id} replaces it")
        if len(known) >= MOST_RULES:
            raise Conflict(f"there are {MOST_RULES} rules already: name groups rather than tokens")
        await _keep(core, rule, "access.changed", actor)
    return _view(core, rule)


async def set_(core: Core, request: SetRule, actor: Actor) -> RuleView:
    async with core.books:
        known = _find(core, request.rule.id)
        rule = _checked(core, evolve(request.rule, id=known.id), actor)
        await _keep(core, rule, "access.changed", actor)
    return _view(core, rule)


async def remove(core: Core, request: RemoveRule, actor: Actor) -> None:
    async with core.books:
        rule = _find(core, request.rule)
        told = Happened("access.removed", core.clock.now(), actor=actor.name, data={"rule": rule.id})
        await keep(core, KIND, rule.id.casefold(), None, told)
        rules_changed(core)


async def _keep(core: Core, rule: Rule, type: str, actor: Actor) -> None:
    """Keep it and let it hold; what its budget would have counted already is counted."""
    told = Happened(
        type,
        core.clock.now(),
        actor=actor.name,
        data={"rule": rule.id, "effect": rule.effect, "says": says(rule)},
    )
    await keep(core, KIND, rule.id.casefold(), rule, told)
    if rule.budget is not None:
        await counted_before(core, rule)
    rules_changed(core)


def _checked(core: Core, rule: Rule, actor: Actor) -> Rule:
    """The rule with names as they are registered. Raises Invalid and NotFound."""
    check(rule)
    where = _spelled(core, rule.where) if rule.where is not None else None
    return evolve(
        rule,
        subject=_subject(core, rule),
        where=where,
        time_zone=rule.time_zone or _one_clock(core, rule),
        changed_at=core.clock.now(),
        changed_by=actor.name,
    )


def _one_clock(core: Core, rule: Rule) -> str | None:
    """A budget reaches over sites: where they have one time zone its periods are meant there."""
    known: dict[str, sites.Site] = core.kept.get(sites.KIND, {})
    named = rule.where.sites if rule.where is not None and rule.where.sites else tuple(known)
    zones = {known[site.casefold()].time_zone for site in named if site.casefold() in known}
    return zones.pop() if rule.budget is not None and len(zones) == 1 else None


def _subject(core: Core, rule: Rule) -> str:
    """A token or driver that is not registered is a slip; a group is whatever has its name."""
    if rule.kind == "token":
        token = named(core, rule.subject)
        if token is None:
            raise NotFound(f"there is no token {rule.subject}", "see `cms tokens list`")
        return token.id
    if rule.kind == "driver" and rule.subject not in core.kept.get(drivers.KIND, {}):
        raise NotFound(f"there is no driver {rule.subject}", "see `cms drivers list`")
    return rule.subject


def _spelled(core: Core, where: Where) -> Where:
    known = core.kept.get(sites.KIND, {})
    for site in where.sites:
        if site.casefold() not in known:
            raise NotFound(f"there is no site {site}", "see `cms sites list`")
    return Where(
        sites=tuple(known[site.casefold()].id for site in where.sites),
        stations=tuple(core.lane(station).state.station.id for station in where.stations),
        evses=tuple(_evse(core, place) for place in where.evses),
        connector_types=tuple(_standard(word) for word in where.connector_types),
    )


def _evse(core: Core, place: str) -> str:
    station, _, evse = place.rpartition(":")
    return f"{core.lane(station).state.station.id}:{int(evse)}"


#: OCPP's words for outlets, without case, beside OCPI's.
_REPORTED = {word.casefold(): standard for word, (standard, _) in evses.REPORTED.items()}


def _standard(word: str) -> str:
    return _REPORTED.get(word.casefold()) or evses.read_standard(word)


async def explain(core: Core, request: ExplainAccess, actor: Actor) -> Explanation:
    """What would be said to this token there and then, by the engine that says it."""
    check_place(request.evse)
    state = core.lane(request.station).state
    at = request.at or core.clock.now()
    token = named(core, request.token)
    if token is None:
        return _of_a_stranger(core, request, state, at)
    await ready(core, state)
    evse = request.evse or None
    own = _own(core, state, token, at, evse)
    judged, good = judgement(core, state, token, at, evse)
    facts = facts_of(core, state.station, token, evse)
    first = own is not None and not own[0].accepted
    status, reason = (own[0].status, own[1]) if own is not None and first else (judged.status, judged.reason)
    return Explanation(
        token=token.id,
        station=state.station.id,
        evse=request.evse,
        at=at,
        local_time=f"{local(at, facts.time_zone):%a %Y-%m-%d %H:%M %Z}",
        status=status,
        rule=None if first or judged.rule is None else judged.rule.id,
        reason=reason,
        evses=good,
        steps=((Step("", "token", token.id, "decides", reason),) if first else ()) + judged.steps,
        budgets=_budgets(core, facts, at),
    )


def _of_a_stranger(core: Core, request: ExplainAccess, state: StationState, at: datetime) -> Explanation:
    """Nobody registered it: no rule is asked; another system is, where there is one (``authorize_url``)."""
    reason = "nobody registered it" + ("; another system is asked about it" if core.outside else "")
    zone = facts_of(core, state.station, Token(request.token), request.evse or None).time_zone
    return Explanation(
        token=request.token,
        station=state.station.id,
        evse=request.evse,
        at=at,
        local_time=f"{local(at, zone):%a %Y-%m-%d %H:%M %Z}",
        status=tokens.Authorization.UNKNOWN,
        rule=None,
        reason=reason,
        steps=(Step("", "token", request.token, "decides", reason),),
    )


def _own(core: Core, state: StationState, token: Token, at: datetime, evse: int | None) -> tuple[Ruling, str]:
    """What the token itself, its driver and its balance say, before any rule is asked."""
    held = standing(core, token)
    running = len(core.active.get(token.id.casefold(), ()))
    here = Presented(state.station.id, evse, starts=True)
    ruling = tokens.rule(held, TokenRef(token.id, token.kind), at, running, here)
    if ruling.accepted and not has_credit(core, token):
        ruling = Ruling(tokens.Authorization.NO_CREDIT, token)
        return ruling, "its balance is used up"
    why = {
        tokens.Authorization.BLOCKED: held.blocked_reason or "it is blocked",
        tokens.Authorization.EXPIRED: "it is not valid then",
        tokens.Authorization.CONCURRENT: f"it has {running} sessions already",
        tokens.Authorization.INVALID: "a master pass starts nothing",
        tokens.Authorization.NOT_HERE: f"it may charge at {', '.join(token.places)} alone",
        tokens.Authorization.WRONG_EVSE: f"it may charge at {', '.join(token.places)} alone",
    }
    return ruling, why.get(ruling.status, "")


def _budgets(core: Core, facts: Facts, at: datetime) -> tuple[UsageView, ...]:
    book = rulebook(core)
    if book is None:
        return ()
    return tuple(
        usage.view(rule, usage.holder(rule, facts), book.ledger.used(rule, facts, at), at, facts.time_zone)
        for rule in book.rules.of(facts)
        if rule.effect == "budget" and (not facts.station or usage.counts(rule, facts))
    )


async def show_usage(core: Core, request: ShowBudgets, actor: Actor) -> list[UsageView]:
    """What is used of every budget that is about a subject: its own share, and where it is many, everybody's."""
    kind, _, name = (request.subject or "").partition(":")
    if request.subject is not None and (kind not in SUBJECTS or (kind == "everyone") is bool(name)):
        raise Invalid(
            f"{request.subject!r} is no subject", "write token:TAG, driver:ID, group:NAME or everyone"
        )
    book, at = rulebook(core), request.at or core.clock.now()
    if book is None:
        return []
    facts = _facts(core, kind, name)
    if facts is not None:
        return list(_budgets(core, facts, at))
    rules = book.rules.about(kind, name) if kind else sorted(core.kept[KIND].values(), key=precedence)
    return [
        usage.view(rule, whose, used, at)
        for rule in rules
        if rule.effect == "budget"
        for whose, used in book.ledger.holders(rule, at) or _nobody(rule)
    ]


def _facts(core: Core, kind: str, name: str) -> Facts | None:
    """A token or driver as rules see it, wherever it is; None for those who are many."""
    if kind == "token":
        token = named(core, name)
        if token is None:
            raise NotFound(f"there is no token {name}", "see `cms tokens list`")
        return facts_of(core, Station(""), token, None)
    return facts_of(core, Station(""), Token("", driver=name), None) if kind == "driver" else None


def _nobody(rule: Rule) -> list[tuple[str, usage.Used]]:
    """A shared budget of which nothing is used yet is shown all the same."""
    if rule.budget is None or rule.budget.each:
        return []
    return [(usage.holder(rule, Facts("")), usage.Used())]

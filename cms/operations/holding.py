"""Which tariff holds for whom and where, asked of what is in memory: look-ups in dictionaries, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cms.contract.refusals import Invalid
from cms.core import Core
from cms.domain import assignment, billing, drivers, evses, plans, sites, tariffs
from cms.domain.assignment import Asked
from cms.domain.evolve import evolve
from cms.domain.evses import Evse
from cms.domain.sessions import Session
from cms.domain.stations import StationState
from cms.domain.tokens import Token

_FIRST_YEAR, _LAST_YEAR = 2000, 2200


def of_session(core: Core, state: StationState, session: Session) -> str | None:
    """The version of a tariff that a session is priced by that begins as this one did."""
    if not core.kept.get(tariffs.USE) and plans.SUBSCRIPTION not in core.kept:
        return None
    asked = facts(core, state, session.token, session.evse, session.connector, session.started_at)
    return held(core, asked, session.started_at)


def instant(at: datetime) -> datetime:
    """An instant that somebody of ours named: with its zone, and in a calendar that has days around it."""
    if at.tzinfo is None:
        raise Invalid("a time needs its zone, e.g. 2027-01-01T00:00:00Z")
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise Invalid(f"a time lies between {_FIRST_YEAR} and {_LAST_YEAR}, not in the year {at.year}")
    return at


def held(core: Core, asked: Asked, at: datetime) -> str | None:
    """The version that decides; None where no tariff holds."""
    uses, register = core.kept.get(tariffs.USE, {}), core.kept.get(tariffs.TARIFF, {})
    rung = assignment.resolve(uses, register, asked, at)
    return rung.version if rung is not None else None


def personal(core: Core, asked: Asked, at: datetime) -> str | None:
    """The version that is his who charges, wherever he does."""
    return assignment.personal(core.kept.get(tariffs.USE, {}), core.kept.get(tariffs.TARIFF, {}), asked, at)


def facts(
    core: Core,
    state: StationState,
    token_id: str | None,
    evse: int | None,
    connector: int | None,
    at: datetime,
) -> Asked:
    """What rungs there are for somebody with this token at this place."""
    token = core.tokens.get(token_id.casefold()) if token_id else None
    site = sites.of(core.kept.get(sites.KIND, {}), state.station.site)
    outlet = _outlet(state.kept_of(evses.KIND), evse, connector)
    place = Asked(
        station=state.station.id,
        site=site.id if site is not None else state.station.site,
        evse=evse,
        standard=outlet,
        token=token_id,
    )
    return whose(core, place, token, token.driver if token is not None else None, at)


def whose(core: Core, asked: Asked, token: Token | None, driver_id: str | None, at: datetime) -> Asked:
    """With the rungs of a driver: his groups, his plan."""
    driver = core.kept.get(drivers.KIND, {}).get(driver_id) if driver_id is not None else None
    groups: tuple[str, ...] = driver.groups if driver is not None else ()
    if token is not None and token.group is not None:
        groups = (*groups, token.group)
    plan = billing.plan_of(core.kept, driver_id, at) if plans.SUBSCRIPTION in core.kept else None
    if not groups and plan is None:
        return asked
    return evolve(asked, groups=groups, plan=plan, plan_tariff=_tariff_of(core.kept, plan, at))


def _tariff_of(kept: Mapping[str, Mapping[str, Any]], plan: str | None, at: datetime) -> str | None:
    """What the plan itself names for its members."""
    offer = kept.get(plans.PLAN, {}).get(plan) if plan is not None else None
    version = offer.on(plans.day_of(kept, at)) if offer is not None else None
    return version.tariff if version is not None else None


def _outlet(known: Mapping[str, Evse], evse: int | None, connector: int | None) -> str | None:
    """The standard of the outlet; of the only one where the connector is not told (1.6 numbers EVSEs)."""
    found = known.get(evses.number(evse)) if evse else None
    if found is None:
        return None
    outlet = found.outlet(connector or 1)
    if outlet is None and len(found.outlets) == 1:
        outlet = found.outlets[0]
    return outlet.standard if outlet is not None else None


def language(core: Core, token_id: str | None) -> str | None:
    """What the holder of a token speaks, as far as somebody said."""
    token = core.tokens.get(token_id.casefold()) if token_id else None
    if token is None or token.driver is None:
        return None
    driver = core.kept.get(drivers.KIND, {}).get(token.driver)
    profile = billing.profile(core.kept, token.driver)
    spoken: str | None = driver.language if driver is not None else None
    return spoken or (profile.language if profile is not None else None)

"""Making a profile fit to be sent: what the station takes, what was left out, the rules; and what holds by it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from cms.contract.charging import Profile
from cms.contract.refusals import Invalid
from cms.core import Core, Lane
from cms.domain import quirks
from cms.domain.charging import needs, notices, register, rules
from cms.domain.charging.composite import Composite, Mains, composite
from cms.domain.charging.limits import Limits, limits_of, with_capabilities, with_quirks
from cms.domain.stations import StationState
from cms.operations.quirks import of as capabilities_of


async def limits(core: Core, state: StationState) -> Limits:
    """What the station takes: as it said, else as its make does; and whatever is known to be otherwise."""
    told = limits_of(await core.store.variables(state.station.id))
    known = capabilities_of(core, state)
    if known is not None:
        told = with_capabilities(told, known)
    return with_quirks(told, quirks.of(state))


def complete(core: Core, lane: Lane, evse: int | None, profile: Profile, told: Limits) -> tuple[int, Profile]:
    """The profile as it may be sent, and where. Raises Invalid and Conflict."""
    state = lane.state
    rules.check_words(profile)
    place, profile = rules.completed(state, evse, profile, told, core.clock.now(), core.mint.number())
    rules.check(rules.Case(profile, place, state, told))
    return place, profile


async def for_a_start(core: Core, lane: Lane, evse: int | None, profile: Profile) -> Profile:
    """The profile of a session to come: tx, without a transaction id (1.6 section 5.16.2, 2.x F01.FR.09)."""
    rules.check_words(profile)
    if profile.purpose != "tx" or profile.transaction_id is not None:
        raise Invalid("a session starts with a tx profile, and without a transaction id: it has none yet")
    if evse is None:
        raise Invalid("a session that starts with a profile needs its EVSE", "give --evse")
    told = await limits(core, lane.state)
    profile = rules.awaiting(profile, told, core.clock.now(), core.mint.number())
    rules.check_shape(rules.Case(profile, evse, lane.state, told))
    return profile


def holds(
    state: StationState,
    evse: int,
    start: datetime,
    duration_s: int,
    unit: str,
    mains: Mains | None = None,
    *,
    planned: bool = True,
) -> Composite:
    """What holds at an EVSE out of everything installed; ``planned`` False leaves our own plans for cars out."""
    known = [one for one in register.installed(state) if planned or one.set_by != needs.PLANNER]
    place = notices.place_of(state, evse)
    return composite(known, notices.foreign(state), place, start, duration_s, unit, mains)


def mains(voltage: Decimal | None, phases: int | None) -> Mains | None:
    """What A and W are converted with; None: they are not."""
    if voltage is None and phases is None:
        return None
    if voltage is None or phases is None:
        raise Invalid("to convert between A and W both are needed: --voltage and --phases")
    if not 50 <= voltage <= 1500 or not 1 <= phases <= 3:
        raise Invalid("a voltage of 50 to 1500 V and 1 to 3 phases can be converted with")
    return Mains(voltage, phases)

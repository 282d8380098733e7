"""External authorisation: asked before a station's lock is taken, within its deadline, and only where it matters."""

from __future__ import annotations

from datetime import datetime

from cms.core import Core
from cms.domain import outside
from cms.domain.iso15118 import ContractPresented
from cms.domain.observations import Received, TokenPresented, TokenRef, TransactionReported
from cms.domain.outside import Asked, Told
from cms.domain.stations import StationState
from cms.domain.tokens import Ruling, Token
from cms.operations import quirks
from cms.operations.identifying import known

#: Nobody is asked about these: no token, a payment's reference, what a station decides by itself.
_NEVER = frozenset({"no-authorization", "direct-payment", "local"})


async def asked(core: Core, state: StationState, received: Received) -> Told | None:
    """What is said of the token in this message; None where nobody is to be asked about one."""
    if core.outside is None:
        return None
    seen = received.observation
    if isinstance(seen, TransactionReported):
        if seen.token is None or _settled(state, received, seen):
            return None
        return await told(core, state, received.at, seen.token, seen.evse, "start")
    if isinstance(seen, TokenPresented | ContractPresented):
        return await told(core, state, received.at, seen.token, None, "authorize")
    return None


def _settled(state: StationState, received: Received, report: TransactionReported) -> bool:
    """An end, history, a token told again: nothing is left to decide."""
    if report.stops:
        return True
    session = state.session_of(report.transaction_id) if report.transaction_id else None
    repeated = session is not None and session.token is not None
    return repeated or report.key in state.recent or report.is_history(received.at)


async def told(
    core: Core, state: StationState, at: datetime, presented: TokenRef, evse: int | None, purpose: str
) -> Told | None:
    """Ask, unless we know already that it is refused."""
    assert core.outside is not None
    if presented.kind in _NEVER:
        return None
    token = known(core, presented) or quirks.token_behind(core, state, presented.id)
    if not _asked_about(core, state, at, token):
        return None
    own = token.id if token is not None and token.kind != "key-code" else presented.id
    question = Asked(core.organisation, own, presented.kind, state.station.id, evse or None, purpose, at)
    return await core.outside.ask(question)


def _asked_about(core: Core, state: StationState, at: datetime, token: Token | None) -> bool:
    assert core.outside is not None
    if token is None:  # a station where somebody tries card numbers asks nobody in vain (T6)
        return not core.sightings.deaf(state.station.id.casefold(), at)
    return core.outside.whose == "all" and not token.blocked and not token.master


def ruled(core: Core, received: Received, ruling: Ruling, presented: TokenRef, said: Told | None) -> Ruling:
    """Our own ruling with what was said outside."""
    if said is None or core.outside is None:
        return ruling
    return outside.ruled(ruling, said, presented, core.outside.offline, received.at)


async def ruled_order(
    core: Core, state: StationState, ruling: Ruling, presented: TokenRef, evse: int | None
) -> Ruling:
    """Likewise for a session that somebody of ours wants to start: nobody's lock is held."""
    if core.outside is None:
        return ruling
    now = core.clock.now()
    said = await told(core, state, now, presented, evse, "start")
    return ruling if said is None else outside.ruled(ruling, said, presented, core.outside.offline, now)

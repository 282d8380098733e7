"""What a driver is told when a card is presented: whether a balance is left, and what charging costs here."""

from __future__ import annotations

from cms.core import Core
from cms.domain import balances, billing, tariffs
from cms.domain.changes import Decision
from cms.domain.evolve import evolve
from cms.domain.iso15118 import ContractAnswer, ContractPresented
from cms.domain.observations import Answer, Priced, Received, TokenAnswer
from cms.domain.stations import StationState
from cms.domain.tokens import Authorization
from cms.operations import costmessages, holding, iso15118
from cms.operations.abilities import abilities
from cms.operations.credits import verdict
from cms.operations.identifying import known as registered
from cms.operations.openings import known_tariffs


async def presented(core: Core, state: StationState, received: Received, decision: Decision) -> Decision:
    """An Authorize answer with what the driver pays: a balance decides (C17), prices are told (I01, I08)."""
    answer: Answer = decision.answer
    if not isinstance(answer, TokenAnswer) or answer.status != Authorization.ACCEPTED:
        return decision
    token = received.observation.token  # type: ignore[attr-defined]
    # Whoever charges here already may be about to stop.
    here = [session.id for session in state.sessions.values()]
    status = verdict(core, (registered(core, token) or token).id, here)
    if status is not None:
        answer = evolve(answer, status=status, expires=received.at)
        events = tuple(
            evolve(event, data={**event.data, "status": status}) if event.type == "token.presented" else event
            for event in decision.events
        )
        decision = evolve(decision, answer=answer, events=events)
    if answer.status == Authorization.ACCEPTED and received.ocpp_version == "1.6":
        if costmessages.shows_costs(core, state):
            core.spawn(costmessages.tell_price(core, state, token.id, received))
    elif answer.status == Authorization.ACCEPTED:
        answer = evolve(answer, priced=await _prices(core, state, token.id, received))
    return evolve(decision, answer=answer)


async def contract_presented(
    core: Core, state: StationState, received: Received, seen: ContractPresented
) -> Decision:
    """The same for a contract certificate: its token pays like any other."""
    decision = await iso15118.presented(core, state, received, seen)
    answer = decision.answer
    if not isinstance(answer, ContractAnswer) or not (
        core.kept.get(tariffs.USE) or core.kept.get(balances.KIND) or core.kept.get(billing.KIND)
    ):
        return decision
    of_token = await presented(core, state, received, evolve(decision, answer=answer.token))
    assert isinstance(of_token.answer, TokenAnswer)
    return evolve(of_token, answer=evolve(answer, token=of_token.answer))


async def _prices(core: Core, state: StationState, token: str, received: Received) -> Priced | None:
    known = known_tariffs(core)
    asked = holding.facts(core, state, token, None, None, received.at)
    held = known.get(holding.held(core, asked, received.at) or "")
    if held is None:
        return None
    can = await abilities(core, state.station.id)
    own = known.get(holding.personal(core, asked, received.at) or "")
    driver = own if received.ocpp_version == "2.1" and can.tariffs is not False else None
    spoken = holding.language(core, token)
    return Priced(tariffs.text_for(held, spoken) if can.texts else None, driver)

"""Costs told to 1.6 stations that show them: before, during and after a session, by DataTransfer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from cms.contract.intents import IntentView, Preview
from cms.contract.prices import DisplayTariff, PriceTag
from cms.contract.refusals import NotSupported, Refusal
from cms.contract.stations import OrderTerms, SetConfiguration
from cms.core import Actor, Core, StoreDown
from cms.domain import costmessages, pricewords, quirks, tariffs
from cms.domain.accounts import Account
from cms.domain.costmessages import DEFAULT_PRICE, KEY, VENDOR
from cms.domain.datatransfer import SendData
from cms.domain.observations import Received
from cms.domain.sessions import Session
from cms.domain.stations import StationState
from cms.domain.tariffs import Tariff
from cms.operations import configuration, holding
from cms.operations.intents import give
from cms.operations.previews import preview
from cms.operations.quirks import of as capabilities_of

#: A session's running cost is told at most so often.
_EVERY = timedelta(seconds=60)
_OURSELVES = Actor("cms", "admin", frozenset())


def shows_costs(core: Core, state: StationState) -> bool:
    """Whether a 1.6 station shows costs: as an operator said, else as its make says. Nothing is read for it."""
    said = quirks.of(state).cost_messages
    if said:
        return said == "yes"
    known = capabilities_of(core, state)
    return known is not None and known.shows_costs is True


def due(
    account: Account, session: Session, received: Received, known: Mapping[str, Tariff]
) -> SendData | None:
    """What a 1.6 station is to be told of a session's cost now; None where nothing is."""
    if received.ocpp_version != "1.6" or not account.running or account.total is None:
        return None
    tariff = known.get(account.tariff or "")
    if tariff is None:
        return None
    if account.final:
        return costmessages.final_cost(account, session, _final_words(account))
    if account.sent_at is not None and received.at - account.sent_at < _EVERY:
        return None
    return costmessages.running_cost(account, session, tariff, received.at)


def _final_words(account: Account) -> str:
    """The amount as it is read; what it is made of stands on the bill."""
    assert account.total is not None
    return pricewords.Words("en").money(account.total, account.currency or "")


async def send(core: Core, session: Session, order: SendData) -> None:
    """Tell it once; a station that says no is left alone until the next time."""
    state = core.lane(session.station).state
    if shows_costs(core, state):
        await _give(core, state, order)


async def tell_price(core: Core, state: StationState, token: str, received: Received) -> None:
    """What the holder of a card that was accepted pays here (SetUserPrice)."""
    asked = holding.facts(core, state, token, None, None, received.at)
    version = holding.held(core, asked, received.at)
    tariff = tariffs.known(core.kept.get(tariffs.TARIFF, {}), version)
    if tariff is not None:
        spoken = holding.language(core, token) or "en"
        await _give(core, state, costmessages.user_price(token, pricewords.text(tariff, spoken)))


async def _give(core: Core, state: StationState, order: SendData) -> None:
    shown = preview(state, "data", f"ocpp data {state.station.id} {VENDOR}", (), "nothing changes", level=0)
    try:
        await give(core, _OURSELVES, state.station.id, "data", order, OrderTerms(), shown)
    except (Refusal, StoreDown):
        return  # the intent says why


async def default_price(
    core: Core, request: DisplayTariff, tag: PriceTag, actor: Actor
) -> IntentView | Preview:
    """The price that a 1.6 station shows while nobody charges: its key DefaultPrice."""
    state = core.lane(request.station).state
    if not shows_costs(core, state):
        raise NotSupported(
            f"{state.station.id} speaks OCPP 1.6 and did not say that it shows prices ({KEY})",
            f"if it does: cms stations quirks {state.station.id} set cost-messages=yes",
        )
    tariff = tariffs.known(core.kept.get(tariffs.TARIFF, {}), tag.tariff)
    assert tariff is not None
    value = costmessages.default_price(tariff, tag.text)
    terms = {name: getattr(request, name) for name in OrderTerms.__dataclass_fields__}
    wanted = SetConfiguration(station=state.station.id, values={DEFAULT_PRICE: value}, **terms)
    return await configuration.set_(core, wanted, actor)

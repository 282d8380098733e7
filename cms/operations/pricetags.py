"""What charging costs at a place, before anybody begins: for people, pay pages and displays."""

from __future__ import annotations

from datetime import datetime

from cms.contract.displays import SetDisplayMessage
from cms.contract.intents import IntentView, Preview
from cms.contract.prices import DisplayTariff, PriceTag, ShowPriceTag
from cms.contract.refusals import NotFound
from cms.core import Actor, Core
from cms.domain import pricewords, tariffs
from cms.domain.assignment import Asked
from cms.domain.stations import StationState
from cms.domain.tariffs import Tariff
from cms.operations import costmessages, displays, holding
from cms.operations.identifying import named
from cms.operations.stations import check_place, version_of

#: Prices of EVSEs have numbers of their own among the messages on a display: the same place has the same.
_FIRST_MESSAGE = 1_900_000_000


async def show(core: Core, request: ShowPriceTag, actor: Actor) -> PriceTag:
    """The price of a place for whoever begins then; NotFound where no tariff holds."""
    token = named(core, request.token) if request.token is not None else None
    if request.token is not None and token is None:
        raise NotFound(f"there is no token {request.token}", "see `cms tokens list`")
    at = holding.instant(request.at) if request.at is not None else core.clock.now()
    tag = offer(core, request.station, request.evse, at, request.language, token.id if token else None)
    if tag is None:
        raise NotFound(
            f"no tariff holds at {request.station}: what is charged there has no price",
            f"see `cms tariffs resolve {request.station}`",
        )
    return tag


def offer(
    core: Core,
    station: str,
    evse: int | None,
    at: datetime,
    language: str | None = None,
    token: str | None = None,
) -> PriceTag | None:
    """What a session costs that begins there then, prices with VAT; None where no tariff holds."""
    check_place(evse or 0)
    state = core.lane(station).state
    asked = holding.facts(core, state, token, evse, None, at)
    tariff = held(core, asked, at)
    if tariff is None:
        return None
    spoken = language or holding.language(core, token) or "en"
    return _tag(state, evse, tariff, spoken, at)


def held(core: Core, asked: Asked, at: datetime) -> Tariff | None:
    """The tariff that holds, where one does."""
    version = holding.held(core, asked, at)
    return tariffs.known(core.kept.get(tariffs.TARIFF, {}), version)


def _tag(state: StationState, evse: int | None, tariff: Tariff, language: str, at: datetime) -> PriceTag:
    words = pricewords.Words(language)
    lines = pricewords.lines(tariff, language)
    return PriceTag(
        station=state.station.id,
        evse=evse,
        tariff=tariff.id,
        currency=tariff.currency,
        language=words.language,
        at=at,
        text=pricewords.text(tariff, language),
        lines=lines,
        vat=pricewords.vat(tariff, language),
        valid_to=tariff.valid_to,
    )


async def display(core: Core, request: DisplayTariff, actor: Actor) -> IntentView | Preview:
    """2.x: a message on the display while nobody charges, in the place of the one before. 1.6: its default price."""
    lane = core.lane(request.station)
    tag = await show(core, ShowPriceTag(request.station, request.evse, language=request.language), actor)
    if version_of(core, lane) == "1.6":
        return await costmessages.default_price(core, request, tag, actor)
    return await displays.set_(
        core,
        SetDisplayMessage(
            station=request.station,
            text=tag.text[:1024],
            message=_FIRST_MESSAGE + (request.evse or 0),
            language=tag.language,
            priority="normal-cycle",
            state="idle",
            force=True,
            dry_run=request.dry_run,
            queue_s=request.queue_s,
            when_idle=request.when_idle,
            at=request.at,
            reason=request.reason,
        ),
        actor,
    )

"""Tariffs that 2.1 stations hold and calculate by, as far as their answers told (I07 to I11)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cms.contract.tariffs import InstalledTariff
from cms.domain import accounts
from cms.domain.changes import Change, Decision, Keep
from cms.domain.evolve import evolve
from cms.domain.intents import Intent
from cms.domain.observations import Noted
from cms.domain.orders import OrderAnswer
from cms.domain.record import record
from cms.domain.stations import StationState
from cms.domain.tariffs import ChangeTransactionTariff, ClearTariffs, GetTariffs, SetDefaultTariff

INSTALLED = "station-tariff"
#: A station cannot make us remember more.
_MOST = 200


@record
class Installed:
    """``kind``: DefaultTariff or DriverTariff; no EVSEs: all."""

    tariff: str
    kind: str
    evses: tuple[int, ...]
    heard_at: datetime
    valid_from: str | None = None


def _decision(state: StationState, changes: list[Change]) -> Decision:
    return Decision(Noted(), state, tuple(changes))


def _keep(state: StationState, key: str, value: Installed | None, now: datetime) -> Change:
    return Keep(state.station.id, INSTALLED, key, value, now)


def _gone(state: StationState, now: datetime, *, evse: int | None = None) -> list[Change]:
    """Forget the default tariffs of an EVSE (0 or None: of all)."""
    known = state.kept_of(INSTALLED)
    return [
        _keep(state, key, None, now)
        for key, value in known.items()
        if evse in (None, 0) or evse in value.evses
    ]


def _applied(state: StationState, changes: list[Change]) -> StationState:
    for change in changes:
        if isinstance(change, Keep):
            state = state.keeping(INSTALLED, change.key, change.value)
    return state


def set_default(
    state: StationState, _: Intent, order: SetDefaultTariff, answer: OrderAnswer, now: datetime
) -> Decision:
    """A new default replaces the one before at its EVSE."""
    if answer.verdict == "rejected":
        return Decision(Noted(), state)
    changes = _gone(state, now, evse=order.evse)
    evses = (order.evse,) if order.evse else ()
    entry = Installed(order.tariff.id, "DefaultTariff", evses, now)
    changes.append(_keep(state, f"{order.tariff.id}@{order.evse}", entry, now))
    return _decision(_applied(state, changes), changes)


def got(state: StationState, _: Intent, order: GetTariffs, answer: OrderAnswer, now: datetime) -> Decision:
    """What the station holds, as it says: what it does not name is not there."""
    if answer.verdict == "rejected":
        return Decision(Noted(), state)
    changes = _gone(state, now, evse=order.evse)
    told: list[dict[str, Any]] = list(answer.answer.get("tariffAssignments") or [])
    for item in told[:_MOST]:
        evses = tuple(int(evse) for evse in item.get("evseIds") or ())
        tariff = str(item["tariffId"])[:60]
        entry = Installed(tariff, str(item["tariffKind"]), evses, now, item.get("validFrom"))
        place = ",".join(map(str, evses)) or "0"
        changes.append(_keep(state, f"{tariff}@{place}", entry, now))
    return _decision(_applied(state, changes), changes)


def cleared(
    state: StationState, _: Intent, order: ClearTariffs, answer: OrderAnswer, now: datetime
) -> Decision:
    """What was accepted, and what was not there (NoTariff), is gone."""
    results = answer.answer.get("clearTariffsResult") or []
    taken = {str(item.get("tariffId")) for item in results if item.get("status") in ("Accepted", "NoTariff")}
    everything = not order.tariffs and all(item.get("status") != "Rejected" for item in results)
    changes: list[Change] = [
        _keep(state, key, None, now)
        for key, value in state.kept_of(INSTALLED).items()
        if (everything or value.tariff in taken) and (order.evse in (None, 0) or order.evse in value.evses)
    ]
    return _decision(_applied(state, changes), changes)


def changed(
    state: StationState, _: Intent, order: ChangeTransactionTariff, answer: OrderAnswer, now: datetime
) -> Decision:
    """The session's account goes on with the new tariff (I11)."""
    account = state.kept_of(accounts.KIND).get(order.session)
    if answer.verdict == "rejected" or account is None:
        return Decision(Noted(), state)
    account = evolve(account, timeline=(*account.timeline, (now, order.tariff.id)))
    state = state.keeping(accounts.KIND, order.session, account)
    return Decision(Noted(), state, (Keep(state.station.id, accounts.KIND, order.session, account, now),))


def view(installed: Installed) -> InstalledTariff:
    return InstalledTariff(
        tariff=installed.tariff,
        kind=installed.kind,
        evses=installed.evses,
        valid_from=installed.valid_from,
        heard_at=installed.heard_at,
    )

"""T20: a meter that falls, jumps, lies about its unit or counts backwards is flagged, and never billed negative."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cms.contract.tariffs import Component, Price, Tariff
from cms.domain import costs
from cms.domain.costs import Stretch
from tests.domain.build import NOON, Desk, after, register, start, stop
from tests.domain.build import event as event_2

#: What a meter may do between two samples -> how it changes what it says.
DEFECTS: dict[str, Any] = {
    "fine": lambda wh: wh,
    "zero": lambda wh: 0,
    "rolled-back": lambda wh: max(wh - 3000, 0),
    "negative": lambda wh: -wh,
    "wh-said-to-be-kwh": lambda wh: wh * 1000,
    "kwh-said-to-be-wh": lambda wh: wh // 1000,
    "absurd": lambda wh: 10**14,
}
SERIES = st.lists(st.tuples(st.sampled_from(sorted(DEFECTS)), st.integers(0, 5000)), min_size=1, max_size=10)
TARIFF = Tariff("T", "EUR", energy=Component((Price(Decimal("0.40")),)))


def told(series: list[tuple[str, int]], version: str) -> tuple[Any, int]:
    """The session after samples with these defects and a stop that is true; and what was really delivered."""
    desk, true_wh = Desk(), 20_000
    if version == "1.6":
        number = desk.tell(start(meter=true_wh)).answer.transaction_id
    else:
        number = "tx-1"
        began = (register(true_wh, NOON, "Transaction.Begin"),)
        desk.tell(event_2("started", 0, NOON, evse=1, connector=1, readings=began), version=version)
    for minute, (defect, step_wh) in enumerate(series, 1):
        true_wh += step_wh
        at = after(minute * 10)
        said = event_2("updated", minute, at, readings=(register(DEFECTS[defect](true_wh), at),))
        decision = desk.tell(_metered(number, said) if version == "1.6" else said, version=version)
        (session,) = desk.state.sessions.values()
        assert session.energy_wh >= 0, decision
        assert payable(session) >= 0
    at = after(len(series) * 10 + 10)
    if version == "1.6":
        desk.tell(stop(number, true_wh, at))
    else:
        ends = (register(true_wh, at, "Transaction.End"),)
        desk.tell(event_2("ended", len(series) + 1, at, readings=ends), version=version)
    return desk.past[number], true_wh - 20_000


def _metered(number: str, said: Any) -> Any:
    from cms.domain.observations import Metered

    return Metered(1, said.readings, number)


def payable(session: Any) -> Decimal:
    steps = [Stretch(after(60), Decimal(session.energy_wh), True)]
    timeline, known = [(NOON, "T")], {"T": TARIFF}
    found = costs.total(costs.recount(NOON, steps, timeline, known), timeline, known)
    assert found is not None
    return found.payable


@given(SERIES, st.sampled_from(["1.6", "2.0.1"]))
@settings(max_examples=40, deadline=None)
def test_a_series_with_defects_is_flagged_wherever_its_energy_is_not_the_true_one(
    series: list[tuple[str, int]], version: str
) -> None:
    session, delivered_wh = told(series, version)
    assert session.energy_wh >= 0
    if session.energy_wh != delivered_wh:
        assert session.flags, "what is billed is not what was delivered, and nobody is told"
    if all(defect == "fine" for defect, _ in series):
        assert (session.energy_wh, session.flags) == (delivered_wh, ())


def test_a_unit_that_lies_is_an_implausible_jump() -> None:
    session, _ = told([("fine", 1000), ("wh-said-to-be-kwh", 1000)], "1.6")
    assert "implausible-jump" in session.flags
    assert session.energy_wh == 2000, "the stop is what the bill rests on"


def test_a_stop_below_the_start_is_never_billed_negative() -> None:
    desk = Desk()
    number = desk.tell(start(meter=20_000)).answer.transaction_id
    desk.tell(stop(number, 5000, after(60)))
    session = desk.past[number]
    assert session.energy_wh == 0
    assert "meter-stop-below-start" in session.flags
    assert payable(session) == 0

"""The page of a session: its story ready for a mail, its price, its samples, its frames."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cms.contract.balances import ShowBalance
from cms.contract.billingprofiles import ShowBillingProfile
from cms.contract.drivers import DriverNote, DriverView
from cms.contract.events import Event
from cms.contract.prices import ExplainedLine, ExplainPrice, Explanation
from cms.contract.refusals import Conflict, Denied, NotFound
from cms.contract.sessions import Sample
from cms.contract.support import FindDrivers, FoundDriver, Right, ShowSupportCard, SupportCard, Try
from cms.contract.tokens import TokenView
from tests.tui.fake import NOON, FakeDaemon, frame, session, small_fleet
from tests.tui.seat import seated
from tui.samples import power_samples, readings, sheet_of
from tui.story import as_text, story, stretches

START = NOON - timedelta(minutes=30)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def event(number: int, type: str, minutes: float, **data: Any) -> Event:
    return Event(str(number), at(minutes), type, "CP-0042", "88140", None, data)


def test_stretches_of_about_the_same_power_are_told_with_their_length() -> None:
    powers = [(at(n), 22_000) for n in range(20)] + [(at(n), 100) for n in range(20, 31)]
    told = [line.text for line in stretches(powers)]
    assert told == ["draws 22.0 kW for 20 min", "draws nothing for 10 min: the car is full, or waits"]


def test_a_story_is_in_the_order_of_time_and_says_nothing_twice() -> None:
    over = replace(session("88140", "CP-0042"), ended_at=at(40), stop_reason="EVDisconnected", status="ended")
    view = {"status": "charging"}
    told = [
        event(2, "session.flagged", 5, flags=["1-phase"]),
        event(1, "session.changed", 1, session=view),
        event(3, "session.changed", 6, session=view),
        event(4, "session.metered", 7, energy_wh=5),
        event(5, "session.ended", 40, session={"status": "ended"}),
    ]
    lines = [line.text for line in story(over, told, (), "anna")]
    assert lines == [
        "begins at CP-0042, connector 1, for anna (token 04A2BC9F)",
        "charges",
        "odd about it: 1-phase",
        "charges",
        "ended (EVDisconnected) after 0:40 h with 11.4 kWh",
    ]


def test_the_story_as_text_has_a_heading_dated_lines_and_a_sum() -> None:
    priced = session("88140", "CP-0042", cost={"amount": "6.71", "currency": "EUR"})
    text = as_text(priced, story(priced, [], ()), "Berlin-Mitte")
    assert text.startswith("Charging session 88140 at CP-0042, Berlin-Mitte, ")
    assert text.endswith("In all so far: 11.4 kWh, 6.71 EUR.")


def sample(minutes: float, measurand: str, value: str, phase: str | None = None) -> Sample:
    return Sample(at(minutes), measurand, value, None, phase=phase)


def test_samples_of_one_instant_stand_in_one_row_and_phases_beside_each_other() -> None:
    told = [
        sample(1, "Current.Import", "16.04", "L2"),
        sample(1, "Current.Import", "0", "L1"),
        sample(1, "Energy.Active.Import.Register", "12345"),
        sample(0, "SoC", "62"),
        sample(1, "Voltage", "=cmd()"),
    ]
    first, second = readings(told)
    assert (first.soc, second.energy, second.current) == ("62", "12.345", "0.0/16.0")
    assert sheet_of([second]).splitlines()[1].endswith(",12.345,,,0.0/16.0,'=cmd(),")


def test_power_is_the_total_or_the_sum_of_phases() -> None:
    phases = [sample(0, "Power.Active.Import", "100", phase) for phase in ("L1", "L2", "L3")]
    assert power_samples([*phases, sample(1, "Power.Active.Import", "500"), sample(2, "Voltage", "1")]) == [
        (at(0), 300),
        (at(1), 500),
    ]


def priced() -> Explanation:
    line = ExplainedLine("energy", "DC", None, None, Decimal("11.4"), "kWh", Decimal("0.59"), Decimal(19),
                         Decimal("5.64"), Decimal("1.07"), Decimal("6.71"), "the first that held")  # fmt: skip
    return Explanation("88140", "CP-0042", False, "tariff", "EUR", Decimal("5.64"), Decimal("1.07"),
                       Decimal("6.71"), 11_400, 1800, 0, "UTC", ("DC",), (line,), ("rounded once",))  # fmt: skip


def a_card() -> SupportCard:
    notes = (DriverNote(NOON, "ben", "asked for a second card"),)
    driver = DriverView("anna", "active", "Anna [/] K.", "anna@example.org", "+49 30 1", None, None, None, None,
                        False, ("staff",), "de", ("04A2BC9F",), NOON, None, notes)  # fmt: skip
    token = TokenView("04A2BC9F", "rfid", "accepted", "anna", None, None, None, "C-0001")
    over = session("88001", "CP-0018", ended_at=NOON - timedelta(days=1), status="ended")
    return SupportCard(
        driver, (token,), (session("88140", "CP-0042"),), (over,),
        (Try(NOON, "04A2BC9F", "CP-0018", "blocked", "night"),),
        (Right("night", "deny", "driver anna", "22:00-06:00"),), 14, 212_000,
    )  # fmt: skip


def with_card() -> FakeDaemon:
    daemon = small_fleet()
    daemon.shown[ExplainPrice] = priced()
    daemon.shown[ShowSupportCard] = a_card()
    for money in (ShowBillingProfile, ShowBalance):
        daemon.refusing[money] = NotFound("he has none")
    daemon.samples["88140"] = [sample(n, "Power.Active.Import", "22000") for n in range(6)]
    daemon.frames["CP-0042"] = [frame(1, "MeterValues", '{"transactionId": 88140}'), frame(2, "Heartbeat")]
    return daemon


async def test_a_session_is_told_priced_measured_and_its_driver_is_one_key_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    daemon = with_card()
    async with seated(daemon) as seat:
        seat.app.travel.open_session("88140")
        await seat.sees("[Story]", "begins at CP-0042", "draws 22.0 kW", "d driver", "t station")
        await seat.press("y")
        await seat.hears("copied: the story, ready for a mail")
        await seat.press("n")
        await seat.sees("Power of 88140", "peak 22.0 kW", "22.00 kW")
        await seat.press("escape", "e")
        await seat.hears("✔ the power written to")
        (power,) = tmp_path.glob("cms-session-88140-power-*.csv")
        assert power.read_text().startswith("at,power_w\n2026-11-22T") and ",22000\n" in power.read_text()
        await seat.press("tab")
        await seat.sees("[Price]", "€6.71 so far", "rounded once")
        await seat.press("tab")
        await seat.sees("[Samples]", "22.00")
        await seat.press("e")
        await seat.hears("✔ the samples written to")
        await seat.press("tab")
        await seat.sees("[Messages]", "MeterValues")
        assert "Heartbeat" not in seat.text
        await seat.press("tab", "d")
        await seat.sees(
            "Support card ▸ anna", "Anna [/] K.", "C-0001", "● CP-0042/1", "212.0 kWh", "rule night"
        )
        assert daemon.asked[-1] is not None
        await seat.press("escape", "t")
        await seat.sees("Stations ▸ CP-0042", "[Live]")


async def test_the_card_is_opened_from_anywhere_and_acts_help_the_caller() -> None:
    daemon = with_card()
    daemon.refusing[FindDrivers] = Denied("not yours")
    async with seated(daemon) as seat:
        await seat.press("2", "j", "tilde")
        await seat.sees("who (name, card, e-mail, telephone):")
        await seat.type("anna")
        await seat.press("enter")
        await seat.sees("Anna [/] K.", "tries", "blocked · rule night", "asked for a second card")
        assert ShowSupportCard("anna") in daemon.asked
        await seat.press("y")
        await seat.hears("copied: the card")
        await seat.press("X")
        await seat.sees("Stop the session at CP-0042")
        await seat.press("escape", "j", "j")
        await seat.press("B")
        await seat.sees("Block the token 04A2BC9F?")
        await seat.press("escape", "S")
        await seat.type("CP-0042 2")
        await seat.press("enter")
        await seat.sees("Start for 04A2BC9F: CP-0042 2?")


async def test_where_several_may_be_meant_they_are_shown_and_one_is_opened() -> None:
    daemon = with_card()
    card = daemon.shown.pop(ShowSupportCard)
    daemon.refusing[ShowSupportCard] = Conflict("'anna' may be 2 of them")
    daemon.shelf[FindDrivers] = [
        FoundDriver("anna", "Anna K.", None, "name", "Anna K."),
        FoundDriver("anna-m", "Anna M.", None, "name", "Anna M."),
    ]
    async with seated(daemon, size=(44, 20)) as seat:
        seat.app.travel.open_support("anna")
        await seat.sees("it may be one of these", "anna-m Anna M.")
        daemon.shown[ShowSupportCard] = card
        del daemon.refusing[ShowSupportCard]
        await seat.press("G", "enter")
        await seat.sees("anna@example.org")

"""The support card in lines: what answers a caller, each line with what it opens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from cms.contract.balances import BalanceView
from cms.contract.billingprofiles import BillingProfileView
from cms.contract.ledger import AccountView
from cms.contract.sessions import SessionView
from cms.contract.support import FoundDriver, SupportCard
from cms.contract.tokens import TokenView
from tui import signs, words
from tui.widgets.paint import Line, Span

Row = tuple[str, Line, tuple[str, str]]
"""A label, what is told, and what that is about: (session, token or driver, its id), or ("", "")."""

NOTHING = ("", "")


@dataclass(frozen=True, slots=True)
class Money:
    """What may be seen of a caller's money; None where nobody may see it, or there is nothing."""

    profile: BillingProfileView | None = None
    balance: BalanceView | None = None
    owes: tuple[AccountView, ...] = ()


def rows_of(card: SupportCard, money: Money, now: datetime) -> Iterator[Row]:
    """The whole card, top to bottom."""
    yield ("", _who(card), NOTHING)
    if contact := _contact(card):
        yield _row("contact", contact, about=NOTHING)
    for number, token in enumerate(card.tokens):
        yield _row("tokens" if not number else "", *_token(token), about=("token", token.id))
    if not card.tokens:
        yield _row("tokens", ("none: nothing of his is accepted anywhere", "warn"), about=NOTHING)
    for number, session in enumerate(card.now):
        yield _row("now" if not number else "", *_running(session, now), about=("session", session.id))
    if not card.now:
        yield _row("now", ("charges nowhere", "dim"), about=NOTHING)
    for number, tried in enumerate(card.tries):
        sign = signs.of_token(tried.status)
        why = f" · rule {tried.rule}" if tried.rule else ""
        told = f"{words.moment(tried.at)} {tried.station} {sign.word}{why}"
        yield _row("tries" if not number else "", (f"{sign.mark} {told}", sign.tone), about=NOTHING)
    if not card.tries:
        yield _row("tries", ("no card of his was presented lately", "dim"), about=NOTHING)
    yield from _money(money)
    for number, right in enumerate(card.rights):
        told = f"{right.effect} {right.says} · {right.subject} · rule {right.rule}"
        yield _row("rights" if not number else "", told, about=NOTHING)
    if not card.rights:
        yield _row("rights", ("no rule is about him", "dim"), about=NOTHING)
    charged = f"{card.sessions_30d} sessions, {words.energy(card.energy_30d_wh)}"
    yield _row("30 days", charged, about=NOTHING)
    for number, session in enumerate(card.last):
        yield _row("last" if not number else "", _over(session), about=("session", session.id))
    if card.driver is not None:
        for number, note in enumerate(reversed(card.driver.notes)):
            told = f"{words.minute(note.at)} {note.by}: {' '.join(note.text.split())}"
            yield _row("notes" if not number else "", told, about=NOTHING)


def found_rows(found: list[FoundDriver]) -> Iterator[Row]:
    """Whom the caller may be."""
    yield ("", (("it may be one of these: enter opens the card", "dim"),), NOTHING)
    for hit in found:
        who = " ".join(filter(None, (hit.driver, hit.name))) or f"card {hit.token} of nobody"
        line: Line = (who, (f"  {hit.by}: {hit.matched}", "dim"))
        yield ("", line, ("driver", hit.driver or hit.token or ""))


def as_text(rows: list[Row]) -> str:
    """The card to paste into a ticket."""
    return "\n".join(f"{label:<8} {plain(told)}".rstrip() for label, told, _ in rows)


def plain(line: Line) -> str:
    return "".join(span if isinstance(span, str) else span[0] for span in line)


def _row(label: str, *told: Span, about: tuple[str, str]) -> Row:
    return (label, told, about)


def _who(card: SupportCard) -> Line:
    driver = card.driver
    if driver is None:
        return (("a card that belongs to no driver", "strong"),)
    named = f"{driver.id} {driver.name or ''}".rstrip()
    since = f" · since {driver.added_at.astimezone():%Y-%m-%d}" if driver.added_at else ""
    why = f" ({driver.status_reason})" if driver.status_reason else ""
    groups = f" · {', '.join(driver.groups)}" if driver.groups else ""
    tone = "good" if driver.status == "active" else "bad"
    kind = " · company" if driver.company else ""
    return ((named, "strong"), " · ", (f"{driver.status}{why}", tone), f"{kind}{groups}{since}")


def _contact(card: SupportCard) -> str:
    driver = card.driver
    if driver is None:
        return ""
    city = " ".join(part for part in (driver.postcode, driver.city) if part)
    told = [part for part in (driver.email, driver.phone, driver.street, city) if part]
    return " · ".join(told)


def _token(token: TokenView) -> Iterator[Span]:
    sign = signs.of_token(token.status)
    printed = f" ({token.visual_number})" if token.visual_number else ""
    yield (f"{sign.mark} {token.id}{printed} {token.kind} {sign.word}", sign.tone)
    if token.blocked_reason:
        yield (f" · {token.blocked_reason}", "warn")
    if token.valid_to is not None:
        yield f" · until {words.minute(token.valid_to)}"
    if token.max_sessions is not None:
        yield f" · {token.max_sessions} at a time"
    if token.places:
        yield f" · only at {', '.join(token.places)}"


def _running(session: SessionView, now: datetime) -> Iterator[Span]:
    sign = signs.of_session(session.status)
    cost = f", {session.cost['amount']} {session.cost['currency']}" if session.cost else ""
    where = f"{session.station}/{words.plug(session.evse, session.connector)}"
    drawn = f"{words.energy(session.energy_wh)}, {words.power(session.power_w or 0)}{cost}"
    yield (f"{sign.mark} ", sign.tone)
    yield f"{where} {sign.word} for {words.lasting(session.started_at, now)} h, {drawn}"
    if session.flags:
        yield (f" · {', '.join(session.flags)}", "warn")


def _over(session: SessionView) -> str:
    where = f"{session.station}/{words.plug(session.evse, session.connector)}"
    lasted = words.lasting(session.started_at, session.ended_at or session.started_at)
    cost = f" · {session.cost['amount']} {session.cost['currency']}" if session.cost else ""
    why = f" · {session.stop_reason}" if session.stop_reason else ""
    return (
        f"{words.minute(session.started_at)} {where} {lasted} h {words.energy(session.energy_wh)}{cost}{why}"
    )


def _money(money: Money) -> Iterator[Row]:
    told: list[str] = []
    if (profile := money.profile) is not None:
        told.append(f"pays by {profile.way}" if profile.way else "pays as his tokens say")
        told.append(f"billed each {profile.every}")
        told += [f"plan {profile.plan}"] if profile.plan else []
    if (balance := money.balance) is not None:
        held = balance.balance
        told.append(
            f"prepaid, {held.amount} {held.currency} left{', which is little' if balance.low else ''}"
        )
    if told:
        yield _row("billing", " · ".join(told), about=NOTHING)
    for account in money.owes:
        side = "owes" if account.side == "debit" else "is owed"
        tone = "warn" if account.side == "debit" else ""
        amount = abs(account.balance.amount)
        yield _row("", (f"{side} {amount} {account.balance.currency}", tone), about=NOTHING)

"""Verifying a driver's e-mail address: a code of six digits, good for a quarter of an hour and five tries."""

from __future__ import annotations

from datetime import datetime, timedelta

from cms.domain.evolve import evolve
from cms.domain.record import record

KIND = "verification"
HOLDS = timedelta(minutes=15)
TRIES = 5
#: Between two codes for one driver, and how many of them within an hour.
REST = timedelta(minutes=1)
MOST_AN_HOUR = 5
_HOUR = timedelta(hours=1)


@record
class Attachment:
    """A file that goes with a letter."""

    name: str
    media_type: str
    content: bytes


@record
class Mail:
    """A letter to one address."""

    to: str
    subject: str
    text: str
    attachments: tuple[Attachment, ...] = ()


@record
class Verification:
    """The digest of the code that was sent last, and when codes were sent."""

    digest: bytes
    expires_at: datetime
    tries: int = TRIES
    sent: tuple[datetime, ...] = ()


def next_at(before: Verification | None, now: datetime) -> datetime:
    """When the next code may be sent; not later than now: at once."""
    lately = _lately(before, now)
    if len(lately) >= MOST_AN_HOUR:
        return lately[0] + _HOUR
    return lately[-1] + REST if lately else now


def sent(before: Verification | None, digest: bytes, now: datetime) -> Verification:
    """A new code was sent: the one before is good no more."""
    return Verification(digest, now + HOLDS, TRIES, (*_lately(before, now), now))


def tried(verification: Verification) -> Verification:
    """A wrong code was given."""
    return evolve(verification, tries=verification.tries - 1)


def open_at(verification: Verification | None, now: datetime) -> bool:
    return verification is not None and now < verification.expires_at and verification.tries > 0


def _lately(before: Verification | None, now: datetime) -> tuple[datetime, ...]:
    return () if before is None else tuple(at for at in before.sent if now - at < _HOUR)


#: Language -> subject and text; ``{code}`` and ``{minutes}`` stand for themselves.
_LETTERS: dict[str, tuple[str, str]] = {
    "en": ("Your code: {code}", "Your code is {code}. It is good for {minutes} minutes."),
    "de": ("Ihr Code: {code}", "Ihr Code lautet {code}. Er gilt {minutes} Minuten."),
    "fr": ("Votre code : {code}", "Votre code est {code}. Il est valable {minutes} minutes."),
    "nl": ("Uw code: {code}", "Uw code is {code}. Hij is {minutes} minuten geldig."),
}


def letter(to: str, code: str, language: str | None) -> Mail:
    """What the driver is sent, in his language where we know it."""
    subject, text = _LETTERS.get((language or "en").partition("-")[0].casefold(), _LETTERS["en"])
    words = {"code": code, "minutes": int(HOLDS.total_seconds() // 60)}
    return Mail(to, subject.format(**words), text.format(**words) + "\n")

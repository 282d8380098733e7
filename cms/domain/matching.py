"""What a payment is for, by what its payer wrote: numbers of invoices, creditor references, words of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cms.contract.refusals import Invalid

#: An invoice number in a text: a series and a number of at least one digit behind a dash.
_NUMBER = re.compile(
    r"(?<![A-Za-z0-9])([A-Za-z0-9][A-Za-z0-9._-]{0,30})\s?-\s?0*([0-9]{1,9})(?![0-9])", re.ASCII
)
#: The same written in one: a series that ends in a digit or letter, and four digits or more.
_TOGETHER = re.compile(r"(?<![A-Za-z0-9])([A-Za-z0-9]{5,30})(?![A-Za-z0-9])", re.ASCII)
_CREDITOR = re.compile(r"RF[0-9]{2}[A-Za-z0-9]{1,21}", re.ASCII)
_TOP_UP = re.compile(r"TOP-?UP[-:\s]\s?([^\s/]{1,64})", re.IGNORECASE)
#: So many digits does a number have that is written into its series.
_SHORTEST, _LONGEST_NUMBER = 4, 9
_MOST_WORDS = 200


def invoice_numbers(text: str, structured: str = "") -> list[tuple[str, int]]:
    """(Series as ``plain`` writes it, number) of the invoices that may be meant; most of them do not exist."""
    found: dict[tuple[str, int], None] = {}
    for said in (*_creditors(structured), *_creditors(text)):
        found.update(dict.fromkeys(_split(said)))
    for match in _NUMBER.finditer(text):
        found[plain(match[1]), int(match[2])] = None
    for match in _TOGETHER.finditer(text):
        found.update(dict.fromkeys(_split(plain(match[1]))))
    if structured:
        found.update(dict.fromkeys(_split(plain(structured))))
    return list(found)[:_MOST_WORDS]


def plain(text: str) -> str:
    """A series by its letters and digits alone: what is left of it in a creditor reference."""
    return "".join(filter(str.isalnum, text)).upper()


def _split(word: str) -> Iterator[tuple[str, int]]:
    """``20260042`` -> (2026, 42): a number has four digits or more, the first of them 0 only where there are four."""
    for digits in range(_SHORTEST, min(_LONGEST_NUMBER, len(word) - 1) + 1):
        series, number = word[:-digits], word[-digits:]
        if number.isdigit() and (digits == _SHORTEST or number[0] != "0"):
            yield series, int(number)


def _creditors(text: str) -> Iterator[str]:
    """The references within creditor references (ISO 11649) whose check digits are right."""
    for match in _CREDITOR.finditer(text.replace(" ", "")):
        said = match[0].upper()
        if _remainder(said[4:] + said[:4]) == 1:
            yield said[4:]


def creditor_reference(invoice_id: str) -> str:
    """The creditor reference (ISO 11649) of an invoice: ``RF`` and two check digits before its letters and digits."""
    said = "".join(filter(str.isalnum, invoice_id)).upper()
    if not said.isascii() or not 0 < len(said) <= 21:
        raise Invalid(f"{invoice_id} fits no creditor reference")
    return f"RF{98 - _remainder(said + 'RF00'):02d}{said}"


def _remainder(text: str) -> int:
    """ISO 7064 MOD 97-10: letters count from 10."""
    return int("".join(str(int(character, 36)) for character in text)) % 97


def top_up_of(text: str) -> str | None:
    """Whose balance a payment is for, by ``TOPUP-ana``."""
    match = _TOP_UP.search(text)
    return match[1].strip(".,;:") if match else None


def words(text: str) -> list[str]:
    """The words of a text, as somebody's own reference may be one."""
    return list(dict.fromkeys(text.split()))[:_MOST_WORDS]

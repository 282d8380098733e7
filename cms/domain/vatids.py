"""VAT identification numbers by their form (Directive 2006/112/EC article 215; VIES lists the forms by member state).

Whether a number is somebody's, only whoever keeps them knows (core.Core.vat).
"""

from __future__ import annotations

import re

from cms.contract.refusals import Invalid

#: Country prefix -> what stands behind it. EL is Greece, XI Northern Ireland.
_FORMS = {
    "AT": r"U\d{8}",
    "BE": r"[01]\d{9}",
    "BG": r"\d{9,10}",
    "CY": r"\d{8}[A-Z]",
    "CZ": r"\d{8,10}",
    "DE": r"\d{9}",
    "DK": r"\d{8}",
    "EE": r"\d{9}",
    "EL": r"\d{9}",
    "ES": r"[A-Z0-9]\d{7}[A-Z0-9]",
    "FI": r"\d{8}",
    "FR": r"[A-HJ-NP-Z0-9]{2}\d{9}",
    "HR": r"\d{11}",
    "HU": r"\d{8}",
    "IE": r"\d[A-Z0-9+*]\d{5}[A-Z]{1,2}",
    "IT": r"\d{11}",
    "LT": r"\d{9}|\d{12}",
    "LU": r"\d{8}",
    "LV": r"\d{11}",
    "MT": r"\d{8}",
    "NL": r"[A-Z0-9+*]{9}B[A-Z0-9+*]{2}",
    "PL": r"\d{10}",
    "PT": r"\d{9}",
    "RO": r"\d{2,10}",
    "SE": r"\d{12}",
    "SI": r"\d{8}",
    "SK": r"\d{10}",
    "XI": r"\d{9}|\d{12}|(?:GD|HA)\d{3}",
    "GB": r"\d{9}|\d{12}|(?:GD|HA)\d{3}",
    "CH": r"E\d{9}(?:MWST|TVA|IVA)?",
    "NO": r"\d{9}(?:MVA)?",
    "LI": r"\d{5}",
    "IS": r"\d{5,6}",
}
_ANY = re.compile(r"[A-Z]{2}[A-Z0-9+*]{2,14}", re.ASCII)
_LOOSE = re.compile(r"[ .\-]")


def read(text: str) -> str:
    """The number as it is written down, without blanks, dots and hyphens. Raises Invalid."""
    number = _LOOSE.sub("", text.strip()).upper()
    form = _FORMS.get(number[:2])
    good = re.fullmatch(form, number[2:], re.ASCII) if form is not None else _ANY.fullmatch(number)
    if not good:
        raise Invalid(f"{text[:30]!r} is no VAT number", "with its country before it, e.g. DE123456789")
    return number

"""What a QR code on an EVSE says: a template of the operator's, filled in."""

from __future__ import annotations

import re
from urllib.parse import quote

from cms.contract.refusals import Invalid

NAMES = ("organisation", "station", "evse", "evse_id")
#: An EVSE's name as it is: what roaming apps read.
DEFAULT = "{evse_id}"
_PLACE = re.compile(r"\{([^{}]*)\}")
#: More than a QR code of a readable size holds.
_LONGEST = 500


def check(template: str) -> None:
    """Invalid when a template names what there is not, or tells EVSEs not apart."""
    said = _PLACE.findall(template)
    unknown = [name for name in said if name not in NAMES]
    if unknown or "{" in _PLACE.sub("", template) or "}" in _PLACE.sub("", template):
        raise Invalid(f"a QR code can say {', '.join(NAMES)}, each in braces, not {template[:80]!r}")
    if "evse_id" not in said and not {"station", "evse"} <= set(said):
        raise Invalid(
            "all QR codes would be the same: qr_url needs {evse_id}, or {station} and {evse}",
        )
    if len(template) > _LONGEST:
        raise Invalid(f"a QR code says at most {_LONGEST} characters")


def filled(template: str, **names: str) -> str:
    """The text: in a URL names are escaped, so that none of them can reach beyond its place."""
    url = "://" in template
    return _PLACE.sub(lambda place: quote(names[place[1]], safe="*") if url else names[place[1]], template)

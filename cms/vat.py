"""Asking a service over HTTP whether a VAT number is somebody's: the plug-in point for VatNumberValidation."""

from __future__ import annotations

from typing import Any

import httpx

from cms.domain.payments import Company, VatAnswer

#: A station waits for the answer, and so does everything else it has to say.
TIMEOUT_S = 4.0
_MAX_BYTES = 16_384


async def ask(url: str, number: str) -> VatAnswer:
    """``GET url?vat_number=...`` answers ``{"valid": true, "company": {...}}``; whatever fails is a no with why."""
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False) as client:
            response = await client.get(url, params={"vat_number": number})
            response.raise_for_status()
            if len(response.content) > _MAX_BYTES:
                return _no(number, "the service said too much")
            said = response.json()
    except (httpx.HTTPError, ValueError):
        return _no(number, "the service that checks VAT numbers did not answer")
    if not isinstance(said, dict) or said.get("valid") is not True:
        return _no(number, "the number is not valid")
    return VatAnswer(number, None, True, _company(said.get("company")))


def _no(number: str, reason: str) -> VatAnswer:
    return VatAnswer(number, None, False, reason=reason)


def _company(said: Any) -> Company | None:
    if not isinstance(said, dict):
        return None
    text = {name: value for name, value in said.items() if isinstance(value, str) and value}
    if not {"name", "address1", "city", "country"} <= text.keys():
        return None
    return Company(
        name=text["name"],
        address1=text["address1"],
        city=text["city"],
        country=text["country"],
        address2=text.get("address2"),
        postal_code=text.get("postal_code"),
    )

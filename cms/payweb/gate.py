"""What stands before every page: headers that a browser obeys, how often one may ask, how much one may send."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from starlette.requests import Request

from cms.contract.refusals import Denied, Invalid, Refusal
from cms.limits import Buckets

MOST_FORM_BYTES = 8 * 1024
MOST_WEBHOOK_BYTES = 512 * 1024

#: Sent with everything. Nobody frames us, nothing of ours is loaded from elsewhere, no address goes along with links.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin-allow-popups",  # a bank may open a window
    "X-Robots-Tag": "noindex, nofollow",
}
_SECURE_ONLY = {"Strict-Transport-Security": "max-age=31536000"}


@dataclass(frozen=True, slots=True)
class Origins:
    """From where a provider's JavaScript loads and whom it asks."""

    scripts: tuple[str, ...]
    asks: tuple[str, ...]
    frames: tuple[str, ...]


#: The origin of a provider's JavaScript -> what it needs besides (docs.stripe.com/security/guide, content policy).
_ORIGINS = {
    "https://js.stripe.com": Origins(
        ("https://js.stripe.com", "https://*.js.stripe.com"),
        ("https://api.stripe.com",),
        (
            "https://js.stripe.com",
            "https://*.js.stripe.com",
            "https://hooks.stripe.com",
            "https://pay.google.com",
        ),
    )
}
_NOBODY = Origins((), (), ())


def origin_of(url: str | None) -> str | None:
    """Scheme, host and port of an address; None for none, and for what is no web address."""
    parts = urlsplit(url or "")
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.username:
        return None
    good = all(character.isalnum() or character in ".-:[]" for character in parts.netloc)
    return f"{parts.scheme}://{parts.netloc}" if good and parts.netloc.isascii() else None


def policy(script: str | None) -> dict[str, str]:
    """The headers of a page that loads this script of a provider's; None: of one that loads none."""
    origin = origin_of(script)
    theirs = _ORIGINS.get(origin, Origins((origin,), (origin,), (origin,))) if origin else _NOBODY
    rules = {
        "default-src": ("'none'",),
        "script-src": ("'self'", *theirs.scripts),
        "style-src": ("'self'",),
        "img-src": ("'self'", "data:"),
        "connect-src": ("'self'", *theirs.asks),
        "frame-src": theirs.frames or ("'none'",),
        "form-action": ("'self'",),
        "base-uri": ("'none'",),
        "frame-ancestors": ("'none'",),
    }
    pays = " ".join(("self", *(f'"{frame}"' for frame in theirs.frames if "*" not in frame)))
    return {
        "Content-Security-Policy": "; ".join(f"{name} {' '.join(values)}" for name, values in rules.items()),
        "Permissions-Policy": f"payment=({pays}), camera=(), microphone=(), geolocation=()",
    }


def headers(script: str | None, *, secure: bool) -> dict[str, str]:
    """Everything that is said with a page."""
    return {**HEADERS, **(_SECURE_ONLY if secure else {}), **policy(script)}


@dataclass(slots=True)
class Limits:
    """Who may do what how often, by network. Phones share the addresses of their carriers: reading is cheap.

    Tries are few: whoever has stolen card numbers would try them here, one after the other. At one place they are a
    few more: nobody shall keep others from paying there.
    """

    reads: Buckets = field(default_factory=lambda: Buckets(10, 200))
    misses: Buckets = field(default_factory=lambda: Buckets(0.2, 20))
    tries: Buckets = field(default_factory=lambda: Buckets(1 / 60, 10))
    tries_at_place: Buckets = field(default_factory=lambda: Buckets(1 / 10, 20))


def network(request: Request) -> str:
    """Who asks, as far as limits go: an address, of IPv6 the network that one household or phone has."""
    said = request.client.host if request.client else ""
    try:
        address = ip_address(said)
    except ValueError:
        return said
    return said if address.version == 4 else str(ip_network(f"{address}/64", strict=False))


async def body(request: Request, most_bytes: int) -> bytes:
    """The whole body. Raises TooLong as soon as it is more than may be."""
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said[:12]) > most_bytes:
        raise TooLong("too long")
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most_bytes:
            raise TooLong("too long")
        parts.append(part)
    return b"".join(parts)


class TooLong(Invalid):
    """Send less."""

    http_status = 413


def same_site(request: Request) -> None:
    """A form of ours was sent by a page of ours. Raises Denied; old browsers do not say, and there are no cookies."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Denied("this form was sent from elsewhere")


def status_of(error: Exception) -> int:
    """The HTTP status of an error."""
    return error.http_status if isinstance(error, Refusal) else 500

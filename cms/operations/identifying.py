"""Which token is meant by what somebody presents or types, and how it stands: asked for every card.

A key code is known by a keyed digest alone, so that no file tells it (2.0.1 C04.FR.04); a car by its MAC address in
one spelling. A driver who may not charge takes his tokens with him.
"""

from __future__ import annotations

import hashlib
import hmac

from cms.core import Core
from cms.domain import drivers
from cms.domain.observations import TokenRef
from cms.domain.tokens import KEY_CODE, KEY_CODE_PREFIX, MAC, Token, display, mac_of
from cms.keys import LASTING

#: Hexadecimal digits of a key code's digest: 80 bits, and useless without our key.
_DIGITS = 20


def known(core: Core, presented: TokenRef) -> Token | None:
    """The registered token that is presented, as it stands now; None: nobody registered it."""
    token = core.tokens.get(presented.id.casefold())
    if token is None or token.kind == KEY_CODE:
        token = _otherwise(core, presented)
    return None if token is None else standing(core, token)


def standing(core: Core, token: Token) -> Token:
    """The token as it holds now: blocked while its driver may not charge."""
    if token.driver is None or token.blocked:
        return token
    registered = core.kept.get(drivers.KIND)
    return drivers.under(token, registered) if registered else token


def named(core: Core, text: str) -> Token | None:
    """The token that somebody of ours names: by its id, by the key code itself, by a MAC address as it is printed."""
    return core.tokens.get(text.casefold()) or _otherwise(core, TokenRef(text))


def asked_for(core: Core, text: str) -> Token | None:
    """``named``, as it stands now."""
    token = named(core, text)
    return None if token is None else standing(core, token)


def spoken(token: Token | None, text: str) -> str:
    """What a station is told: the registered spelling, or the key code that was typed (a digest says nothing there)."""
    return text if token is None or token.kind == KEY_CODE else token.id


def told_as(token: Token) -> str:
    """Its name in events, which are kept and sent on: never a key code (2.0.1 C04.FR.04)."""
    return display(TokenRef(token.id, token.kind), token)


def key_code_id(core: Core, code: str) -> str:
    """By what a key code is known here."""
    digest = hmac.digest(core.keys.key("key code", LASTING), code.casefold().encode(), hashlib.sha256)
    return KEY_CODE_PREFIX + digest.hex()[:_DIGITS]


def _otherwise(core: Core, presented: TokenRef) -> Token | None:
    """A key code, or a car's address in another spelling; 1.6 stations do not say which it is."""
    if presented.kind in (None, MAC) and (address := mac_of(presented.id)) is not None:
        token = core.tokens.get(address.casefold())
        if token is not None and token.kind == MAC:
            return token
    if presented.kind in (None, KEY_CODE):
        token = core.tokens.get(key_code_id(core, presented.id).casefold())
        if token is not None and token.kind == KEY_CODE:
            return token
    return None

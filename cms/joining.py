"""Coming to a daemon elsewhere for the first time: whom to believe, and how a token is had without one (pairing)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from cms.client import TIMEOUT_S, Address, request_json
from cms.contract import apitokens
from cms.contract.refusals import TimedOut

_ASKED_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class Code:
    """What somebody must approve; ``secret`` stays here."""

    code: str
    secret: str
    lasts_s: float


def begin(address: Address, name: str) -> Code:
    """Ask for a token that opens with a secret of ours: the daemon learns its digest alone."""
    secret = apitokens.new_secret(os.urandom(40))
    told = request_json(
        address, "POST", "/v1/pairings", {"digest": apitokens.digest_of(secret), "name": name}, TIMEOUT_S
    )
    return Code(str(told["code"]), secret, float(told["lasts_s"]))


def wait(address: Address, code: Code, sleep: Callable[[float], None] = time.sleep) -> str:
    """The token, once somebody approved the code. Raises TimedOut."""
    target = (
        f"/v1/pairings/{quote(code.code, safe='')}?{urlencode({'digest': apitokens.digest_of(code.secret)})}"
    )
    for _ in range(int(code.lasts_s / _ASKED_EVERY_S)):
        told: dict[str, Any] = request_json(address, "GET", target, None, TIMEOUT_S)
        if told["status"] == "approved":
            return apitokens.written(told["environment"], told["id"], code.secret)
        sleep(_ASKED_EVERY_S)
    raise TimedOut("nobody approved the code in time", "ask anew: cms login URL")

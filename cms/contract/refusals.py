"""The ways we say no, named by what the asker can do about it.

The table below is the only place that knows how a refusal is said over HTTP and as an exit code.
"""

from __future__ import annotations

import math


class Refusal(Exception):
    """A no that the asker can do something about: one sentence, and a hint what to try next."""

    http_status = 500
    exit_code = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def name(self) -> str:
        """The refusal's name on the wire, e.g. ``NotFound``."""
        return type(self).__name__


class Invalid(Refusal):
    """Mend the request."""

    http_status = 422
    exit_code = 2


class Denied(Refusal):
    """Get the right."""

    http_status = 403
    exit_code = 3


class NotFound(Refusal):
    """Check the name."""

    http_status = 404
    exit_code = 4


class Conflict(Refusal):
    """Read the rule that the message names."""

    http_status = 409
    exit_code = 5


class NotSupported(Refusal):
    """Accept that this station, or its OCPP version, cannot."""

    http_status = 501
    exit_code = 6


class Unreachable(Refusal):
    """Try later: the station is offline or silent, or the daemon does not answer."""

    http_status = 503
    exit_code = 7


class TooMany(Unreachable):
    """Try later: you ask too often, or too much at once. On the wire it is an Unreachable that says when."""

    http_status = 429

    def __init__(self, message: str, retry_after_s: float = 5.0, hint: str | None = None) -> None:
        super().__init__(message, hint or f"try again in {math.ceil(retry_after_s)} s")
        self.retry_after_s = retry_after_s

    @property
    def name(self) -> str:
        """What the asker should do about it is what he should do about any Unreachable."""
        return "Unreachable"


class Rejected(Refusal):
    """Read the station's answer: it said no."""

    http_status = 502
    exit_code = 8


class TimedOut(Refusal):
    """The effect that was waited for did not come in time."""

    http_status = 504
    exit_code = 9


REFUSALS: dict[str, type[Refusal]] = {
    kind.__name__: kind
    for kind in (Invalid, Denied, NotFound, Conflict, NotSupported, Unreachable, Rejected, TimedOut)
}


def refusal(name: str, message: str, hint: str | None = None) -> Refusal:
    """Rebuild a refusal from its name on the wire; an unknown name is a plain Refusal (a bug of ours)."""
    return REFUSALS.get(name, Refusal)(message, hint)

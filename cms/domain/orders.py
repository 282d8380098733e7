"""What we tell stations, in one language whatever OCPP they speak; and how they answer."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from cms.contract.charging import Profile
from cms.contract.payments import Limit
from cms.domain.record import record


class Order:
    """What a station is told to do: a record of its own for each kind."""

    __slots__ = ()


@record
class Reset(Order):
    """``kind``: soft, hard, immediate, on-idle, resume. 1.6: soft = on-idle, hard = immediate, and back for 2.x.

    ``resume`` (2.1 B13): at once, and sessions go on after the boot.
    """

    kind: str
    evse: int | None = None


@record
class RemoteStart(Order):
    """``remote_start_id`` comes back in 2.x transactions; 1.6 has no correlation id.

    ``profile`` is a tx profile without a transaction id: the session to come is meant (1.6 section 5.16.2, K05).
    """

    token: str
    token_kind: str
    remote_start_id: int
    evse: int | None = None
    profile: Profile | None = None
    limit: Limit | None = None
    """Told in the first answer to the transaction (2.1 F07), not with the order."""


@record
class RemoteStop(Order):
    transaction_id: str


@record
class Unlock(Order):
    evse: int
    connector: int


@record
class SetAvailability(Order):
    operative: bool
    evse: int | None = None
    connector: int | None = None


@record
class Trigger(Order):
    """``custom``: the message is one of the station's own (2.1)."""

    message: str
    evse: int | None = None
    connector: int | None = None
    custom: bool = False


@record
class ReadVariables(Order):
    """1.6 keys, or ``Component.Variable`` names as in cms/ocpp/names.py; none: every key (1.6 only).

    ``per_message`` is how many the station takes in one message, ``bytes_per_message`` how long it may be; None:
    it did not say.
    """

    names: tuple[str, ...] = ()
    per_message: int | None = None
    bytes_per_message: int | None = None


@record
class WriteVariables(Order):
    values: dict[str, str]
    per_message: int | None = None
    bytes_per_message: int | None = None


@record
class CallAction(Order):
    """Any action of the station's version, word for word; its answer is its outcome, whatever it says."""

    action: str
    payload: dict[str, Any]


@record
class SendText(Order):
    """A text as it is, unchecked: for laboratories. A CALL among them is waited for."""

    text: str


#: Stations may give 1,024 characters of it; a sentence has room for so many.
_MOST_REASON = 200


@record
class OrderAnswer:
    """A station's answer. ``verdict``: accepted, scheduled (accepted, later) or rejected.

    ``word`` is the station's own status word, ``answer`` its whole answer, ``variables`` what it told of its
    configuration (secrets without a value), ``told`` what else, as records of the block.
    """

    verdict: str
    word: str
    answer: dict[str, Any]
    variables: tuple[VariableAnswer, ...] = field(default_factory=tuple)
    told: tuple[Any, ...] = ()

    @property
    def said(self) -> str:
        """The station's word, and the reason that it gave with it (2.x StatusInfoType)."""
        info = self.answer.get("statusInfo")
        if not isinstance(info, dict):
            return self.word
        why = ": ".join(str(info[name]) for name in ("reasonCode", "additionalInfo") if info.get(name))
        return f"{self.word} ({why[:_MOST_REASON]})" if why else self.word


@record
class VariableAnswer:
    """One key or variable in an answer. ``status`` is the station's word for it (Accepted, UnknownKey ...)."""

    name: str
    value: str | None
    status: str
    readonly: bool | None = None
    attribute: str = "Actual"

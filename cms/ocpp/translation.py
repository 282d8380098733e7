"""What a functional block of a version is made of: rows that read and answer, rows that ask and understand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from cms.domain.masking import masked
from cms.domain.observations import Answer, Observation, TokenAnswer
from cms.domain.orders import OrderAnswer, VariableAnswer
from cms.domain.tokens import Authorization
from cms.ocpp.schemas import Tolerance
from cms.ocpp.values import Json, Remarks, plain

Asked = tuple[str, Json]
"""An action and its payload."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message from stations: how strictly it is read, what it says, and how an answer looks."""

    tolerance: Tolerance
    read: Callable[[Json, Remarks], Observation]
    answer: Callable[[Any], Json]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An order to stations: the CALLs it takes, one after the other, and what their answers mean.

    ``calls`` raises NotSupported where the version has no such thing, and Invalid for a value it cannot say.
    """

    calls: Callable[[Any], Sequence[Asked]]
    understand: Callable[[Any, Sequence[Json]], OrderAnswer]
    actions: tuple[str, ...]
    """Every action that ``calls`` may name: docs/ocpp.md is made of them."""
    lists: Mapping[str, str] = field(default_factory=dict)
    """Action -> the list of its payload that is sent in two halves when the station finds it too long."""
    goes_on: Callable[[Json], bool] = lambda _: True
    """Whether the next CALL is sent after this answer; else ``understand`` gets the answers so far."""
    refused: Callable[[Json], Json] | None = None
    """Where several CALLs are independent of each other: the answer that a CALLERROR to this payload stands for.

    What the station took before it then counts."""


#: A station's word for an order -> our verdict; every other word is a no.
_VERDICTS = {
    "Accepted": "accepted",
    "Unlocked": "accepted",
    "RebootRequired": "accepted",
    "AcceptedCanceled": "accepted",
    "Unpublished": "accepted",
    "Scheduled": "scheduled",
}


def verdict(word: str) -> str:
    return _VERDICTS.get(word, "rejected")


def status_of(_: Any, answers: Sequence[Json]) -> OrderAnswer:
    """The answer of an order with one CALL and a ``status``."""
    word = str(answers[0]["status"])
    return OrderAnswer(verdict(word), word, shown(answers))


def of_variables(variables: Sequence[VariableAnswer], answers: Sequence[Json]) -> OrderAnswer:
    """One verdict over many keys: a no if one was refused, whatever became of the others."""
    refused = [variable.status for variable in variables if verdict(variable.status) == "rejected"]
    waiting = [variable.status for variable in variables if variable.status != "Accepted"]
    word = (refused or waiting or ["Accepted"])[0]
    return OrderAnswer(verdict(word), word, shown(answers), tuple(variables))


def shown(answers: Sequence[Json]) -> Json:
    """The station's own words for people: secrets masked, numbers ordinary; several answers as a list."""
    clean = [plain(masked(answer)) for answer in answers]
    return clean[0] if len(clean) == 1 else {"answers": clean}


def of_readings(variables: Sequence[VariableAnswer], answers: Sequence[Json]) -> OrderAnswer:
    """One verdict over what was asked for: a no only if nothing was told; each variable says how it fared."""
    told = any(variable.status == "Accepted" for variable in variables)
    return (
        OrderAnswer("accepted", "Accepted", shown(answers), tuple(variables))
        if told
        else of_variables(variables, answers)
    )


def nothing(_: Answer) -> Json:
    """The empty answer."""
    return {}


#: How a token fared -> the version's word. 1.6 has no Unknown.
AUTHORIZATION_V2 = {
    Authorization.ACCEPTED: "Accepted",
    Authorization.BLOCKED: "Blocked",
    Authorization.EXPIRED: "Expired",
    Authorization.UNKNOWN: "Unknown",
    Authorization.INVALID: "Invalid",
    Authorization.CONCURRENT: "ConcurrentTx",
    Authorization.NOT_HERE: "NotAtThisLocation",
    Authorization.WRONG_EVSE: "NotAllowedTypeEVSE",
    Authorization.NO_CREDIT: "NoCredit",
    Authorization.NOT_NOW: "NotAtThisTime",
}
AUTHORIZATION_V16 = AUTHORIZATION_V2 | {
    Authorization.UNKNOWN: "Invalid",
    Authorization.NOT_HERE: "Invalid",
    Authorization.WRONG_EVSE: "Invalid",
    Authorization.NO_CREDIT: "Blocked",
    Authorization.NOT_NOW: "Blocked",
}


def word_for(token: TokenAnswer, words: dict[Authorization, str]) -> str:
    return words[Authorization(token.status)]


def rows(blocks: Iterable[ModuleType], *tables: str) -> dict[Any, Any]:
    """The tables of these names of all blocks, as one. A block without such a table has no such rows."""
    return {
        key: row for table in tables for block in blocks for key, row in getattr(block, table, {}).items()
    }

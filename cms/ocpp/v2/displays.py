"""OCPP 2.x block O: SetDisplayMessage, GetDisplayMessages, ClearDisplayMessage, NotifyDisplayMessages."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from cms.contract.refusals import NotSupported
from cms.domain.displays import ClearDisplay, Content, Display, DisplaysTold, GetDisplays, SetDisplay
from cms.domain.orders import OrderAnswer
from cms.domain.record import record
from cms.ocpp.schemas import TOLD
from cms.ocpp.translation import Asked, Incoming, Outgoing, nothing, shown, status_of, verdict
from cms.ocpp.values import Json, Remarks, instant, rfc3339

_PRIORITIES = {"always-front": "AlwaysFront", "in-front": "InFront", "normal-cycle": "NormalCycle"}
_STATES_201 = {
    "charging": "Charging",
    "faulted": "Faulted",
    "idle": "Idle",
    "unavailable": "Unavailable",
}
_STATES_21 = _STATES_201 | {"suspended": "Suspended", "discharging": "Discharging"}
_FORMATS_201 = {"ascii": "ASCII", "html": "HTML", "uri": "URI", "utf8": "UTF8"}
_FORMATS_21 = _FORMATS_201 | {"qrcode": "QRCODE"}

_PRIORITY_OF = {said: ours for ours, said in _PRIORITIES.items()}
_STATE_OF = {said: ours for ours, said in _STATES_21.items()}
_FORMAT_OF = {said: ours for ours, said in _FORMATS_21.items()}


@record
class Words:
    """What a version can say of a message; ``longest`` is in characters."""

    version: str
    states: dict[str, str]
    formats: dict[str, str]
    longest: int
    languages: bool

    def state(self, name: str) -> str:
        return self._said(self.states, name, "state")

    def format(self, name: str) -> str:
        return self._said(self.formats, name, "format")

    def _said(self, words: dict[str, str], name: str, what: str) -> str:
        if name not in words:
            raise NotSupported(
                f"OCPP {self.version} knows no message {what} {name}", "one of " + ", ".join(words)
            )
        return words[name]


WORDS_201 = Words("2.0.1", _STATES_201, _FORMATS_201, 512, languages=False)
WORDS_21 = Words("2.1", _STATES_21, _FORMATS_21, 1024, languages=True)


def set_display(order: SetDisplay, words: Words) -> list[Asked]:
    display = order.display
    said: Json = {
        "id": display.id,
        "priority": _PRIORITIES[display.priority],
        "message": _content(display.content, words),
    }
    if display.state is not None:
        said["state"] = words.state(display.state)
    if display.starts_at is not None:
        said["startDateTime"] = rfc3339(display.starts_at)
    if display.ends_at is not None:
        said["endDateTime"] = rfc3339(display.ends_at)
    if display.transaction_id is not None:
        said["transactionId"] = display.transaction_id
    if display.extra:
        if not words.languages:
            raise NotSupported(
                f"OCPP {words.version} shows a message in one language", "set one message a language"
            )
        said["messageExtra"] = [_content(content, words) for content in display.extra]
    return [("SetDisplayMessage", {"message": said})]


def _content(content: Content, words: Words) -> Json:
    if len(content.text) > words.longest:
        raise NotSupported(
            f"OCPP {words.version} shows at most {words.longest} characters, not {len(content.text)}"
        )
    said: Json = {"format": words.format(content.format), "content": content.text}
    return said if content.language is None else said | {"language": content.language}


def get_displays(order: GetDisplays, words: Words) -> list[Asked]:
    said: Json = {"requestId": order.request_id}
    if order.ids:
        said["id"] = list(order.ids)
    if order.priority is not None:
        said["priority"] = _PRIORITIES[order.priority]
    if order.state is not None:
        said["state"] = words.state(order.state)
    return [("GetDisplayMessages", said)]


def found(_: GetDisplays, answers: Sequence[Json]) -> OrderAnswer:
    """Unknown is an answer as good as another: there is no such message (O03.FR.05)."""
    word = str(answers[0]["status"])
    return OrderAnswer("accepted" if word == "Unknown" else verdict(word), word, shown(answers))


def clear_display(order: ClearDisplay) -> list[Asked]:
    return [("ClearDisplayMessage", {"id": order.id})]


def displays_told(payload: Json, remarks: Remarks) -> DisplaysTold:
    return DisplaysTold(
        request_id=int(payload["requestId"]),
        displays=tuple(_display(item, remarks) for item in payload.get("messageInfo") or ()),
        more=payload.get("tbc") is True,
    )


def _display(item: Json, remarks: Remarks) -> Display:
    return Display(
        id=int(item["id"]),
        content=_content_of(item["message"]),
        priority=_PRIORITY_OF[item["priority"]],
        state=_STATE_OF.get(item.get("state", "")),
        starts_at=instant(item.get("startDateTime"), remarks),
        ends_at=instant(item.get("endDateTime"), remarks),
        transaction_id=item.get("transactionId"),
        extra=tuple(_content_of(content) for content in (item.get("messageExtra") or ())[:_MOST_EXTRA]),
    )


def _content_of(content: Json) -> Content:
    """Cut where a station ignores the limit of its version (strings are only told, never ours)."""
    text = content["content"][: WORDS_21.longest]
    language = content.get("language")
    return Content(text, _FORMAT_OF[content["format"]], language[:_LANGUAGE] if language else None)


#: So many other languages 2.1 allows.
_MOST_EXTRA = 4
#: Characters of an RFC 5646 tag, generously.
_LANGUAGE = 35


INCOMING = {"NotifyDisplayMessages": Incoming(TOLD, displays_told, nothing)}

OUTGOING = {ClearDisplay: Outgoing(clear_display, status_of, ("ClearDisplayMessage",))}


def _outgoing(words: Words) -> dict[type[Any], Outgoing]:
    return {
        SetDisplay: Outgoing(partial(set_display, words=words), status_of, ("SetDisplayMessage",)),
        GetDisplays: Outgoing(partial(get_displays, words=words), found, ("GetDisplayMessages",)),
    }


OUTGOING_201 = _outgoing(WORDS_201)
OUTGOING_21 = _outgoing(WORDS_21)

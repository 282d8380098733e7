"""OCPP 2.x block D, C11: SendLocalList, GetLocalListVersion, ClearCache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from cms.domain.lists import AskListVersion, ClearCache, Entry, SendList
from cms.domain.observations import TokenAnswer
from cms.domain.orders import OrderAnswer
from cms.ocpp import lists
from cms.ocpp.translation import Asked, Outgoing, status_of
from cms.ocpp.v2.authorization import MAX_ID_TOKEN_21, MAX_ID_TOKEN_201, id_token, id_token_info
from cms.ocpp.values import Json


def _send_local_list(order: SendList, max_id_token: int) -> list[Asked]:
    added: Callable[[Entry], Json] = partial(_added, max_id_token=max_id_token)
    return [
        ("SendLocalList", said) for said in lists.messages(order.update, added, _removed, "versionNumber")
    ]


def _added(entry: Entry, max_id_token: int) -> Json:
    answer = TokenAnswer(entry.status, group=entry.group, expires=entry.expires, evses=entry.evses)
    return _removed(entry) | {"idTokenInfo": id_token_info(answer, max_id_token)}


def _removed(entry: Entry) -> Json:
    """Without idTokenInfo it is taken out (D01.FR.13)."""
    return {"idToken": id_token(entry.token, entry.kind)}


def list_version(_: AskListVersion, answers: Sequence[Json]) -> OrderAnswer:
    return lists.version(answers[0], "versionNumber")


def _sending(max_id_token: int) -> Outgoing:
    calls: Callable[[SendList], list[Asked]] = partial(_send_local_list, max_id_token=max_id_token)
    return Outgoing(calls, lists.understood, ("SendLocalList",), goes_on=lists.accepted)


OUTGOING = {
    AskListVersion: Outgoing(lambda _: [("GetLocalListVersion", {})], list_version, ("GetLocalListVersion",)),
    ClearCache: Outgoing(lambda _: [("ClearCache", {})], status_of, ("ClearCache",)),
}
OUTGOING_201 = {SendList: _sending(MAX_ID_TOKEN_201)}
OUTGOING_21 = {SendList: _sending(MAX_ID_TOKEN_21)}

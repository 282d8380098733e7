"""OCPP 1.6: SendLocalList, GetLocalListVersion, ClearCache."""

from __future__ import annotations

from collections.abc import Sequence

from cms.domain.lists import AskListVersion, ClearCache, Entry, SendList
from cms.domain.observations import TokenAnswer
from cms.domain.orders import OrderAnswer
from cms.ocpp import lists
from cms.ocpp.translation import Asked, Outgoing, status_of
from cms.ocpp.v16.transactions import id_tag_info
from cms.ocpp.values import Json


def send_local_list(order: SendList) -> list[Asked]:
    return [("SendLocalList", said) for said in lists.messages(order.update, _added, _removed, "listVersion")]


def _added(entry: Entry) -> Json:
    answer = TokenAnswer(entry.status, group=entry.group, expires=entry.expires)
    return {"idTag": entry.token, "idTagInfo": id_tag_info(answer)}


def _removed(entry: Entry) -> Json:
    """Without idTagInfo it is taken out (section 7.12)."""
    return {"idTag": entry.token}


def list_version(_: AskListVersion, answers: Sequence[Json]) -> OrderAnswer:
    return lists.version(answers[0], "listVersion")


OUTGOING = {
    SendList: Outgoing(send_local_list, lists.understood, ("SendLocalList",), goes_on=lists.accepted),
    AskListVersion: Outgoing(lambda _: [("GetLocalListVersion", {})], list_version, ("GetLocalListVersion",)),
    ClearCache: Outgoing(lambda _: [("ClearCache", {})], status_of, ("ClearCache",)),
}

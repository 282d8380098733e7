"""OCPP 2.x block C: Authorize, identifier tokens and what is said about them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from cms.domain.iso15118 import ContractAnswer, ContractPresented
from cms.domain.observations import TokenAnswer, TokenPresented, TokenRef
from cms.domain.tokens import Authorization
from cms.ocpp.schemas import LOOKED_UP
from cms.ocpp.translation import AUTHORIZATION_V2, Incoming, word_for
from cms.ocpp.v2 import iso15118, tariffs
from cms.ocpp.values import Json, Remarks, rfc3339

#: IdTokenEnumType -> our kind. 2.1 made it an open list.
KINDS = {
    "ISO14443": "rfid",
    "ISO15693": "rfid",
    "KeyCode": "key-code",
    "eMAID": "emaid",
    "Central": "central",
    "Local": "local",
    "MacAddress": "mac",
    "NoAuthorization": "no-authorization",
    "DirectPayment": "direct-payment",
}

#: Our kind -> IdTokenEnumType.
TYPES = {
    "rfid": "ISO14443",
    "app": "Central",
    "central": "Central",
    "emaid": "eMAID",
    "key-code": "KeyCode",
    "local": "Local",
    "mac": "MacAddress",
    "no-authorization": "NoAuthorization",
    "direct-payment": "DirectPayment",
}

MAX_ID_TOKEN_201 = 36
MAX_ID_TOKEN_21 = 255


def id_token(token: str, kind: str) -> Json:
    """An IdTokenType; NoAuthorization has an empty token (C02.FR.02)."""
    said = TYPES.get(kind, kind)  # 2.1 has kinds of anybody's own
    return {"idToken": "" if said == "NoAuthorization" else token, "type": said}


def group_id_token(group: str) -> Json:
    """A group is ours, not a card of its own: Central (C09)."""
    return {"idToken": group, "type": "Central"}


def token(id_token: Json) -> TokenRef:
    """An unknown kind stays a kind of its own: it must not pass for an RFID card (AU-11)."""
    return TokenRef(id_token["idToken"], KINDS.get(id_token["type"], id_token["type"].casefold()))


def token_presented(payload: Json, _: Remarks) -> TokenPresented | ContractPresented:
    shown = token(payload["idToken"])
    return iso15118.contract(payload, shown) or TokenPresented(shown)


def id_token_info(answer: TokenAnswer, max_id_token: int) -> Json:
    said: Json = {"status": word_for(answer, AUTHORIZATION_V2)}
    if answer.expires is not None:
        said["cacheExpiryDateTime"] = rfc3339(answer.expires)
    # C01.FR.20: only where it is good for some; C01.FR.22: never with a no.
    if answer.evses and answer.status == Authorization.ACCEPTED:
        said["evseId"] = list(answer.evses)
    # One too long to say is left out, never cut.
    if answer.group is not None and len(answer.group) <= max_id_token:
        said["groupIdToken"] = group_id_token(answer.group)
    if answer.priced is not None and answer.priced.text is not None:
        said["personalMessage"] = tariffs.message(answer.priced.text)  # I01
    return said


def token_answer(answer: TokenAnswer | ContractAnswer, max_id_token: int) -> Json:
    if isinstance(answer, ContractAnswer):
        return {
            "idTokenInfo": id_token_info(answer.token, max_id_token),
            "certificateStatus": iso15118.certificate_status(answer),
        }
    return {"idTokenInfo": id_token_info(answer, max_id_token)}


def token_answer_21(answer: TokenAnswer | ContractAnswer, max_id_token: int) -> Json:
    """2.1 gives the driver's own tariff along, without validFrom (I08.FR.01, FR.09)."""
    said = token_answer(answer, max_id_token)
    if isinstance(answer, ContractAnswer):
        answer = answer.token
    if answer.priced is not None and answer.priced.tariff is not None:
        said["tariff"] = tariffs.tariff(answer.priced.tariff, valid_from=False)
    if answer.energy_transfer:
        said["allowedEnergyTransfer"] = list(answer.energy_transfer)
    return said


def _incoming(answer: Callable[..., Json], max_id_token: int) -> dict[str, Incoming]:
    say: Callable[[TokenAnswer | ContractAnswer], Json] = partial(answer, max_id_token=max_id_token)
    return {"Authorize": Incoming(LOOKED_UP, token_presented, say)}


INCOMING_201 = _incoming(token_answer, MAX_ID_TOKEN_201)
INCOMING_21 = _incoming(token_answer_21, MAX_ID_TOKEN_21)

"""What is personal is masked wherever it stands; and nothing new slips through the table."""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms.contract.events import Event
from cms.contract.intents import IntentView
from cms.contract.routes import ROUTES
from cms.contract.stations import Message
from cms.contract.tokens import TokenView
from cms.domain.personal import BY_NAME, BY_TYPE, json_text, masked, may_show, shows, token

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
CARD = "04A2B3C4D5E6F7"
HIDDEN = "***E6F7"

#: Names behind which something personal may stand.
SUSPECT = re.compile(
    r"token|driver|person|customer|holder|contact|e?mail|phone|mobile|street|postcode|city|birth|plate|licen|"
    r"visual|tag|vat|emaid|evcc|(^|_)(id_?token|name|names|address|note|notes|text|payload|card|cards|who|mac)($|_)"
)

#: Those that are not about a person: by name, each with the reason; by type and name where that says more.
HARMLESS = {
    "driver": "an id that tells nothing; names and addresses are apart (domain.drivers.Person)",
    "notes": "looked into: each note is masked",
    "site_name": "a public place",
    "street": "of a place where stations stand; those of persons are masked by type",
    "postcode": "the same",
    "city": "the same",
    "note": "what operators write about things; those about persons are DriverNote.text",
    "file_name": "a file of a station",
    "certificate_name": "the name in a station's certificate",
    "issuer_name_hash": "a hash of an authority's name",
    "voltage_v": "the word holds a tag",
    "voltage": "the same",
    "activate": "the same",
    "reservation_time": "the word holds a vat",
    "reservation_fixed": "the same",
    "reservation": "the same",
    "names": "names of variables",
    "person": "whether a person of ours must look",
    "vat": "an amount of tax",
    "vat_percent": "a rate of tax",
    "who": "an operator, who is known to his colleagues",
}
HARMLESS_IN = {
    "Check": {"name"},  # what was looked at: clock, disk
    "Handshake": {"address"},  # where a station is in the network
    "ApiTokenCredential": {"name"},
    "ApiTokenView": {"name"},
    "BillingProfileView": {"vat_checked"},
    "Plan": {"name", "vat_percent"},
    "PlanView": {"name", "vat_percent"},
    "AddApiToken": {"name"},
    "ApprovePairing": {"name"},
    "GrantView": {"name"},
    "Identity": {"name"},
    "OperatorView": {"name"},
    "AuditVerdict": {"mac"},
    "AuditView": {"mac"},
    "AuthorityView": {"name"},
    "CertificateView": {"name"},
    "DisplayView": {"text"},
    "SetDisplayMessage": {"text"},
    "QrView": {"text"},
    "FilePart": {"name"},
    "ReadUpload": {"name"},
    "UploadedFile": {"name"},
    "MonitorView": {"name"},
    "ProblemView": {"name"},
    "DismissProblem": {"name"},
    "StreamSample": {"name"},
    "StreamView": {"name"},
    "Quirk": {"name"},
    "Variable": {"name"},
    "OrganisationView": {"name"},
    "AddOrganisation": {"name"},
    "SetOrganisation": {"name"},
    "SiteView": {"name"},
    "AddSite": {"name"},
    "SetSite": {"name"},
    "PlaceRow": {"name", "address"},
    "StationView": {"address"},
    "UnknownStation": {"address"},
    "StatusView": {"notes"},
    "CallStation": {"payload"},
    "InvoiceFile": {"name"},
    "ItemView": {"text"},
    "PriceTag": {"text"},
    "TariffFile": {"text"},
    "AddTariff": {"text"},
    "LintTariff": {"text"},
    "SimulateTariff": {"text"},
    "ReminderView": {"mailed"},
    "SellerView": {"name", "vat_id"},
    "SetSeller": {"name", "vat_id"},
    "RunBilling": {"drivers"},
}


def parts(hint: Any) -> Iterator[type[Any]]:
    """The dataclasses within a type."""
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        yield hint
        for part in typing.get_type_hints(hint).values():
            yield from parts(part)
    for part in typing.get_args(hint):
        yield from parts(part)


VIEWS = sorted({view for route in ROUTES.values() for view in parts(route.answers)}, key=lambda v: v.__name__)


def unclear(kind: type[Any]) -> list[str]:
    """Fields of which nobody has said whether they are personal."""
    clear = {*BY_NAME, *BY_TYPE.get(kind.__name__, ()), *HARMLESS, *HARMLESS_IN.get(kind.__name__, ())}
    return [
        field.name
        for field in dataclasses.fields(kind)
        if SUSPECT.search(field.name) and field.name not in clear
    ]


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_every_field_that_may_be_personal_is_said_to_be_or_not_to_be(view: type[Any]) -> None:
    assert unclear(view) == [], "add it to domain.personal, or with a reason to HARMLESS here"


def test_what_each_answer_may_show_is_known() -> None:
    shown = {view.__name__ for view in VIEWS if may_show(view)}
    assert {"TokenView", "DriverView", "Event", "IntentView", "SessionView", "ListContents"} <= shown
    assert not {"StationView", "StatusView", "AuditView", "ProblemView"} & shown


@pytest.mark.parametrize("kind", list(ROUTES), ids=lambda kind: kind.__name__)
def test_the_audit_knows_of_every_field_of_a_request_whether_it_is_personal(kind: type[Any]) -> None:
    assert unclear(kind) == []


def test_the_table_names_only_what_is_there() -> None:
    known = {
        kind.__name__: kind for kind in (*VIEWS, *ROUTES, *(part for kind in ROUTES for part in parts(kind)))
    }
    for name, fields in BY_TYPE.items():
        assert name in known, name
        assert {field.name for field in dataclasses.fields(known[name])} & set(fields), name


def test_the_end_of_a_token_stays_where_it_tells_nothing_alone() -> None:
    assert token(CARD) == HIDDEN
    assert token("12345678") == "***5678"
    assert token("1234567") == "***"
    assert token("") == ""


def a_token(**more: Any) -> TokenView:
    return TokenView(CARD, "rfid", "accepted", "d1", "GROUP-77", None, None, None, **more)


def test_a_view_is_masked_by_its_type() -> None:
    (row,) = masked([a_token()])
    assert (row["id"], row["group"], row["driver"], row["kind"]) == (HIDDEN, "***P-77", "d1", "rfid")
    assert shows([a_token()])


def test_what_is_in_no_type_of_ours_is_masked_by_its_name() -> None:
    intent = IntentView(
        "i1", "CP1", "start", "sent", "ana", None, NOON, None, None, {"idTagInfo": {"parentIdTag": CARD}}, None,
        {"token": CARD, "evse": 1},
    )  # fmt: skip
    event = Event("7", NOON, "intent.created", "CP1", data={"intent": intent, "tokens": [CARD, "A"]})
    shown = masked(event)
    assert CARD not in str(shown) and shown["cursor"] == "7"
    assert shown["data"]["intent"]["params"] == {"token": HIDDEN, "evse": 1}
    assert shown["data"]["tokens"] == [HIDDEN, "***"]


@pytest.mark.parametrize(
    "payload",
    [
        f'[2,"1","Authorize",{{"idTag":"{CARD}"}}]',
        f'{{"idToken":{{"idToken":"{CARD}","type":"ISO14443"}},"groupIdToken":{{"idToken":"{CARD}"}}}}',
        f'{{"\\u0069dTag":"{CARD}"}}',
        f'{{"idToken":{{"idToken":"{CARD}","ty',
        f'{{"localAuthorizationList":[{{"idTag":"{CARD}","idTagInfo":{{"parentIdTag":"{CARD}"}}}}',
    ],
)
def test_frames_are_masked_also_where_they_are_cut_or_written_strangely(payload: str) -> None:
    shown = json_text(payload)
    assert CARD not in shown
    message = Message(NOON, "in", "call", "Authorize", "1", payload, None)
    assert masked(message)["payload"] == shown and shows(message)


def test_a_frame_without_a_person_stays_word_for_word() -> None:
    heartbeat = '[2, "1","Heartbeat", {}]'
    assert json_text(heartbeat) == heartbeat
    assert not shows(Message(NOON, "in", "call", "Heartbeat", "1", heartbeat, None))


def test_whom_a_rule_is_about_is_masked_where_it_is_a_token() -> None:
    from cms.contract.access import Step, UsageView

    known = {view.__name__: view for view in VIEWS}
    assert {"Step", "UsageView"} <= set(known)
    step = Step("r1", "deny", f"token {CARD}", "decides", "because")
    assert masked(step)["subject"] == f"token {HIDDEN}"
    assert masked(Step("r1", "deny", "group fleet", "decides", "because"))["subject"] == "group fleet"
    assert UsageView.__name__ in BY_TYPE


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.just(CARD),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*BY_NAME, "x", "data"]) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON)
def test_masking_twice_is_masking_once_and_nothing_is_shown_afterwards(value: Any) -> None:
    once = masked(value)
    assert masked(once) == once
    assert not shows(once)


@given(st.dictionaries(st.sampled_from(sorted(BY_NAME)), st.just(CARD) | st.lists(st.just(CARD)), min_size=1))
def test_nothing_under_a_personal_name_stays(value: dict[str, Any]) -> None:
    assert CARD not in str(masked(value))

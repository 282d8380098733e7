"""The pay page over its real socket: what is shown, what is obeyed, what is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast
from urllib.parse import quote

import httpx
import pytest
from starlette.requests import Request

from cms.contract.adhoc import STATUSES
from cms.contract.evses import Outlet
from cms.contract.refusals import Conflict, Denied, Unreachable
from cms.contract.tariffs import Money
from cms.core import Provider, StoreDown
from cms.domain.charges import Told
from cms.limits import Buckets
from cms.payweb import gate, words
from tests.payweb.markup import Page
from tests.payweb.small import BILL, HOSTILE, NOON, OFFER, TAG, WISH, SmallShop

PLACE = "/e/DE*ABC*E1001"
_IS_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
FORM = {"method": "pm_1", "key": "k" * 24, "email": "", "quote": ""}


async def offered(phone: httpx.AsyncClient) -> dict[str, str]:
    """The fields of the form as a browser would send them, with a card."""
    page = Page((await phone.get(PLACE)).text)
    return {**page.fields, "method": "pm_card"}


async def test_the_price_is_seen_before_anything_is_paid(phone: httpx.AsyncClient, shop: SmallShop) -> None:
    page = Page((await phone.get(PLACE)).text)
    for said in (
        "Stand 4",
        "Old Town Garage",
        "Uus 25, 10111 Tallinn",
        "Free",
        *TAG.lines,
        str(TAG.vat),
        TAG.text,
    ):
        assert said in page.text
    assert "Reserved on your card: €50.00" in page.text and "Reserve €50.00 and start" in page.text
    assert shop.begun == []
    assert shop.actors[0].permissions == {"payments.adhoc"}


async def test_the_page_speaks_what_the_visitor_reads(phone: httpx.AsyncClient) -> None:
    german = {"Accept-Language": "fr, de-AT;q=0.9, en;q=0.1"}
    answer = await phone.get(PLACE, headers=german)
    assert answer.headers["content-language"] == "de"
    assert "50,00 € reservieren und starten" in Page(answer.text).text
    answer = await phone.get(PLACE, params={"lang": "en"}, headers=german)
    assert answer.headers["content-language"] == "en"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-CH;q=0.2, en;q=0.1", "de"),
        ("de;q=0, en;q=0.1", "en"),
        ("ja, *;q=0.5", "en"),
        ("en;q=x, de;q=0.5", "de"),
        ("," * 10_000, "en"),
    ],
)
def test_the_browser_says_which_language(accepted: str, language: str) -> None:
    assert words.chosen(None, accepted).language == language


def test_every_language_has_every_word_with_the_same_places() -> None:
    places = {
        code: {name: sorted(re.findall(r"\{(\w+)\}", text)) for name, text in said.items()}
        for code, (_, said) in words.LANGUAGES.items()
    }
    assert all(known == places["en"] for known in places.values())
    assert all(f"s_{status}" in places["en"] and f"s_{status}_more" in places["en"] for status in STATUSES)


async def every_page(phone: httpx.AsyncClient, shop: SmallShop) -> dict[str, httpx.Response]:
    shop.charging(), shop.paid()
    for status in STATUSES.keys() - {"charging", "paid"}:
        shop.put(status, detail="the bank said no")
    paths = ["/", PLACE, "/e/DE*XYZ*E1", "/nothing", "/p/nobody", "/p/id-paid/receipt", "/card/w-1"]
    paths += [f"/p/{id}" for id in shop.sessions]
    asked = [(path, language) for path in paths for language in words.LANGUAGES]
    return {
        f"{path} {language}": await phone.get(path, params={"lang": language}) for path, language in asked
    }


async def test_every_page_is_well_made_and_loads_nothing_of_others(
    phone: httpx.AsyncClient, shop: SmallShop
) -> None:
    for path, answer in (await every_page(phone, shop)).items():
        page = Page(answer.text)
        missing = path.startswith(("/e/DE*XYZ", "/nothing", "/p/nobody"))
        assert (answer.status_code, page.problems) == (404 if missing else 200, []), path
        others = [url for url in page.loaded if not url.startswith("/static/")]
        assert others in ([], [OFFER.script]), path
        for url in page.loaded:
            if url.startswith("/static/"):
                assert (await phone.get(url)).status_code == 200


async def test_what_others_wrote_is_text_and_nothing_else(phone: httpx.AsyncClient, shop: SmallShop) -> None:
    shop.offer = replace(
        OFFER,
        reference=HOSTILE,
        site_name=HOSTILE,
        street=HOSTILE,
        city=HOSTILE,
        operator=HOSTILE,
        key=HOSTILE,
        country=HOSTILE,
    )
    shop.tag = replace(TAG, lines=(HOSTILE, "{{ 7 * 7 }}"), vat=HOSTILE, text=HOSTILE)
    shop.place = replace(shop.place, connectors=(Outlet(1, HOSTILE),))
    shop.wish = replace(WISH, operator=HOSTILE, client_secret=HOSTILE)
    more: dict[str, Any] = {"operator": HOSTILE, "site_name": HOSTILE, "detail": HOSTILE}
    shop.put("failed", **more)
    shop.put(
        "paid",
        ended_at=NOON,
        bill=replace(BILL, lines=(replace(BILL.lines[0], what=HOSTILE, unit=HOSTILE),)),
        **more,
    )
    for path in (
        PLACE,
        "/card/w-1",
        "/p/id-failed",
        "/p/id-paid",
        "/p/id-paid/receipt",
        f"/e/{quote(HOSTILE)}",
        f"/p/{quote(HOSTILE)}",
    ):
        answer = await phone.get(path)
        page = Page(answer.text)
        assert page.problems == [], path
        assert "<script>alert" not in answer.text and "onerror=y>" not in answer.text.replace("&gt;", "›")
        assert "\u202e" not in answer.text and "\x1b" not in answer.text
    assert "{{ 7 * 7 }}" in Page((await phone.get(PLACE)).text).text


async def test_browsers_are_told_to_run_and_frame_nothing_else(
    phone: httpx.AsyncClient, shop: SmallShop
) -> None:
    for path, answer in (await every_page(phone, shop)).items():
        policy = dict(rule.split(" ", 1) for rule in answer.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'" and policy["frame-ancestors"] == "'none'", path
        assert "unsafe" not in str(policy) and policy["form-action"] == "'self'"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "max-age" in answer.headers["strict-transport-security"]
        assert answer.headers["cache-control"] == "no-store"
        assert "set-cookie" not in answer.headers and "server" not in answer.headers
        provider = path.startswith((PLACE, "/card")) or "action-needed" in path
        assert ("js.stripe.com" in policy["script-src"]) is provider, path


@pytest.mark.parametrize(
    "script", ["javascript:alert(1)", "https://evil.example; script-src *", "//x", "", None]
)
async def test_an_address_of_a_script_that_is_none_is_not_told_to_browsers(
    phone: httpx.AsyncClient, shop: SmallShop, script: str | None
) -> None:
    shop.offer = replace(OFFER, script=script)
    answer = await phone.get(PLACE)
    assert "*" not in answer.headers["content-security-policy"]
    assert "pay" not in Page(answer.text).ids


async def test_a_double_tap_begins_one_session(phone: httpx.AsyncClient, shop: SmallShop) -> None:
    form = await offered(phone)
    first, second = [await phone.post(PLACE, data=form) for _ in range(2)]
    assert first.status_code == second.status_code == 303
    assert first.headers["location"] == second.headers["location"] == f"/p/s-{form['key']}"
    assert len(shop.sessions) == 1
    assert {begun.key for begun in shop.begun} == {form["key"]}
    assert (await phone.get(first.headers["location"])).status_code == 200


async def test_every_visit_has_a_key_of_its_own_that_cannot_be_guessed(phone: httpx.AsyncClient) -> None:
    keys = {(await offered(phone))["key"] for _ in range(5)}
    assert len(keys) == 5 and all(len(key) == 32 for key in keys)


async def test_nobody_pays_another_price_than_he_was_shown(phone: httpx.AsyncClient, shop: SmallShop) -> None:
    form = await offered(phone)
    shop.offer = replace(OFFER, tariff="day-2")
    shop.tag = replace(TAG, lines=("0.99 € per kWh",))
    answer = await phone.post(PLACE, data=form)
    assert answer.status_code == 409 and shop.begun == []
    assert "price has changed" in answer.text and "0.99 €" in answer.text


async def test_a_form_from_elsewhere_is_refused(phone: httpx.AsyncClient, shop: SmallShop) -> None:
    form = await offered(phone)
    answer = await phone.post(PLACE, data=form, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403 and shop.begun == []


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"data": {**FORM, "method": ""}}, 422),
        ({"data": {**FORM, "email": "x" * 9000}}, 413),
        ({"json": FORM}, 422),
        (
            {
                "content": b"method=%ff%fe&key=1",
                "headers": {"Content-Type": "application/x-www-form-urlencoded"},
            },
            422,
        ),
        (
            {
                "content": b"&".join(b"a=1" for _ in range(99)),
                "headers": {"Content-Type": "application/x-www-form-urlencoded"},
            },
            422,
        ),
    ],
)
async def test_what_is_no_form_of_ours_begins_nothing(
    phone: httpx.AsyncClient, shop: SmallShop, sent: dict[str, Any], status: int
) -> None:
    answer = await phone.post(PLACE, **sent)
    assert answer.status_code == status and shop.begun == []
    assert Page(answer.text).problems == []


async def test_a_place_that_takes_no_cards_says_so_and_shows_its_price(
    phone: httpx.AsyncClient, shop: SmallShop
) -> None:
    shop.offer = replace(
        OFFER, payable=False, provider=None, key=None, script=None, detail="no provider is set"
    )
    page = Page((await phone.get(PLACE)).text)
    assert "Cards are not taken here" in page.text and TAG.lines[0] in page.text and "pay" not in page.ids
    shop.offer = replace(OFFER, payable=False, online=False, detail="CP-1 is offline")
    page = Page((await phone.get(PLACE)).text)
    assert "Not connected" in page.text and "you cannot pay here" in page.text
    shop.offer = replace(OFFER, payable=False, detail="somebody pays here already")
    assert "Hier lädt oder bezahlt gerade jemand" in (await phone.get(PLACE, params={"lang": "de"})).text


@pytest.mark.parametrize(
    ("status", "online", "is_open", "word"),
    [
        ("available", True, True, "Free"),
        ("preparing", True, True, "Free"),
        ("charging", True, True, "Occupied"),
        ("faulted", True, True, "Out of order"),
        ("available, faulted", True, True, "Free"),
        ("available", False, True, "Not connected"),
        ("available", True, False, "Closed now"),
        ("something new", True, True, "Occupied"),
    ],
)
async def test_how_an_evse_is_is_said_in_words(
    phone: httpx.AsyncClient, shop: SmallShop, status: str, online: bool, is_open: bool, word: str
) -> None:
    shop.offer = replace(OFFER, status=status, online=online, open=is_open)
    assert word in Page((await phone.get(PLACE)).text).text


async def test_the_page_of_a_session_tells_energy_time_and_cost(
    phone: httpx.AsyncClient, shop: SmallShop
) -> None:
    view = shop.charging()
    page = Page((await phone.get(f"/p/{view.id}")).text)
    for said in ("€11.91", "24.31 kWh", "1:12 h", "11.0 kW", "€11.91 of €50.00 reserved", "Stop charging"):
        assert said in page.text
    live = (await phone.get(f"/p/{view.id}/live")).json()
    assert (live["status"], live["over"], live["again_s"]) == ("charging", False, 5)
    assert "24.31 kWh" in live["body"]
    stopped = await phone.post(f"/p/{view.id}/stop")
    assert stopped.status_code == 303 and shop.sessions[view.id].status == "ended"


async def test_a_bank_that_wants_to_see_the_driver_is_shown_him(
    phone: httpx.AsyncClient, shop: SmallShop
) -> None:
    shop.put("action-needed")
    answer = await phone.get("/p/id-action-needed")
    assert 'data-secret="pi_1_secret_2"' in answer.text and OFFER.script in Page(answer.text).loaded
    assert "pi_1_secret_2" not in (await phone.get("/p/id-action-needed/live")).text
    shop.proved.add("id-action-needed")
    assert (await phone.post("/p/id-action-needed/confirmed")).status_code == 303
    assert shop.sessions["id-action-needed"].status == "starting"
    assert "pi_1_secret_2" not in (await phone.get("/p/id-action-needed")).text


async def test_the_receipt_has_lines_that_sum_to_what_was_charged(
    phone: httpx.AsyncClient, shop: SmallShop
) -> None:
    shop.paid()
    page = Page((await phone.get("/p/id-paid/receipt?lang=de")).text)
    for said in (
        "Volt Energie GmbH Werkstr. 1 89073 Ulm",
        "USt-IdNr. DE123456789",
        "24,31 kWh × 0,411765 EUR (Netto)",
        "24,31 kWh",
        "21.06.2026, 12:00:00",
        "MwSt. 19 % 1,90 €",
        "Netto 10,01 €",
        "Summe 11,91 €",
    ):
        assert said in page.text
    shop.put("charging")
    assert (await phone.get("/p/id-charging/receipt")).headers["location"] == "/p/id-charging"


async def test_who_is_not_known_is_not_found_and_who_guesses_is_stopped(phone: httpx.AsyncClient) -> None:
    answers = [await phone.get(f"/e/DE*ABC*E{number}") for number in range(25)]
    assert answers[0].status_code == 404 and "No such charging point" in answers[0].text
    assert answers[-1].status_code == 429 and int(answers[-1].headers["retry-after"]) >= 1
    assert (await phone.get(PLACE)).status_code == 200


async def test_who_tries_one_card_after_another_is_stopped(phone: httpx.AsyncClient, shop: SmallShop) -> None:
    form = await offered(phone)
    told = [(await phone.post(PLACE, data={**form, "key": f"key-{n:012}"})).status_code for n in range(12)]
    assert told[:10] == [303] * 10 and told[-1] == 429
    assert len(shop.begun) == 10


async def test_many_who_try_cards_at_one_place_are_slow_and_each_is_counted_for_himself(
    phone: httpx.AsyncClient, shop: SmallShop
) -> None:
    form = await offered(phone)
    told = [
        (await phone.post(PLACE, data=form, headers={"X-Forwarded-For": f"192.0.2.{n}"})).status_code
        for n in range(25)
    ]
    assert told[:20] == [303] * 20 and told[-1] == 429  # a proxy of this machine says for whom it asks
    assert (await phone.get(PLACE)).status_code == 200
    assert {gate_for(address) for address in ("2001:db8::1", "2001:db8::2:3")} == {"2001:db8::/64"}


def gate_for(address: str) -> str:
    return gate.network(Request({"type": "http", "client": (address, 1)}))


async def test_who_asks_without_end_is_told_to_wait(phone: httpx.AsyncClient, shop: SmallShop) -> None:
    shop.limits.reads = Buckets(0.001, 3)
    assert [(await phone.get("/")).status_code for _ in range(5)] == [200, 200, 200, 429, 429]


async def test_what_goes_wrong_is_a_page_that_says_nothing_of_our_inside(
    phone: httpx.AsyncClient, shop: SmallShop
) -> None:
    for error, status, said in (
        (RuntimeError("secret inside"), 500, "our mistake"),
        (StoreDown(), 503, "Not available now"),
        (Conflict("EVSE 1 is occupied", "see `cms stations show`"), 409, "EVSE 1 is occupied"),
        (Unreachable("CP-1 is offline"), 503, "Not available now"),
    ):
        shop.fails = error
        answer = await phone.get(PLACE)
        page = Page(answer.text)
        assert (answer.status_code, page.problems) == (status, [])
        assert said in page.text
        assert (
            "secret inside" not in answer.text
            and "Traceback" not in answer.text
            and "`cms" not in answer.text
        )


async def test_a_scanned_code_leads_to_the_offer_while_it_is_right(phone: httpx.AsyncClient) -> None:
    right = await phone.get("/w/CP-1/1", params={"totp": "right", "version": "1"})
    assert (right.status_code, right.headers["location"]) == (303, "/e/CP-1*1")
    assert (await phone.get(right.headers["location"])).status_code == 200
    wrong = await phone.get("/w/CP-1/1", params={"totp": "wrong"})
    assert wrong.status_code == 403 and "Scan the code again" in wrong.text


async def test_a_card_is_saved_by_whoever_has_the_link(phone: httpx.AsyncClient) -> None:
    answer = await phone.get("/card/w-1")
    assert 'data-secret="seti_1_secret_2"' in answer.text
    saved = await phone.post("/card/w-1")
    assert saved.status_code == 200 and "Visa 4242" in saved.text
    assert (await phone.get("/card/w-2")).status_code == (await phone.post("/card/w-2")).status_code == 404


class Signs:
    """A provider that knows its own events."""

    def told(self, body: bytes, signature: str) -> Told:
        if signature != "right":
            raise Denied("this was not signed by the provider")
        return Told("evt_1", "charge.updated")


async def test_only_what_the_provider_signed_is_heard(phone: httpx.AsyncClient, shop: SmallShop) -> None:
    shop.core.provider = cast("Provider", Signs())
    right = {"Stripe-Signature": "right"}
    assert (await phone.post("/webhooks/stripe", content=b"{}", headers=right)).status_code == 200
    assert (await phone.post("/webhooks/stripe", content=b"{}")).status_code == 403
    assert (await phone.post("/webhooks/other", content=b"{}", headers=right)).status_code == 404
    assert (await phone.post("/webhooks/stripe", content=bytes(600_000), headers=right)).status_code == 413


async def test_other_methods_and_worlds_are_not_there(phone: httpx.AsyncClient) -> None:
    assert (await phone.delete(PLACE)).status_code == 405
    assert (await phone.get("/acme/e/DE*ABC*E1001")).status_code == 404
    assert (await phone.get("/static/../app.py")).status_code == 404
    assert (await phone.get("/static/%2e%2e%2fapp.py")).status_code == 404
    assert (await phone.head(PLACE)).status_code == 200


async def test_an_amount_of_whole_coins_is_one_for_the_wallet(
    phone: httpx.AsyncClient, shop: SmallShop
) -> None:
    shop.offer = replace(OFFER, currency="JPY", reserved=Decimal(5000))
    answer = await phone.get(PLACE)
    assert 'data-amount="5000"' in answer.text and 'data-currency="JPY"' in answer.text
    shop.put("canceled", reserved=Money(Decimal(5000), "JPY"))
    assert (await phone.get("/p/id-canceled")).status_code == 200

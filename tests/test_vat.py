from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from cms import vat
from cms.domain.payments import Company, VatAnswer

_SAID = {
    "NL1": '{"valid": true, "company": {"name": "Volt", "address1": "A 1", "city": "Delft", "country": "NL"}}',
    "NL2": '{"valid": true, "company": {"name": 5}}',
    "NL3": '{"valid": false}',
    "NL4": "<html>",
    "NL5": "x" * 20_000,
}


class Service(BaseHTTPRequestHandler):
    """Knows a few numbers; of all others it has a failure."""

    def do_GET(self) -> None:
        number = parse_qs(urlsplit(self.path).query)["vat_number"][0]
        said = _SAID.get(number)
        self.send_response(200 if said else 500)
        self.end_headers()
        self.wfile.write((said or "").encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/vat"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("number", "answer"),
    [
        ("NL1", VatAnswer("NL1", None, True, Company("Volt", "A 1", "Delft", "NL"))),
        ("NL2", VatAnswer("NL2", None, True)),
        ("NL3", VatAnswer("NL3", None, False, reason="the number is not valid")),
        ("NL4", VatAnswer("NL4", None, False, reason="the service that checks VAT numbers did not answer")),
        ("NL5", VatAnswer("NL5", None, False, reason="the service said too much")),
        ("NL9", VatAnswer("NL9", None, False, reason="the service that checks VAT numbers did not answer")),
    ],
)
async def test_a_vat_number_is_what_the_service_says_and_else_a_no(
    service: str, number: str, answer: VatAnswer
) -> None:
    assert await vat.ask(service, number) == answer


async def test_a_service_that_is_not_there_is_a_no() -> None:
    assert not (await vat.ask("http://127.0.0.1:1/", "NL1")).accepted

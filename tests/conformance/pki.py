"""Certificates for scenarios: the authorities a house trusts, what they sign, and a responder that speaks for them.

A scenario with ``daemon: {secure: true}`` plays against a house with a TLS port. Its daemon finds its authority (and
the one for V2G) in its data directory, where an operator may put their own; so the scenario has their keys too.
"""

from __future__ import annotations

import json
import ssl
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cms.pki.reading import hash_data
from tests.pki.world import CLIENT, SERVER, Made, Responder, csr, make, revocation_list, weak_rsa

ORGANISATION = "Volt GmbH"
_USAGES = {"client": (CLIENT,), "server": (SERVER,), "both": (CLIENT, SERVER), "none": ()}
_KEYS: dict[str, Any] = {
    "ec": lambda: ec.generate_private_key(ec.SECP256R1()),
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "weak": weak_rsa,
}


def _authority(name: str) -> Made:
    now = datetime.now(UTC)
    year = timedelta(days=365)
    return make(name, authority=True, organisation=ORGANISATION, begins=now - 5 * year, ends=now + 5 * year)


@dataclass
class Pki:
    """One house's certificates. ``authorities``: station, v2g, mo (contracts), other (nobody trusts it)."""

    folder: Path
    tls_port: int
    authorities: dict[str, Made] = field(default_factory=dict)
    made: dict[str, Made] = field(default_factory=dict)
    keys: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("station", "v2g", "mo", "other"):
            self.authorities[name] = _authority(f"{name} root")
        for name in ("station", "v2g"):
            folder = self.folder / "pki" / name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "ca.pem").write_text(self.authorities[name].pem)
            (folder / "ca.key").write_text(self.authorities[name].key_pem)
        (self.folder / "mo.pem").write_text(self.authorities["mo"].pem)
        self.responder = Responder(list(self.authorities.values()))
        self._server = _serve(self)
        self.responder.port = self._server.server_address[1]

    @property
    def settings(self) -> dict[str, str]:
        return {
            "ocpp_tls_port": str(self.tls_port),
            "organisation": ORGANISATION,
            "trusted_organisations": '["Ampere AG"]',
            "contract_authorities": json.dumps([str(self.folder / "mo.pem")]),
            "outward_hosts": '["127.0.0.1"]',
            "contract_certificates_url": f"{self.responder.url}contracts",
        }

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def certify(self, told: dict[str, Any]) -> Made:
        """A certificate as a scenario wishes it; ``begins`` and ``ends`` are days from now."""
        now = datetime.now(UTC)
        of = told.get("of", "station")
        return make(
            str(told["name"]),
            None if of == "self" else self.authorities[of],
            organisation=told.get("organisation", ORGANISATION),
            begins=now + timedelta(days=told.get("begins", -1)),
            ends=now + timedelta(days=told.get("ends", 300)),
            usages=_USAGES[told.get("usage", "client")],
            responder=self.responder.url if told.get("responder") else None,
        )

    def words(self, made: Made) -> dict[str, Any]:
        """What a scenario may say of a certificate."""
        issuer = (made.issuer or made).certificate
        named = hash_data(made.certificate, issuer)
        hashes = {
            "hashAlgorithm": named.algorithm,
            "issuerNameHash": named.issuer_name_hash,
            "issuerKeyHash": named.issuer_key_hash,
            "serialNumber": named.serial_number,
        }
        return {
            "pem": made.pem,
            "hash": hashes,
            "asked": {**hashes, "responderURL": self.responder.url},
            "crl": f"{self.responder.url}crl",
        }

    def request(self, told: dict[str, Any]) -> tuple[str, Any]:
        key = _KEYS[told.get("key", "ec")]()
        return csr(str(told["name"]), told.get("organisation", ORGANISATION), key)

    def client(self, made: Made | None) -> ssl.SSLContext:
        """A station's side of TLS: it trusts the house's root alone."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self.authorities["station"].pem)
        if made is not None:
            path = self.folder / f"client-{made.certificate.serial_number:x}.pem"
            path.write_text(made.chain + made.key_pem)
            context.load_cert_chain(path)
        return context

    def revoke_by_list(self, *made: Made) -> None:
        self.responder.files["/crl"] = revocation_list(self.authorities["mo"], *made, now=datetime.now(UTC))


def _serve(pki: Pki) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            responder = pki.responder
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            responder.now = datetime.now(UTC)
            if responder.silent:
                self.close_connection = True
                return
            try:
                content = (
                    responder.files[self.path] if self.path in responder.files else responder.answer(body)
                )
            except (ValueError, StopIteration):
                self.send_error(400)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def leaf_of(chain: str) -> x509.Certificate:
    return x509.load_pem_x509_certificates(chain.encode())[0]

"""What steps can do with certificates and TLS; ``README.md`` tells it to writers."""

from __future__ import annotations

import asyncio
import json
import ssl
import warnings
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

import websockets
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.conformance.language import Mistaken
from tests.conformance.pki import Pki, leaf_of
from tests.conformance.play import PATIENCE_S, Play, Step, Unmet
from tests.conformance.wire import basic
from tests.pki.world import Made

_REFUSED_BY_TLS: Final = (ssl.SSLError, ConnectionError, EOFError, websockets.InvalidMessage)


def _pki(play: Play) -> Pki:
    if play.house.pki is None:
        raise Mistaken("certificates need `daemon: {secure: true}`")
    return play.house.pki


async def certificate(play: Play, step: Step) -> None:
    """Make a certificate and keep it as ``as``: $x.pem, $x.hash and $x.asked (with responderURL)."""
    pki, told = _pki(play), play.scope.fill(step.value)
    _keep(play, step["as"] or "cert", pki.certify(told))


async def csr(play: Play, step: Step) -> None:
    """A signing request as $x, with a key of its own: ``key`` is ec, rsa or weak."""
    pki, name = _pki(play), step["as"] or "csr"
    play.scope.names[name], pki.keys[name] = pki.request(play.scope.fill(step.value))


async def signed(play: Play, step: Step) -> None:
    """A chain answers a request: leaf first, its key, its names, LF, valid since a little while; kept as ``as``."""
    pki, told = _pki(play), play.scope.fill(step.value)
    chain, key = told["chain"], pki.keys[told["csr"]]
    leaf, issuer = leaf_of(chain), pki.authorities[told.get("of", "station")]
    now = datetime.now(UTC)
    names = {
        "name": leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value,
        "organisation": leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value,
    }
    wrong = play.scope.differences({key: told[key] for key in names if key in told}, names)
    if leaf.public_key() != key.public_key():
        wrong.append("the certificate is not for the key of the request")
    if leaf.issuer != issuer.certificate.subject:
        wrong.append(f"the certificate is of {leaf.issuer.rfc4514_string()}")
    else:
        leaf.verify_directly_issued_by(issuer.certificate)
    if "\r" in chain or not chain.endswith("-----\n"):
        wrong.append("the chain's lines do not end in LF alone")
    if not now - timedelta(days=2) < leaf.not_valid_before_utc < now:
        wrong.append(f"the certificate is valid from {leaf.not_valid_before_utc}")
    play.require(wrong)
    _keep(play, step["as"] or "cert", Made(leaf, key, issuer))


def _keep(play: Play, name: str, made: Made) -> None:
    pki = _pki(play)
    pki.made[name] = made
    play.scope.names[name] = pki.words(made)


async def secure(play: Play, step: Step) -> None:
    """Connect with TLS; ``certificate`` is a kept one. ``refused``: in the handshake or before 101."""
    pki, station, told = _pki(play), play.station(step), play.scope.fill(step.value or {})
    shown = told.get("certificate")
    context = pki.client(pki.made[shown] if shown else None)
    if station.wire.open:
        await station.wire.close()
    headers = {}
    password = told.get("password", None if shown else station.password)
    if password is not None:
        headers["Authorization"] = basic(station.identity, password)
    url = f"{play.house.secure_url}/{quote(station.identity, safe='')}"
    how = None
    try:
        await station.wire.connect(url, headers, [f"ocpp{station.version}"], tls=context)
    except websockets.InvalidStatus as error:
        how = f"HTTP {error.response.status_code}"
    except _REFUSED_BY_TLS as error:
        how = f"in the handshake ({error})"
    play.watch.note(station.letter, "--", f"connected with TLS: {how or 'let in'}")
    if how is None and step["refused"]:
        raise Unmet("the connection was accepted, expected it to be refused")
    if how is not None and not step["refused"]:
        raise Unmet(f"refused: {how}")


async def handshake(play: Play, step: Step) -> None:
    """A TLS handshake alone: ``maximum`` (TLSv1_1 ...), ``ciphers`` as OpenSSL names them. ``fails: true``."""
    pki, told = _pki(play), play.scope.fill(step.value or {})
    context = pki.client(None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old versions are offered to be refused
        context.minimum_version = getattr(ssl.TLSVersion, told.get("minimum", "TLSv1"))
        context.maximum_version = getattr(ssl.TLSVersion, told.get("maximum", "TLSv1_2"))
    context.set_ciphers(told.get("ciphers", "ALL") + ":@SECLEVEL=0")
    host, port = "127.0.0.1", pki.tls_port
    try:
        async with asyncio.timeout(PATIENCE_S):
            _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    except (ssl.SSLError, ConnectionError) as error:
        if not step["fails"]:
            raise Unmet(f"the handshake failed: {error}") from None
        return
    socket: ssl.SSLObject = writer.get_extra_info("ssl_object")
    shown = {"version": socket.version(), "cipher": (socket.cipher() or ("",))[0], **_shown(socket)}
    writer.close()
    if step["fails"]:
        raise Unmet(f"the handshake succeeded with {shown}")
    play.require(play.scope.differences(step["gives"] or {}, shown))


def _shown(socket: ssl.SSLObject) -> dict[str, Any]:
    der = socket.getpeercert(binary_form=True)
    assert der is not None
    leaf = x509.load_der_x509_certificate(der)
    key = leaf.public_key()
    return {
        "kind": "RSA" if isinstance(key, rsa.RSAPublicKey) else "EC",
        "bits": getattr(key, "key_size", 0),
        "name": str(leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value),
        "serial": leaf.serial_number,
    }


async def responder(play: Play, step: Step) -> None:
    """What the stub of OCSP responder, list and provider does: ``silent``, ``forged``, ``revoked``, ``listed`` ..."""
    pki, told = _pki(play), play.scope.fill(step.value)
    pki.responder.silent = bool(told.get("silent"))
    pki.responder.signer = pki.authorities["other"] if told.get("forged") else None
    for name in told.get("revoked", ()):
        pki.responder.revoked.add(pki.made[name].certificate.serial_number)
    if "listed" in told:
        pki.revoke_by_list(*(pki.made[name] for name in told["listed"]))
    if "contracts" in told:
        pki.responder.files["/contracts"] = json.dumps(told["contracts"]).encode()


PKI_VERBS: Final = (
    ("certificate", certificate, {"as"}),
    ("csr", csr, {"as"}),
    ("signed", signed, {"as"}),
    ("secure", secure, {"refused"}),
    ("handshake", handshake, {"fails", "gives"}),
    ("responder", responder, set[str]()),
)

"""TLS towards stations: security profiles 2 and 3 (1.6 security whitepaper, OCPP 2.x A00)."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cms.contract.refusals import Invalid
from cms.ocpp.journal import TellingContext

#: Suites of TLS 1.2; TLS 1.3 has suites of its own. A00.FR.318 and 421 name the two ECDSA and the two legacy ones.
CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384",
)
#: RSA key exchange: whoever gets the server's key reads what was recorded before. Some stations know nothing else.
LEGACY = ("AES128-GCM-SHA256", "AES256-GCM-SHA384")
#: OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which the ssl module does not name.
_NO_CHECK_TIME = 0x20_0000


@dataclass(frozen=True, slots=True)
class SecureListener:
    """A second port, with TLS. ``port`` 0 picks a free one."""

    port: int
    context: TellingContext


Pair = tuple[Path, Path | None]
"""A chain in PEM, leaf first, and its key; None: the key is in the same file."""


def context(pairs: Sequence[Pair], authorities: Sequence[str], *, legacy: bool = True) -> TellingContext:
    """What a listener needs. ``authorities`` are PEM texts of those whose client certificates are taken.

    ``legacy``: suites without forward secrecy too, as OCPP demands.

    An RSA and an ECDSA chain stand side by side; the handshake takes the one that the station's suites want.
    Raises Invalid.
    """
    made = TellingContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2  # A00.FR.313 to 315, 416 to 418
    made.set_ciphers(":".join((*CIPHERS, *(LEGACY if legacy else ()))))
    made.options |= ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_NO_RENEGOTIATION
    load(made, pairs)
    # Profile 2 has no client certificate, profile 3 must have one: who needs which is known after the identity,
    # so the door asks again. Time too is looked at there: one station may be let in to renew an expired
    # certificate (A00.FR.429), and a refusal there is told to the operator.
    made.verify_mode = ssl.CERT_OPTIONAL
    made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VerifyFlags(_NO_CHECK_TIME)
    trust(made, authorities)
    return made


def load(listening: ssl.SSLContext, pairs: Sequence[Pair]) -> None:
    """Show these chains, from the next handshake on. Raises Invalid, and then nothing has changed."""
    # A chain whose key does not fit would cost the context its old key: tried on another one first.
    for context in (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), listening):
        for chain, key in pairs:
            _load(context, chain, key)


def trust(listening: ssl.SSLContext, authorities: Sequence[str]) -> None:
    """Take client certificates of these authorities (PEM) too, from the next handshake on."""
    for pem in authorities:
        try:
            listening.load_verify_locations(cadata=pem)
        except (ssl.SSLError, ValueError) as error:
            raise Invalid(f"an authority of client certificates cannot be read: {error}") from error


def _load(made: ssl.SSLContext, chain: Path, key: Path | None) -> None:
    try:
        made.load_cert_chain(chain, key)
    except ssl.SSLError as error:
        where = chain if key is None else f"{chain} with {key}"
        raise Invalid(f"{where} is not a certificate chain with its key: {error.reason or error}") from error
    except OSError as error:
        raise Invalid(
            f"{chain if key is None else f'{chain} or {key}'} cannot be read: {error.strerror}"
        ) from error

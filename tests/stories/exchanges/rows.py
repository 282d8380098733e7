"""What a row is: an order as a client asks for it, and how a station goes along; words for writing rows."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from cms.contract import charging

Json = dict[str, Any]
IND, CARD = "IND-1", "04A1B2C3"
SERIAL = "0a1b2c"
HASHES = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "ab" * 32,
    "issuerKeyHash": "cd" * 32,
    "serialNumber": SERIAL,
}
PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
FILE = "https://files.example/file"
MD5 = "0123456789abcdef" * 2
TRANSACTION = str(uuid.uuid4())
TEMPERATURE = "ControllerTemperature.Temperature"


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def csr() -> str:
    """What a station asks a certificate with."""
    name = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, IND), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Ind")]
    )
    key = ec.generate_private_key(ec.SECP256R1())
    made = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return made.public_bytes(Encoding.PEM).decode()


@dataclass
class Known:
    """What the rows need of each other: the running session, a code that a driver scanned."""

    version: str
    session: str = ""
    code: str = ""


Then = Callable[[Known, Json], Sequence[tuple[str, Json]]]
"""What the station says after its answer, told the order's payload: actions with their payloads, in order."""


def nothing(_: Known, __: Json) -> Sequence[tuple[str, Json]]:
    return ()


@dataclass(frozen=True)
class Exchange:
    """``ask`` makes the station hear ``action`` with these ``fields`` (``...``: whatever they are).

    ``then`` is what it says after its answer, told the order's payload. ``answer`` where not the usual one.
    """

    action: str
    ask: Callable[[Known], Any]
    fields: Json = field(default_factory=dict)
    then: Then = nothing
    answer: Callable[[Json], Json] | None = None
    status: str = "confirmed"


def profile(purpose: str = "tx-default", **more: Any) -> charging.Profile:
    period = charging.Period(0, Decimal("16.0"))
    schedule = charging.Schedule("A", (period,), start=datetime.now(UTC), duration_s=more.pop("lasts", 3600))
    return charging.Profile(purpose, (schedule,), id=more.pop("id", 7), **more)


def until() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


def said(action: str, **payload: Any) -> Then:
    """One message, the same whatever was ordered; with ``requestId=...`` that of the order."""

    def then(_: Known, order: Json) -> Sequence[tuple[str, Json]]:
        return [(action, {key: order[key] if value is ... else value for key, value in payload.items()})]

    return then


def each(data: str, result: str, *kept: str, **more: Any) -> Callable[[Json], Json]:
    """The answer to a list: an entry for each of its entries, with what is ``kept`` of it."""
    return lambda order: {
        result: [{key: item[key] for key in kept if key in item} | more for item in order[data]]
    }

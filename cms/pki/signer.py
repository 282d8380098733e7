"""Another's authority: requests that were found worthy are handed on over HTTP, and what comes back is checked.

POST ``{"use": "station" | "v2g", "csr": PEM}``; 200 with ``{"certificateChain": PEM}``, leaf first. Everything else is
a failure.
"""

from __future__ import annotations

import logging

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from cms.contract.refusals import Invalid, Unreachable
from cms.domain.certificates import Use
from cms.pki import reading
from cms.pki.fetch import verified

log = logging.getLogger(__name__)
#: A person may have to press a button; the station asks again after its CertSigningWaitMinimum.
_TIMEOUT_S = 60.0


async def ask(url: str, use: Use, csr: str) -> tuple[x509.Certificate, ...]:
    """The chain that the authority made of a request. Raises Unreachable."""
    _, asked = reading.request(csr)
    try:
        async with httpx.AsyncClient(verify=verified(), trust_env=False, timeout=_TIMEOUT_S) as client:
            answer = await client.post(url, json={"use": use, "csr": csr})
            answer.raise_for_status()
            chain = reading.certificates(str(answer.json()["certificateChain"]))
            _check(chain[0], asked)
    except (httpx.HTTPError, Invalid, ValueError, TypeError, KeyError) as error:
        reason = error.message if isinstance(error, Invalid) else type(error).__name__
        log.warning("the signing authority gave no certificate: %s", reason)
        raise Unreachable(f"the signing authority gave no certificate: {reason}") from error
    return tuple(each for each in chain if each is chain[0] or each.issuer != each.subject)


def _check(leaf: x509.Certificate, asked: x509.CertificateSigningRequest) -> None:
    """A certificate for another key or name would lock the station out, or open it to somebody else."""
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if leaf.public_key().public_bytes(*form) != asked.public_key().public_bytes(*form):
        raise Invalid("it is for another key")
    names = [of.subject.get_attributes_for_oid(NameOID.COMMON_NAME) for of in (leaf, asked)]
    if names[0] != names[1]:
        raise Invalid("it is for another name")

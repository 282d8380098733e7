"""Asking OCSP responders (RFC 6960) for stations and for ourselves; what they said is kept as long as it holds."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from cms.contract.refusals import Invalid, Unreachable
from cms.domain.certificates import HashData, Standing
from cms.pki.fetch import Outward
from cms.pki.reading import DIGESTS, UNREADABLE, key_bits

_KEPT = 2_000
#: A responder that names no end of its answer is asked again soon; none is believed longer than a day.
_BRIEFLY, _LONGEST = timedelta(minutes=5), timedelta(days=1)
#: How far the responder's clock and ours may differ.
_SKEW = timedelta(minutes=5)
_WORDS = {
    ocsp.OCSPCertStatus.GOOD: "good",
    ocsp.OCSPCertStatus.REVOKED: "revoked",
    ocsp.OCSPCertStatus.UNKNOWN: "unknown",
}


@dataclass(slots=True)
class Responders:
    """All responders, asked through one cache."""

    outward: Outward
    _kept: OrderedDict[tuple[str, ...], Standing] = field(default_factory=OrderedDict)

    async def ask(self, named: HashData, url: str, now: datetime) -> Standing:
        """The standing of a certificate. Raises Invalid for hash data that is none, Unreachable otherwise."""
        key = (
            named.algorithm,
            named.issuer_name_hash,
            named.issuer_key_hash,
            named.serial_number,
            url,
        )
        kept = self._kept.get(key)
        if kept is not None and now < kept.until:
            return kept
        body = await self.outward.ask("POST", url, question(named), "application/ocsp-request")
        standing = understood(body, named, now)
        self._kept[key] = standing
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return standing


def question(named: HashData) -> bytes:
    """The request in DER. Raises Invalid when the hash data is not what its algorithm makes."""
    try:
        builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
            bytes.fromhex(named.issuer_name_hash),
            bytes.fromhex(named.issuer_key_hash),
            int(named.serial_number, 16),
            DIGESTS[named.algorithm](),
        )
        return builder.build().public_bytes(Encoding.DER)
    except (KeyError, *UNREADABLE) as error:
        raise Invalid("this hash data names no certificate") from error


def understood(der: bytes, named: HashData, now: datetime) -> Standing:
    """Read an answer and see that it is about this certificate and of now. Its signature is ``vouched``'s business."""
    try:
        answer = ocsp.load_der_ocsp_response(der)
        if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise Unreachable(f"the responder says {answer.response_status.name.lower()}")
        # 2.0.1 M06: one certificate is asked about at a time.
        about = answer.serial_number == int(named.serial_number, 16)
        about = about and answer.issuer_key_hash == bytes.fromhex(named.issuer_key_hash)
        begins, ends = answer.this_update_utc, answer.next_update_utc
        word = _WORDS[answer.certificate_status]
    except UNREADABLE as error:
        raise Unreachable("the responder's answer cannot be read") from error
    if not about:
        raise Unreachable("the responder answered about another certificate")
    if begins - now > _SKEW or (ends is not None and now - ends > _SKEW):
        raise Unreachable("the responder's answer is not of now")
    until = min(ends or now + _BRIEFLY, now + _LONGEST)
    return Standing(word, der, until)


def vouched(standing: Standing, named: HashData, issuers: Collection[x509.Certificate]) -> bool:
    """Whether the certificate's issuer signed the answer, or one whom it appointed (RFC 6960, 4.2.2.2)."""
    answer = ocsp.load_der_ocsp_response(standing.der)
    issuer = next((each for each in issuers if _is_issuer(each, named)), None)
    if issuer is None:
        return False
    return _signed_by(answer, issuer) or any(
        _appointed(signer, issuer) and _signed_by(answer, signer) for signer in answer.certificates
    )


def _is_issuer(candidate: x509.Certificate, named: HashData) -> bool:
    digest = DIGESTS[named.algorithm]().name
    try:
        return (
            hashlib.new(digest, key_bits(candidate)).hexdigest() == named.issuer_key_hash.casefold()
            and hashlib.new(digest, candidate.subject.public_bytes()).hexdigest()
            == named.issuer_name_hash.casefold()
        )
    except Invalid:
        return False


def _appointed(signer: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        signer.verify_directly_issued_by(issuer)
        usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (InvalidSignature, x509.ExtensionNotFound, *UNREADABLE):
        return False
    return ExtendedKeyUsageOID.OCSP_SIGNING in usage


def _signed_by(answer: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    key, algorithm = signer.public_key(), answer.signature_hash_algorithm
    if algorithm is None:
        return False
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(answer.signature, answer.tbs_response_bytes, ec.ECDSA(algorithm))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(answer.signature, answer.tbs_response_bytes, padding.PKCS1v15(), algorithm)
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm):
        return False
    return True

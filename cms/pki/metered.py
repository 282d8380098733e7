"""Signed meter values and the keys of meters: OCMF texts read (pyocmf) and verified."""

from __future__ import annotations

import base64
import warnings
from decimal import Decimal
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cms.contract.refusals import Invalid
from cms.domain.signedvalues import OCMF, UNREADABLE, Register, SignedValue, Vouched

if TYPE_CHECKING:  # a fifth of a second to import: only whoever has signed values pays
    from pyocmf import OCMF as Record

_TO_WH = {"Wh": Decimal(1), "kWh": Decimal(1000)}
#: Longer texts are no meter's.
_LONGEST = 16 * 1024


_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "SHA256": hashes.SHA256,
    "SHA384": hashes.SHA384,
    "SHA512": hashes.SHA512,
}


def read_key(key: str) -> str:
    """Which curve a public key (DER, hex digits) is of. Raises Invalid where it is none that meters have."""
    try:
        found = serialization.load_der_public_key(bytes.fromhex(key))
    except UnsupportedAlgorithm:
        return _odd_curve(key)
    except ValueError as error:
        raise _no_key() from error
    if not isinstance(found, ec.EllipticCurvePublicKey):
        raise _no_key()
    return found.curve.name


def _odd_curve(key: str) -> str:
    """One that OpenSSL does not know: secp192k1, of which there are meters."""
    from pyocmf.exceptions import PyOCMFError
    from pyocmf.models.public_key import PublicKey

    try:
        return str(PublicKey.from_string(key).curve.value)
    except (PyOCMFError, ValueError) as error:
        raise _no_key() from error


def _no_key() -> Invalid:
    return Invalid("this is no public key of a meter", "PEM, or hex digits of its DER form")


def vouched(signed: SignedValue, key: str | None) -> Vouched:
    """What a signed value tells, and whether it was signed with this key; it is hostile as all of a station's words."""
    if signed.encoding != OCMF or len(signed.text) > _LONGEST:
        return Vouched(None, trouble=UNREADABLE)
    from pyocmf import OCMF as record_type
    from pyocmf.exceptions import PyOCMFError, SpecWarning

    # What deviates from the format is read all the same; a station's words are not written to stderr.
    warnings.filterwarnings("ignore", category=SpecWarning)
    try:
        read = record_type.from_string(signed.text)
    except (PyOCMFError, ValueError, RecursionError):
        return Vouched(None, trouble=UNREADABLE)
    return Vouched(None if key is None else _signed_with(key, signed.text, read), tuple(_registers(read)))


def _signed_with(key: str, text: str, read: Record) -> bool:
    """Whether the payload, character for character, was signed with this key (OCMF, section 3.3)."""
    payload, told = text.split("|", 3)[1], read.signature
    hashed = _HASHES.get(str(told.SA).rpartition("-")[2], hashes.SHA256)
    try:
        signature = base64.b64decode(told.SD) if str(told.SE) == "base64" else bytes.fromhex(told.SD)
        found = serialization.load_der_public_key(bytes.fromhex(key))
        if not isinstance(found, ec.EllipticCurvePublicKey):
            return False
        found.verify(signature, payload.encode(), ec.ECDSA(hashed()))
    except UnsupportedAlgorithm:
        return _oddly_signed(key, read)
    except (InvalidSignature, ValueError):
        return False
    return True


def _oddly_signed(key: str, read: Record) -> bool:
    from pyocmf.exceptions import PyOCMFError

    try:
        return read.verify_signature(key)
    except (PyOCMFError, ValueError):
        return False


def _registers(read: Record) -> list[Register]:
    """Its readings of energy, in Wh; fields left out are those of the reading before (OCMF, table 7)."""
    found = []
    for reading in read.payload.RD:
        unit = _TO_WH.get(str(reading.RU or ""))
        value = None if reading.RV is None else Decimal(str(reading.RV))
        if unit is None or value is None or not _readable(value) or (reading.EF and "E" in reading.EF):
            continue
        step_wh = Decimal(1).scaleb(int(value.as_tuple().exponent)) * unit
        found.append(Register(str(reading.RI or ""), str(reading.TX or ""), value * unit, step_wh))
    return found


def _readable(value: Decimal) -> bool:
    """Whether a meter can have said this: a number of a register's size, not coarser than it counts."""
    return value.is_finite() and -9 <= int(value.as_tuple().exponent) <= 0 and abs(value) < 10**12

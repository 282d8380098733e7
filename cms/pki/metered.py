"""Signed meter values and the keys of meters: OCMF texts verified and read (pyocmf)."""

from __future__ import annotations

import warnings
from decimal import Decimal
from typing import TYPE_CHECKING

from cms.contract.refusals import Invalid
from cms.domain.signedvalues import OCMF, UNREADABLE, Register, SignedValue, Vouched

if TYPE_CHECKING:  # a fifth of a second to import: only whoever has signed values pays
    from pyocmf import OCMF as Record

_TO_WH = {"Wh": Decimal(1), "kWh": Decimal(1000)}
#: Longer texts are no meter's.
_LONGEST = 16 * 1024


def read_key(key: str) -> str:
    """Which curve a public key (DER, hex digits) is of. Raises Invalid where it is none that meters have."""
    from pyocmf.exceptions import PyOCMFError
    from pyocmf.models.public_key import PublicKey

    try:
        return str(PublicKey.from_string(key).curve.value)
    except (PyOCMFError, ValueError) as error:
        raise Invalid("this is no public key of a meter", "PEM, or hex digits of its DER form") from error


def vouched(signed: SignedValue, key: str | None) -> Vouched:
    """What a signed value tells, and whether it was signed with this key; it is hostile as all of a station's words."""
    if signed.encoding != OCMF or len(signed.text) > _LONGEST:
        return Vouched(None, trouble=UNREADABLE)
    from pyocmf import OCMF as record_type
    from pyocmf.exceptions import PyOCMFError, SignatureVerificationError, SpecWarning

    # What deviates from the format is read all the same; a station's words are not written to stderr.
    warnings.filterwarnings("ignore", category=SpecWarning)
    try:
        read = record_type.from_string(signed.text)
    except (PyOCMFError, ValueError, RecursionError):
        return Vouched(None, trouble=UNREADABLE)
    registers = tuple(_registers(read))
    if key is None:
        return Vouched(None, registers)
    try:
        return Vouched(read.verify_signature(key), registers)
    except SignatureVerificationError:
        return Vouched(False, registers)


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

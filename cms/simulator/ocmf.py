"""A meter that signs where a transaction began and ended, as OCMF (S.A.F.E. e.V., Open Charge Metering Format 1.0).

The key is made of the station's name, so that whoever plays with it knows it before:
``python -m cms.simulator.ocmf CP-001`` tells the public one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

if TYPE_CHECKING:
    from cms.simulator.evse import Transaction
    from cms.simulator.station import Station

#: The order of secp256r1: private keys are smaller.
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_METHOD = "ECDSA-secp256r1-SHA256"


def _key(station: str) -> ec.EllipticCurvePrivateKey:
    number = int.from_bytes(hashlib.sha256(f"meter of {station}".encode()).digest(), "big")
    return ec.derive_private_key(number % (_ORDER - 1) + 1, ec.SECP256R1())


def public_key(station: str) -> str:
    """Hex digits of its DER form."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return _key(station).public_key().public_bytes(serialization.Encoding.DER, form).hex()


def signed(station: str, token: str, begin: tuple[datetime, int], end: tuple[datetime, int]) -> str:
    """OCMF of the registers (Wh) of a beginning and an end."""
    readings = [_reading("B", *begin), _reading("E", *end)]
    told = {
        "FV": "1.0",
        "GI": "SIMULATOR",
        "GS": station,
        "PG": "T1",
        "MS": f"M-{station}",
        "IS": True,
        "IL": "VERIFIED",
        "IF": [],
        "IT": "LOCAL",
        "ID": token,
    }
    payload = f'{json.dumps(told, separators=(",", ":"))[:-1]},"RD":[{",".join(readings)}]}}'
    signature = _key(station).sign(payload.encode(), ec.ECDSA(hashes.SHA256())).hex()
    return f"OCMF|{payload}|{json.dumps({'SA': _METHOD, 'SD': signature}, separators=(',', ':'))}"


def _reading(reason: str, at: datetime, register_wh: int) -> str:
    """As text: a meter shows all of its digits (``12.340``), which a number would not keep."""
    stamp = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S,000+0000 S")
    kwh = f"{register_wh // 1000}.{register_wh % 1000:03d}"
    return f'{{"TM":"{stamp}","TX":"{reason}","RV":{kwh},"RI":"01-00:B0.08.00*FF","RU":"kWh","RT":"AC","ST":"G"}}'


def as_type(station: str, text: str) -> dict[str, str]:
    """A SignedMeterValueType (2.x)."""
    key = f"oca:base16:asn1:{public_key(station)}"
    return {
        "signedMeterData": base64.b64encode(text.encode()).decode(),
        "signingMethod": _METHOD,
        "encodingMethod": "OCMF",
        "publicKey": base64.b64encode(key.encode()).decode(),
    }


def of_transaction(station: Station, transaction: Transaction) -> str | None:
    """What the meter of this station signs of a transaction that ended; None: it signs nothing."""
    if not station.faults & {"ocmf", "ocmf-forged"}:
        return None
    if transaction.ended_at is None or transaction.meter_stop_wh is None:
        return None
    begin = (transaction.started_at, transaction.meter_start_wh)
    end = (transaction.ended_at, transaction.meter_stop_wh)
    whose = f"not {station.id}" if "ocmf-forged" in station.faults else station.id
    return signed(whose, transaction.token, begin, end)


if __name__ == "__main__":
    sys.stdout.write(f"{public_key(sys.argv[1])}\n")

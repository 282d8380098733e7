"""A meter that signs what it says, as OCMF: a real key, real signatures."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class SigningMeter:
    """Signs registers with a key of its own. ``curve`` as OCMF names it."""

    def __init__(self, curve: str = "secp256r1") -> None:
        self.curve = curve
        self._key = ec.generate_private_key(_CURVES[curve]())
        self._page = 0

    @property
    def public(self) -> str:
        """The public key, hex digits of its DER form."""
        return self._der.hex()

    @property
    def pem(self) -> str:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self._key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()

    @property
    def _der(self) -> bytes:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self._key.public_key().public_bytes(serialization.Encoding.DER, form)

    def text(self, *readings: tuple[str, datetime, str], encoding: str = "hex") -> str:
        """OCMF of readings: (B or E, instant, kWh as the meter shows them)."""
        self._page += 1
        payload = {
            "FV": "1.0",
            "GI": "TEST GATEWAY",
            "GS": "GW-1",
            "PG": f"T{self._page}",
            "MV": "TEST",
            "MM": "METER",
            "MS": "M-1",
            "IS": True,
            "IL": "VERIFIED",
            "IF": ["RFID_PLAIN", "OCPP_RS_TLS"],
            "IT": "ISO14443",
            "ID": "1F2D3A4F5506C7",
            "RD": [_reading(*reading) for reading in readings],
        }
        signed = json.dumps(payload, separators=(",", ":"))
        for kwh in {reading[2] for reading in readings}:
            signed = signed.replace(f'"{kwh}"', kwh)  # a number with the digits that the meter shows
        signature = self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
        told = {"SA": f"ECDSA-{self.curve}-SHA256", "SD": _ENCODED[encoding](signature)}
        if encoding != "hex":
            told["SE"] = encoding
        return f"OCMF|{signed}|{json.dumps(told, separators=(',', ':'))}"

    def sent(self, text: str, *, with_key: bool = False) -> dict[str, str]:
        """A SignedMeterValueType (2.x) of this text."""
        key = f"oca:base16:asn1:{self.public}" if with_key else ""
        return {
            "signedMeterData": base64.b64encode(text.encode()).decode(),
            "signingMethod": f"ECDSA-{self.curve}-SHA256",
            "encodingMethod": "OCMF",
            "publicKey": base64.b64encode(key.encode()).decode(),
        }


_CURVES: dict[str, type[ec.EllipticCurve]] = {
    "secp256r1": ec.SECP256R1,
    "secp192r1": ec.SECP192R1,
    "secp256k1": ec.SECP256K1,
    "secp384r1": ec.SECP384R1,
    # As OCMF calls them; in keys they are brainpoolP256r1 and brainpoolP384r1.
    "brainpool256r1": ec.BrainpoolP256R1,
    "brainpool384r1": ec.BrainpoolP384R1,
}
_ENCODED: dict[str, Callable[[bytes], str]] = {
    "hex": bytes.hex,
    "base64": lambda signature: base64.b64encode(signature).decode(),
}


def _reading(reason: str, at: datetime, kwh: str) -> dict[str, str]:
    stamp = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S,000+0000 S")
    return {"TM": stamp, "TX": reason, "RV": kwh, "RI": "01-00:B0.08.00*FF", "RU": "kWh", "ST": "G"}

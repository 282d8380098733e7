"""Signed meter values: what a station's meter vouches for, found among its samples, and what that says of a bill.

2.x sends them as SignedMeterValueType (Base64 of the text, and of ``oca:base16:asn1:KEY``), 1.6 as a value of the
format SignedData: the text itself, its hex digits, or the JSON of that type (OCA, SignedValue Meter Values in OCPP).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol
from xml.sax.saxutils import escape, quoteattr

from cms.domain.record import record

KIND = "meter-key"
OCMF = "OCMF"
NONE, VALID, INVALID, UNVERIFIED = "none", "valid", "invalid", "unverified"
KEY_CHANGED, UNREADABLE, NO_REGISTERS = "meter-key-changed", "signed-unreadable", "signed-registers-missing"
#: Longer than any meter's text; what is longer is not read.
_LONGEST = 16 * 1024
#: The first, the last, and those of the beginning and the end: more would not change what is billed.
_MOST = 6
#: Samples come in whole Wh and in meters' own steps; less than this is how they were rounded.
_TOLERATED_WH = Decimal(10)
_ENDS = frozenset("ELRAP")
#: What no XML 1.0 document may hold.
_XML_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@record
class MeterKey:
    """The public key of an EVSE's meter (DER, hex digits). ``evse`` 0: of all of the station.

    ``registered``: a person said so; otherwise it is the one that the station sent first.
    """

    station: str
    evse: int
    key: str
    registered: bool
    at: datetime
    actor: str | None = None


@record
class SignedValue:
    """One signed value: ``text`` as it was signed, ``key`` as the station sent it along (hex digits)."""

    at: datetime | None
    context: str
    encoding: str
    text: str
    key: str | None = None


@record
class Register:
    """What a signed value tells of a register: ``reason`` as OCMF has it (B begins, E, L, R, A, P end)."""

    name: str
    reason: str
    value_wh: Decimal
    step_wh: Decimal


@record
class Vouched:
    """What became of one signed value. ``valid`` None: nobody could tell, ``trouble`` says why."""

    valid: bool | None
    registers: tuple[Register, ...] = ()
    trouble: str | None = None


@record
class Verdict:
    """What the signed values say of a session. ``differs``: they tell of other energy than is billed."""

    status: str = NONE
    start_wh: Decimal | None = None
    stop_wh: Decimal | None = None
    remarks: tuple[str, ...] = ()
    differs: bool = False


class _Sampled(Protocol):
    """A sample as it is observed, or as the record shows it."""

    @property
    def context(self) -> str: ...
    @property
    def signed(self) -> Mapping[str, Any] | None: ...


def key_of(station: str, evse: int) -> str:
    """Under which a meter's key is kept."""
    return f"{station.casefold()}:{evse}"


def key_for(keys: Mapping[str, MeterKey], station: str, evse: int | None) -> MeterKey | None:
    """The key of an EVSE's meter, else that of the whole station."""
    return keys.get(key_of(station, evse or 0)) or keys.get(key_of(station, 0))


def found(samples: Iterable[tuple[datetime | None, _Sampled]]) -> list[SignedValue]:
    """The signed values among samples, in their order, each once."""
    seen: dict[str, SignedValue] = {}
    for at, sample in samples:
        if sample.signed is not None:
            one = _read(at, sample.context, sample.signed)
            seen.setdefault(one.text, one)
    return list(seen.values())


def chosen(signed: Sequence[SignedValue]) -> list[SignedValue]:
    """Those that matter for a bill: of the beginning and the end, and the outermost."""
    ends = [one for one in signed if one.context in ("Transaction.Begin", "Transaction.End")]
    outermost = [*signed[:1], *ends[: _MOST - 2], *signed[-1:]]
    return list({one.text: one for one in outermost}.values())


def _read(at: datetime | None, context: str, sent: Mapping[str, Any]) -> SignedValue:
    data, method = str(sent.get("signedMeterData") or ""), str(sent.get("encodingMethod") or "")
    key = sent.get("publicKey")
    if data.lstrip().startswith("{"):  # 1.6: the whole SignedMeterValueType as JSON
        inner = _json(data)
        data = str(inner.get("signedMeterData") or "")
        method, key = str(inner.get("encodingMethod") or method), inner.get("publicKey", key)
    text = _plain(data)
    encoding = OCMF if text.startswith("OCMF|") else method[:50] or "unknown"
    return SignedValue(at, context, encoding, text, read_key(key) if isinstance(key, str) else None)


def _json(text: str) -> Mapping[str, Any]:
    try:
        told = json.loads(text[:_LONGEST])
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _plain(data: str) -> str:
    """The text that was signed, out of Base64 or hex digits; what is neither is taken as it is."""
    data = data.strip()[: 2 * _LONGEST]
    if data.startswith("OCMF|"):
        return data
    for decode in (bytes.fromhex, _base64):
        try:
            text = decode(data).decode()
        except (ValueError, binascii.Error):
            continue
        if text.startswith("OCMF|"):
            return text
    return data


def _base64(text: str) -> bytes:
    return base64.b64decode("".join(text.split()), validate=True)


def read_key(text: str) -> str | None:
    """A public key as hex digits of its DER, from PEM, hex digits, Base64, ``oca:base16:asn1:..``; None: unreadable."""
    text = text.strip()[:_LONGEST]
    if text.startswith("-----BEGIN PUBLIC KEY-----"):
        text = "".join(line for line in text.splitlines() if not line.startswith("-----"))
    if text.casefold().startswith("oca:"):
        text = text.rsplit(":", 1)[-1]
    for decode in (bytes.fromhex, _base64):
        try:
            content = decode(text)
        except (ValueError, binascii.Error):
            continue
        if content[:4].lower() == b"oca:":
            return read_key(content.decode("ascii", "replace"))
        if content[:1] == b"\x30":  # a DER sequence (SubjectPublicKeyInfo)
            return content.hex()
    return None


def judged(
    signed: Sequence[SignedValue], vouched: Sequence[Vouched], key: MeterKey | None, energy_wh: int
) -> Verdict:
    """What they say together: one that is wrong makes all wrong; without a registered key nothing is proved."""
    if not signed:
        return Verdict()
    remarks = sorted({one.trouble for one in vouched if one.trouble is not None})
    if key is not None and any(one.key not in (None, key.key) for one in signed):
        remarks.append(KEY_CHANGED)
    start_wh, stop_wh, step_wh = _ends_of([each for one in vouched for each in one.registers])
    differs = False
    if start_wh is None or stop_wh is None:
        remarks.append(NO_REGISTERS)
    else:
        differs = abs(stop_wh - start_wh - energy_wh) > max(_TOLERATED_WH, step_wh)
    return Verdict(_status(vouched, key), start_wh, stop_wh, tuple(remarks), differs)


def _status(vouched: Sequence[Vouched], key: MeterKey | None) -> str:
    if any(one.valid is False for one in vouched):
        return INVALID
    proved = key is not None and key.registered and all(one.valid for one in vouched)
    return VALID if proved else UNVERIFIED


def _ends_of(registers: Sequence[Register]) -> tuple[Decimal | None, Decimal | None, Decimal]:
    """Start and stop of the register that has both, and how finely it tells them."""
    for name in dict.fromkeys(each.name for each in registers):
        own = [each for each in registers if each.name == name]
        starts = [each for each in own if each.reason == "B"]
        stops = [each for each in own if each.reason in _ENDS]
        if starts and stops:
            return starts[0].value_wh, stops[-1].value_wh, starts[0].step_wh + stops[-1].step_wh
    return None, None, Decimal(0)


def transparency_xml(signed: Sequence[SignedValue], key: str | None) -> str:
    """A file of the transparency software (S.A.F.E. e.V.): the values as they were signed, and the meter's key."""
    values = "\n".join(_value_xml(one, key) for one in signed)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<values>\n{values}\n</values>\n'


def _value_xml(one: SignedValue, key: str | None) -> str:
    context = f" context={quoteattr(one.context)}" if one.context.startswith("Transaction.") else ""
    format_ = quoteattr(one.encoding)
    public = "" if key is None else f'\n    <publicKey encoding="plain">{key}</publicKey>'
    text = escape(_XML_UNFIT.sub("", one.text))
    return f"""  <value transactionId="1"{context}>
    <signedData format={format_} encoding="plain">{text}</signedData>{public}
  </value>"""

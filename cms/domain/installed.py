"""Certificates in a station's store: installed, listed and deleted (2.x M03 to M05; 1.6 whitepaper)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from cms.domain.certificates import Certificate, HashData
from cms.domain.changes import Change, Decision, Happened, Keep
from cms.domain.evolve import evolve
from cms.domain.observations import Noted
from cms.domain.orders import Order, OrderAnswer
from cms.domain.record import record
from cms.domain.stations import StationState

if TYPE_CHECKING:
    from cms.domain.intents import Intent

KIND = "installed"
#: A station that lists more certificates than this lists nonsense.
MOST = 200

CSMS_ROOT, MANUFACTURER_ROOT = "csms-root", "manufacturer-root"
V2G_ROOT, MO_ROOT, OEM_ROOT, V2G_CHAIN = "v2g-root", "mo-root", "oem-root", "v2g-chain"
#: What can be installed; a chain of the station's own can only be listed.
ROOTS = (CSMS_ROOT, MANUFACTURER_ROOT, V2G_ROOT, MO_ROOT, OEM_ROOT)
TYPES = (*ROOTS, V2G_CHAIN)


@record
class InstallCertificate(Order):
    """Put a root into the station's store. ``type`` of ROOTS."""

    type: str
    pem: str
    named: HashData
    """How a station will name it."""
    certificate: Certificate


@record
class ListInstalled(Order):
    """GetInstalledCertificateIds; no types: all of them."""

    types: tuple[str, ...] = ()


@record
class DeleteCertificate(Order):
    """The hash data goes out as the station reported it (M04.FR.07)."""

    named: HashData


@record
class Found:
    """A certificate that a station lists; ``below`` are the certificates of its chain under it."""

    type: str
    named: HashData
    below: tuple[HashData, ...] = ()


@record
class InstalledAnswer(OrderAnswer):
    """The answer to ListInstalled. ``found`` is empty when the station has none of these types."""

    found: tuple[Found, ...] = ()


@record
class Installed:
    """A certificate in a station's store. ``certificate`` is known where we put it there ourselves."""

    type: str
    named: HashData
    at: datetime
    """When the station listed it last, or took it."""
    below: tuple[HashData, ...] = ()
    certificate: Certificate | None = None
    installed_by_us: bool = False


def key_of(named: HashData) -> str:
    """The same certificate under two hash algorithms is two entries, as for the station."""
    parts = (named.algorithm, named.issuer_name_hash, named.issuer_key_hash, named.serial_number)
    return ":".join(part.casefold() for part in parts)


def installed(
    state: StationState, intent: Intent, order: InstallCertificate, answer: OrderAnswer, now: datetime
) -> Decision:
    """A station that took a root of ours has it, under the name we expect it to have."""
    if answer.verdict == "rejected":
        return Decision(Noted(), state)
    entry = Installed(order.type, order.named, now, certificate=order.certificate, installed_by_us=True)
    data = {"fingerprint": order.certificate.fingerprint, "kind": order.type, "answer": answer.word}
    told = Happened("certificate.installed", now, state.station.id, data=data)
    return _kept(state, {key_of(order.named): entry}, (), now, told)


def listed(
    state: StationState, intent: Intent, order: ListInstalled, answer: OrderAnswer, now: datetime
) -> Decision:
    """The station listed what it has of these types: what it no longer lists is gone.

    A certificate of ours may be listed under another hash algorithm than ours; its serial number tells.
    """
    if not isinstance(answer, InstalledAnswer):
        return Decision(Noted(), state)
    known: dict[str, Installed] = dict(state.kept_of(KIND))
    present: dict[str, Installed] = {}
    for each in answer.found[:MOST]:
        ours = _same(known.values(), each)
        entry = Installed(each.type, each.named, now, each.below)
        if ours is not None:
            entry = evolve(entry, certificate=ours.certificate, installed_by_us=ours.installed_by_us)
        present[key_of(each.named)] = entry
    asked = order.types or TYPES
    gone = [key for key, entry in known.items() if entry.type in asked and key not in present]
    return _kept(state, present, gone, now)


def _same(known: Iterable[Installed], each: Found) -> Installed | None:
    serial = _serial(each.named)
    return next((one for one in known if one.type == each.type and _serial(one.named) == serial), None)


def _serial(named: HashData) -> str:
    return named.serial_number.casefold().lstrip("0")


def deleted(
    state: StationState, intent: Intent, order: DeleteCertificate, answer: OrderAnswer, now: datetime
) -> Decision:
    """Deleted, or not there (NotFound): gone either way. Failed: it stays."""
    if answer.verdict == "rejected" and answer.word != "NotFound":
        return Decision(Noted(), state)
    data = {"serial": order.named.serial_number, "answer": answer.word}
    told = Happened("certificate.deleted", now, state.station.id, data=data)
    return _kept(state, {}, (key_of(order.named),), now, told)


def _kept(
    state: StationState,
    present: dict[str, Installed],
    gone: Sequence[str],
    now: datetime,
    *events: Happened,
) -> Decision:
    changes: list[Change] = []
    for key, entry in [*present.items(), *((key, None) for key in gone)]:
        state = state.keeping(KIND, key, entry)
        changes.append(Keep(state.station.id, KIND, key, entry, now))
    return Decision(Noted(), state, tuple(changes), events)

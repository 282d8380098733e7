"""Certificates that stations ask us for: SignCertificate, then CertificateSigned (2.x A02, A03; 1.6 whitepaper)."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from cms.domain.certificates import Certificate, SigningRequest, Use
from cms.domain.changes import Change, Decision, Happened, Keep
from cms.domain.evolve import evolve
from cms.domain.keeping import forget_oldest
from cms.domain.observations import Answer, Noted, Observation, Received
from cms.domain.orders import Order, OrderAnswer
from cms.domain.record import record
from cms.domain.stations import StationState

if TYPE_CHECKING:
    from cms.domain.intents import Intent

SIGNING, ISSUED = "signing", "issued"
#: A request that is in work for longer was forgotten (the daemon was restarted): the next one is taken.
_PATIENCE = timedelta(minutes=2)
#: How many certificates of a station are remembered, and how many it gets within an hour.
REMEMBERED = 20
_HOUR = timedelta(hours=1)

#: 2.x CertificateSigningUseEnumType -> which authority of ours signs. 1.6 and many 2.x stations name none.
USES = {
    None: Use.STATION,
    "ChargingStationCertificate": Use.STATION,
    "V2GCertificate": Use.V2G,
    "V2G20Certificate": Use.V2G,
}


class Fate(StrEnum):
    """What became of a certificate that we signed."""

    SENT = "sent"
    INSTALLED = "installed"
    REFUSED = "refused"
    LOST = "lost"
    """It could not be handed over: the station asks again."""
    REVOKED = "revoked"


@record
class CertificateRequested(Observation):
    """SignCertificate. ``kind`` is the station's word for its use, ``request_id`` (2.1) comes back with the answer."""

    csr: str
    kind: str | None = None
    request_id: int | None = None


@record
class CertificateAnswer(Answer):
    """Whether the request is worked on; the certificate itself is an order of ours."""

    accepted: bool
    reason: str | None = None


@record
class TakeCertificate(Order):
    """CertificateSigned: ``chain`` is PEM, leaf first. ``fingerprint`` of the leaf, our name for it."""

    chain: str
    fingerprint: str
    kind: str | None = None
    request_id: int | None = None


@record
class Signing:
    """A request that is in work; ``digest`` of its key tells a repeat from another one."""

    digest: str
    at: datetime


@record
class Issued:
    """A certificate that we signed for a station."""

    use: str
    certificate: Certificate
    fate: str
    at: datetime


def decide(
    state: StationState,
    received: Received,
    seen: CertificateRequested,
    request: SigningRequest,
    unsignable: str | None,
) -> tuple[Decision, bool]:
    """The answer, and whether the request is to be signed now. A repeat while it is in work changes nothing."""
    if unsignable is not None:
        return refused(state, received, unsignable), False
    use = USES[seen.kind]
    open_: Signing | None = state.kept_of(SIGNING).get(use)
    if open_ is not None and received.at - open_.at < _PATIENCE:
        if open_.digest == request.digest:
            return Decision(CertificateAnswer(accepted=True), state), False
        return refused(state, received, "another request of this station is in work"), False
    begun = Signing(request.digest, received.at)
    recent = [one for one in state.kept_of(ISSUED).values() if received.at - one.at < _HOUR]
    if len(recent) >= REMEMBERED:
        return refused(state, received, f"{REMEMBERED} certificates within an hour are enough"), False
    station = state.station.id
    told = Happened(
        "certificate.requested",
        received.at,
        station,
        data={"use": use, "name": request.name, "outcome": "accepted"},
    )
    kept = Keep(station, SIGNING, use, begun, received.at)
    return Decision(
        CertificateAnswer(accepted=True), state.keeping(SIGNING, use, begun), (kept,), (told,)
    ), True


def refused(state: StationState, received: Received, reason: str) -> Decision:
    """A request that is not signed; somebody should know."""
    data = {"use": None, "name": None, "outcome": "refused", "reason": reason}
    told = Happened("certificate.requested", received.at, state.station.id, data=data)
    return Decision(CertificateAnswer(accepted=False, reason=reason), state, (), (told,))


def issued(
    state: StationState, use: Use, certificate: Certificate, now: datetime
) -> tuple[StationState, list[Change]]:
    """Remember what was signed, before it is sent; the oldest is forgotten."""
    changes: list[Change] = []
    state = _keep(state, Issued(use, certificate, Fate.SENT, now), now, changes)
    state, forgotten = forget_oldest(state, ISSUED, now, REMEMBERED)
    return state, changes + forgotten


def fared(
    state: StationState, fingerprint: str, fate: Fate, now: datetime
) -> tuple[StationState, list[Change]]:
    """What became of a certificate; its request is no longer in work."""
    known: Issued | None = state.kept_of(ISSUED).get(fingerprint)
    changes: list[Change] = []
    if known is None:
        return state, changes
    state = _keep(state, evolve(known, fate=fate), now, changes)
    return closed(state, Use(known.use), now, changes), changes


def closed(state: StationState, use: Use, now: datetime, changes: list[Change]) -> StationState:
    """No request for this use is in work."""
    if use in state.kept_of(SIGNING):
        changes.append(Keep(state.station.id, SIGNING, use, None, now))
    return state.keeping(SIGNING, use, None)


def handed_over(
    state: StationState, intent: Intent, order: TakeCertificate, answer: OrderAnswer, now: datetime
) -> Decision:
    """The station's word on the certificate it asked for. Its old one stays good until it expires."""
    taken = answer.verdict != "rejected"
    state, changes = fared(state, order.fingerprint, Fate.INSTALLED if taken else Fate.REFUSED, now)
    data = {"fingerprint": order.fingerprint, "kind": order.kind, "answer": answer.word}
    kind = "certificate.installed" if taken else "certificate.refused"
    return Decision(Noted(), state, tuple(changes), (Happened(kind, now, state.station.id, data=data),))


def _keep(state: StationState, entry: Issued, now: datetime, changes: list[Change]) -> StationState:
    key = entry.certificate.fingerprint
    changes.append(Keep(state.station.id, ISSUED, key, entry, now))
    return state.keeping(ISSUED, key, entry)

"""How far a station is trusted: what it proved at the door, and what is promised to it (2.x A00, A01, A05)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cms.domain.certificates import Certificate, expired
from cms.domain.changes import Change, Happened, Keep, SaveStation
from cms.domain.evolve import evolve
from cms.domain.record import record
from cms.domain.stations import Station, StationState

KIND = "security"
REVOKED = "revoked"
#: How many passwords of unknown fate are taken beside the one in force.
_PROMISED = 3


@record
class Security:
    """What is under way with a station's security.

    ``promised``: digests of passwords that were sent and perhaps taken. ``upgrading_to``: the security profile
    that holds from its first connection with it. ``despite_expiry``: it may come with an expired certificate,
    to be told at once to ask for a new one (A00.FR.429). ``chosen``: which of the digests are of passwords that a
    person chose. ``known_at``: the network a station with such a password came from last.
    """

    promised: tuple[bytes, ...] = ()
    upgrading_to: int | None = None
    despite_expiry: bool = False
    chosen: tuple[bytes, ...] = ()
    known_at: str = ""


@record
class Revoked:
    """A certificate that we no longer take, whoever shows it; forgotten when it would have expired anyway."""

    name: str | None
    reason: str
    at: datetime
    until: datetime


@record
class Proof:
    """What a station proved when it connected: the digest of a right password; a certificate, and its fault.

    ``renewed``: the digest to keep of that password from now on, where the key of the old one is no longer in force.
    ``network``: where it came from, when a person chose that password.
    """

    secure: bool = False
    password: bytes | None = None
    renewed: bytes | None = None
    network: str = ""
    cipher: str = ""
    certificate: Certificate | None = None
    fault: str | None = None


@record
class Proven:
    """What becomes of a station's security, what is written and what is told."""

    state: StationState
    changes: tuple[Change, ...] = ()
    events: tuple[Happened, ...] = ()


def of(state: StationState) -> Security:
    known: Security | None = state.kept_of(KIND).get("")
    return known or Security()


def is_chosen(state: StationState) -> bool:
    """Whether a person chose the password in force: somebody who has our keys might guess it."""
    return state.station.password_digest in of(state).chosen


def keeping(state: StationState, security: Security, now: datetime) -> tuple[StationState, Change]:
    """The state with this security; the usual one is not kept at all."""
    kept = None if security == Security() else security
    return state.keeping(KIND, "", kept), Keep(state.station.id, KIND, "", kept, now)


def revocation_key(certificate: Certificate) -> str:
    return f"{certificate.issuer_hash}:{certificate.serial}"


def is_revoked(kept: Mapping[str, Mapping[str, Any]], certificate: Certificate) -> bool:
    return revocation_key(certificate) in kept.get(REVOKED, {})


def reached(proof: Proof) -> int:
    """The highest security profile that was proved: 1 password, 2 with TLS, 3 certificate (1.6 whitepaper, 2.x A00)."""
    if proof.secure and proof.certificate is not None and proof.fault is None:
        return 3
    if proof.password is None:
        return 0
    return 2 if proof.secure else 1


def missing(station: Station, proof: Proof, *, tried: bool) -> str:
    """Why the proof does not do for this station; ``tried``: a password came."""
    if station.security_profile == 0:
        return "security profile 0 is for a laboratory alone (insecure_lab)"
    if station.security_profile >= 3:
        return proof.fault or ("no client certificate" if proof.secure else "security profile 3 needs TLS")
    if proof.password is None:
        return "wrong password" if tried else "no password"
    return f"security profile {station.security_profile} needs TLS"


def proven(state: StationState, proof: Proof | None, now: datetime) -> Proven:
    """A station that used a promised password has taken it; one that came higher stays there (A05.FR.07)."""
    known = of(state)
    if proof is None or (known == Security() and proof.renewed is None):
        return Proven(state)
    station, security, events = state.station, known, []
    if proof.password == station.password_digest or proof.password in known.promised:
        station, security = _shown(station, known, proof)
    if proof.password in known.promised:
        security = evolve(security, promised=())
        events.append(Happened("station.password", now, station.id, data={"outcome": "taken"}))
    if known.upgrading_to is not None and reached(proof) >= known.upgrading_to:
        data = {"from": station.security_profile, "to": known.upgrading_to}
        station = evolve(station, security_profile=known.upgrading_to)
        security = evolve(security, upgrading_to=None)
        events.append(Happened("station.secured", now, station.id, data=data))
    if (
        known.despite_expiry
        and reached(proof) == 3
        and proof.certificate
        and not expired(proof.certificate, now)
    ):
        security = evolve(security, despite_expiry=False)
    if security == known:
        changed = station is not state.station
        return Proven(evolve(state, station=station), (SaveStation(station),)) if changed else Proven(state)
    state, kept = keeping(evolve(state, station=station), security, now)
    return Proven(state, (SaveStation(station), kept), tuple(events))


def _shown(station: Station, known: Security, proof: Proof) -> tuple[Station, Security]:
    """The password that was used is the one in force, digested with the key in force; a chosen one has its home."""
    digest = proof.renewed or proof.password
    if digest != station.password_digest:
        station = evolve(station, password_digest=digest)
    if proof.network and digest is not None:
        return station, evolve(known, chosen=(digest,), known_at=proof.network)
    return station, evolve(known, chosen=_only(known.chosen, digest))


def _only(chosen: tuple[bytes, ...], *digests: bytes | None) -> tuple[bytes, ...]:
    return tuple(digest for digest in chosen if digest in digests)


def choosing(state: StationState, digest: bytes, now: datetime) -> tuple[StationState, Change]:
    """This password is one that a person chose."""
    known = of(state)
    return keeping(state, evolve(known, chosen=(*_only(known.chosen, *known.promised), digest)), now)


def promise(
    state: StationState, digest: bytes, now: datetime, *, chosen: bool = False
) -> tuple[StationState, Change]:
    """Take this password too from now on: written before it is sent, so that no crash locks a station out (A01)."""
    known = of(state)
    promised = (*(each for each in known.promised if each != digest), digest)[-_PROMISED:]
    told = (*known.chosen, digest) if chosen else known.chosen
    taken = (*promised, state.station.password_digest)
    return keeping(state, evolve(known, promised=promised, chosen=_only(told, *taken)), now)


def promised_nothing(state: StationState, now: datetime) -> tuple[StationState, Change]:
    """Whatever was promised or chosen is good no longer."""
    return keeping(state, evolve(of(state), promised=(), chosen=()), now)


def settled(state: StationState, digest: bytes, now: datetime, *, taken: bool) -> Proven:
    """The station's word on a promised password: from now on only the new one, or not the new one (A01.FR.03, 04)."""
    known = of(state)
    if taken:
        station = evolve(state.station, password_digest=digest)
        security = evolve(known, promised=(), chosen=_only(known.chosen, digest))
        state, kept = keeping(evolve(state, station=station), security, now)
        told = Happened("station.password", now, station.id, data={"outcome": "taken"})
        return Proven(state, (SaveStation(station), kept), (told,))
    if digest not in known.promised:
        return Proven(state)
    others = tuple(each for each in known.promised if each != digest)
    chosen = _only(known.chosen, *others, state.station.password_digest)
    state, kept = keeping(state, evolve(known, promised=others, chosen=chosen), now)
    told = Happened("station.password", now, state.station.id, data={"outcome": "refused"})
    return Proven(state, (kept,), (told,))


def lowered(state: StationState, profile: int, now: datetime) -> Proven:
    """The station may prove less from now on; a rise that was under way is off."""
    station = evolve(state.station, security_profile=profile)
    data = {"from": state.station.security_profile, "to": profile}
    told = Happened("station.secured", now, station.id, data=data)
    state, kept = keeping(evolve(state, station=station), evolve(of(state), upgrading_to=None), now)
    return Proven(state, (SaveStation(station), kept), (told,))


def upgrading(state: StationState, profile: int, now: datetime) -> Proven:
    """The station will come with a higher profile: from then on with no lower one (A05.FR.07)."""
    if profile <= state.station.security_profile:
        return Proven(state)
    state, kept = keeping(state, evolve(of(state), upgrading_to=profile), now)
    return Proven(state, (kept,))

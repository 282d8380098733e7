"""Who may connect as which station, and what is remembered of those who may not."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cms.contract.refusals import Conflict, Invalid
from cms.core import Admission, Core, Lane, StoreDown
from cms.domain import handshakes, organisations, security
from cms.domain.certificates import EntryTerms, unfit
from cms.domain.changes import Change, ForgetUnknown, Happened, NoteUnknown, SaveStation
from cms.domain.evolve import evolve
from cms.domain.networks import network_of
from cms.domain.quirks import of as switches_of
from cms.domain.record import record
from cms.domain.security import Proof
from cms.domain.stations import Station, StationState
from cms.operations import credentials, quirks
from cms.operations.deciding import settle
from cms.operations.intents import flush
from cms.operations.throttle import Guesses

# Stations redial every few seconds for ever when refused: one row and one event a minute tell enough.
_NOTE_EVERY = timedelta(seconds=60)
# The inbox is fed by strangers: bounded.
_MAX_STRANGERS = 10_000
_NOTES_PER_MINUTE = 120
INBOX_SIZE = 1_000
_TOO_MANY = Admission(
    None, 429, "too many wrong passwords", 60, outcome=handshakes.PROOF, why="its password is being guessed"
)


@dataclass(slots=True)
class Knocks:
    """What is remembered of refused connections, in memory and bounded."""

    guesses: Guesses = field(default_factory=Guesses)
    noted: dict[tuple[str, str], datetime] = field(default_factory=dict)
    minute: datetime | None = None
    notes: int = 0

    def may_note(self, now: datetime) -> bool:
        """Whether the record takes one more note this minute, whoever floods us with names."""
        if self.minute is None or now - self.minute >= timedelta(minutes=1):
            self.minute, self.notes = now, 0
        self.notes += 1
        return self.notes <= _NOTES_PER_MINUTE


@record
class Approach:
    """A station at the door: what it says of itself, and what it shows to prove it.

    ``certificate`` is in DER; the TLS handshake found its chain genuine and did not look at its time.
    """

    identity: str
    protocols: tuple[str, ...]
    password: bytes | None
    address: str
    secure: bool = False
    certificate: bytes | None = None
    cipher: str = ""


async def admit(core: Core, knocks: Knocks, approach: Approach) -> Admission:
    """Decide about a handshake. A right proof is let in, whoever else is guessing (operations.throttle)."""
    if not core.store.healthy:
        return Admission(None, 503, "the record is not available", retry_after_s=30 + core.mint.number() % 90)
    if organisations.suspended(core.kept):
        return Admission(None, 403, "this organisation is suspended")
    lane = quirks.known_as(core, approach.identity)
    if lane is None and core.terms.open_enrolment:
        return await _enrol_openly(core, approach)
    proof = _proof(core, lane, approach)
    if lane is not None and security.reached(proof) >= _needed(core, lane.state.station):
        if _may_be_guessed(core, knocks, lane, approach, proof):
            await _note(
                core, knocks, lane.state.station, approach, "its password is being guessed", core.clock.now()
            )
            return _TOO_MANY
        lane.proof = proof
        return await _let_in(core, knocks, lane, approach)
    return await _turn_away(core, knocks, lane, approach, proof)


def _needed(core: Core, station: Station) -> int:
    """The security profile that opens the door; nothing at all does so in a laboratory alone."""
    return station.security_profile if core.terms.insecure_lab else max(station.security_profile, 1)


def _may_be_guessed(core: Core, knocks: Knocks, lane: Lane, approach: Approach, proof: Proof) -> bool:
    """Whether the right password may be a guess that hit: a person chose it, it is being guessed, not from its home."""
    home = security.of(lane.state).known_at
    return (
        proof.network not in ("", home)
        and home != ""  # nobody was there yet: a first one is not locked out by whoever guesses
        and knocks.guesses.going_on(_named(core, approach), core.clock.now())
    )


def _named(core: Core, approach: Approach) -> tuple[str, str]:
    return core.organisation, approach.identity.casefold()


async def _let_in(core: Core, knocks: Knocks, lane: Lane, approach: Approach) -> Admission:
    """A station that proved to be itself, and how it is spoken with."""
    station, switches = lane.state.station, switches_of(lane.state)
    if not approach.protocols and not switches.assume_subprotocol:
        await _note(core, knocks, station, approach, "offers no subprotocol", core.clock.now())
        words = "no OCPP subprotocol is offered: this server does not guess"
        return Admission(None, 400, words, outcome=handshakes.PROOF, why="offers no subprotocol")
    return Admission(station.id, subprotocol=switches.assume_subprotocol, lenient=switches.lenient_lengths)


def _proof(core: Core, lane: Lane | None, approach: Approach) -> Proof:
    """What the station proved. It takes the same time whether there is such a station or not."""
    state = lane.state if lane else None
    fit = credentials.check(core.keys, state, approach.identity, approach.password or b"")
    proof = Proof(secure=approach.secure, cipher=approach.cipher)
    if state is not None and fit is not None:
        chosen = fit.digest in security.of(state).chosen
        network = network_of(approach.address) if chosen else ""
        proof = evolve(proof, password=fit.digest, renewed=fit.renewed, network=network)
    if state is None or approach.certificate is None or not approach.secure:
        return proof
    try:
        shown = core.trust.read(approach.certificate)
    except Invalid as error:
        return evolve(proof, fault=error.message)
    revoked = core.trust.revoked(shown) or security.is_revoked(core.kept, shown)
    terms = EntryTerms(core.terms.organisations, revoked, security.of(state).despite_expiry)
    fault = unfit(shown, (state.station.serial, state.station.id), terms, core.clock.now())
    return evolve(proof, certificate=shown, fault=fault)


async def _turn_away(
    core: Core, knocks: Knocks, lane: Lane | None, approach: Approach, proof: Proof
) -> Admission:
    now = core.clock.now()
    station = lane.state.station if lane else None
    reason = (
        "not enrolled"
        if station is None
        else security.missing(station, proof, tried=approach.password is not None)
    )
    await _note(core, knocks, station, approach, reason, now)
    guessed = approach.password is not None and proof.password is None
    if guessed and knocks.guesses.too_many(_named(core, approach), network_of(approach.address), now):
        return _TOO_MANY
    # Unknown stations and wrong passwords are told the same: identities are printed on stations and maps.
    outcome = handshakes.UNKNOWN if station is None else handshakes.PROOF
    return Admission(None, 401, "unauthorized", outcome=outcome, why=reason)


async def _note(
    core: Core, knocks: Knocks, station: Station | None, approach: Approach, reason: str, now: datetime
) -> None:
    """Remember a stranger in the inbox; of a registered station tell only that it was refused."""
    key = _named(core, approach)
    last = knocks.noted.get(key)
    if (last is not None and now - last < _NOTE_EVERY) or not knocks.may_note(now):
        return
    if len(knocks.noted) > _MAX_STRANGERS:
        knocks.noted.clear()
    knocks.noted[key] = now
    data: dict[str, Any] = {"address": approach.address, "reason": reason}
    changes: list[Change] = []
    if station is None:
        changes.append(NoteUnknown(approach.identity, approach.address, approach.protocols, reason, now))
        data["protocols"] = approach.protocols
    kind = "station.unknown" if station is None else "station.refused"
    told = Happened(kind, now, approach.identity if station is None else station.id, data=data)
    try:
        await core.store.commit(changes, (told,))
    except StoreDown:
        del knocks.noted[key]


async def trim_inbox(core: Core) -> None:
    """Forget the strangers heard of longest ago, beyond those that a person can look through."""
    strangers = sorted(await core.store.unknown_stations(), key=lambda u: u.last_seen)
    gone = [ForgetUnknown(stranger.id) for stranger in strangers[:-INBOX_SIZE]]
    if gone:
        await core.store.commit(gone, ())


async def _enrol_openly(core: Core, approach: Approach) -> Admission:
    """A lab's daemon registers whoever connects: no password, profile 0."""
    now, identity = core.clock.now(), approach.identity
    station = Station(id=identity, security_profile=0, boot_policy=core.terms.boot_policy, enrolled_at=now)
    try:
        await register(core, station, actor=f"open enrolment from {approach.address}")
    except StoreDown:
        return Admission(None, 503, "the record is not available", retry_after_s=30)
    except Conflict:
        pass  # its other connection was faster
    return Admission(core.lane(identity).state.station.id)


async def register(core: Core, station: Station, actor: str, *, chosen: bool = False) -> None:
    """Make a station known: in the record, then in memory. The first of two at once wins: Conflict for the other.

    ``chosen``: a person chose its password.
    """
    key = station.id.casefold()
    async with core.books:
        if key in core.lanes:
            raise Conflict(f"{core.lanes[key].state.station.id} is enrolled already")
        now, state, kept = core.clock.now(), StationState(station), list[Change]()
        if chosen and station.password_digest is not None:
            state, keep = security.choosing(state, station.password_digest, now)
            kept.append(keep)
        told = Happened("station.enrolled", now, station.id, actor=actor)
        await core.store.commit((SaveStation(station), ForgetUnknown(station.id), *kept), (told,))
        core.lanes[key] = Lane(state)


async def connected(core: Core, station_id: str, ocpp_version: str, address: str) -> None:
    """A station's newest link is up. Its registration outlives links: no boot is needed (1.6 section 4.2)."""
    lane = core.lane(station_id)
    now = core.clock.now()
    async with lane.lock:
        station = evolve(lane.state.station, ocpp_version=ocpp_version, last_seen_at=now)
        changed = ocpp_version != lane.state.station.ocpp_version
        changes: list[Change] = [SaveStation(station)] if changed else []
        data = {"ocpp_version": ocpp_version, "address": address}
        told = [Happened("station.connected", now, station_id, data=data)]
        proven = security.proven(evolve(lane.state, station=station), lane.proof, now)
        await settle(core, lane, proven.state, [*changes, *proven.changes], [*told, *proven.events])
    if any(intent.status == "queued" for intent in lane.state.intents.values()):
        core.spawn(flush(core, station_id))
    quirks.after_connecting(core, lane.state)


async def contested(core: Core, station_id: str, served: str, kept_out: str) -> None:
    """Two from different places prove to be this station: one of them stole its credential, or was cloned."""
    data = {"addresses": (served, kept_out)}
    told = Happened("station.identity_conflict", core.clock.now(), station_id, data=data)
    await core.store.commit((), (told,))


async def disconnected(core: Core, station_id: str, reason: str) -> None:
    """A station's newest link is down."""
    lane = core.lanes.get(station_id.casefold())
    if lane is None:
        return
    now = core.clock.now()
    async with lane.lock:
        station = evolve(lane.state.station, last_seen_at=now)
        told = Happened("station.disconnected", now, station_id, data={"reason": reason})
        await settle(core, lane, evolve(lane.state, station=station), (), (told,))

"""Certificates: our own authorities, what they signed, and what lies in the stations' stores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from cms.contract.certificates import (
    AuthorityView,
    CertificateView,
    CreateAuthority,
    DeleteCertificate,
    InstallCertificate,
    ListAuthorities,
    ListCertificates,
    ReadCertificates,
    RenewCertificate,
    RevokeCertificate,
)
from cms.contract.filters import keys_of, parse
from cms.contract.intents import IntentView, Preview
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.core import Actor, Core, Lane
from cms.domain import installed, security, signing
from cms.domain.certificates import OwnAuthority, Use
from cms.domain.changes import Happened
from cms.domain.evolve import evolve
from cms.domain.installed import CSMS_ROOT, ROOTS, TYPES, Installed
from cms.domain.orders import Trigger
from cms.domain.security import Revoked, revocation_key
from cms.domain.signing import Fate, Issued
from cms.domain.stations import StationState
from cms.operations.deciding import keep, settle
from cms.operations.intents import give
from cms.operations.previews import line, preview
from cms.operations.stations import version_of

KEYS = ("ec", "rsa")
#: How much of a fingerprint names a certificate in commands.
_SHORT = 16
_TRIGGERS = {
    "station": "SignChargingStationCertificate",
    "v2g": "SignV2GCertificate",
    "v2g20": "SignV2G20Certificate",
    "combined": "SignCombinedCertificate",
}


# Our own authorities


async def authorities(core: Core, request: ListAuthorities, actor: Actor) -> list[AuthorityView]:
    now = core.clock.now()
    return [_authority(ours, now) for use in Use if (ours := core.trust.authority(use)) is not None]


async def create_authority(core: Core, request: CreateAuthority, actor: Actor) -> AuthorityView:
    """Make an authority. Stations must learn a new root before they meet it."""
    if request.use not in set(Use):
        raise Invalid(f"use must be one of {', '.join(Use)}, not {request.use!r}")
    if request.key not in KEYS:
        raise Invalid(f"key must be one of {', '.join(KEYS)}, not {request.key!r}")
    now = core.clock.now()
    made = core.trust.create_authority(Use(request.use), request.key, now, replace=request.replace)
    data = {"use": request.use, "fingerprint": made.certificate.fingerprint}
    await core.store.commit((), (Happened("certificate.authority", now, actor=actor.name, data=data),))
    return _authority(made, now)


def _authority(ours: OwnAuthority, now: datetime) -> AuthorityView:
    told = ours.certificate
    return AuthorityView(
        use=ours.use,
        name=told.name,
        fingerprint=told.fingerprint,
        key=told.key,
        not_before=told.not_before,
        not_after=told.not_after,
        pem=ours.pem,
        expired=now > told.not_after,
    )


# What is known of the stations' certificates


async def list_(core: Core, request: ListCertificates, actor: Actor) -> list[CertificateView]:
    chosen = parse(request.filter or "", keys_of(CertificateView))
    views = (view for lane in core.lanes_of(request.station) for view in _views(core, lane))
    if request.expiring_s is not None:
        return sorted(
            (view for view in views if _ends(view, core.clock.now(), request.expiring_s) and chosen(view)),
            key=lambda view: (view.not_after, view.station),
        )
    return [view for view in views if chosen(view)]


def _ends(view: CertificateView, now: datetime, within_s: float) -> bool:
    """Whether a certificate that matters ends soon, or has ended."""
    matters = view.status == Fate.INSTALLED
    return matters and view.not_after is not None and view.not_after - now <= timedelta(seconds=within_s)


def _views(core: Core, lane: Lane) -> Iterator[CertificateView]:
    state = lane.state
    station, ours = state.station.id, state.kept_of(signing.ISSUED)
    shown = lane.proof.certificate if lane.proof else None
    for issued in ours.values():
        yield _issued_view(core, station, issued)
    if shown is not None and shown.fingerprint not in ours:
        theirs = Issued(Use.STATION, shown, Fate.INSTALLED, shown.not_before)
        yield replace(_issued_view(core, station, theirs), place="shown")
    for entry in state.kept_of(installed.KIND).values():
        yield _installed_view(station, entry)


def _issued_view(core: Core, station: str, issued: Issued) -> CertificateView:
    told = issued.certificate
    status = Fate.REVOKED if security.is_revoked(core.kept, told) else issued.fate
    return CertificateView(
        id=told.fingerprint[:_SHORT],
        station=station,
        place="issued",
        type=issued.use,
        status=status,
        name=told.name,
        serial=told.serial,
        at=issued.at,
        not_before=told.not_before,
        not_after=told.not_after,
        fingerprint=told.fingerprint,
    )


def _installed_view(station: str, entry: Installed) -> CertificateView:
    told, named = entry.certificate, entry.named
    return CertificateView(
        id=named.serial_number,
        station=station,
        place="installed",
        type=entry.type,
        status=Fate.INSTALLED,
        name=told.name if told else None,
        serial=named.serial_number,
        at=entry.at,
        not_before=told.not_before if told else None,
        not_after=told.not_after if told else None,
        fingerprint=told.fingerprint if told else None,
        hash_algorithm=named.algorithm,
        issuer_name_hash=named.issuer_name_hash,
        issuer_key_hash=named.issuer_key_hash,
        below=tuple(child.serial_number for child in entry.below),
    )


# Orders


async def install(core: Core, request: InstallCertificate, actor: Actor) -> IntentView | Preview:
    _check_types((request.type,), ROOTS)
    lane = core.lane(request.station)
    pem = _line_feeds(request.pem) if request.pem is not None else _own_root(core, request.type)
    first = core.trust.read_chain(pem)[0]
    if core.clock.now() > first.not_after:
        raise Invalid(f"the certificate {first.name!r} expired on {first.not_after:%Y-%m-%d}")
    shown = preview(
        lane.state,
        "certificate-install",
        line(
            "certificates install",
            lane.state.station.id,
            request.type,
            file="FILE" if request.pem is not None else None,
        ),
        (),
        f"the station trusts {first.name!r} as {request.type}",
    )
    order = installed.InstallCertificate(request.type, pem, core.trust.named(pem), first)
    return await give(core, actor, request.station, "certificate-install", order, request, shown)


def _own_root(core: Core, type_: str) -> str:
    use = Use.STATION if type_ == CSMS_ROOT else Use.V2G
    ours = core.trust.authority(use)
    if ours is None:
        raise NotFound(
            f"there is no {use} authority of our own whose root could be installed",
            f"give a PEM file, or cms certificates ca create --use {use}",
        )
    return ours.pem


def _line_feeds(pem: str) -> str:
    """LF alone: some stations read no CRLF."""
    return pem.replace("\r\n", "\n").strip() + "\n"


def _check_types(types: tuple[str, ...], known: tuple[str, ...]) -> None:
    for type_ in types:
        if type_ not in known:
            raise Invalid(f"there are no {type_!r} certificates here", f"one of {', '.join(known)}")


async def read(core: Core, request: ReadCertificates, actor: Actor) -> IntentView | Preview:
    _check_types(request.types, TYPES)
    lane = core.lane(request.station)
    line = f"certificates read {lane.state.station.id} {' '.join(request.types)}".rstrip()
    shown = preview(lane.state, "certificate-list", line, (), "nothing changes", level=0)
    order = installed.ListInstalled(request.types)
    return await give(core, actor, request.station, "certificate-list", order, request, shown)


async def delete(core: Core, request: DeleteCertificate, actor: Actor) -> IntentView | Preview:
    """Delete by the hash data that the station itself reported (M04.FR.07)."""
    lane = core.lane(request.station)
    entry = _found(lane, request.certificate)
    if not request.force and _in_use(core, lane.state, entry):
        raise Conflict(
            f"{lane.state.station.id} knows us by this root: without it, it cannot connect to us again",
            "install its successor first, or add --force",
        )
    name = entry.certificate.name if entry.certificate else entry.named.serial_number
    shown = preview(
        lane.state,
        "certificate-delete",
        line(
            "certificates delete",
            lane.state.station.id,
            request.certificate,
            force=request.force,
        ),
        (),
        f"the station no longer has the {entry.type} {name!r}",
        level=3,
    )
    order = installed.DeleteCertificate(entry.named)
    return await give(core, actor, request.station, "certificate-delete", order, request, shown)


def _found(lane: Lane, said: str) -> Installed:
    """By its serial number; by ALGORITHM:NAME_HASH:KEY_HASH:SERIAL where that is the number of several.

    One certificate in several uses is one to the station, which knows it by its hashes alone (M04).
    """
    station = lane.state.station.id
    known: list[Installed] = list(lane.state.kept_of(installed.KIND).values())
    wanted = said.casefold()
    hits = [
        entry
        for entry in known
        if wanted in (entry.named.serial_number.casefold(), _in_full(entry).casefold())
    ]
    if not hits:
        raise NotFound(
            f"{station} listed no certificate with the serial number {said}",
            f"cms certificates read {station} asks it which it has",
        )
    different = sorted({_in_full(entry) for entry in hits})
    if len(different) > 1:
        raise Conflict(
            f"{station} has {len(different)} certificates with the serial number {said}",
            f"say which in full: {' or '.join(different)}",
        )
    # Of several uses the one by which it may know us: whether that one is needed is asked next.
    return next((entry for entry in hits if entry.type == CSMS_ROOT), hits[0])


def _in_full(entry: Installed) -> str:
    named = entry.named
    return f"{named.algorithm}:{named.issuer_name_hash}:{named.issuer_key_hash}:{named.serial_number}"


def _in_use(core: Core, state: StationState, entry: Installed) -> bool:
    """The last root of ours by which a station on security profile 2 or 3 knows that we are we."""
    if entry.type != CSMS_ROOT or state.station.security_profile < 2:
        return False
    roots = [one for one in state.kept_of(installed.KIND).values() if one.type == CSMS_ROOT]
    ours = core.trust.authority(Use.STATION)
    is_ours = ours is not None and entry.named.serial_number.casefold().lstrip("0") == ours.certificate.serial
    return is_ours or len(roots) == 1


async def renew(core: Core, request: RenewCertificate, actor: Actor) -> IntentView | Preview:
    """Have the station make a key and ask for a certificate (A02); ``--wait`` waits for the request."""
    if request.use not in _TRIGGERS:
        raise Invalid(f"use must be one of {', '.join(_TRIGGERS)}, not {request.use!r}")
    lane = core.lane(request.station)
    message = _TRIGGERS[request.use]
    if version_of(core, lane) == "1.6" and request.use == "station":
        message = "SignChargePointCertificate"
    authority = Use.STATION if request.use == "station" else Use.V2G
    if not core.trust.signs(authority) and request.use != "combined":
        raise Conflict(
            f"there is no {authority} authority that could sign what the station will ask for",
            f"cms certificates ca create --use {authority}",
        )
    shown = preview(
        lane.state,
        "trigger",
        f"certificates renew {lane.state.station.id} --use {request.use}",
        (),
        "the station asks for a new certificate and gets it",
        level=1,
    )
    return await give(core, actor, request.station, "trigger", Trigger(message), request, shown)


async def revoke(core: Core, request: RevokeCertificate, actor: Actor) -> CertificateView:
    """Take a certificate no more; the link it opened is closed at once (A00.FR.702)."""
    lane = core.lane(request.station)
    issued = _issued(lane, request.certificate)
    told = issued.certificate
    now = core.clock.now()
    entry = Revoked(told.name, request.reason or "", now, told.not_after)
    data = {"fingerprint": told.fingerprint, "name": told.name, "reason": request.reason}
    event = Happened("certificate.revoked", now, lane.state.station.id, actor=actor.name, data=data)
    async with core.books:
        await keep(core, security.REVOKED, revocation_key(told), entry, event)
    async with lane.lock:
        state, changes = signing.fared(lane.state, told.fingerprint, Fate.REVOKED, now)
        await settle(core, lane, state, changes, ())
    shown = lane.proof.certificate if lane.proof else None
    if shown is not None and shown.fingerprint == told.fingerprint:
        core.stations.disconnect(lane.state.station.id, 1008, "the certificate is revoked")
    return _issued_view(core, lane.state.station.id, evolve(issued, fate=Fate.REVOKED))


def _issued(lane: Lane, start: str) -> Issued:
    """What we signed for this station, or the certificate it came in with, by the start of its fingerprint."""
    known: dict[str, Issued] = dict(lane.state.kept_of(signing.ISSUED))
    if lane.proof is not None and lane.proof.certificate is not None:
        shown = lane.proof.certificate
        known.setdefault(shown.fingerprint, Issued(Use.STATION, shown, Fate.INSTALLED, shown.not_before))
    hits = [issued for key, issued in known.items() if start and key.startswith(start.casefold())]
    if len(hits) != 1:
        station = lane.state.station.id
        what = "no certificate" if not hits else f"{len(hits)} certificates"
        raise NotFound(
            f"{station} has {what} whose fingerprint starts with {start}", f"cms certificates list {station}"
        )
    return hits[0]


async def forget_revoked(core: Core) -> None:
    """A revoked certificate that has expired needs no remembering."""
    now = core.clock.now()
    gone = [key for key, entry in core.kept.get(security.REVOKED, {}).items() if now > entry.until]
    async with core.books:
        for key in gone:
            await keep(core, security.REVOKED, key, None)

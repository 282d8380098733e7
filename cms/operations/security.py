"""Passwords that change, security profiles that rise, boots that must fit a certificate (2.x A01, A05, B01, B09)."""

from __future__ import annotations

from cms.contract.intents import IntentView, Preview
from cms.contract.refusals import Conflict, Invalid, Refusal, Unreachable
from cms.contract.security import (
    AllowExpired,
    LowerSecurity,
    NetworkProfileView,
    RotatePassword,
    SecurityView,
    SetNetworkProfile,
    ShowSecurity,
    UpgradeSecurity,
)
from cms.contract.stations import OrderTerms
from cms.core import Actor, Core, Lane
from cms.domain import installed, network, notices, quirks, security, signing
from cms.domain.certificates import expired, named
from cms.domain.changes import Decision, Happened
from cms.domain.evolve import evolve
from cms.domain.network import NetworkProfile
from cms.domain.observations import Booted, NotYet, Received
from cms.domain.orders import ReadVariables, Reset, Trigger, WriteVariables
from cms.domain.signing import Fate
from cms.domain.stations import StationState
from cms.operations import credentials
from cms.operations.deciding import settle
from cms.operations.intents import give
from cms.operations.previews import ending, line, preview
from cms.operations.secrecy import without_credentials
from cms.operations.signing import US
from cms.operations.stations import version_of

_PASSWORD_16, _PASSWORD_2 = "AuthorizationKey", "SecurityCtrlr.BasicAuthPassword"
_PRIORITY = "OCPPCommCtrlr.NetworkConfigurationPriority"
_PROFILE_16 = "SecurityProfile"
_MAX_TIMEOUT_S = 3_600


async def show(core: Core, request: ShowSecurity, actor: Actor) -> SecurityView:
    lane = core.lane(request.station)
    known, proof = security.of(lane.state), lane.proof
    shown = proof.certificate if proof else None
    return SecurityView(
        station=lane.state.station.id,
        profile=lane.state.station.security_profile,
        upgrading_to=known.upgrading_to,
        password_pending=bool(known.promised),
        despite_expiry=known.despite_expiry,
        entropy=_entropy(lane.state),
        cipher=(proof.cipher or None) if proof else None,
        connected_with=security.reached(proof) if proof else None,
        certificate=shown.fingerprint if shown else None,
        certificate_name=shown.name if shown else None,
        certificate_not_after=shown.not_after if shown else None,
        network_profiles=tuple(_slot(each) for each in lane.state.kept_of(network.KIND).values()),
    )


def _entropy(state: StationState) -> str | None:
    if state.station.password_digest is None:
        return None
    return "low" if security.is_chosen(state) else "high"


def _slot(profile: NetworkProfile) -> NetworkProfileView:
    return NetworkProfileView(
        profile.slot,
        profile.url,
        profile.security_profile,
        profile.interface,
        profile.message_timeout_s,
        profile.status,
        profile.at,
        profile.identity,
    )


async def allow_expired(core: Core, request: AllowExpired, actor: Actor) -> SecurityView:
    lane = core.lane(request.station)
    async with lane.lock:
        now = core.clock.now()
        known = evolve(security.of(lane.state), despite_expiry=request.allow)
        state, change = security.keeping(lane.state, known, now)
        data = {"despite_expiry": request.allow} | ({"reason": request.reason} if request.reason else {})
        told = Happened("station.changed", now, state.station.id, actor=actor.name, data=data)
        await settle(core, lane, state, (change,), (told,))
    return await show(core, ShowSecurity(request.station), actor)


async def lower(core: Core, request: LowerSecurity, actor: Actor) -> SecurityView:
    """The one way down: a person with the right to it, who says why."""
    lane = core.lane(request.station)
    if not request.reason.strip():
        raise Invalid("a lower security profile needs a reason", "--reason TEXT")
    async with lane.lock:
        station = lane.state.station
        if not 1 <= request.profile < station.security_profile:
            raise Conflict(
                f"{station.id} is on security profile {station.security_profile}: "
                f"it cannot be lowered to {request.profile}"
            )
        if station.password_digest is None:
            raise Conflict(
                f"{station.id} has no password, which profiles 1 and 2 need",
                f"cms stations set {station.id} --new-password",
            )
        done = security.lowered(lane.state, request.profile, core.clock.now())
        told = [
            evolve(event, actor=actor.name, data=event.data | {"reason": request.reason})
            for event in done.events
        ]
        await settle(core, lane, done.state, done.changes, told)
    return await show(core, ShowSecurity(request.station), actor)


# Passwords


async def rotate(core: Core, request: RotatePassword, actor: Actor) -> IntentView | Preview:
    """A new password that only the station and our digest know. No crash on either side locks it out."""
    if request.form not in (None, "hex", "text"):
        raise Invalid(f"form must be hex or text, not {request.form!r}")
    lane = core.lane(request.station)
    station = lane.state.station
    if station.security_profile not in (1, 2):
        raise Conflict(f"{station.id} is on security profile {station.security_profile}: it has no password")
    if core.stations.link(station.id) is None and not request.dry_run:
        raise Unreachable(
            f"{station.id} is offline", "a password cannot wait in a queue: try when it is connected"
        )
    shown = preview(
        lane.state,
        "config-set",
        line("security rotate", station.id, form=request.form),
        (),
        "the station gets a new password and connects with it from then on",
    )
    if version_of(core, lane) == "1.6":
        key = credentials.generate_key()
        by_itself = "text" if quirks.of(lane.state).auth_key_text else "hex"
        plain = (request.form or by_itself) == "text"
        values = {_PASSWORD_16: key if plain else key.encode().hex()}
    else:
        values = {_PASSWORD_2: credentials.generate()}
    return await credentials.telling(
        core,
        lane,
        values,
        request,
        give(core, actor, station.id, "config-set", WriteVariables(values), request, shown),
        chosen=False,
    )


# Network profiles and the rise of a security profile


async def set_network_profile(core: Core, request: SetNetworkProfile, actor: Actor) -> IntentView | Preview:
    lane = core.lane(request.station)
    _check_profile(lane.state, request.security_profile, force=request.force)
    _check_slot(request)
    await _check_active(core, lane, request)
    order = network.SetNetworkProfile(
        request.slot,
        request.url or _own_url(core, request.security_profile),
        request.security_profile,
        request.interface,
        request.message_timeout_s,
        request.identity,
    )
    shown = preview(
        lane.state,
        "network-profile",
        line(
            "security network",
            lane.state.station.id,
            slot=request.slot,
            profile=request.security_profile,
            to=request.url and without_credentials(request.url),
            interface=request.interface,
            message_timeout=request.message_timeout_s,
            force=request.force,
        ),
        (),
        f"slot {request.slot} leads to {order.url} with security profile {request.security_profile}",
    )
    return await give(core, actor, request.station, "network-profile", order, request, shown)


def _check_slot(request: SetNetworkProfile) -> None:
    interfaces = (*network.INTERFACES, "Any")
    if request.slot < 0:
        raise Invalid(f"configuration slots count from 0, not {request.slot}")
    if request.interface not in interfaces:
        raise Invalid(f"interface must be one of {', '.join(interfaces)}, not {request.interface!r}")
    if not 0 < request.message_timeout_s <= _MAX_TIMEOUT_S:
        raise Invalid(f"the message timeout must be between 1 and {_MAX_TIMEOUT_S} s")


def _check_profile(state: StationState, profile: int, *, force: bool) -> None:
    """A security profile only rises (A05.FR.07); the same one again is another way to the same door."""
    station = state.station
    if not 0 <= profile <= 3:
        raise Invalid(f"a security profile is 0 to 3, not {profile}")
    if profile < station.security_profile and not force:
        raise Conflict(
            f"{station.id} is on security profile {station.security_profile}, which only rises: {profile} is lower"
        )


async def _check_active(core: Core, lane: Lane, request: SetNetworkProfile) -> None:
    """Overwriting the slot by which it reaches us now may cut a station off (B09)."""
    priority = await _priority(core, lane)
    if priority and priority[0] == request.slot and not request.force:
        raise Conflict(
            f"{lane.state.station.id} reaches us by slot {request.slot}: a mistake there would cut it off",
            "fill another slot, or add --force",
        )


def _own_url(core: Core, profile: int) -> str:
    url = core.terms.ocpp_tls_url if profile >= 2 else core.terms.ocpp_url
    if not url:
        raise Conflict(
            f"security profile {profile} needs TLS, and nobody listens with it here", "set ocpp_tls_port"
        )
    return url.removesuffix("/<station>")


async def _priority(core: Core, lane: Lane) -> list[int]:
    """The slots that the station tries, in its order, as far as it has told us."""
    for variable in await core.store.variables(lane.state.station.id):
        if variable.name.casefold() == _PRIORITY.casefold() and variable.value:
            return [int(part) for part in variable.value.replace(" ", "").split(",") if part.isdecimal()]
    return []


async def upgrade(core: Core, request: UpgradeSecurity, actor: Actor) -> IntentView | Preview:
    """Configure the higher profile and reset: what is lower is refused from its first connection with it (A05)."""
    lane = core.lane(request.station)
    station = lane.state.station
    if request.profile not in (2, 3) or request.profile <= station.security_profile:
        raise Conflict(
            f"{station.id} is on security profile {station.security_profile}: "
            f"it can rise to 2 or 3, not to {request.profile}"
        )
    _own_url(core, request.profile)
    missing = _missing(core, lane, request.profile)
    if missing is not None and not request.force:
        raise Conflict(f"{station.id} {missing[0]}", f"{missing[1]}, or add --force")
    shown = preview(
        lane.state,
        "reset",
        line(
            "security upgrade",
            station.id,
            profile=request.profile,
            slot=request.slot,
            interface=request.interface,
            force=request.force,
        ),
        ending(lane.state),
        f"the station reboots and connects with security profile {request.profile}",
        level=2,
    )
    if request.dry_run:
        return shown
    if version_of(core, lane) == "1.6":
        order = WriteVariables({_PROFILE_16: str(request.profile)})
        await give(core, actor, station.id, "config-set", order, _terms(request), shown)
    else:
        await _prepare_2(core, lane, request, actor, shown)
    kind = "on-idle" if lane.state.sessions else "immediate"
    return await give(core, actor, station.id, "reset", Reset(kind), _terms(request), shown)


def _missing(core: Core, lane: Lane, profile: int) -> tuple[str, str] | None:
    """What a station needs on the higher profile and is not known to have: a sentence's end, and what to do."""
    state = lane.state
    has_root = any(one.type == installed.CSMS_ROOT for one in state.kept_of(installed.KIND).values())
    if state.station.security_profile < 2 and not has_root:
        return (
            "is not known to trust our root certificate",
            f"cms certificates install {state.station.id} {installed.CSMS_ROOT}",
        )
    has_own = any(
        one.fate == Fate.INSTALLED and not expired(one.certificate, core.clock.now())
        for one in state.kept_of(signing.ISSUED).values()
    )
    shown = lane.proof is not None and lane.proof.certificate is not None and lane.proof.fault is None
    if profile == 3 and not has_own and not shown:
        return ("is not known to have a certificate of its own", f"cms certificates renew {state.station.id}")
    if profile == 2 and state.station.password_digest is None:
        return ("has no password", f"cms stations set {state.station.id} --new-password")
    return None


def _terms(request: UpgradeSecurity) -> OrderTerms:
    return OrderTerms(reason=request.reason, timeout_s=request.timeout_s)


async def _prepare_2(core: Core, lane: Lane, request: UpgradeSecurity, actor: Actor, shown: Preview) -> None:
    """Fill a slot, and put it before those that are tried now: the way back stays, for when it fails."""
    station = lane.state.station.id
    terms = _terms(request)
    priority = await _priority(core, lane)
    if not priority:
        reading = ReadVariables((_PRIORITY,))
        await give(core, actor, station, "config-get", reading, terms, shown)
        priority = await _priority(core, lane)
    slot = request.slot
    if slot is None:
        slot = next(number for number in range(1, 100) if number not in priority)
    profile = SetNetworkProfile(
        station=station,
        slot=slot,
        security_profile=request.profile,
        interface=request.interface,
        reason=request.reason,
        timeout_s=request.timeout_s,
        force=request.force,
    )
    await set_network_profile(core, profile, actor)
    order = WriteVariables({_PRIORITY: ",".join(str(n) for n in (slot, *(p for p in priority if p != slot)))})
    await give(core, actor, station, "config-set", order, terms, shown)


# Boots of stations with certificates


async def booted(core: Core, state: StationState, received: Received, seen: Booted) -> Decision:
    """BootNotification. On security profile 3 the serial number is the certificate's name (2.x B01.FR.11, 12)."""
    proof = core.lane(state.station.id).proof
    shown = proof.certificate if proof and security.reached(proof) == 3 else None
    terms = notices.BootTerms(core.terms.heartbeat_s, core.terms.boot_retry_s)
    if shown is None:
        return notices.boot(state, received, seen, terms)
    station = state.station
    if not named(shown.name, (seen.serial, station.id)):
        reason = f"its certificate is for {shown.name!r}, and it booted as {seen.serial!r}"
        address = link.address if (link := core.stations.link(station.id)) else ""
        told = Happened(
            "station.refused", received.at, station.id, data={"address": address, "reason": reason}
        )
        core.stations.disconnect(station.id, 1008, "the serial number is not the certificate's")
        return Decision(NotYet("the serial number is not the certificate's"), state, (), (told,))
    if expired(shown, received.at):
        # A00.FR.429: let in to renew its certificate, and for nothing else.
        core.spawn(_have_renewed(core, station.id, received.ocpp_version))
        return notices.boot(state, received, seen, evolve(terms, hold=True))
    return notices.boot(state, received, seen, terms)


async def _have_renewed(core: Core, station_id: str, version: str) -> None:
    message = "SignChargePointCertificate" if version == "1.6" else "SignChargingStationCertificate"
    shown = Preview("trigger", station_id, 0, "the station asks for a new certificate", "")
    terms = OrderTerms(reason="its certificate has expired")
    try:
        await give(core, US, station_id, "trigger", Trigger(message), terms, shown)
    except Refusal:
        return  # the intent says why; the station boots again and is asked again

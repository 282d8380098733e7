"""Certificates that end: told of in time, and renewed in time where the operator wants it (2.x A02)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from cms.contract.certificates import RenewCertificate
from cms.contract.refusals import Refusal
from cms.core import Core, Lane
from cms.domain import installed, quirks, security, signing
from cms.domain.certificates import Certificate, Use
from cms.domain.changes import Happened
from cms.domain.signing import Fate
from cms.operations.certificates import renew
from cms.operations.signing import US

#: Days before its end at which a certificate is told of, the most urgent first.
_WARNINGS_DAYS = (0, 1, 3, 7, 14, 30)


class ExpiryWatch:
    """Tells once at each of some ages that a certificate ends soon (A02: an alarm before it expires)."""

    def __init__(self) -> None:
        self._told: dict[str, int] = {}

    async def tell(self, core: Core, shown: Sequence[Certificate] = ()) -> None:
        """``shown`` are our own server certificates; with them our authorities and the stations' certificates."""
        now = core.clock.now()
        authorities = [core.trust.authority(use) for use in Use]
        ours = [("server", each) for each in shown]
        ours += [(f"{each.use}-authority", each.certificate) for each in authorities if each is not None]
        events = [self._event(core, kind, None, each, now) for kind, each in ours]
        for lane in core.lanes.values():
            events += [
                self._event(core, kind, lane.state.station.id, each, now)
                for kind, each in relied_on(core, lane)
            ]
        told = [event for event in events if event is not None]
        if told:
            await core.store.commit((), told)

    def _event(
        self, core: Core, kind: str, station: str | None, certificate: Certificate, now: datetime
    ) -> Happened | None:
        left = certificate.not_after - now
        reached = next((days for days in _WARNINGS_DAYS if left <= timedelta(days=days)), None)
        key = f"{station or ''}:{certificate.fingerprint}"
        if reached is None or self._told.get(key) == reached:
            return None
        self._told[key] = reached
        data = {
            "kind": kind,
            "name": certificate.name,
            "fingerprint": certificate.fingerprint,
            "not_after": certificate.not_after,
            "days": max(left.days, 0),
        }
        return Happened("certificate.expiring", now, station, data=data)


def relied_on(core: Core, lane: Lane) -> Iterator[tuple[str, Certificate]]:
    """The certificates that a station's work depends on: its newest of each use, what it showed, its roots."""
    newest: dict[str, Certificate] = {}
    for issued in lane.state.kept_of(signing.ISSUED).values():
        if issued.fate == Fate.INSTALLED and not security.is_revoked(core.kept, issued.certificate):
            newest[issued.use] = issued.certificate
    if Use.STATION not in newest and lane.proof is not None and lane.proof.certificate is not None:
        newest[Use.STATION] = lane.proof.certificate
    yield from newest.items()
    for entry in lane.state.kept_of(installed.KIND).values():
        if entry.certificate is not None:
            yield entry.type, entry.certificate


async def renew_due(core: Core, within: timedelta) -> None:
    """Ask connected stations whose certificate ends within this time for a new request (A02)."""
    now = core.clock.now()
    for lane in list(core.lanes.values()):
        station = lane.state.station
        if core.stations.link(station.id) is None or station.boot_status != "accepted":
            continue
        if not quirks.of(lane.state).automatic_commands or lane.state.kept_of(signing.SIGNING):
            continue
        own = dict(relied_on(core, lane)).get(Use.STATION)
        if own is None or own.not_after - now > within or not core.trust.signs(Use.STATION):
            continue
        terms = RenewCertificate(station=station.id, reason=f"it ends on {own.not_after:%Y-%m-%d}")
        with contextlib.suppress(Refusal):  # the order's record says why; the next look asks again
            await renew(core, terms, US)

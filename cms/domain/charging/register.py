"""The register of charging profiles: what is installed at a station, as far as we know.

It follows what the station accepted, what it reports, and what ends by itself: a profile of a transaction ends
with it. A profile is replaced by one with the same id, or with the same purpose, stack level, place (and
transaction) while both are valid (1.6 section 3.13, 2.x K01.FR.05, K01.FR.06, K01.FR.39).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from cms.contract.charging import RATES, Details, Period, Profile
from cms.domain.charging.ledger import Ledger
from cms.domain.evolve import evolve
from cms.domain.record import record
from cms.domain.stations import StationState

KIND = "charging-profile"
OWN = "CSO"
"""The source of our own profiles in the words of 2.x; 1.6 knows no other."""
#: Purposes that others than us decide on: never cleared by us (K10.FR.06, 2.1 K27).
FOREIGN = ("external", "local-generation")

#: What a station can make us remember: profiles, and periods in all of them.
MOST_PROFILES = 100
MOST_PERIODS = 5_000

#: A profile that came with a remote start belongs to a session that begins within this.
_BEGINS_WITHIN = timedelta(minutes=5)


@record
class Installed:
    """A profile at an EVSE. ``remote_start_id`` while it waits for the session of a remote start."""

    evse: int
    profile: Profile
    source: str = OWN
    installed_at: datetime | None = None
    reported_at: datetime | None = None
    set_by: str | None = None
    remote_start_id: int | None = None

    @property
    def id(self) -> int:
        assert self.profile.id is not None, "a profile without an id is not installed"
        return self.profile.id

    @property
    def ours(self) -> bool:
        return self.source == OWN and self.profile.purpose not in FOREIGN


@record
class Criteria:
    """Which profiles are meant; None is any. ``ids`` alone, or the others (K09.FR.03, K10.FR.02)."""

    ids: tuple[int, ...] = ()
    evse: int | None = None
    purpose: str | None = None
    stack_level: int | None = None
    sources: tuple[str, ...] = ()

    def fits(self, installed: Installed) -> bool:
        profile = installed.profile
        return (
            (not self.ids or installed.id in self.ids)
            and self.evse in (None, installed.evse)
            and self.purpose in (None, profile.purpose)
            and self.stack_level in (None, profile.stack_level)
            and (not self.sources or installed.source in self.sources)
        )


def installed(state: StationState) -> list[Installed]:
    """Everything that is installed, oldest first."""
    return list(state.kept_of(KIND).values())


def find(state: StationState, profile_id: int) -> Installed | None:
    """The profile with this id; ours before others'."""
    found = [known for known in installed(state) if known.id == profile_id]
    return next((known for known in found if known.ours), found[0] if found else None)


def _key(known: Installed) -> str:
    return f"{known.source}|{known.evse}|{known.id}"


def rivals(state: StationState, evse: int, profile: Profile) -> Iterator[Installed]:
    """Profiles of ours that hold the place which this one wants, its own id aside."""
    for known in installed(state):
        other = known.profile
        same_place = (known.evse, other.purpose, other.stack_level) == (
            evse,
            profile.purpose,
            profile.stack_level,
        )
        same_session = profile.purpose != "tx" or other.transaction_id == profile.transaction_id
        if known.ours and same_place and same_session and known.id != profile.id and _overlap(other, profile):
            yield known


def _overlap(one: Profile, other: Profile) -> bool:
    starts = [at for at in (one.valid_from, other.valid_from) if at is not None]
    ends = [at for at in (one.valid_to, other.valid_to) if at is not None]
    return not starts or not ends or max(starts) < min(ends)


def install(ledger: Ledger, new: Installed) -> None:
    """The station accepted it: what it replaces is gone."""
    replaced = [known for known in installed(ledger.state) if known.ours and known.id == new.id]
    for known in (*replaced, *list(rivals(ledger.state, new.evse, new.profile))):
        ledger.drop(KIND, _key(known))
    _add(ledger, new)


def report(ledger: Ledger, evse: int, source: str, profiles: tuple[Profile, ...]) -> None:
    """The station says that these are installed."""
    for profile in profiles[:MOST_PROFILES]:
        told = Installed(evse, profile, source, reported_at=ledger.now)
        known: Installed | None = ledger.state.kept_of(KIND).get(_key(told))
        if known is not None:
            told = evolve(known, profile=profile, reported_at=ledger.now)
        ledger.keep(KIND, _key(told), told)
    _bound(ledger)


def _add(ledger: Ledger, new: Installed) -> None:
    ledger.keep(KIND, _key(new), new)
    _bound(ledger)


def _bound(ledger: Ledger) -> None:
    ledger.bound(KIND, MOST_PROFILES)
    known = installed(ledger.state)
    periods = sum(_size(one) for one in known)
    for old in known[:-1]:
        if periods <= MOST_PERIODS:
            return
        periods -= _size(old)
        ledger.drop(KIND, _key(old))


def _size(known: Installed) -> int:
    return sum(len(schedule.periods) for schedule in known.profile.schedules)


def reconcile(ledger: Ledger, criteria: Criteria, asked_at: datetime) -> None:
    """A whole report is in: what it should have told and did not is not installed any more."""
    for known in installed(ledger.state):
        heard = [at for at in (known.reported_at, known.installed_at) if at is not None]
        if criteria.fits(known) and max(heard, default=asked_at) < asked_at:
            ledger.drop(KIND, _key(known))


def clear(ledger: Ledger, criteria: Criteria) -> None:
    """The station cleared these, or knows none of them: either way they are gone."""
    for known in installed(ledger.state):
        if clearable(known, criteria):
            ledger.drop(KIND, _key(known))


def clearable(known: Installed, criteria: Criteria) -> bool:
    """Whether a ClearChargingProfile with these criteria takes it off."""
    return known.profile.purpose not in FOREIGN and criteria.fits(known)


def end_transaction(ledger: Ledger, transaction_id: str) -> None:
    """Its profiles end with a transaction (1.6 section 3.13.1, 2.x K01.FR.16)."""
    for known in installed(ledger.state):
        if known.profile.transaction_id == transaction_id:
            ledger.drop(KIND, _key(known))


def forget_transactions(ledger: Ledger) -> None:
    """After a boot: profiles of transactions do not survive one."""
    for known in installed(ledger.state):
        if known.profile.purpose == "tx":
            ledger.drop(KIND, _key(known))


def release(ledger: Ledger, source: str, evse: int | None) -> None:
    """An energy manager released its limit: the profiles that stood for it are gone (K13)."""
    for known in installed(ledger.state):
        if known.source == source and not known.ours and evse in (None, known.evse):
            ledger.drop(KIND, _key(known))


def adopt(
    ledger: Ledger, evse: int | None, transaction_id: str, remote_start_id: int | None, *, told: bool
) -> None:
    """A session began: the profile that its remote start brought is its own. One that nobody took is gone.

    ``told`` where the version names the remote start (2.x); in 1.6 the EVSE and the time must do.
    """
    for known in installed(ledger.state):
        if known.remote_start_id is None or known.profile.transaction_id is not None:
            continue
        named = remote_start_id == known.remote_start_id
        if not named and known.evse not in (evse, 0):
            continue
        recent = known.installed_at is not None and ledger.now - known.installed_at < _BEGINS_WITHIN
        ledger.drop(KIND, _key(known))
        if named or (recent and not told):
            own = evolve(known.profile, transaction_id=transaction_id)
            _add(ledger, evolve(known, evse=evse or known.evse, profile=own, remote_start_id=None))


def update(ledger: Ledger, known: Installed, rates: dict[str, Decimal]) -> None:
    """A dynamic profile got new rates."""
    schedule = known.profile.schedules[0]
    period = with_rates(schedule.periods[0], rates)
    profile = evolve(known.profile, schedules=(evolve(schedule, periods=(period,)),), dyn_at=ledger.now)
    _add(ledger, evolve(known, profile=profile))


def rates_of(profile: Profile) -> dict[str, Decimal]:
    """The present rates of a dynamic profile: those that are said."""
    period = profile.schedules[0].periods[0]
    told = {"limit": period.limit}
    if period.details is not None:
        told |= {name: getattr(period.details, name) for name in RATES if name != "limit"}
    return {name: value for name, value in told.items() if value is not None}


def with_rates(period: Period, rates: dict[str, Decimal]) -> Period:
    """The period with other rates; those that are not told anew stay."""
    more = {name: value for name, value in rates.items() if name != "limit"}
    details = period.details
    if more:
        details = evolve(details or Details(), **more)
    return evolve(period, limit=rates.get("limit", period.limit), details=details)

"""Reports that come in parts: what has come, what is missing, when it is whole.

One collector for NotifyReport, NotifyMonitoringReport, NotifyCustomerInformation (with ``seqNo``), and for
ReportChargingProfiles, NotifyDisplayMessages, ReportDERControl (without: parts count as they come).
"""

from __future__ import annotations

from datetime import datetime

from cms.domain.changes import Change
from cms.domain.evolve import evolve
from cms.domain.keeping import keep
from cms.domain.record import record
from cms.domain.stations import StationState

KIND = "report"
#: How many reports of a station are remembered; the oldest go first.
REMEMBERED = 20


@record
class Report:
    """One answer in parts to the order with this ``request_id``. ``subject``: inventory, monitors, profiles ...

    ``first`` and ``last`` are the numbers it runs from and to; ``last`` is None until the final part came.
    ``asked_at`` is None when nobody asked (a station reports on its own, or the daemon forgot).
    """

    request_id: int
    subject: str
    asked_at: datetime | None = None
    heard_at: datetime | None = None
    parts: tuple[int, ...] = ()
    last: int | None = None
    items: int = 0

    @property
    def first(self) -> int:
        """Some stations count from 1 (2.0.1 says 0): the first part that came tells, if it is not far off."""
        return 1 if self.parts and min(self.parts) == 1 else 0

    @property
    def holes(self) -> tuple[int, ...]:
        """The numbers that are missing so far."""
        top = self.last if self.last is not None else max(self.parts, default=-1)
        have = set(self.parts)
        return tuple(n for n in range(self.first, top + 1) if n not in have)

    @property
    def complete(self) -> bool:
        return self.last is not None and not self.holes


def asked(
    state: StationState, request_id: int, subject: str, now: datetime
) -> tuple[StationState, list[Change]]:
    """Expect a report: called when the order for it is accepted. One that overtook the answer is kept."""
    known = state.kept_of(KIND).get(str(request_id))
    report = evolve(known, asked_at=now, subject=subject) if known else Report(request_id, subject, now)
    return keep(state, KIND, str(report.request_id), report, now, REMEMBERED)


def part(
    state: StationState,
    request_id: int,
    subject: str,
    now: datetime,
    *,
    items: int,
    more: bool,
    seq_no: int | None = None,
) -> tuple[StationState, list[Change], Report]:
    """One part came. A repeated part counts once; a wild number is put at the end."""
    report: Report = state.kept_of(KIND).get(str(request_id)) or Report(request_id, subject)
    following = max(report.parts, default=-1) + 1
    number = seq_no if seq_no is not None and 0 <= seq_no <= following + _FAR else following
    if len(report.parts) >= _MOST:
        return state, [], report
    if number in report.parts and seq_no is not None:
        if number != 0 or more or report.last is not None:
            return state, [], report
        number = following  # stations that never count
    report = evolve(
        report,
        heard_at=now,
        parts=tuple(sorted((*report.parts, number))),
        last=report.last if more else max(number, *report.parts, 0),
        items=report.items + items,
    )
    state, changes = keep(state, KIND, str(report.request_id), report, now, REMEMBERED)
    return state, changes, report


#: Part numbers run on; one further off than this is nonsense, and so are more parts.
_FAR = 10_000
_MOST = 10_000


def begun(report: Report) -> bool:
    """Whether this is the first part: what was known of the subject is replaced."""
    return len(report.parts) == 1

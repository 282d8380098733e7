"""Long work of a station that is followed by its status messages: firmware updates, publications, log uploads.

A job is known by its request id. 1.6 without the security extension has none in its messages: there a status
belongs to the youngest job of its kind that is not over. Status words are the station's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cms.domain.changes import Change, Decision, Happened
from cms.domain.evolve import evolve
from cms.domain.keeping import keep
from cms.domain.observations import FirmwareProgressed, LogProgressed, Noted, Observation, Received
from cms.domain.orders import Order
from cms.domain.record import record
from cms.domain.stations import StationState

if TYPE_CHECKING:
    from cms.domain.intents import Intent

KIND = "job"
#: Jobs of a station that are remembered, and steps of a job.
REMEMBERED = 30
_STEPS = 60

RUNNING, DONE, FAILED, CANCELLED, REFUSED = "running", "done", "failed", "cancelled", "refused"
LOG_TYPES = ("diagnostics", "security", "data-collector")


@record
class UpdateFirmware(Order):
    """``certificate`` (PEM) and ``signature`` (Base64) come together: a signed update (L01, whitepaper 5.8)."""

    request_id: int
    location: str
    retrieve_at: datetime
    install_at: datetime | None = None
    certificate: str | None = None
    signature: str | None = None
    retries: int | None = None
    retry_interval_s: int | None = None


@record
class PublishFirmware(Order):
    """For a local controller, which offers it to its stations (L03). ``checksum`` is MD5, 32 hex digits."""

    request_id: int
    location: str
    checksum: str
    retries: int | None = None
    retry_interval_s: int | None = None


@record
class UnpublishFirmware(Order):
    checksum: str


@record
class GetLog(Order):
    """``log_type`` as in LOG_TYPES; ``location`` is where the station puts the file."""

    request_id: int
    log_type: str
    location: str
    oldest: datetime | None = None
    latest: datetime | None = None
    retries: int | None = None
    retry_interval_s: int | None = None


@record
class FirmwarePublished(Observation):
    """PublishFirmwareStatusNotification. ``locations`` are those of the status Published."""

    status: str
    digest: bytes
    request_id: int | None = None
    locations: tuple[str, ...] = ()


@record
class Step:
    """One status word, when we heard it."""

    at: datetime
    status: str


@record
class Upload:
    """One file that the station sent us: its name as stored, its size in bytes."""

    name: str
    size: int
    at: datetime


@record
class Job:
    """``kind``: firmware, publish, log. ``outcome``: running, done, failed, cancelled, refused.

    ``detail`` tells more of it in words; ``before`` and ``after`` are firmware versions.
    """

    request_id: int
    kind: str
    requested_at: datetime
    status: str
    outcome: str = RUNNING
    detail: str | None = None
    location: str = ""
    log_type: str | None = None
    signed: bool = False
    retrieve_at: datetime | None = None
    install_at: datetime | None = None
    checksum: str | None = None
    before: str | None = None
    after: str | None = None
    file_name: str | None = None
    locations: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    uploads: tuple[Upload, ...] = ()
    intent: str | None = None


#: Order name -> kind of job.
_KINDS = {"firmware": "firmware", "publish-firmware": "publish", "log": "log"}

#: What a status word says about the job; others mean that it goes on.
_OUTCOMES: dict[str, dict[str, str]] = {
    "firmware": {
        "Installed": DONE,
        "DownloadFailed": FAILED,
        "InstallationFailed": FAILED,
        "InstallVerificationFailed": FAILED,
        "InvalidSignature": FAILED,
    },
    "publish": {
        "Published": DONE,
        "DownloadFailed": FAILED,
        "InvalidChecksum": FAILED,
        "PublishFailed": FAILED,
    },
    "log": {
        "Uploaded": DONE,
        "UploadFailed": FAILED,
        "UploadFailure": FAILED,
        "BadMessage": FAILED,
        "NotSupportedOperation": FAILED,
        "PermissionDenied": FAILED,
        "AcceptedCanceled": CANCELLED,
    },
}
#: After these a boot with another firmware means that it was installed, should the station not say so.
_INSTALLING = frozenset(
    {"Downloaded", "SignatureVerified", "Installing", "InstallRebooting", "InstallScheduled"}
)


def job_of(state: StationState, kind: str, request_id: int | None) -> Job | None:
    """The job that a status speaks of. A status may overtake the answer to its order: then the order tells."""
    jobs: Iterable[Job] = state.kept_of(KIND).values()
    of_kind = [job for job in jobs if job.kind == kind]
    ordered = [_ordered(i, state) for i in state.intents.values() if _KINDS.get(i.order) == kind]
    of_kind += [job for job in ordered if job.request_id not in {known.request_id for known in of_kind}]
    if request_id is not None:
        return next((job for job in of_kind if job.request_id == request_id), None)
    begun = [job for job in of_kind if job.outcome != REFUSED]
    # The last word may come after we took the job for done (a boot with another firmware, a retry).
    return next((job for job in reversed(begun) if job.outcome == RUNNING), begun[-1] if begun else None)


def _ordered(intent: Intent, state: StationState) -> Job:
    """The job that an order begins."""
    params: dict[str, Any] = intent.params
    assert intent.created_at is not None
    return Job(
        request_id=params["request_id"],
        kind=_KINDS[intent.order],
        requested_at=intent.sent_at or intent.created_at,
        status="Requested",
        location=params["location"],
        log_type=params.get("log_type"),
        signed=bool(params.get("signature")),
        retrieve_at=_instant(params.get("retrieve_at")),
        install_at=_instant(params.get("install_at")),
        checksum=params.get("checksum"),
        before=state.station.firmware,
        intent=intent.id,
    )


def _instant(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def begun(
    state: StationState, intent: Intent, word: str, taken: bool, file_name: str | None, now: datetime
) -> tuple[StationState, list[Change], list[Happened]]:
    """The station answered the order: its job is kept. AcceptedCanceled ends the one before (L01.FR.24, N01)."""
    kind = _KINDS[intent.order]
    changes: list[Change] = []
    events: list[Happened] = []
    if word == "AcceptedCanceled":
        for older in state.kept_of(KIND).values():
            if older.kind == kind and older.outcome == RUNNING and older.intent != intent.id:
                ended = evolve(older, outcome=CANCELLED, detail="another one took its place")
                state = _keep(state, ended, now, changes, events)
    job = job_of(state, kind, intent.params["request_id"]) or _ordered(intent, state)
    job = evolve(job, file_name=file_name or job.file_name)
    if not taken:
        job = evolve(job, status=word, outcome=REFUSED, detail=f"the station said {word}")
    elif kind == "log" and word == "Accepted" and file_name is None and not intent.answer:
        # 1.6 GetDiagnostics: no file name means that there is nothing to upload.
        job = evolve(job, outcome=DONE, detail="the station has nothing to upload")
    elif job.status == "Requested":
        job = evolve(job, status=word)
    return _keep(state, job, now, changes, events), changes, events


def firmware(state: StationState, received: Received, progress: FirmwareProgressed) -> Decision:
    """FirmwareStatusNotification and SignedFirmwareStatusNotification."""
    return _progressed(state, received, "firmware", progress.status, progress.request_id)


def published(state: StationState, received: Received, progress: FirmwarePublished) -> Decision:
    """PublishFirmwareStatusNotification."""
    more = {"locations": progress.locations} if progress.locations else {}
    return _progressed(state, received, "publish", progress.status, progress.request_id, **more)


def log(state: StationState, received: Received, progress: LogProgressed) -> Decision:
    """LogStatusNotification and 1.6 DiagnosticsStatusNotification."""
    return _progressed(state, received, "log", progress.status, progress.request_id)


def _progressed(
    state: StationState, received: Received, kind: str, status: str, request_id: int | None, **more: Any
) -> Decision:
    """One step of a job; a status that belongs to none is told all the same."""
    at = received.at
    told = Happened(
        f"{kind}.status", at, state.station.id, data={"status": status, "request_id": request_id, **more}
    )
    job = None if status == "Idle" else job_of(state, kind, request_id)
    if job is None or (job.steps and job.steps[-1].status == status and not more):
        return Decision(Noted(), state, (), (told,))
    outcome = _OUTCOMES[kind].get(status, RUNNING)
    after = state.station.firmware if outcome == DONE and kind == "firmware" else job.after
    steps = (*job.steps, Step(at, status))[-_STEPS:]
    detail = None if outcome in (RUNNING, DONE) else f"the station said {status}"
    job = evolve(job, status=status, outcome=outcome, detail=detail, after=after, steps=steps, **more)
    changes: list[Change] = []
    events = [told]
    state = _keep(state, job, at, changes, events)
    return Decision(Noted(), state, tuple(changes), tuple(events))


def booted(decision: Decision, received: Received) -> Decision:
    """After a boot: an installation that ends in another firmware is done, also where the station is silent."""
    state = decision.state
    jobs = [j for j in state.kept_of(KIND).values() if j.kind == "firmware" and j.outcome == RUNNING]
    changes, events = list(decision.changes), list(decision.events)
    for job in jobs:
        if job.status in _INSTALLING and state.station.firmware != job.before:
            done = evolve(
                job,
                outcome=DONE,
                after=state.station.firmware,
                detail="the station booted with another firmware",
            )
            state = _keep(state, done, received.at, changes, events)
    return evolve(decision, state=state, changes=tuple(changes), events=tuple(events))


def uploaded(
    state: StationState, request_id: int, upload: Upload
) -> tuple[StationState, list[Change], list[Happened]]:
    """A file of the job has arrived at our own upload address."""
    changes: list[Change] = []
    events: list[Happened] = []
    job = job_of(state, "log", request_id)
    if job is not None:
        others = tuple(known for known in job.uploads if known.name != upload.name)
        job = evolve(job, uploads=(*others, upload)[-_STEPS:])
        state = _keep(state, job, upload.at, changes, events)
    return state, changes, events


def _keep(
    state: StationState, job: Job, now: datetime, changes: list[Change], events: list[Happened]
) -> StationState:
    state, kept = keep(state, KIND, str(job.request_id), job, now, REMEMBERED)
    changes.extend(kept)
    events.append(Happened(f"{job.kind}.job", now, state.station.id, data={"job": job}))
    return state


def ended_well(intent: Intent, _: Received, state: StationState) -> str | None:
    """The effect of the orders that begin a job."""
    job = _mine(intent, state)
    return f"{job.kind}: {job.status}" if job is not None and job.outcome == DONE else None


def ended_badly(intent: Intent, _: Received, state: StationState) -> str | None:
    """What makes it certain that the effect will not come."""
    job = _mine(intent, state)
    return job.detail or job.status if job is not None and job.outcome in (FAILED, CANCELLED) else None


def _mine(intent: Intent, state: StationState) -> Job | None:
    found: Job | None = state.kept_of(KIND).get(str(intent.params.get("request_id")))
    return found


def goes_on(intent: Intent) -> bool:
    """1.6 GetDiagnostics without a file name in its answer: nothing will follow."""
    return intent.order != "log" or intent.answer is None or bool(intent.answer)

"""Firmware updates, publications and logs."""

from __future__ import annotations

import base64
import re
from dataclasses import fields
from pathlib import Path
from urllib.parse import urlsplit

from cms.contract.intents import IntentView, Preview
from cms.contract.jobs import (
    FilePart,
    GetLog,
    JobView,
    ListJobs,
    PublishFirmware,
    ReadUpload,
    UnpublishFirmware,
    UpdateFirmware,
)
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.core import Actor, Core, Lane
from cms.domain import jobs
from cms.domain.jobs import Job
from cms.operations import uploads
from cms.operations.intents import give
from cms.operations.previews import line, preview
from cms.operations.secrecy import without_credentials

KINDS = ("firmware", "publish", "log")
_SCHEMES = ("http", "https", "ftp", "ftps", "sftp")
_PEM = "-----BEGIN CERTIFICATE-----"
_MD5 = re.compile(r"[0-9a-fA-F]{32}")
_PART = 1024 * 1024
_MAX_URL = 512


async def list_(core: Core, request: ListJobs, actor: Actor) -> list[JobView]:
    if request.kind is not None and request.kind not in KINDS:
        raise Invalid(f"kind must be one of {', '.join(KINDS)}, not {request.kind!r}")
    found = [
        _view(lane, job)
        for lane in core.lanes_of(request.station)
        for job in reversed(list(lane.state.kept_of(jobs.KIND).values()))
        if request.kind in (None, job.kind)
    ]
    return sorted(found, key=lambda job: job.requested_at, reverse=True)


_FIELDS = [field.name for field in fields(JobView) if field.name not in ("station", "location")]


def _view(lane: Lane, job: Job) -> JobView:
    told = {name: getattr(job, name) for name in _FIELDS}
    location = uploads.shown(str(without_credentials(job.location)))
    return JobView(station=lane.state.station.id, location=location, **told)


async def update_firmware(core: Core, request: UpdateFirmware, actor: Actor) -> IntentView | Preview:
    lane = core.lane(request.station)
    location = _url(request.location)
    if (request.certificate is None) != (request.signature is None):
        raise Invalid("a signed update needs both the signing certificate and the signature")
    if request.certificate is not None and _PEM not in request.certificate:
        raise Invalid("the signing certificate is not PEM")
    order = jobs.UpdateFirmware(
        core.mint.number(),
        location,
        request.retrieve_at or core.clock.now(),
        request.install_at,
        _line_feeds(request.certificate),
        request.signature,
        **_again(request.retries, request.retry_interval_s),
    )
    station = lane.state.station
    shown = preview(
        lane.state,
        "firmware",
        line(
            "firmware update",
            without_credentials(location),
            station.id,
            retrieve_at=request.retrieve_at,
            install_at=request.install_at,
            signature=request.signature,
            certificate="FILE" if request.certificate else None,
            retries=request.retries,
        ),
        (),
        f"{station.id} ({station.firmware or 'firmware unknown'}) gets another firmware and boots;"
        " running sessions go on first" + ("" if request.signature else "; the firmware is not signed"),
        level=3,
    )
    return await give(core, actor, request.station, "firmware", order, request, shown)


async def publish(core: Core, request: PublishFirmware, actor: Actor) -> IntentView | Preview:
    lane = core.lane(request.station)
    order = jobs.PublishFirmware(
        core.mint.number(),
        _url(request.location),
        _md5(request.checksum),
        **_again(request.retries, request.retry_interval_s),
    )
    shown = preview(
        lane.state,
        "publish-firmware",
        line(
            "firmware publish",
            lane.state.station.id,
            without_credentials(order.location),
            order.checksum,
            retries=request.retries,
        ),
        (),
        "the local controller offers this firmware to its stations",
    )
    return await give(core, actor, request.station, "publish-firmware", order, request, shown)


async def unpublish(core: Core, request: UnpublishFirmware, actor: Actor) -> IntentView | Preview:
    lane = core.lane(request.station)
    order = jobs.UnpublishFirmware(_md5(request.checksum))
    shown = preview(
        lane.state,
        "unpublish-firmware",
        f"firmware unpublish {lane.state.station.id} {order.checksum}",
        (),
        "the local controller offers this firmware no longer",
    )
    return await give(core, actor, request.station, "unpublish-firmware", order, request, shown)


async def get_log(core: Core, request: GetLog, actor: Actor) -> IntentView | Preview:
    if request.log_type not in jobs.LOG_TYPES:
        raise Invalid(f"log type must be one of {', '.join(jobs.LOG_TYPES)}, not {request.log_type!r}")
    if request.oldest and request.latest and request.oldest >= request.latest:
        raise Invalid("the oldest entry must be before the latest")
    lane = core.lane(request.station)
    station = lane.state.station.id
    request_id = core.mint.number()
    location = _url(request.location) if request.location else _own_address(core, station, request_id)
    order = jobs.GetLog(
        request_id,
        request.log_type,
        location,
        request.oldest,
        request.latest,
        **_again(request.retries, request.retry_interval_s),
    )
    shown = preview(
        lane.state,
        "log",
        line(
            "logs get",
            station,
            type=request.log_type,
            to=without_credentials(location) if request.location else None,
            since=request.oldest,
            retries=request.retries,
        ),
        (),
        f"the station uploads its {request.log_type} log",
        level=0,
    )
    return await give(core, actor, request.station, "log", order, request, shown)


def _own_address(core: Core, station: str, request_id: int) -> str:
    if not core.terms.upload_url:
        raise Conflict(
            "this daemon takes no uploads", "say where the station shall put the file, or set upload_port"
        )
    return uploads.address(core, station, request_id)


async def read_upload(core: Core, request: ReadUpload, actor: Actor) -> FilePart:
    lane = core.lane(request.station)
    job: Job | None = lane.state.kept_of(jobs.KIND).get(str(request.request_id))
    if job is None or request.name not in {upload.name for upload in job.uploads}:
        raise NotFound(
            f"{lane.state.station.id} has uploaded no {request.name} for request {request.request_id}",
            "see `cms logs list`",
        )
    path = uploads.folder(Path(core.terms.data_dir), lane.state.station.id, job.request_id) / request.name
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            file.seek(max(0, request.offset))
            content = file.read(_PART)
    except OSError as error:
        raise NotFound(f"{request.name} cannot be read any more: {error.strerror}") from None
    reached = max(0, request.offset) + len(content)
    following = reached if reached < size else None
    return FilePart(request.name, size, request.offset, base64.b64encode(content).decode(), following)


def _url(text: str) -> str:
    try:
        url = urlsplit(text)
    except ValueError:
        url = urlsplit("")
    # What stands there goes to the station's curl or shell: no blanks, backslashes, controls or anything unseen.
    plain = text.isprintable() and not any(sign.isspace() or sign == "\\" for sign in text)
    if url.scheme.casefold() not in _SCHEMES or not url.hostname or not plain or len(text) > _MAX_URL:
        raise Invalid(
            f"{without_credentials(text)!r} is no address for a file",
            f"one of {', '.join(_SCHEMES)}://host/path",
        )
    return text


def _md5(text: str) -> str:
    if not _MD5.fullmatch(text):
        raise Invalid("a checksum is MD5: 32 hexadecimal digits (L03.FR.10)")
    return text.lower()


def _line_feeds(pem: str | None) -> str | None:
    return None if pem is None else pem.replace("\r\n", "\n")


def _again(retries: int | None, interval_s: int | None) -> dict[str, int | None]:
    for name, value in (("retries", retries), ("retry interval", interval_s)):
        if value is not None and not 0 <= value < 2**31:
            raise Invalid(f"{name} cannot be {value}")
    return {"retries": retries, "retry_interval_s": interval_s}

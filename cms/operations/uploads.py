"""Our own address for files from stations: who may put what there, and where it lies.

An address is good for one request of one station and for a day; its key is an HMAC, so that nothing about it has
to be kept, and it is never the station's OCPP password (N01.FR.17).
"""

from __future__ import annotations

import hmac
import re
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from cms.contract.refusals import Denied, NotFound
from cms.core import Core, Lane
from cms.domain import jobs
from cms.domain.evolve import evolve
from cms.domain.jobs import GetLog, Upload
from cms.operations.deciding import settle

_PURPOSE = "upload address"
GOOD_FOR = timedelta(hours=24)
MAX_FILES = 20
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_KEY = re.compile(r"(?<=/uploads/)(.*)/[0-9a-f]{32}(?=/|$)")


def address(core: Core, station: str, request_id: int) -> str:
    """Where this station puts the file of this request."""
    until = int((core.clock.now() + GOOD_FOR).timestamp())
    key = _key(core.keys.key(_PURPOSE), core.organisation, station, request_id, until)
    return f"{core.terms.upload_url}/uploads/{quote(station, safe='')}/{request_id}/{until}/{key}"


def shown(location: str) -> str:
    """An address of ours without its key."""
    return _KEY.sub(r"\1/***", location)


async def addressed(core: Core, lane: Lane, order: GetLog) -> GetLog:
    """An address of ours whose key was not written down while the order waited gets another, good from now on."""
    if order.location == shown(order.location) and order.location.startswith(
        f"{core.terms.upload_url}/uploads/"
    ):
        return evolve(order, location=address(core, lane.state.station.id, order.request_id))
    return order


def _key(secret: bytes, organisation: str, station: str, request_id: int, until: int) -> str:
    words = f"upload|{organisation}|{station.casefold()}|{request_id}|{until}".encode()
    return hmac.new(secret, words, sha256).hexdigest()[:32]


def admitted(core: Core, station: str, request_id: int, until: int, key: str) -> str:
    """What a file that has no name is called here: as the answer to its order said, or as its kind of log.

    Raises Denied for a wrong or old address, NotFound where nobody asked for a file.
    """
    secrets = (core.keys.key(_PURPOSE, version) for version in core.keys.roots.versions)
    good = [_key(secret, core.organisation, station, request_id, until) for secret in secrets]
    if not any(hmac.compare_digest(each, key) for each in good) or until < core.clock.now().timestamp():
        raise Denied("this upload address is not good (any more)")
    job = jobs.job_of(core.lane(station).state, "log", request_id)
    if job is None:
        raise NotFound("nobody waits for this upload")
    if len(job.uploads) >= MAX_FILES:
        raise Denied("enough files were uploaded for this request")
    return job.file_name or f"{job.log_type}.log"


def folder(data_dir: Path, station: str, request_id: int) -> Path:
    """Where the files of a request lie."""
    return data_dir / "uploads" / safe_name(station) / str(request_id)


def safe_name(text: str, otherwise: str = "") -> str:
    """A name for a file or folder from texts of a stranger: it stays where it is put, and is never hidden."""
    return _safe(text) or _safe(otherwise) or "file"


def _safe(text: str) -> str:
    return _UNSAFE.sub("_", text.replace("\\", "/").rpartition("/")[2]).strip("._")[:120]


async def stored(core: Core, station: str, request_id: int, name: str, size: int) -> None:
    """The file lies there: its job says so."""
    lane = core.lane(station)
    async with lane.lock:
        upload = Upload(name, size, core.clock.now())
        state, changes, events = jobs.uploaded(lane.state, request_id, upload)
        await settle(core, lane, state, changes, events)

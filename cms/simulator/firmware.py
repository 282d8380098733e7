"""Firmware: fetched, checked, installed, booted; every step is told. 1.6 section 5.17, 2.0.1 block L."""

from __future__ import annotations

import asyncio
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from cms.simulator.certificates import signed_by, trusted
from cms.simulator.transfer import TransferFailed, fetch

if TYPE_CHECKING:
    from cms.simulator.language import Later
    from cms.simulator.station import Station

DOWNLOAD_S, INSTALL_S, WAIT_S = 15.0, 20.0, 30.0
#: No order cancels an update from here on (L01.FR.24).
TOO_LATE = frozenset({"Installing", "InstallRebooting"})
#: With these an update is over.
FINAL = frozenset({"Idle", "DownloadFailed", "InvalidSignature", "InstallationFailed", "Installed"})


@dataclass(frozen=True, slots=True)
class Job:
    """An update as it was ordered; without a request id it is 1.6's UpdateFirmware."""

    location: str
    retrieve_at: datetime
    install_at: datetime | None = None
    request_id: int | None = None
    certificate: str | None = None
    signature: str | None = None
    retries: int = 1
    retry_s: float = 30.0


class Firmware:
    """A station's update, at most one at a time, and what it last told of it."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._task: asyncio.Task[None] | None = None
        self.job: Job | None = None
        self.status = "Idle"

    @property
    def busy(self) -> bool:
        return self._task is not None and not self._task.done() and self.status not in FINAL

    def order(self, job: Job) -> tuple[str, Later | None]:
        """Accepted, AcceptedCanceled, Rejected or InvalidCertificate, and what to do after the answer."""
        if job.certificate is not None and not trusted(
            job.certificate, self._station.certificates.roots("ManufacturerRootCertificate")
        ):
            return "InvalidCertificate", lambda: self._complain("InvalidFirmwareSigningCertificate")
        if self.busy and self.status in TOO_LATE:
            return "Rejected", None
        word = "AcceptedCanceled" if self.busy else "Accepted"
        if self.busy and self._task is not None:
            self._task.cancel()

        async def begin() -> None:
            self.job = job
            self._task = self._station.do(lambda: self._update(job))

        return word, begin

    async def tell(self, status: str) -> None:
        self.status = status
        message = self._station.language.firmware(status, self.job)
        if message is not None:
            await self._station.report(*message)

    async def tell_again(self) -> None:
        """As a trigger asks: the present status; Idle, without a job, when nothing goes on (F06, L01)."""
        message = self._station.language.firmware(
            self.status if self.busy else "Idle", self.job if self.busy else None
        )
        if message is not None:
            await self._station.say(*message)

    async def _complain(self, event: str) -> None:
        message = self._station.language.security_event(self._station, event)
        await self._station.report(*message)

    async def _update(self, job: Job) -> None:
        await self._until(job.retrieve_at, "DownloadScheduled")
        content = await self._download(job)
        if content is None or not await self._verified(job, content):
            return
        await self._install(job, content)

    async def _until(self, at: datetime | None, waiting: str) -> bool:
        """Whether there was anything to wait for."""
        left_s = (at - self._station.pace.now()).total_seconds() if at is not None else 0.0
        if left_s > 0:
            await self.tell(waiting)
            await self._station.pace.sleep(left_s)
        return left_s > 0

    async def _download(self, job: Job) -> bytes | None:
        for attempt in range(job.retries + 1):
            await self.tell("Downloading")
            await self._station.pace.sleep(DOWNLOAD_S)
            try:
                content = await self._fetch(job)
            except TransferFailed as why:
                self._station.news(self._station, "download failed", str(why))
                if attempt < job.retries:
                    await self._station.pace.sleep(job.retry_s)
                continue
            await self.tell("Downloaded")
            return content
        await self.tell("DownloadFailed")
        return None

    async def _fetch(self, job: Job) -> bytes:
        if "no-download" in self._station.faults:
            raise TransferFailed("a fault was asked for")
        if "no-transfer" in self._station.faults:
            return b""
        return await fetch(job.location)

    async def _verified(self, job: Job, content: bytes) -> bool:
        if job.signature is None or job.certificate is None:
            return True
        unseen = "no-transfer" in self._station.faults
        if unseen or signed_by(job.certificate, job.signature, content):
            await self.tell("SignatureVerified")
            return True
        await self.tell("InvalidSignature")
        await self._complain("InvalidFirmwareSignature")
        return False

    async def _install(self, job: Job, content: bytes) -> None:
        if not await self._until(job.install_at, "InstallScheduled") and not self._station.idle:
            await self.tell("InstallScheduled")
        while not self._station.idle:  # L01.FR.06: sessions end first
            await self._station.pace.sleep(5.0)
        await self.tell("Installing")
        await self._station.pace.sleep(INSTALL_S)
        if "no-install" in self._station.faults:
            await self.tell("InstallationFailed")
            return
        await self.tell("InstallRebooting")
        self._station.make.firmware = version_in(job.location, content) or next_version(
            self._station.make.firmware
        )
        await self._station.life.reboot("FirmwareUpdate")
        await self.tell("Installed")
        await self._complain("FirmwareUpdated")


def version_in(location: str, content: bytes) -> str | None:
    """The version that a file's name tells, or its first line."""
    name = location.rsplit("/", 1)[-1].split("?", 1)[0]
    first_line = content[:80].split(b"\n", 1)[0].decode("ascii", "replace")
    found = re.search(r"\d+(?:\.\d+)+", name) or re.search(r"\d+(?:\.\d+)+", first_line)
    return found.group()[:50] if found else None


def next_version(version: str) -> str:
    """What follows a version when nobody said: 3.4.1 becomes 3.4.2."""
    head, _, last = version.rpartition(".")
    return f"{head}.{int(last) + 1}" if head and last.isdigit() else version + ".1"


class Publisher:
    """A local controller's file store: 2.0.1 L03, L04. Checksums are MD5, hexadecimal (as OCPP has it)."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._published: set[str] = set()
        self._fetching: set[str] = set()
        self.status = "Idle"

    def publish(self, location: str, checksum: str, request_id: int) -> Later:
        async def go() -> None:
            await self._publish(location, checksum.lower(), request_id)

        return go

    async def _publish(self, location: str, checksum: str, request_id: int) -> None:
        self._fetching.add(checksum)
        try:
            await self._tell("Downloading", request_id)
            await self._station.pace.sleep(DOWNLOAD_S)
            if not await self._checked(location, checksum, request_id):
                return
        finally:
            self._fetching.discard(checksum)
        self._published.add(checksum)
        name = location.rsplit("/", 1)[-1].split("?", 1)[0] or "firmware"
        await self._tell("Published", request_id, [f"http://192.168.1.10/{name}"[:512]])

    async def _checked(self, location: str, checksum: str, request_id: int) -> bool:
        try:
            content = None if "no-transfer" in self._station.faults else await fetch(location)
        except TransferFailed as why:
            self._station.news(self._station, "download failed", str(why))
            await self._tell("DownloadFailed", request_id)
            return False
        await self._tell("Downloaded", request_id)
        if content is not None and hashlib.md5(content, usedforsecurity=False).hexdigest() != checksum:
            await self._tell("InvalidChecksum", request_id)
            return False
        await self._tell("ChecksumVerified", request_id)
        return True

    async def _tell(self, status: str, request_id: int, locations: list[str] | None = None) -> None:
        self.status = status
        more = {"location": locations} if locations else {}
        await self._station.report(
            "PublishFirmwareStatusNotification", {"status": status, "requestId": request_id, **more}
        )

    def unpublish(self, checksum: str) -> str:
        """Unpublished, NoFirmware or DownloadOngoing (L04)."""
        if checksum.lower() in self._fetching:
            return "DownloadOngoing"
        if checksum.lower() not in self._published:
            return "NoFirmware"
        self._published.discard(checksum.lower())
        return "Unpublished"

"""Logs: what the station noted of itself, uploaded when asked. 1.6 GetDiagnostics and GetLog, 2.0.1 N01."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from cms.simulator.transfer import TransferFailed, upload

if TYPE_CHECKING:
    from cms.simulator.station import Station

LINES = 300


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload as it was ordered. ``plain`` is 1.6's GetDiagnostics, which has no request id."""

    location: str
    name: str
    kind: str = "DiagnosticsLog"
    request_id: int | None = None
    plain: bool = False
    since: datetime | None = None
    until: datetime | None = None
    retries: int = 1
    retry_s: float = 30.0


class Logs:
    """A station's diary, and its one upload at a time."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._task: asyncio.Task[None] | None = None
        self._upload: Upload | None = None
        self._diary: deque[tuple[datetime, str, str]] = deque(maxlen=LINES)
        self.status = "Idle"

    def note(self, kind: str, line: str) -> None:
        """``kind`` is DiagnosticsLog or SecurityLog."""
        self._diary.append((self._station.pace.now(), kind, line))

    def name(self, kind: str) -> str:
        at = self._station.pace.now().strftime("%Y%m%dT%H%M%S")
        plain = "".join(c if c.isalnum() or c in "-_" else "_" for c in self._station.id)
        return f"{plain[:60]}_{kind}_{at}.log"

    @property
    def busy(self) -> bool:
        return self._task is not None and not self._task.done()

    def order(self, wanted: Upload) -> str:
        """Accepted, or AcceptedCanceled when one was under way (N01.FR.12); begins at once."""
        word = "AcceptedCanceled" if self.busy else "Accepted"
        former = self._upload if self.busy else None
        if self._task is not None:
            self._task.cancel()
        self._upload = wanted
        self._task = self._station.do(lambda: self._send(wanted, former))
        return word

    async def done(self) -> None:
        """Wait until the upload under way is over, whatever became of it."""
        if self._task is not None:
            await asyncio.wait((self._task,))

    async def _send(self, wanted: Upload, former: Upload | None) -> None:
        if former is not None and not former.plain:
            await self._tell("AcceptedCanceled", former)
        for attempt in range(wanted.retries + 1):
            await self._tell("Uploading", wanted)
            await self._station.pace.sleep(2.0)
            try:
                await self._put(wanted)
            except TransferFailed as why:
                self._station.news(self._station, "upload failed", str(why))
                if attempt < wanted.retries:
                    await self._station.pace.sleep(wanted.retry_s)
                continue
            await self._tell("Uploaded", wanted)
            return
        await self._tell("UploadFailure", wanted)

    async def _put(self, wanted: Upload) -> None:
        faults = self._station.faults
        if "no-transfer" in faults:
            return
        if "ftp-only" in faults and not wanted.location.lower().startswith("ftp"):
            raise TransferFailed("this station uploads to ftp addresses only")
        content = self.content(wanted).encode()
        await upload(wanted.location, wanted.name, content, multipart="form-upload" in faults)

    def content(self, wanted: Upload) -> str:
        """The lines of the wanted kind and time."""
        lines = [
            f"{at:%Y-%m-%dT%H:%M:%SZ} {line}"
            for at, kind, line in self._diary
            if kind == wanted.kind
            and (wanted.since is None or at >= wanted.since)
            and (wanted.until is None or at <= wanted.until)
        ]
        make = self._station.make
        head = f"# {make.vendor} {make.model} {make.serial} firmware {make.firmware}: {wanted.kind}"
        return "\n".join([head, *lines, ""])

    async def _tell(self, status: str, wanted: Upload) -> None:
        self.status = status
        message = self._station.language.log(status, wanted.request_id, wanted.plain)
        if message is not None:
            await self._station.report(*message)

    async def tell_again(self, plain: bool) -> None:
        """As a trigger asks: the present status, or Idle without an id (F06, N01)."""
        request_id = self._upload.request_id if self.busy and self._upload else None
        message = self._station.language.log(self.status if self.busy else "Idle", request_id, plain)
        if message is not None:
            await self._station.say(*message)

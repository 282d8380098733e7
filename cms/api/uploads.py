"""Where stations put their files: PUT, POST of the bare file, POST of a form. Nothing else is answered there."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from email.message import Message
from pathlib import Path
from typing import Any
from uuid import uuid4

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from cms.contract.refusals import Refusal
from cms.core import MAIN
from cms.houses import Houses
from cms.operations import uploads

_CHUNK = 256 * 1024


def create_upload_app(houses: Houses, max_bytes: int) -> Starlette:
    """The application that takes files; each is at most ``max_bytes`` long."""

    async def take(request: Request) -> Response:
        station, request_id = request.path_params["station"], request.path_params["request_id"]
        until, key = request.path_params["until"], request.path_params["key"]
        core = houses.of(request.path_params.get("organisation", MAIN))
        unnamed = uploads.admitted(core, station, request_id, until, key)
        folder = uploads.folder(Path(core.terms.data_dir), core.lane(station).state.station.id, request_id)
        name, size = await _stored(request, folder, unnamed, max_bytes)
        await uploads.stored(core, station, request_id, name, size)
        return PlainTextResponse("stored\n", 201)

    path = "/uploads/{station}/{request_id:int}/{until:int}/{key}"
    routes = [
        Route(above + path + name, take, methods=["PUT", "POST"])
        for above in ("", "/{organisation}")
        for name in ("", "/{name:path}")
    ]
    app = Starlette(
        routes=routes,
        exception_handlers={Refusal: _refused, OSError: _no_room},
    )
    app.router.redirect_slashes = False  # N01.FR.28 of 2.1: no redirects
    return app


async def _refused(_: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    return PlainTextResponse(f"{refusal.message}\n", refusal.http_status)


async def _no_room(_: Request, error: Exception) -> Response:
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return PlainTextResponse("there is no room for this file\n" if full else "failed\n", 507 if full else 500)


async def _stored(request: Request, folder: Path, unnamed: str, max_bytes: int) -> tuple[str, int]:
    """The name and size of the file, after it lies whole in its folder; ``unnamed``: its name where it has none."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > max_bytes:
        raise HTTPException(413, "this file is too long")
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True, mode=0o700)
    if request.headers.get("content-type", "").casefold().startswith("multipart/form-data"):
        bounded = Request(request.scope, _bounded(request.receive, max_bytes + _CHUNK))
        async with bounded.form(max_files=1, max_fields=20) as form:
            file = next((part for part in form.values() if isinstance(part, UploadFile)), None)
            if file is None:
                raise HTTPException(400, "this form has no file")
            name = uploads.safe_name(file.filename or "", unnamed)
            return await _written(_parts(file), folder, name, max_bytes)
    name = uploads.safe_name(_name(request), unnamed)
    return await _written(request.stream(), folder, name, max_bytes)


def _bounded(receive: Callable[[], Awaitable[Any]], max_bytes: int) -> Callable[[], Awaitable[Any]]:
    """A form is spooled before we see it: count what comes."""
    seen = 0

    async def counted() -> Any:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > max_bytes:
            raise HTTPException(413, "this file is too long")
        return message

    return counted


async def _parts(file: UploadFile) -> AsyncIterator[bytes]:
    while part := await file.read(_CHUNK):
        yield part


def _name(request: Request) -> str:
    """The file's name: of the address, or of Content-Disposition."""
    if named := request.path_params.get("name"):
        return str(named)
    header = Message()
    header["content-disposition"] = request.headers.get("content-disposition", "")
    return header.get_filename() or ""


async def _written(parts: AsyncIterator[bytes], folder: Path, name: str, max_bytes: int) -> tuple[str, int]:
    """Written beside and then renamed: half a file is never taken for a whole one."""
    beside = folder / f".{uuid4().hex}"
    size = 0
    try:
        with beside.open("xb") as out:
            async for part in parts:
                size += len(part)
                if size > max_bytes:
                    raise HTTPException(413, "this file is too long")
                out.write(part)
            out.flush()
            await asyncio.to_thread(os.fsync, out.fileno())
        beside.replace(folder / name)
    finally:
        with contextlib.suppress(FileNotFoundError):
            beside.unlink()
    return name, size

"""A file server of a few lines over HTTP: what is put there can be fetched."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Shelf:
    """``files`` by path; ``methods`` of the requests, in order; ``refuses`` are methods answered with 405."""

    def __init__(self, refuses: tuple[str, ...] = ()) -> None:
        self.files: dict[str, bytes] = {}
        self.methods: list[str] = []
        self.url = ""
        self._refuses = refuses

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                method, path, _ = head.split(" ", 2)
                lines = head.lower().split("\r\n")
                length = next((line for line in lines if line.startswith("content-length:")), ":0")
                body = await reader.readexactly(int(length.partition(":")[2]))
                self.methods.append(method)
                writer.write(self._answer(method, path, body))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(self, method: str, path: str, body: bytes) -> bytes:
        if method in self._refuses:
            return b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n"
        if method in ("PUT", "POST"):
            self.files[path] = body
            return b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"
        if path not in self.files:
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        content = self.files[path]
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(content), content)


@asynccontextmanager
async def a_shelf(*refuses: str) -> AsyncIterator[Shelf]:
    shelf = Shelf(refuses)
    server = await asyncio.start_server(shelf.serve, "127.0.0.1", 0)
    shelf.url = f"http://user:secret@127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield shelf
    finally:
        server.close()

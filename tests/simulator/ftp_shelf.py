"""An FTP server of a few lines (RFC 959, RFC 2428): what is stored there can be retrieved."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class FtpShelf:
    """``files`` by path; ``logins`` that were tried."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.logins: list[tuple[str, str]] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def say(text: str) -> None:
            writer.write(f"{text}\r\n".encode())

        say("220 ready")
        user, passive = "", _Passive()
        while line := (await reader.readline()).decode().strip():
            word, _, rest = line.partition(" ")
            match word:
                case "USER":
                    user = rest
                    say("331 and the password")
                case "PASS":
                    self.logins.append((user, rest))
                    say("230 welcome")
                case "TYPE":
                    say("200 binary")
                case "EPSV":
                    say(f"229 Entering Extended Passive Mode (|||{await passive.open()}|)")
                case "PASV":
                    port = await passive.open()
                    say(f"227 Entering Passive Mode (127,0,0,1,{port >> 8},{port & 255})")
                case "STOR":
                    say("150 send it")
                    self.files[rest] = await passive.receive()
                    say("226 stored")
                case "RETR" if rest in self.files:
                    say("150 here it comes")
                    await passive.send(self.files[rest])
                    say("226 sent")
                case "QUIT":
                    say("221 bye")
                    break
                case _:
                    say("550 no")
        writer.close()


class _Passive:
    """A data connection that the client opens."""

    async def open(self) -> int:
        self._accepted: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
        self._server = await asyncio.start_server(
            lambda reader, writer: self._accepted.put_nowait((reader, writer)), "127.0.0.1", 0
        )
        return int(self._server.sockets[0].getsockname()[1])

    async def receive(self) -> bytes:
        reader, writer = await self._accepted.get()
        content = await reader.read(-1)
        writer.close()
        self._server.close()
        return content

    async def send(self, content: bytes) -> None:
        _, writer = await self._accepted.get()
        writer.write(content)
        await writer.drain()
        writer.close()
        self._server.close()


@asynccontextmanager
async def an_ftp_shelf() -> AsyncIterator[FtpShelf]:
    shelf = FtpShelf()
    server = await asyncio.start_server(shelf.serve, "127.0.0.1", 0)
    shelf.url = f"ftp://fleet:se%40cret@127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield shelf
    finally:
        server.close()

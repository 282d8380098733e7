"""A headless Chromium, driven over its DevTools protocol: as little of it as looking, typing and clicking needs."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_WITHIN_S = 20.0
_LOOK_S = 0.05


def installed() -> str | None:
    """The command of a Chromium of this machine."""
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


class Gone(AssertionError):
    """What was waited for did not come."""


class Tab:
    """One page of the browser. ``errors`` is what its console complained of."""

    def __init__(self, link: ClientConnection) -> None:
        self._link = link
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self.errors: list[str] = []

    async def listen(self) -> None:
        """Take what it says, until it is gone."""
        with suppress(ConnectionClosed):
            async for text in self._link:
                self._heard(json.loads(text))

    def _heard(self, said: Any) -> None:
        if "id" in said:
            self._waiting.pop(said["id"]).set_result(said)
        elif said["method"] == "Log.entryAdded" and said["params"]["entry"]["level"] == "error":
            self.errors.append(said["params"]["entry"]["text"])
        elif said["method"] == "Runtime.exceptionThrown":
            self.errors.append(str(said["params"]["exceptionDetails"]))

    async def ask(self, method: str, **params: Any) -> Any:
        id = next(self._ids)
        self._waiting[id] = asyncio.get_running_loop().create_future()
        await self._link.send(json.dumps({"id": id, "method": method, "params": params}))
        said = await asyncio.wait_for(self._waiting[id], _WITHIN_S)
        if "error" in said:
            raise RuntimeError(f"{method}: {said['error']}")
        return said["result"]

    async def go(self, url: str) -> None:
        await self.ask("Page.navigate", url=url)

    async def value(self, expression: str) -> Any:
        """What this JavaScript is; None while the page changes."""
        told = await self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        return None if "exceptionDetails" in told else told["result"].get("value")

    async def until(self, expression: str) -> Any:
        """Look until this JavaScript is true."""
        with suppress(TimeoutError, RuntimeError):
            async with asyncio.timeout(_WITHIN_S):
                while not (value := await self.value(expression)):
                    await asyncio.sleep(_LOOK_S)  # a browser has its own time
                return value
        text = await self.value("document.body.innerText")
        raise Gone(f"{expression} did not come true; the page says:\n{text}\n{self.errors}")

    async def sees(self, text: str) -> None:
        """Wait until the page says this."""
        await self.until(f"document.body && document.body.innerText.includes({json.dumps(text)})")

    async def type(self, selector: str, text: str) -> None:
        field = json.dumps(selector)
        await self.until(f"document.querySelector({field}) !== null")
        await self.value(f"document.querySelector({field}).focus()")
        await self.ask("Input.insertText", text=text)

    async def click(self, selector: str) -> None:
        field = json.dumps(selector)
        await self.until(f"document.querySelector({field}) && !document.querySelector({field}).disabled")
        await self.value(f"document.querySelector({field}).click()")

    async def press(self, words: str) -> None:
        """Click the button that says this."""
        button = f"[...document.querySelectorAll('button')].find(b => b.textContent === {json.dumps(words)})"
        await self.until(f"{button} !== undefined")
        await self.value(f"{button}.click()")

    async def picture(self, file: Path, width: int = 390, height: int = 844, *, dark: bool = False) -> None:
        """What somebody sees, as PNG."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.ask("Emulation.setDeviceMetricsOverride", **size)
        await self.ask("Emulation.setEmulatedMedia", features=[scheme])
        shot = await self.ask("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(shot["data"]))


@asynccontextmanager
async def browsing(command: str) -> AsyncIterator[Tab]:
    """A browser with one page, which is nobody's: its profile goes with it."""
    with tempfile.TemporaryDirectory(prefix="cms-b-", ignore_cleanup_errors=True) as folder:
        # A sandbox cannot be made by root, nor in most containers; what is shown here is our own.
        process = await asyncio.create_subprocess_exec(
            command,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-extensions",
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
            "--remote-debugging-port=0",
            f"--user-data-dir={folder}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            port = await _port(Path(folder), process)
            async with httpx.AsyncClient() as http:
                pages = (await http.get(f"http://127.0.0.1:{port}/json/list")).json()
            page = next(page for page in pages if page["type"] == "page")
            async with connect(page["webSocketDebuggerUrl"], max_size=None, ping_interval=None) as link:
                tab = Tab(link)
                listening = asyncio.create_task(tab.listen())
                for domain in ("Page", "Runtime", "Log"):
                    await tab.ask(f"{domain}.enable")
                yield tab
                listening.cancel()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 9)  # the browser is many processes; it leads their group
            await process.wait()


async def _port(folder: Path, process: asyncio.subprocess.Process) -> int:
    """Where it listens: it writes that down."""
    written = folder / "DevToolsActivePort"
    async with asyncio.timeout(_WITHIN_S):
        while True:
            if process.returncode is not None:
                raise Gone(f"the browser ended with {process.returncode}")
            with suppress(FileNotFoundError, ValueError, IndexError):
                return int(written.read_text("ascii").split()[0])
            await asyncio.sleep(_LOOK_S)

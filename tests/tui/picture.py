"""The picture of the overview for the README: python -m tests.tui.picture [docs/overview.svg].

A real daemon with a real simulated fleet (``cms.demo``) in a temporary folder, the real console on it; nothing is
made up and nothing of this machine is in it. The fonts' addresses are taken out, so that whoever looks at the
picture fetches nothing.
"""

from __future__ import annotations

import asyncio
import html
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import cast

from rich.cells import cell_len

from cms.client import Address, AsyncClient
from tui.app import CmsApp
from tui.link import Daemon

SIZE = (120, 36)
STATIONS, SPEED, SEED = 24, 60, 7
#: So long the fleet runs before the picture is taken: two hours of its own time.
RUNS_S = 120.0


FONTS = "Menlo, Consolas, 'DejaVu Sans Mono', monospace"
CELL = 12.2
"""The width of a cell in the drawing that Textual exports."""
_FONT_FACE = re.compile(r"@font-face\s*\{[^}]*\}")
_FONT_FAMILY = re.compile(r"font-family:[^;]+;")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_RUN = re.compile(
    r'<text class="([^"]+)" x="([\d.]+)" y="([\d.]+)" textLength="[\d.]+" ([^>]*)>([^<]*)</text>'
)


def picture_of(svg: str) -> str:
    """The drawing in whatever monospace font there is, so that nothing is fetched; each word stands in its cells."""
    for what, instead in ((_FONT_FACE, ""), (_COMMENT, ""), (_FONT_FAMILY, f"font-family: {FONTS};")):
        svg = what.sub(instead, svg)
    return re.sub(r"\n[ \t]*(?=\n)", "", _RUN.sub(_words, svg))


def _words(run: re.Match[str]) -> str:
    """A run of text as its words, each at its own place: not all viewers keep blanks and widths."""
    kind, x, y, clip, text = run.groups()
    text = html.unescape(text)
    drawn = []
    for word in re.finditer(r"\S+", text):
        start = float(x) + CELL * cell_len(text[: word.start()])
        width = CELL * cell_len(word[0])
        drawn.append(
            f'<text class="{kind}" x="{start:.1f}" y="{y}" textLength="{width:.1f}"'
            f' lengthAdjust="spacingAndGlyphs" {clip}>{html.escape(word[0])}</text>'
        )
    return "".join(drawn)


async def _taken(socket: str) -> str:
    async with AsyncClient(Address(socket=socket)) as client:
        app = CmsApp(cast("Daemon", client), stock_driver=True)
        async with app.run_test(size=SIZE) as pilot:
            end = time.monotonic() + RUNS_S
            while time.monotonic() < end:
                await pilot.pause(0.5)
            return app.export_screenshot(title="cms tui")


def main() -> None:
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/overview.svg")
    os.environ |= {"COLORTERM": "truecolor", "TZ": "UTC"}
    time.tzset()
    with tempfile.TemporaryDirectory(prefix="cms-picture-") as folder:
        fleet = [f"--stations={STATIONS}", f"--speed={SPEED}", f"--seed={SEED}"]
        command = [sys.executable, "-m", "cms.demo", f"--dir={folder}", *fleet]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as demo:
            try:
                assert demo.stdout is not None
                socket = json.loads(demo.stdout.readline())["socket"]
                target.write_text(picture_of(asyncio.run(_taken(socket))))
            finally:
                demo.terminate()


if __name__ == "__main__":
    main()

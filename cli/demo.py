"""``cms demo``: a daemon with simulated stations in a child process, and the console (or a line per event) on it."""

from __future__ import annotations

import contextlib
import math
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.errors import note
from cli.noun import flags_of, single
from cms.client import Address
from cms.contract.refusals import Invalid, Refusal, Unreachable

app = single("A daemon with simulated stations, to look around.")

#: The daemon stops within 10 s; beyond that it is ended.
_STOP_S = 15.0


@app.command()
def demo(
    ctx: typer.Context,
    stations: Annotated[int, typer.Option("--stations", metavar="N", min=1)] = 20,
    speed: Annotated[float, typer.Option("--speed", metavar="X", help="So many times as fast.")] = 10.0,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="The same seed, the same day.")] = 1,
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="DIR", help="Keep the data there, or go on with it.")
    ] = None,
) -> int:
    """Start a daemon and simulated stations and look at them; ending it ends all of it."""
    flags = flags_of(ctx)
    if not 0 < speed < math.inf:
        raise Invalid(f"--speed must be above 0, not {speed:g}", "10 is ten times as fast as the world")
    _end_like_ctrl_c()
    options = [f"--stations={stations}", f"--speed={speed}", f"--seed={seed}"]
    with _directory(keep) as directory, _child(directory, options) as told:
        address = Address(socket=told["socket"])
        note(f"stations connect to {told['ocpp_url']}; control socket {told['socket']}", flags.quiet)
        return _look(address)


def _look(address: Address) -> int:
    """The console on a terminal, else a line per event."""
    if sys.stdin.isatty() and sys.stdout.isatty():
        from tui.app import Opening, run

        return run(address, opening=Opening(ctrl_c_ends=True))
    import asyncio

    from cli.events import print_events

    asyncio.run(print_events(address))
    return 0


def _end_like_ctrl_c() -> None:
    """A closed terminal or a SIGTERM must end the child too, in the way that asyncio knows how to end."""

    def interrupt(*_: Any) -> None:
        signal.raise_signal(signal.SIGINT)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)


@contextlib.contextmanager
def _directory(keep: Path | None) -> Iterator[Path]:
    """The directory to keep, or one that goes away at the end."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="cms-demo-") as name:
        yield Path(name)


@contextlib.contextmanager
def _child(directory: Path, options: list[str]) -> Iterator[dict[str, Any]]:
    """The daemon and its fleet while they run; gives what they say when they are ready.

    The child has a session of its own: Ctrl-C reaches us alone, and we end it in order.
    """
    log_path = directory / "demo.log"
    with log_path.open("w") as log:
        child = subprocess.Popen(  # noqa: S603 - our own module, our own options
            [sys.executable, "-m", "cms.demo", f"--dir={directory}", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
        try:
            yield _ready(child, log_path)
        finally:
            _end(child)


def _ready(child: subprocess.Popen[str], log_path: Path) -> dict[str, Any]:
    import json

    assert child.stdout is not None
    line = child.stdout.readline()
    try:
        told: dict[str, Any] = json.loads(line)
    except ValueError:
        code = child.wait(_STOP_S)
        said = log_path.read_text("utf-8", "replace").strip().splitlines()
        last = said[-1].removeprefix("cms: ") if said else f"it ended with {code}"
        raise Refusal(f"The demo did not start: {last}") if code == 1 else Unreachable(last) from None
    return told


def _end(child: subprocess.Popen[str]) -> None:
    """Ask it to stop and see it gone."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    if child.stdout is not None:
        child.stdout.close()

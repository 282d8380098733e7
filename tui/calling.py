"""Calling somebody who looks away: the bell, the desktop's notification and the terminal's title, for new alarms."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cms.contract.alerts import AlertView
from cms.contract.safe import safe
from tui.clipboard import passed_on

if TYPE_CHECKING:
    from tui.app import CmsApp

LOOK_S = 1.0
LONGEST = 120
_BELL = "\a"
#: Terminals that take OSC 777; the others are asked by OSC 9.
_TAKE_777 = ("foot", "ghostty", "rxvt-unicode", "vte")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What somebody asked for: nothing by itself makes a noise."""

    notify: bool = False
    title: bool = False


class Calling:
    """Compares the critical alerts with those of a second ago."""

    def __init__(
        self,
        app: CmsApp,
        wishes: Wishes,
        environ: Mapping[str, str] = os.environ,
        write: Callable[[str], None] | None = None,
    ) -> None:
        self._app = app
        self._wishes = wishes
        self._environ = environ
        self._write = write or self._to_terminal
        self._known: frozenset[str] | None = None
        self._titled = ""

    def begin(self) -> None:
        """Look each second, as long as the console runs."""
        self._app.set_interval(LOOK_S, self.look, name="calling")

    def look(self) -> None:
        """Call for the alerts that were not there before; those that the console found are no news."""
        if not self._app.following.live:
            return
        alerts = [one for one in self._app.mirror.alerts.values() if one.state != "muted"]
        critical = {one.id: one for one in alerts if one.severity == "critical"}
        known, self._known = self._known, frozenset(critical)
        if known is not None and (new := [one for key, one in critical.items() if key not in known]):
            self._call(new)
        if self._wishes.title:
            self._entitle(f"{len(critical)}✖ {sum(one.severity == 'warning' for one in alerts)}▲ cms")

    def _call(self, new: list[AlertView]) -> None:
        if self._app.kept.bell:
            self._write(_BELL)
        if self._wishes.notify:
            more = f" and {len(new) - 1} more" if len(new) > 1 else ""
            text = f"{new[0].what}: {new[0].why}{more}"
            self._write(passed_on(notification(text, self._environ), self._environ))

    def _entitle(self, title: str) -> None:
        if title != self._titled:
            self._titled = title
            self._write(passed_on(f"\x1b]2;{title}{_BELL}", self._environ))

    def _to_terminal(self, sequence: str) -> None:
        if (driver := self._app._driver) is not None:
            driver.write(sequence)


def notification(text: str, environ: Mapping[str, str]) -> str:
    """The sequence that the terminal shows as a notification of the desktop."""
    text = safe(text, LONGEST).replace(";", ",")
    term = (
        environ.get("TERM", "")
        + environ.get("TERM_PROGRAM", "")
        + ("vte" if "VTE_VERSION" in environ else "")
    )
    if any(name in term for name in _TAKE_777):
        return f"\x1b]777;notify;cms;{text}{_BELL}"
    return f"\x1b]9;cms: {text}{_BELL}"

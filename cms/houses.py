"""Organisations: each has a Core of its own, which is the whole world of an operation."""

from __future__ import annotations

from collections.abc import Iterator

from cms.contract.refusals import NotFound
from cms.core import MAIN, PLATFORM, Core

__all__ = ["MAIN", "PLATFORM", "Houses"]


class Houses:
    """The cores by organisation."""

    def __init__(self, platform: Core, main: Core) -> None:
        self._cores = {PLATFORM: platform, MAIN: main}

    @property
    def platform(self) -> Core:
        """Holds what belongs to no organisation."""
        return self._cores[PLATFORM]

    def of(self, organisation: str) -> Core:
        """The core of an organisation, by its id without case; NotFound otherwise."""
        core = self.named(organisation)
        if core is None:
            raise NotFound(f"there is no organisation {organisation}", "see `cms organisations list`")
        return core

    def named(self, organisation: str) -> Core | None:
        """The same; None where there is none."""
        return self._cores.get(organisation.casefold()) if organisation else None

    def add(self, organisation: str, core: Core) -> None:
        """A new organisation is served from now on."""
        self._cores[organisation.casefold()] = core

    def all(self) -> Iterator[Core]:
        """The cores of all organisations, without the platform's."""
        return iter([core for name, core in self._cores.items() if name != PLATFORM])

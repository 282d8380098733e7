"""The reports that a place has read, and those it is reading."""

from __future__ import annotations

from cms.contract.usage import ShowUsage, UsageReport

KEPT = 12


class Reports:
    """By what was asked, the latest last; the way back to one of them asks nothing."""

    def __init__(self) -> None:
        self._kept: dict[ShowUsage, UsageReport] = {}
        self._asked: set[ShowUsage] = set()

    def get(self, request: ShowUsage) -> UsageReport | None:
        return self._kept.get(request)

    def begin(self, request: ShowUsage, *, anew: bool) -> bool:
        """Whether it is to be read: it is not known (or must be read ``anew``), and not being read."""
        if request in self._asked or (request in self._kept and not anew):
            return False
        self._asked.add(request)
        return True

    def fail(self, request: ShowUsage) -> None:
        """It could not be read."""
        self._asked.discard(request)

    def take(self, request: ShowUsage, report: UsageReport) -> bool:
        """It was read; answers whether it differs from what was known."""
        self._asked.discard(request)
        if self._kept.get(request) == report:
            return False
        self._kept.pop(request, None)
        self._kept[request] = report
        while len(self._kept) > KEPT:
            self._kept.pop(next(iter(self._kept)))
        return True

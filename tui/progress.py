"""What became of the last order, as the message line tells it until it is confirmed or has failed."""

from __future__ import annotations

from cms.contract.intents import IntentView
from tui import signs
from tui.bulk import Batch
from tui.mirror import Mirror, Ref
from tui.orders import Draft


class Progress:
    """The order that is being given, then the one whose progress is told."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._giving: Draft | None = None
        self._followed: str | None = None
        self.batch: Batch | None = None
        """The act for many that was begun last."""

    @property
    def is_under_way(self) -> bool:
        """Whether the message line still has something to tell."""
        batch = self.batch is not None and not self.batch.over
        return batch or self._giving is not None or self._followed is not None

    def begin(self, draft: Draft) -> None:
        """The daemon is asked for this now; the order before it is not told of any more."""
        self._giving, self._followed = draft, None

    def answered(self, draft: Draft) -> bool:
        """The daemon has answered; says whether that was the last thing it was asked for."""
        if draft is not self._giving:
            return False
        self._giving = self._followed = None
        return True

    def follow(self, intent: str) -> None:
        """Tell of this order until its end."""
        self._followed = intent

    def near(self, basket: set[Ref]) -> set[Ref]:
        """The orders that a person waits for."""
        if self._giving is not None:
            return {("intent", key) for kind, key in basket if kind == "intent"}
        return {("intent", self._followed)} if self._followed else set()

    def told(self, changed: set[Ref]) -> tuple[str, str] | None:
        """Text and tone for the message line, when the order is among what changed."""
        if self.batch is not None and self.batch.hear(self._mirror, changed):
            return self.batch.line()
        if self._giving is not None and self._followed is None:
            self._followed = self._intent_of(self._giving, changed)
        if self._followed is None or ("intent", self._followed) not in changed:
            return None
        intent = self._mirror.intents.get(self._followed)
        if intent is None:
            return None
        if intent.status in signs.FINAL:
            self._followed = None
        return order_line(intent)

    def _intent_of(self, draft: Draft, changed: set[Ref]) -> str | None:
        """The order that our request became, before the daemon has answered it."""
        for kind, key in changed:
            intent = self._mirror.intents.get(key) if kind == "intent" else None
            if intent and (intent.station, intent.order) == (draft.target.station, draft.act.name):
                return key
        return None


def order_line(intent: IntentView) -> tuple[str, str]:
    """An order's progress as text and tone: sign, what, where, word, and how long the effect took."""
    sign = signs.of_intent(intent)
    took = ""
    if intent.status == "confirmed" and intent.confirmed_at is not None:
        took = f" after {(intent.confirmed_at - intent.created_at).total_seconds():.0f} s"
    detail = f" · {intent.detail}" if intent.detail else ""
    return (f"{sign.mark} {intent.order} {intent.station}: {sign.word}{took}{detail}", sign.tone)

"""The confirm bar: what an order will do, in the daemon's words, before it is given. Nothing is dimmed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer

from cms.contract.intents import Preview
from tui.orders import Draft
from tui.widgets.lines import Lines
from tui.widgets.paint import Line, Span, clean, strip, width_of
from tui.words import plug

LEVEL_TONE = ("good", "good", "warn", "bad")
WAIT_S = 0.2
"""So long the daemon may take before the question is shown without its answer."""
TYPED_LEVEL = 3
"""From this level on the station's id must be typed."""


class Question(Lines, can_focus=True):
    """Shows a draft with its preview and takes one key: yes, no, a variant, a connector, a reason."""

    class Answered(Message):
        """``word``: yes, no, reason, text, copy."""

        def __init__(self, word: str, draft: Draft) -> None:
            super().__init__()
            self.word = word
            self.draft = draft

    class Altered(Message):
        """The draft is another one now; what would it do?"""

        def __init__(self, draft: Draft) -> None:
            super().__init__()
            self.draft = draft

    def __init__(self) -> None:
        super().__init__()
        self.draft: Draft | None = None
        self.preview: Preview | None = None
        self.refused = ""
        self._waits: Timer | None = None

    @property
    def is_open(self) -> bool:
        return self.draft is not None

    def open(self, draft: Draft) -> None:
        """Put the question; the preview follows."""
        self.draft, self.preview, self.refused = draft, None, ""
        self.add_class("-open")
        self._wait_a_little()
        self.focus()

    def _wait_a_little(self) -> None:
        """Daemons mostly answer sooner than one reads: painting twice would only send more."""
        self._stop_waiting()
        self._waits = self.set_timer(WAIT_S, self._lay_out)

    def _stop_waiting(self) -> None:
        if self._waits is not None:
            self._waits.stop()
            self._waits = None

    def close(self) -> None:
        self._stop_waiting()
        self.draft = None
        self.remove_class("-open")
        self.show(())

    def tell(self, preview: Preview) -> None:
        """What the daemon says it would do."""
        self.preview, self.refused = preview, ""
        self._lay_out()

    def refuse(self, sentence: str) -> None:
        """The daemon would not do it."""
        self.preview, self.refused = None, sentence
        self._lay_out()

    # ---- keys

    def on_key(self, event: events.Key) -> None:
        """Every key is the question's own while it is open: nothing is acted on by accident."""
        if self.draft is None or event.key in ("ctrl+q", "ctrl+c"):
            return
        event.stop()
        event.prevent_default()
        key = event.character or event.key
        if event.key == "escape" or key in ("n", "q", "N"):
            self.post_message(self.Answered("no", self.draft))
        elif key == "y" and self.preview is not None:
            self.post_message(self.Answered("yes", self.draft))
        elif key == "c" and self.preview is not None:
            self.post_message(self.Answered("copy", self.draft))
        elif (text := self.draft.act.text) is not None and key == text[0]:
            self.post_message(self.Answered("text", self.draft))
        elif key == "r" and self.draft.act.foretell is None:
            self.post_message(self.Answered("reason", self.draft))
        else:
            self._alter(key)

    def _alter(self, key: str) -> None:
        assert self.draft is not None
        if key == "w" and self.draft.act.foretell is None:
            altered: Draft | None = replace(self.draft, when_idle=not self.draft.when_idle)
        else:
            altered = self.draft.choose(key)
        if altered is not None and altered != self.draft:
            self.reopen(altered)

    def reopen(self, draft: Draft) -> None:
        """Put the question for an altered draft."""
        self.open(draft)
        self.post_message(self.Altered(draft))

    # ---- painting

    def on_resize(self) -> None:
        if self.draft is not None:
            self._lay_out()

    def _lay_out(self) -> None:
        self._stop_waiting()
        if self.draft is None:
            return
        width = self.screen.size.width
        lines: list[Line] = [(("── ", "dim"), (self.draft.headline(), "strong"), (" ──", "dim"))]
        if self.refused:
            lines += [((text, "bad"),) for text in wrapped(self.refused, width - 2, 3)]
            lines += self._choices(self.draft)
            lines.append((" [n] back ◂ default",))
        elif self.preview is None:
            lines.append(((" asking the daemon what this would do …", "dim"),))
            lines += self._choices(self.draft)
            lines.append((" [n]o ◂ default",))
        else:
            tone = LEVEL_TONE[min(self.preview.level, 3)]
            lines += [((text, tone),) for text in wrapped(self.preview.impact, width - 2, 3)]
            lines += self._choices(self.draft)
            lines += packed(self._answers(self.draft, self.preview), width)
            lines += [((text, "dim"),) for text in wrapped(f"cli: {self.preview.cli}", width - 2, 2)]
        self.show(lines)
        # Told outright: a refusal may come before Textual has arranged what was hidden until now.
        self.styles.height = len(lines)

    def _choices(self, draft: Draft) -> list[Line]:
        spans: list[Span] = []
        for index, variant in enumerate(draft.act.variants):
            mark = " ◂" if index == draft.variant else ""
            spans.append((f" [{variant.key}] {variant.word}{mark} ", "busy" if mark else ""))
        if draft.act.plug != "no" and draft.target.plugs and not draft.others:
            spans.append("  connector")
            if draft.act.plug == "maybe":
                mark = "◂" if draft.target.plug is None else ""
                spans.append((f" [0] all{mark}", "busy" if mark else ""))
            for number, place in enumerate(draft.target.plugs[:9], 1):
                mark = "◂" if place == draft.target.plug else ""
                spans.append((f" [{number}] c{plug(*place)}{mark}", "busy" if mark else ""))
        return packed(spans, self.screen.size.width) if spans else []

    def _answers(self, draft: Draft, preview: Preview) -> list[Span]:
        asked = "the number" if draft.others else "its id"
        typed = f" (type {asked})" if preview.level >= TYPED_LEVEL else ""
        idle = "[w] at once" if draft.when_idle else "[w]hen idle"
        offer_idle = [f" {idle} "] if preview.sessions or draft.when_idle else []
        more = [f"  {text}" for text in (self._typed(draft), "[c]opy the line below") if text]
        return [f" [y]es{typed} ", *offer_idle, " [n]o ◂ default ", *more]

    def _typed(self, draft: Draft) -> str:
        """What was typed beside the answer, or the key to type it."""
        if draft.act.text is not None:
            key, name = draft.act.text
            return f"{name}: {draft.text}" if draft.text else f"[{key}]{name.removeprefix(key)}"
        if draft.act.foretell is not None:
            return ""
        return f"reason: {draft.reason}" if draft.reason else "[r]eason"

    def render_line(self, y: int) -> Strip:
        line = self.lines[y] if y < len(self.lines) else ()
        return strip(line, self.size.width, self.tone)


def packed(spans: Iterable[Span], width: int) -> list[Line]:
    """The pieces in as many lines as they need; none is cut that fits a line of its own."""
    lines: list[list[Span]] = [[]]
    for span in spans:
        if lines[-1] and width_of([*lines[-1], span]) > width:
            lines.append([])
        lines[-1].append(span)
    return [tuple(line) for line in lines]


def wrapped(text: str, width: int, most: int) -> list[str]:
    """The text in at most ``most`` lines, each led by a blank; what does not fit ends in ``…``."""
    lines = [""]
    for word in clean(text).split(" "):
        rest = word
        if lines[-1] and len(lines[-1]) + 1 + len(rest) > width:
            lines.append("")
        while len(rest) > width > 0:  # a path: its end is what one looks for
            lines[-1], rest = f" {rest[:width]}", rest[width:]
            lines.append("")
        lines[-1] = f"{lines[-1]} {rest}"[: width + 1]
    if len(lines) > most:
        lines = lines[:most]
        lines[-1] = lines[-1][: width - 1] + "…"
    return lines

"""One act for many: what it would do to all of them, how far it is, and who refused."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cms.contract.intents import IntentView, Preview
from cms.contract.refusals import Invalid, Refusal
from tui import signs, words
from tui.link import Daemon
from tui.mirror import Mirror, Ref
from tui.orders import Draft, Target

AT_ONCE = 8
"""So many requests are under way together."""
SEVERAL, MANY = 2, 3
MANY_FROM = 11
"""From so many on the number must be typed."""
BAR = 10
_DETAIL = re.compile(r": [^;]*")
"""What is said of one session alone: ``ends 1 running session: EVSE 1, ...; it reboots``."""
_EIGHTHS = " ▏▎▍▌▋▊▉"


# ---- what it would do


async def foretold(daemon: Daemon, draft: Draft) -> Preview | Refusal:
    """The sum of what the daemon says of each; a refusal when all would be refused."""
    singles = draft.each()
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(single: Draft) -> Preview | Refusal:
        async with gate:
            return await foretold_of_one(daemon, single)

    return summed(draft, await asyncio.gather(*map(one, singles)))


async def foretold_of_one(daemon: Daemon, draft: Draft) -> Preview | Refusal:
    """What it would do to one."""
    try:
        if draft.act.foretell is not None:
            return draft.act.foretell(draft)
        answer: Preview = await daemon.ask(draft.request(dry_run=True))
        return answer
    except Refusal as refusal:
        return refusal


def summed(draft: Draft, verdicts: Sequence[Preview | Refusal]) -> Preview | Refusal:
    """The previews of all as one: the gravest level, at least that of their number."""
    taken = [verdict for verdict in verdicts if isinstance(verdict, Preview)]
    refused = [verdict for verdict in verdicts if isinstance(verdict, Refusal)]
    if not taken:
        return refused[0]
    level = max(MANY if len(verdicts) >= MANY_FROM else SEVERAL, *(p.level for p in taken))
    sessions = tuple(dict.fromkeys(key for preview in taken for key in preview.sessions))
    told = [_impacts(taken)]
    if sessions:
        told.insert(0, f"touches {_count(len(sessions), 'running session')}")
    if refused:
        told.append(f"{len(refused)} would be refused: {words.sentence(refused[0])}")
    return Preview(draft.act.name, "", level, "; ".join(told), cli_of_all(draft, verdicts), sessions)


def _impacts(previews: Sequence[Preview]) -> str:
    """What is said of each, the same things said once with their number, the gravest first."""
    counted: dict[str, int] = {}
    for preview in sorted(previews, key=lambda p: -p.level):
        impact = _DETAIL.sub("", preview.impact)
        counted[impact] = counted.get(impact, 0) + 1
    parts = [f"{number}x {impact}" for impact, number in counted.items()]
    more = len(parts) - 3
    return "; ".join(parts[:3]) + (f"; and {more} more like these" if more > 0 else "")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def cli_of_all(draft: Draft, verdicts: Sequence[Preview | Refusal]) -> str:
    """One line with all names where the lines differ in the name alone; otherwise the lines, one after the other."""
    lines: list[str] = []
    names: list[str] = []
    shapes: set[tuple[str, ...]] = set()
    for single, verdict in zip(draft.each(), verdicts, strict=True):
        if isinstance(verdict, Refusal):
            continue
        parts, name = shlex.split(verdict.cli), draft.name_of(single.target)
        lines.append(verdict.cli)
        names.append(name)
        shapes.add(tuple("\0" if part == name else part for part in parts))
    shape = shapes.pop()
    if shapes or shape.count("\0") != 1:
        return "; ".join(lines)
    return " ".join(
        " ".join(map(shlex.quote, names)) if part == "\0" else shlex.quote(part) for part in shape
    )


# ---- how far it is


@dataclass(eq=False)
class Batch:
    """An act that is being given to many. ``place`` is where it began; ``waiting`` is not asked for yet."""

    draft: Draft
    place: Any = None
    cli: str = ""
    waiting: deque[Draft] = field(default_factory=deque)
    under_way: dict[str, str] = field(default_factory=dict)
    """The names by their orders that have no end yet."""
    done: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    """Why, by name: refused, failed, expired."""
    asking: int = 0
    stopped: int = 0

    def __post_init__(self) -> None:
        self.waiting.extend(self.draft.each())

    @property
    def total(self) -> int:
        return 1 + len(self.draft.others)

    @property
    def sending(self) -> bool:
        """Whether something is still to be asked for, or has no answer yet."""
        return bool(self.waiting or self.asking)

    @property
    def over(self) -> bool:
        return not self.sending and not self.under_way

    def stop(self) -> int:
        """What was not asked for yet is not done; answers how many that are."""
        self.stopped += len(self.waiting)
        self.waiting.clear()
        return self.stopped

    def take(self, target: Target, verdict: Any) -> None:
        """One was answered."""
        self.asking -= 1
        name = self.draft.name_of(target)
        match verdict:
            case Refusal():
                self.refused[name] = words.sentence(verdict)
            case IntentView() if verdict.status not in signs.FINAL:
                self.under_way[verdict.id] = name
            case IntentView():
                self._end(name, verdict)
            case _:
                self.done.append(name)

    def hear(self, mirror: Mirror, changed: set[Ref]) -> bool:
        """Orders moved on; answers whether one of ours came to its end."""
        ended = False
        for kind, key in changed:
            intent = mirror.intents.get(key) if kind == "intent" and key in self.under_way else None
            if intent is not None and intent.status in signs.FINAL:
                self._end(self.under_way.pop(key), intent)
                ended = True
        return ended

    def _end(self, name: str, intent: IntentView) -> None:
        if intent.status == "confirmed" or (intent.status == "accepted" and not intent.has_effect):
            self.done.append(name)
        else:
            self.refused[name] = f"{intent.status}: {intent.detail or 'the station said no more'}"

    def line(self) -> tuple[str, str]:
        """Text and tone for the message line."""
        name, total = self.draft.act.name, self.total
        ended = len(self.done) + len(self.refused)
        tone = "bad" if self.refused else "busy"
        refused = f" · {len(self.refused)} refused" if self.refused else ""
        if self.sending:
            return f"{name} {ended}/{total} {bar(ended, total)}{refused} · esc stops the rest", tone
        if not self.over:
            return (
                f"{name} {ended}/{total} {bar(ended, total)}{refused} · {len(self.under_way)} under way",
                tone,
            )
        stopped = f" · {self.stopped} not asked for" if self.stopped else ""
        told = " · :refusals says why" if self.refused else ""
        sign = "✖" if self.refused else "✔"
        return (
            f"{sign} {name}: {len(self.done)} of {total} done{refused}{stopped}{told}",
            "bad" if self.refused else "good",
        )

    def refusals(self) -> list[str]:
        """The sheet of those that it was not done to: who, why, and how to ask again."""
        draft = self.draft
        lines = [f"{draft.headline().rstrip('?')}: {len(self.done)} done, {len(self.refused)} refused"]
        if self.under_way:
            lines.append(f"{len(self.under_way)} are still under way")
        if self.stopped:
            lines.append(f"{self.stopped} were not asked for: you stopped it")
        lines.append("")
        width = max(map(len, self.refused), default=0)
        lines += [f"{name:<{width}}  {why}" for name, why in sorted(self.refused.items())]
        if self.refused:
            again = cli_for(self.cli, [draft.name_of(target) for target in draft.targets], list(self.refused))
            lines += ["", "They stay marked in the list: the same key asks for them again."]
            lines += ["Or, as a line (y copies this sheet):", f"  {again}"] if again else []
        return lines


def cli_for(cli: str, all_names: Sequence[str], names: Sequence[str]) -> str:
    """The line for all, cut down to some of its names; empty where it is no single line."""
    if "; cms " in cli:
        return ""
    left_out = set(all_names).difference(names)
    return " ".join(shlex.quote(part) for part in shlex.split(cli) if part not in left_out)


def bar(done: int, total: int, width: int = BAR) -> str:
    """How much of it is done, in eighths of a cell."""
    eighths = done * width * 8 // max(1, total)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


async def give(daemon: Daemon, batch: Batch, told: Any) -> None:
    """Ask for all of them, a few at once; ``told(target, verdict)`` hears each answer."""

    async def one_after_the_other() -> None:
        while batch.waiting:
            single = batch.waiting.popleft()
            batch.asking += 1
            try:
                verdict: Any = await daemon.ask(single.request(dry_run=False))
            except Refusal as refusal:
                verdict = refusal
            told(single.target, verdict)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(AT_ONCE, len(batch.waiting))):
            group.create_task(one_after_the_other())


def gathered(draft: Draft, targets: Sequence[Target]) -> Draft | Refusal:
    """The draft for all targets that it can be about."""
    fitting = [t for t in targets if t.kind == draft.act.kind]
    if draft.act.needs_session:
        fitting = [t for t in fitting if t.session is not None]
    if not fitting:
        return Invalid(f"none of the marked rows is one to {draft.act.name}")
    first, *others = (Draft.of(draft.act, target).target for target in fitting)
    return replace(draft, target=first, others=tuple(others))

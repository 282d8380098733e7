"""Acts: ask what would happen, ask the person, give the order, tell what became of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cms.contract.intents import IntentView, Preview
from cms.contract.refusals import Refusal
from cms.contract.stations import StationCredential
from cms.contract.tokens import TokenView
from tui import bulk, words
from tui.bulk import Batch
from tui.link import Daemon
from tui.notes import Answer, BatchMoved, Considered, Given
from tui.orders import ACTS, Act, Draft, Target
from tui.widgets.entry import Entry
from tui.widgets.question import TYPED_LEVEL, Question

if TYPE_CHECKING:
    from tui.app import CmsApp

PROMPTS = {"stranger": "{act.name}:", "value": "{target.variable} =", "names": "names to read:"}


class Acting:
    """One act at a time: what it needs, its question, its order."""

    def __init__(self, app: CmsApp, daemon: Daemon) -> None:
        self._app = app
        self._daemon = daemon
        self._pending: tuple[Act, Target] | None = None
        """An act that waits for a token, a value or a station to be typed."""
        self._marked: tuple[Target, ...] = ()
        """The further targets of the act that is asked for."""
        self.last_cli = ""
        """The last order as a line for the shell."""

    @property
    def _question(self) -> Question:
        return self._app.screen.query_one(Question)

    @property
    def _entry(self) -> Entry:
        return self._app.screen.query_one(Entry)

    def draft_of(self, action: str, target: Target | None) -> Draft | None:
        """An act of the key table as it would begin on this target; none where something must be typed first."""
        act = ACTS.get(action.removeprefix("act('").removesuffix("')"))
        if act is None or target is None or target.kind != act.kind or act.needs:
            return None
        return None if act.needs_session and target.session is None else Draft.of(act, target)

    # ---- what the act is about

    def begin(self, name: str) -> None:
        """Act on what the cursor stands on, or say what is missing."""
        place = self._app.here
        self.begin_with(
            ACTS[name], place.target() if place else None, place.marked_targets() if place else []
        )

    def begin_with(self, act: Act, target: Target | None, marked: Sequence[Target] = ()) -> None:
        """Give an order about this target, or about all that are marked; or say what is missing."""
        say = self._app.say
        self._marked = ()
        if marked and act.name != "config-set":
            gathered = bulk.gathered(Draft(act, marked[0]), marked)
            if isinstance(gathered, Refusal):
                say(words.sentence(gathered), "warn")
                return
            target, self._marked = gathered.target, gathered.others
        if self._app.read_only:
            say("read-only: ! allows acts again", "warn")
        elif not self._app.following.live:
            say("the daemon is gone: acts are off until it is back", "bad")
        elif target is None or target.kind != act.kind:
            self._begin_elsewhere(act, target)
        elif act.needs_session and target.session is None:
            say(f"no single session is running here at {target.station}: open it and choose one", "warn")
        elif act.name == "config-set" and not target.variable:
            say("put the cursor on a variable first", "warn")
        elif act.needs == "value" or (act.needs == "token" and not target.token):
            self._ask_for(act, target, target.value)
        elif act.needs == "names" and target.must_name:
            say("this station wants names, e.g. OCPPCommCtrlr.HeartbeatInterval", "dim")
            self._ask_for(act, target, " ".join(target.variables))
        else:
            self._ask(Draft.of(act, target))

    def _begin_elsewhere(self, act: Act, target: Target | None) -> None:
        """The cursor stands on nothing that the act could be about."""
        say, strangers = self._app.say, self._app.mirror.strangers
        if act.needs == "stranger" and strangers:
            self._ask_for(act, Target("", kind="stranger"), next(iter(strangers)))
        elif act.needs == "stranger":
            say("no unknown station has knocked")
        elif act.name == "token-add":
            self._ask_for(act, Target("", kind="card"))
        elif target is not None and target.kind == "stranger":
            say(f"{target.station} is not enrolled: E enrols it", "warn")
        else:
            say(f"put the cursor on a {act.kind} first", "warn")

    def _ask_for(self, act: Act, target: Target, text: str = "") -> None:
        """Have a token, a value or a station typed; the question follows."""
        mirror = self._app.mirror
        choices: dict[str, Callable[[], list[str]]] = {
            "token": lambda: list(mirror.tokens),
            "stranger": lambda: list(mirror.strangers),
        }
        self._pending = (act, target)
        prompt = act.prompt or PROMPTS.get(act.needs, "{act.needs}:").format(act=act, target=target)
        self._entry.open(act.needs, prompt, text, choices.get(act.needs, list))

    def take_needed(self, purpose: str, text: str) -> None:
        """What the act waited for was typed."""
        pending, self._pending = self._pending, None
        if pending is None or not (text or purpose == "value"):
            return
        act, target = pending
        match purpose:
            case "token":
                self._ask(Draft.of(act, replace(target, token=text)))
            case "stranger":
                self._ask(Draft.of(act, replace(target, station=text)))
            case "value":
                self._ask(replace(Draft.of(act, target), text=text))
            case "names":
                self._ask(Draft.of(act, replace(target, variables=tuple(text.split()))))

    # ---- the question

    def _ask(self, draft: Draft) -> None:
        self._app.hush()
        draft = replace(draft, others=self._marked)
        self._question.open(draft)
        if self._app.here is not None:
            self._app.here.draw_frame()
        self.consider(draft)

    def consider(self, draft: Draft) -> None:
        """Ask what the order would do."""
        if draft.others:
            self._app.run_worker(self._fetch_sum(draft), group="preview", exclusive=True)
            return
        if (foretell := draft.act.foretell) is not None:
            self._app.post_message(Considered(draft, foretell(draft)))
            return
        self._app.run_worker(self._fetch_preview(draft), group="preview", exclusive=True)

    async def _fetch_preview(self, draft: Draft) -> None:
        try:
            verdict: Preview | Refusal = await self._daemon.ask(draft.request(dry_run=True))
        except Refusal as refusal:
            verdict = refusal
        self._app.post_message(Considered(draft, verdict))

    async def _fetch_sum(self, draft: Draft) -> None:
        self._app.post_message(Considered(draft, await bulk.foretold(self._daemon, draft)))

    def tell_preview(self, draft: Draft, verdict: Preview | Refusal) -> None:
        """Show what the order would do; what changes nothing is done without asking."""
        place = self._app.here
        if place is None or (question := place.query_one(Question)).draft != draft:
            return
        if isinstance(verdict, Refusal):
            question.refuse(words.sentence(verdict))
            return
        question.tell(verdict)
        if verdict.level == 0:
            self._give(draft)

    def answer(self, word: str, draft: Draft) -> None:
        """The person has answered the question, or wants to say more first."""
        preview = self._question.preview
        match word:
            case "no":
                self._close_question()
                self._app.say("nothing was done")
            case "copy" if preview is not None:
                self._app.copy(preview.cli)
                self._app.say(f"copied: {preview.cli}", "good")
            case "reason":
                self._entry.open("reason", "reason:", draft.reason)
            case "text" if draft.act.text is not None:
                self._entry.open("text", f"{draft.act.text[1]}:", draft.text)
            case "yes" if preview is not None and preview.level >= TYPED_LEVEL:
                self._entry.open("confirm", f"type {draft.confirms}:")
            case "yes":
                self._give(draft)

    def take_asked(self, purpose: str, text: str) -> None:
        """A reason, another text, or the name that confirms was typed."""
        question = self._question
        draft = question.draft
        if draft is None:
            return
        if purpose == "reason":
            question.reopen(replace(draft, reason=text))
        elif purpose == "text":
            question.reopen(replace(draft, text=text))
        elif text == draft.confirms:
            self._give(draft)
        else:
            self._app.say(f"that is not {draft.confirms}: nothing was done", "warn")

    def _close_question(self) -> None:
        self._question.close()
        if (place := self._app.here) is not None and (table := place.table()) is not None:
            table.focus()

    # ---- the order

    def _give(self, draft: Draft) -> None:
        if (preview := self._question.preview) is not None:
            self.last_cli = preview.cli
        self._close_question()
        if draft.others:
            self._give_to_many(draft)
            return
        self._app.progress.begin(draft)
        self._app.say(f"→ {draft.act.name} {draft.target.subject}: asking …", "busy")
        self._app.run_worker(self._fetch_order(draft), group="orders")

    # ---- many

    def _give_to_many(self, draft: Draft) -> None:
        batch = Batch(draft, self._app.here, self.last_cli)
        self._app.progress.batch = batch
        self._app.say(*batch.line())
        self._app.run_worker(self._fetch_batch(batch), group="orders")

    async def _fetch_batch(self, batch: Batch) -> None:
        def told(target: Target, verdict: Any) -> None:
            self._app.post_message(BatchMoved(batch, target, verdict))

        await bulk.give(self._daemon, batch, told)

    def tell_batch(self, batch: Batch, target: Target, verdict: Any) -> None:
        """One of many was answered; when all were, what was refused stays marked and is told."""
        app = self._app
        batch.take(target, verdict)
        if isinstance(verdict, IntentView):
            app.painting.collect(app.mirror.put(verdict) | {("intent", verdict.id)})
        elif isinstance(verdict, TokenView):
            app.painting.collect(app.mirror.put(verdict))
        if batch is not app.progress.batch:
            return
        app.say(*batch.line())
        if not batch.sending:
            self._end_batch(batch)

    def _end_batch(self, batch: Batch) -> None:
        place = batch.place
        if place is not None and place.is_attached:
            place.keep_marked(lambda target: batch.draft.name_of(target) in batch.refused)
        if (
            batch.refused
            and place is self._app.here
            and not self._question.is_open
            and not self._entry.is_open
        ):
            self.tell_refusals()

    def tell_refusals(self) -> None:
        """Who refused the last act for many, and why."""
        batch = self._app.progress.batch
        if batch is None or not (batch.refused or batch.stopped):
            self._app.say("nothing was refused")
            return
        self._app.travel.open_paper("Refusals", batch.refusals())

    def stop_batch(self) -> bool:
        """What was not asked for yet is not done; answers whether there was something to stop."""
        batch = self._app.progress.batch
        if batch is None or not batch.waiting:
            return False
        batch.stop()
        self._app.say(*batch.line())
        return True

    async def _fetch_order(self, draft: Draft) -> None:
        try:
            verdict: Answer | Refusal = await self._daemon.ask(draft.request(dry_run=False))
        except Refusal as refusal:
            verdict = refusal
        self._app.post_message(Given(draft, verdict))

    def tell_answer(self, draft: Draft, verdict: Answer | Refusal) -> None:
        """Say what the daemon answered; an order that it took is followed to its end."""
        app = self._app
        mine = app.progress.answered(draft)
        subject = draft.target.subject
        match verdict:
            case Refusal():
                app.say(f"✖ {draft.act.name} {subject}: {words.sentence(verdict)}", "bad")
            case IntentView() as intent:
                if mine:
                    app.progress.follow(intent.id)
                app.painting.collect(app.mirror.put(intent) | {("intent", intent.id)})
            case StationCredential() as credential:
                app.say(f"✔ {credential.id} is enrolled; the password is shown this once", "good")
                app.travel.open_paper(f"{credential.id} is enrolled", credential_lines(credential))
            case TokenView() as token:
                app.say(f"✔ token {token.id} is {token.status}", "good")
                app.painting.collect(app.mirror.put(token))
            case _:
                app.say(f"✔ {draft.act.name} {subject}: done", "good")


def credential_lines(credential: StationCredential) -> list[str]:
    """What the new station is to be configured with."""
    password = credential.password or "none (security profile 0)"
    return [
        "Set this in the station. The password is shown this once, and kept nowhere:",
        "it is gone when this sheet is closed. y copies it all.",
        "",
        f"url       {credential.url}",
        f"user      {credential.username}",
        f"password  {password}",
        f"profile   {credential.security_profile}",
    ]

"""What workers and the link post to the console, so that only handlers touch what is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.message import Message as Note

from cms.contract.events import Event
from cms.contract.intents import IntentView, Preview
from cms.contract.refusals import Refusal
from cms.contract.stations import Message, StationCredential, Variable
from cms.contract.tokens import TokenView
from tui.bulk import Batch
from tui.link import LinkState
from tui.orders import Draft, Target

if TYPE_CHECKING:
    from cms.contract.alerts import AlertView
    from cms.contract.evses import EvseView
    from cms.contract.prices import Explanation
    from cms.contract.sessions import Sample
    from cms.contract.sites import SiteView
    from tui.screens.book import BookPlace
    from tui.screens.configuration import Configuration
    from tui.screens.station import Station
    from tui.screens.tokens import Tokens

Answer = IntentView | StationCredential | TokenView | None


class Collected(Note):
    """Something changed; it waits in the basket."""


@dataclass(eq=False)
class LinkTurned(Note):
    """The daemon is gone, or back."""

    state: LinkState


@dataclass(eq=False)
class Considered(Note):
    """What the daemon says an order would do, or why not."""

    draft: Draft
    verdict: Preview | Refusal


@dataclass(eq=False)
class Given(Note):
    """An order was taken, or not; what is only in our books is done then."""

    draft: Draft
    verdict: Answer | Refusal


@dataclass(eq=False)
class IdentityKnown(Note):
    """What the daemon lets whoever sits here do."""

    permissions: tuple[str, ...]


@dataclass(eq=False)
class Foretold(Note):
    """What an act in the palette would do."""

    name: str
    verdict: Preview | Refusal


@dataclass(eq=False)
class BatchMoved(Note):
    """One of many was answered."""

    batch: Batch
    target: Target
    verdict: Any


@dataclass(eq=False)
class FramesHeard(Note):
    """Frames of the station that is looked at."""

    place: Station
    frames: list[Message]


@dataclass(eq=False)
class PowerRead(Note):
    """The samples of a session that runs at the station that is looked at."""

    place: Station
    session: str
    samples: list[Sample]


@dataclass(eq=False)
class SurroundingsRead(Note):
    """Where the station that is looked at stands (None: nowhere that is registered), and its EVSEs."""

    place: Station
    site: SiteView | None
    evses: list[EvseView]


@dataclass(eq=False)
class PriceRead(Note):
    """Why a session costs what it costs."""

    price: Explanation


@dataclass(eq=False)
class PresentedRead(Note):
    """The cards that were presented lately."""

    place: Tokens
    presented: list[Event]


@dataclass(eq=False)
class BookRead(Note):
    """The rows of a book, or why there are none."""

    place: BookPlace
    rows: list[Any] | Refusal


@dataclass(eq=False)
class Tended(Note):
    """Alerts were looked after: which way, each with the daemon's answer; and what was refused."""

    word: str
    done: list[tuple[AlertView, Any]]
    refused: Refusal | None


@dataclass(eq=False)
class Fetched(Note):
    """What a place asked for beside its rows (``what`` says for which purpose), or why it did not get it."""

    place: Any
    what: str
    found: Any


@dataclass(eq=False)
class CommandEnded(Note):
    """What ``:cms`` told, line by line, and its exit code; None: it was ended."""

    command: str
    code: int | None
    lines: list[str]


@dataclass(eq=False)
class RowRead(Note):
    """All of a row that somebody opened."""

    place: BookPlace
    called: str
    row: Any


@dataclass(eq=False)
class VariablesRead(Note):
    """What is known of a station's configuration."""

    place: Configuration
    variables: list[Variable]

"""Access rules: who may charge where and when, and how much; and why a token may or may not.

Every rule names a subject, and says one thing about it:

* ``allow``: where and when its conditions hold, its subject may charge;
* ``deny``: where and when they hold, it may not;
* ``only``: where and when they do not hold, it may not (where they hold, other rules go on deciding);
* ``budget``: so much in a day, a week or a month, and no more.

The first three are asked in one order, and the first that decides is the last that is asked: the higher
``priority`` first; then the narrower subject (token, driver, group, everyone); then the narrower place (EVSE,
station, site, connector type, anywhere); then what holds at certain hours before what always holds; then ``deny``
before ``only`` before ``allow``. Where none decides the token may charge. Budgets are asked besides: every one of
them holds, whatever is allowed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cms.contract.record import record
from cms.contract.tariffs import Money

SUBJECTS = ("token", "driver", "group", "everyone")
EFFECTS = ("allow", "deny", "only", "budget")
PERIODS = ("day", "week", "month")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
THEN = ("stop", "limit")


@record
class Where:
    """Places. One of the sites, stations or EVSEs (``STATION:EVSE``) must be it, and one of the connector types.

    Connector types as OCPP spells them (cCCS2, sType2). Nothing given: everywhere.
    """

    sites: tuple[str, ...] = ()
    stations: tuple[str, ...] = ()
    evses: tuple[str, ...] = ()
    connector_types: tuple[str, ...] = ()


@record
class Hours:
    """Days of the week (none: all) and times of day, ``HH:MM``, by the clock of the site.

    ``from_time`` after ``to_time`` runs over midnight, and belongs to the day on which it began.
    """

    days: tuple[str, ...] = ()
    from_time: str | None = None
    to_time: str | None = None


@record
class Budget:
    """What may be used in a calendar ``period`` (day, week from Monday, month); a session counts where it began.

    ``each``: every driver (or token without one) has it for himself, else the subject shares it. ``then``: what
    happens to a running session that uses it up: ``stop`` it, or ``limit`` it to ``power_w``.
    """

    period: str
    energy_wh: int | None = None
    cost: Money | None = None
    minutes: int | None = None
    sessions: int | None = None
    each: bool = False
    then: str = "stop"
    power_w: int | None = None


@record
class Rule:
    """One rule about one subject; ``subject`` is empty for everyone. ``time_zone``: instead of the site's."""

    id: str
    effect: str
    kind: str
    subject: str = ""
    where: Where | None = None
    hours: Hours | None = None
    budget: Budget | None = None
    priority: int = 0
    time_zone: str | None = None
    note: str | None = None
    changed_at: datetime | None = None
    changed_by: str | None = None


@record
class RuleView:
    """A rule with its conditions on one line for people; ``rank`` is its place in the order, from 1."""

    rank: int
    id: str
    effect: str
    kind: str
    subject: str
    says: str
    priority: int
    note: str | None
    changed_at: datetime | None
    changed_by: str | None
    rule: Rule


@record
class Step:
    """One rule that was asked. ``outcome``: decides, passes, used-up, not-asked; ``why`` in words."""

    rule: str
    effect: str
    subject: str
    outcome: str
    why: str


@record
class UsageView:
    """What was used of a budget in the period from ``since`` to ``until``. ``holder`` is whose it is."""

    rule: str
    holder: str
    period: str
    since: datetime
    until: datetime
    energy_wh: int
    cost: Money | None
    minutes: int
    sessions: int
    running: int
    left: Budget
    used_up: str | None = None


@record
class Explanation:
    """Whether a token may charge at a place and an instant: the answer, the rule that decided, and every step.

    ``rule`` is null where none decided: the token's own state did, or nothing speaks against it. ``evses``: the
    EVSEs that it may use, where not all.
    """

    token: str
    station: str
    evse: int | None
    at: datetime
    local_time: str
    status: str
    rule: str | None
    reason: str
    evses: tuple[int, ...] = ()
    steps: tuple[Step, ...] = ()
    budgets: tuple[UsageView, ...] = ()


@dataclass(frozen=True, slots=True)
class ListRules:
    """In the order in which they are asked."""

    filter: str | None = None


@dataclass(frozen=True, slots=True)
class ShowRule:
    rule: str


@dataclass(frozen=True, slots=True)
class AddRule:
    """A rule without an id is given one."""

    rule: Rule


@dataclass(frozen=True, slots=True)
class SetRule:
    """Replace a rule by another under its id."""

    rule: Rule


@dataclass(frozen=True, slots=True)
class RemoveRule:
    rule: str


@dataclass(frozen=True, slots=True)
class ExplainAccess:
    """What a token would be told that is presented to start a session; nothing comes of it."""

    token: str
    station: str
    evse: int | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ShowBudgets:
    """What is used of the budgets of a subject: ``token:CARD1``, ``driver:D7``, ``group:fleet``, ``everyone``.

    Null: of all budgets, everybody's. ``at``: in the periods of that instant; null is now.
    """

    subject: str | None = None
    at: datetime | None = None

"""The configuration of a station: what it last told of it; it can be read anew and written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, cast

from textual.widget import Widget

from cms.contract.stations import Variable
from tui.mirror import Ref
from tui.orders import Target
from tui.screens.page import Panel
from tui.screens.place import ago
from tui.widgets.lines import Lines
from tui.widgets.live_table import Column, LiveTable
from tui.widgets.paint import Line, Span

if TYPE_CHECKING:
    from tui.screens.station import Station

COLUMNS = (
    Column("Variable", 30, most=56),
    Column("Value", 16, grow=True),
    Column("", 2),
    Column("Attribute", 9, drop=5),
    Column("Heard", 5, right=True, drop=2),
    Column("", 6, drop=3),
)
TOLD_BY = frozenset({"config-get", "config-set"})


class Configuration(Panel):
    """Variables with their values; ``L`` reads them from the station, enter writes one."""

    place = "configuration"
    title = "Configuration"
    filter_keys: ClassVar[type] = Variable

    def __init__(self, *, classes: str = "") -> None:
        super().__init__(classes=classes)
        self.variables: dict[str, Variable] = {}

    @property
    def station(self) -> str:
        return cast("Station", self.page).station

    def compose(self) -> Iterable[Widget]:
        yield Lines(id="configline")
        table = LiveTable(COLUMNS, self._cells, id="variables")
        table.empty = "nothing is known of its configuration yet: L asks the station"
        yield table
        yield Lines(id="variable")

    @property
    def list_table(self) -> LiveTable:
        return self.query_one("#variables", LiveTable)

    def begin(self) -> None:
        self.console.reading.read_variables(self)

    def draw(self, changed: set[Ref] | None) -> None:
        if changed is None:
            self.chosen()
        elif any(self._tells_of_us(ref) for ref in changed):
            self.console.reading.read_variables(self)

    def _tells_of_us(self, ref: Ref) -> bool:
        kind, key = ref
        if kind == "event":
            event = self.mirror.events.get(key)
            return event is not None and (event.type, event.station) == (
                "station.configuration",
                self.station,
            )
        intent = self.mirror.intents.get(key) if kind == "intent" else None
        return intent is not None and intent.station == self.station and intent.order in TOLD_BY

    def hear(self, variables: Sequence[Variable]) -> None:
        """What the daemon knows of the station's configuration now."""
        self.variables = {f"{v.name}\0{v.attribute}": v for v in variables}
        self.chosen()

    def chosen(self) -> None:
        matches = self.predicate
        keys = [key for key, v in self.variables.items() if matches is None or matches(v)]
        keys.sort(key=str.casefold)
        table = self.list_table
        if table.ids != keys:
            table.set_ids(keys)
        table.repaint_changed()
        right = f"{len(keys):,} of {len(self.variables):,} · as last told by the station "
        self.query_one("#configline", Lines).show([self.line_above(right)])
        self._draw_variable()

    def _draw_variable(self) -> None:
        """What is known of the variable under the cursor."""
        row = self.variables.get(self.list_table.cursor_id or "")
        told = characteristics(row) if row is not None else ""
        line: Line = ((f" {row.name}: {told}", "dim"),) if row is not None and told else ()
        self.query_one("#variable", Lines).show([line])

    def on_live_table_moved(self, event: LiveTable.Moved) -> None:
        self._draw_variable()

    def _cells(self, key: str) -> Sequence[Span]:
        variable = self.variables.get(key)
        if variable is None:
            return [""] * len(COLUMNS)
        value: Span = ("not told", "dim") if variable.value is None else variable.value
        return (
            variable.name,
            value,
            ("ro", "dim") if variable.readonly else "rw",
            (variable.attribute, "dim"),
            ago(self.page, variable.reported_at),
            ("reboot", "warn") if variable.reboot_required else "",
        )

    def target(self) -> Target | None:
        base = cast("Station", self.page).station_target()
        view = self.mirror.stations.get(self.station)
        if base is None or view is None:
            return None
        key = self.list_table.cursor_id
        row = self.variables.get(key) if key else None
        # OCPP 1.6 tells all its keys when none is named (5.8); 2.x wants them named (B06).
        must_name = not (view.ocpp_version or "").startswith("1.")
        return replace(
            base,
            variable=row.name if row else "",
            value=(row.value or "") if row else "",
            variables=tuple(dict.fromkeys(v.name for v in self.variables.values())) if must_name else (),
            must_name=must_name,
        )

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        event.stop()
        variable = self.variables.get(event.key)
        if variable is not None and variable.readonly:
            self.console.say(f"{variable.name} can only be read", "warn")
        else:
            self.console.action_act("config-set")


def characteristics(variable: Variable) -> str:
    """Its type, unit, limits and values as the station told them, and what it is called in 2.x."""
    limits = [
        f"{word} {limit:g}"
        for word, limit in (("at least", variable.min_limit), ("at most", variable.max_limit))
        if limit is not None
    ]
    named = [variable.data_type, variable.unit, *limits]
    if variable.values:
        named.append("one of " + ", ".join(variable.values))
    if variable.reboot_required:
        named.append("holds after a reboot")
    if variable.same_as:
        named.append(f"in 2.x {variable.same_as}")
    return " · ".join(word for word in named if word)

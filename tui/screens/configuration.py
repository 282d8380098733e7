"""The configuration of a station: what it last told of it; it can be read anew and written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from textual.widget import Widget

from cms.contract import filters
from cms.contract.refusals import Invalid
from cms.contract.stations import Variable
from tui.mirror import Ref
from tui.orders import Target
from tui.screens.place import Place, ago, target_of_station
from tui.widgets.lines import Lines
from tui.widgets.live_table import Column, LiveTable
from tui.widgets.paint import Span, width_of

COLUMNS = (
    Column("Variable", 30, most=56),
    Column("Value", 16, grow=True),
    Column("", 2),
    Column("Attribute", 9, drop=5),
    Column("Heard", 5, right=True, drop=2),
    Column("", 6, drop=3),
)
TOLD_BY = frozenset({"config-get", "config-set"})


class Configuration(Place):
    """Variables with their values; ``L`` reads them from the station, enter writes one."""

    place = "configuration"

    def __init__(self, station: str) -> None:
        super().__init__()
        self.station = station
        self.variables: dict[str, Variable] = {}
        self._expression = ""
        self._predicate: filters.Predicate | None = None

    def body(self) -> Iterable[Widget]:
        yield Lines(id="line")
        table = LiveTable(COLUMNS, self._cells, id="list")
        table.empty = "nothing is known of its configuration yet: L asks the station"
        yield table

    def on_mount(self) -> None:
        super().on_mount()
        self.console.reading.read_variables(self)

    def crumbs(self) -> list[str]:
        return ["Stations", f"{self.station} configuration"]

    def draw(self, changed: set[Ref] | None) -> None:
        if changed is None:
            self._draw_list()
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
        self._draw_list()

    def _draw_list(self) -> None:
        matches = self._predicate
        keys = [key for key, v in self.variables.items() if matches is None or matches(v)]
        keys.sort(key=str.casefold)
        table = self.query_one("#list", LiveTable)
        if table.ids != keys:
            table.set_ids(keys)
        table.repaint_changed()
        left: Span = (f" / {self._expression}", "busy") if self._expression else (" / filter", "dim")
        right = f"{len(keys):,} of {len(self.variables):,} · as last told by the station "
        blank = self.app.size.width - width_of([left, right])
        self.query_one("#line", Lines).show([(left, " " * max(1, blank), right)])

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
            ago(self, variable.reported_at),
            ("reboot", "warn") if variable.reboot_required else "",
        )

    def target(self) -> Target | None:
        base = target_of_station(self.mirror, self.station)
        view = self.mirror.stations.get(self.station)
        if base is None or view is None:
            return None
        key = self.query_one("#list", LiveTable).cursor_id
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
        variable = self.variables.get(event.key)
        if variable is not None and variable.readonly:
            self.console.say(f"{variable.name} can only be read", "warn")
        else:
            self.console.action_act("config-set")

    def filter_text(self) -> str:
        return self._expression

    def apply_filter(self, text: str, *, final: bool) -> None:
        try:
            predicate = filters.parse(text, filters.keys_of(Variable)) if text.strip() else None
        except Invalid as refusal:
            if final:
                self.console.say(refusal.message, "bad")
            return
        self._expression, self._predicate = text.strip(), predicate
        self._draw_list()

"""The menus of a list: what can be done with the row, the order, the columns, the saved views."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from tui import keys
from tui.screens.listed import Listed
from tui.views import View
from tui.widgets.entry import Entry
from tui.widgets.menu import Choice, Menu

if TYPE_CHECKING:
    from tui.app import CmsApp

DIGITS = "123456789"
#: Views that are there before somebody saved one; a saved one of the same name is taken instead.
GIVEN: dict[str, View] = {
    "faulted": View("stations", "connectors.status=faulted"),
    "offline": View("stations", "online=false", "since"),
    "charging": View("stations", "connectors.status=charging", "power", True),
    "flagged": View("sessions", "flags~e"),
}


class Menus:
    """Opens a menu and does what was picked in it."""

    def __init__(self, app: CmsApp) -> None:
        self._app = app

    @property
    def _menu(self) -> Menu:
        return self._app.screen.query_one(Menu)

    @property
    def _listed(self) -> Listed | None:
        place = self._app.here
        if isinstance(place, Listed):
            return place
        self._app.say("this is no list")
        return None

    # ---- all acts of the row

    def open_actions(self) -> None:
        """Everything that can be done with what the cursor stands on, or with what is marked."""
        app, place = self._app, self._app.here
        if place is None:
            return
        if app.read_only:
            app.say("read-only: ! allows acts again", "warn")
            return
        choices = [
            Choice(key.help, key.shown, key.word, value=partial(app.typed.call, key))
            for key in keys.here(place.place, app.rows)
            if key.acts
        ]
        choices += [Choice(act.name, act.key, "", value=act.run) for act in place.own_acts()]
        if not choices:
            app.say("nothing can be done here")
            return
        marked, target = place.marked_targets(), place.target()
        about = f"{len(marked)} marked rows" if marked else target.subject if target else "this place"
        self._menu.open("actions", f"Actions · {about}", choices)

    # ---- order and columns

    def open_sort(self) -> None:
        if (place := self._listed) is None:
            return
        if len(place.sorts) < 2:
            place.turn()
            return
        name, down = place.sorted_by
        choices = [
            Choice(
                sort,
                key,
                ("greatest first" if down else "least first") if sort == name else "",
                sort == name,
                sort,
            )
            for sort, key in lettered(place.sorts)
        ]
        self._menu.open(
            "sort", "Sort by", choices, hint="the same again turns it round · s turns · esc", letters="s"
        )

    def open_columns(self) -> None:
        if (place := self._listed) is None:
            return
        self._menu.open("columns", "Columns", self._columns(place), hint="space or the letter: on, off · r all · enter",
                        letters=" r")  # fmt: skip

    def _columns(self, place: Listed) -> list[Choice]:
        shown = place.list_table().shown_columns
        titled = [c.title for c in place.columns if c.title]
        return [
            Choice(title, key, "", title in shown, title) for title, key in lettered(titled, taken="rjkq")
        ]

    # ---- views

    def open_views(self) -> None:
        place = self._app.here
        known = self.known()
        choices = [
            Choice(name, digit, _told(view), isinstance(place, Listed) and place.view_now() == view, name)
            for (name, view), digit in zip(known.items(), DIGITS.ljust(len(known)), strict=False)
        ]
        self._menu.open(
            "views",
            "Views",
            choices,
            hint="1-9 shows · w saves what is shown · d deletes · esc",
            letters="wd",
        )

    def known(self) -> dict[str, View]:
        """Those that were saved, then those that are given."""
        saved = self._app.kept.views
        return {**saved, **{name: view for name, view in GIVEN.items() if name not in saved}}

    def show(self, name: str) -> None:
        """Go to the list and look at it like this."""
        view = self.known().get(name)
        if view is None:
            self._app.say(f"no view is called {name}: v lists them", "warn")
            return
        self._app.travel.look(view)
        self._app.say(f"view {name}")

    def save(self, name: str) -> None:
        """What is shown gets a name."""
        place = self._app.here
        if name and isinstance(place, Listed):
            self._app.kept.add_view(name, place.view_now())
            self._app.say(f"saved: v or :view {name} shows it again", "good")

    # ---- what was picked

    def take(self, purpose: str, choice: Choice | None, how: str) -> None:
        """Do what was picked."""
        value: Any = choice.value if choice is not None else None
        match purpose:
            case "columns":
                self._take_column(value, how)
            case "views" if how != "enter":
                self._change_views(value, how)
            case _:
                self._app.close_menu()
                self._do(purpose, value, how)

    def _do(self, purpose: str, value: Any, how: str) -> None:
        place = self._app.here
        if purpose == "sort" and isinstance(place, Listed):
            place.turn() if how == "s" else place.sort_by(value)
        elif purpose == "views" and value is not None:
            self.show(value)
        elif purpose in ("actions", "export") and value is not None:
            value()

    def _take_column(self, title: str | None, how: str) -> None:
        place = self._app.here
        if not isinstance(place, Listed):
            return
        if how == "r":
            place.choose_columns(None)
        elif title is not None:
            table = place.list_table()
            chosen = table.shown_columns ^ {title}
            place.choose_columns(table.fitting(chosen, title) if title in chosen else chosen)
        self._menu.replace(self._columns(place))

    def _change_views(self, name: str | None, how: str) -> None:
        app = self._app
        app.close_menu()
        if how == "w" and isinstance(app.here, Listed):
            app.screen.query_one(Entry).open("view", "name of the view:")
        elif how == "d" and name in app.kept.views:
            app.kept.drop_view(name)
            app.say(f"the view {name} is deleted")
        else:
            app.say("only a list can be saved, and only what was saved can be deleted", "warn")


def _told(view: View) -> str:
    parts = [view.place, view.filter, f"by {view.sort}{'↓' if view.down else ''}" if view.sort else ""]
    return " · ".join(part for part in parts if part)


def lettered(names: Iterable[str], taken: str = "sjkq") -> list[tuple[str, str]]:
    """Each name with a letter of its own, the first that is free; none where all are taken."""
    used = set(taken)
    found = []
    for name in names:
        key = next((letter for letter in name.casefold() if letter.isalnum() and letter not in used), "")
        used.add(key)
        found.append((name, key))
    return found

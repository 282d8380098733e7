"""HTML as strictly as a browser is lenient: what is opened is closed, every field has a label, nothing runs inline."""

from __future__ import annotations

from html.parser import HTMLParser

_VOID = frozenset({"meta", "link", "input", "img", "br"})
_NAMED = frozenset({"button", "a"})


class Page(HTMLParser):
    """A page that was read. ``problems`` is empty for one that is well made."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []
        self.fields: dict[str, str] = {}
        """Hidden fields: name and value."""
        self.ids: set[str] = set()
        self.texts: list[str] = []
        self.loaded: list[str] = []
        """Addresses of scripts, styles and pictures."""
        self._open: list[str] = []
        self._labelled: set[str] = set()
        self._inputs: list[tuple[str, dict[str, str]]] = []
        self._words: list[int] = []
        self.feed(text)
        self.close()
        self._at_the_end()

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._check(tag, given)
        if "id" in given:
            if given["id"] in self.ids:
                self.problems.append(f"two with id {given['id']}")
            self.ids.add(given["id"])
        if tag == "label":
            self._labelled.add(given.get("for", ""))
        if tag == "input":
            self._inputs.append((given.get("type", "text"), given))
            if given.get("type") == "hidden":
                self.fields[given["name"]] = given.get("value", "")
        self.loaded += [given[name] for name in ("src", "href") if name in given and tag != "a"]
        if tag not in _VOID:
            self._open.append(tag)
            self._words.append(len(self.texts))

    def _check(self, tag: str, given: dict[str, str]) -> None:
        if any(name.startswith("on") or name == "style" for name in given):
            self.problems.append(f"{tag} with something inline: {given}")
        if tag in ("script", "style") and "src" not in given:
            self.problems.append(f"inline {tag}")
        if tag == "img" and "alt" not in given:
            self.problems.append("a picture without a text")
        if tag == "html" and not given.get("lang"):
            self.problems.append("no language")
        if given.get("href", "").lower().startswith(("javascript:", "data:")):
            self.problems.append(f"a link that runs: {given['href']}")

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] != tag:
            self.problems.append(f"</{tag}> where {self._open[-3:]} are open")
            return
        self._open.pop()
        if tag in _NAMED and not "".join(self.texts[self._words.pop() :]).strip():
            self.problems.append(f"a {tag} without words")
        elif tag not in _NAMED:
            self._words.pop()

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] not in ("script", "style"):
            self.texts.append(data)

    def _at_the_end(self) -> None:
        self.problems += [f"<{tag}> is never closed" for tag in self._open]
        for kind, given in self._inputs:
            if kind != "hidden" and given.get("id") not in self._labelled:
                self.problems.append(f"a field without a label: {given}")

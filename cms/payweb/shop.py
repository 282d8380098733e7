"""One visit to the pay page: whose world it is in, in which words, and how what is asked of operations is shown."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from cms.contract.refusals import NotFound
from cms.contract.safe import safe
from cms.core import MAIN, Actor, Core
from cms.houses import Houses
from cms.operations import Operation
from cms.payweb import figures, gate
from cms.payweb.words import LANGUAGES, Words, chosen

_HERE = Path(__file__).parent
_PERMISSIONS = frozenset({"payments.adhoc"})
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def _printed(value: Any) -> Any:
    """What a template prints: everybody's text without characters that a reader does not see or that turn lines."""
    return safe(value) if type(value) is str else value


@dataclass(slots=True)
class Shop:
    """What all visits share. ``url`` is where drivers reach the page, ``links`` are ``terms=URL`` and the like."""

    houses: Houses
    operations: Mapping[type, Operation]
    url: str
    links: tuple[str, ...] = ()
    limits: gate.Limits = field(default_factory=gate.Limits)
    static: dict[str, tuple[str, bytes]] = field(init=False)
    """Files for browsers, by a name that changes with what is in them: type and content."""
    pages: Environment = field(init=False)

    def __post_init__(self) -> None:
        self.static, named = {}, {}
        for file in sorted((_HERE / "static").iterdir()):
            content = file.read_bytes()
            name = f"{file.stem}-{hashlib.sha256(content).hexdigest()[:12]}{file.suffix}"
            self.static[name] = (_TYPES[file.suffix], content)
            named[file.name] = f"{self.prefix}/static/{name}"
        self.pages = Environment(
            loader=FileSystemLoader(_HERE / "pages"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_printed,
        )
        self.pages.globals.update(
            static=named,
            links=dict(link.split("=", 1) for link in self.links),
            languages={code: name for code, (name, _) in LANGUAGES.items()},
            figures=figures,
        )

    @property
    def prefix(self) -> str:
        """The path of our address, where it is not the root of its host."""
        return urlsplit(self.url).path.rstrip("/")

    @property
    def secure(self) -> bool:
        return self.url.startswith("https://")


@dataclass(slots=True)
class Visit:
    """One request. ``script`` is the provider's JavaScript that its page will load."""

    shop: Shop
    request: Request
    words: Words
    script: str | None = None

    @property
    def core(self) -> Core:
        """The world that the address names; NotFound where there is none."""
        core = self.shop.houses.named(self.organisation)
        if core is None:
            raise NotFound("there is no such organisation")
        return core

    @property
    def organisation(self) -> str:
        return str(self.request.path_params.get("organisation", MAIN))

    def named(self, name: str) -> str:
        """A part of the address."""
        return str(self.request.path_params[name])

    async def ask(self, asked: Any) -> Any:
        """What an operation answers; it is asked as the pay page, in the name of nobody."""
        address = self.request.client.host if self.request.client else ""
        actor = Actor("pay page", "", _PERMISSIONS, via=f"pay page {address}", key=f"pay:{address}")
        return await self.shop.operations[type(asked)].function(self.core, asked, actor)

    def path(self, *parts: str) -> str:
        """An address of ours in the same world and language."""
        above = [] if self.organisation == MAIN else [self.organisation]
        path = "/".join(["", *(quote(part, safe="*") for part in (*above, *parts))])
        said = self.request.query_params.get("lang")
        return f"{self.shop.prefix}{path}" + (f"?lang={said}" if said in LANGUAGES else "")

    def page(self, name: str, status: int = 200, **shown: Any) -> Response:
        """The page of this name, with everything that a browser is to obey."""
        return HTMLResponse(self.part(name, **shown), status, self._headers())

    def part(self, name: str, **shown: Any) -> str:
        """The text of a template."""
        template = self.shop.pages.get_template(f"{name}.html")
        language = self.words.language
        spoken = {
            name: partial(getattr(figures, name), language=language)
            for name in ("amount", "coins", "kwh", "kw", "number", "when")
        }
        here = self.shop.prefix + quote(self.request.scope["path"], safe="/*")
        return template.render(w=self.words, path=self.path, here=here, **spoken, **shown)

    def _headers(self) -> dict[str, str]:
        return {
            **gate.headers(self.script, secure=self.shop.secure),
            "Cache-Control": "no-store",
            "Content-Language": self.words.language,
            "Vary": "Accept-Language",
        }

    def go(self, *parts: str) -> Response:
        """Look there; what was sent is not sent again by loading the page again."""
        return RedirectResponse(self.path(*parts), 303, self._headers())


def visit(shop: Shop, request: Request) -> Visit:
    words = chosen(request.query_params.get("lang"), request.headers.get("accept-language", ""))
    return Visit(shop, request, words)

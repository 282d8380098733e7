"""Scenarios as they stand in ``scenarios/*.yaml``: read, checked for mistakes of the writer, laid out by version."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from tests.conformance.language import VARIANTS, chosen

FOLDER: Final = Path(__file__).parent / "scenarios"
#: Executed like the others, and left out of the list: it shows how scenarios are written.
EXAMPLES: Final = "Examples"

VERSIONS: Final = {
    "1.6": ("1.6",),
    "2.0.1": ("2.0.1",),
    "2.1": ("2.1",),
    "2.x": ("2.0.1", "2.1"),
    "any": ("1.6", "2.0.1", "2.1"),
}
KINDS: Final = ("must", "should", "robust")
LINKS: Final = ("booted", "connected", "registered", "unknown")


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario. ``given``, ``when`` and ``then`` are prose; ``steps`` are what is done."""

    id: str
    version: str
    title: str
    area: str = ""
    tier: int = 1
    profile: str = "Core"
    kind: str = "must"
    octt: list[str] = field(default_factory=list)
    ref: str | None = None
    given: str | None = None
    when: str | None = None
    then: str | None = None
    steps: list[Any] = field(default_factory=list)
    #: How far stations are before the first step: one of LINKS.
    link: str = "booted"
    #: Letter -> fields of AddStation, and ``link`` and ``version`` of this station. A is always there.
    stations: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: Token -> fields of AddToken: fixtures beyond tests.conformance.play.TOKENS, or changed ones.
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: Calls of the central system that are answered by themselves: action -> payload.
    auto: dict[str, Any] = field(default_factory=dict)
    #: Settings of a daemon of its own, e.g. ``{ping_interval_s: 0.2}``.
    daemon: dict[str, Any] = field(default_factory=dict)
    #: Why it cannot pass: a sentence, or one for each of v16, v2, v201, v21.
    cannot: str | dict[str, str] | None = None

    @property
    def versions(self) -> tuple[str, ...]:
        return VERSIONS[self.version]

    def cannot_in(self, version: str) -> str | None:
        """The reason why it cannot pass in this version, or None."""
        if isinstance(self.cannot, dict):
            return next((self.cannot[key] for key in VARIANTS[version] if key in self.cannot), None)
        return self.cannot


@dataclass(frozen=True, slots=True)
class Case:
    """A scenario in one version: what pytest runs."""

    scenario: Scenario
    version: str

    @property
    def steps(self) -> list[Any]:
        """What is done in this version."""
        told: list[Any] = chosen(self.scenario.steps, self.version)
        return told

    def __str__(self) -> str:
        only = len(self.scenario.versions) == 1
        return self.scenario.id if only else f"{self.scenario.id}[{self.version}]"


class Loader(yaml.CSafeLoader):
    """YAML whose ``on``, ``off``, ``yes`` and ``no`` are words and whose times are texts, as in JSON."""


def _without_yaml_1_1(loader: type[Loader]) -> None:
    kept = {"tag:yaml.org,2002:bool": "tTfF", "tag:yaml.org,2002:timestamp": ""}
    loader.yaml_implicit_resolvers = {
        letter: [(tag, regexp) for tag, regexp in rules if tag not in kept or letter in kept[tag]]
        for letter, rules in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


_without_yaml_1_1(Loader)


@dataclass(frozen=True, slots=True)
class Area:
    """One file: its scenarios, or the mistake in it."""

    file: str
    scenarios: tuple[Scenario, ...] = ()
    mistake: str | None = None


@cache
def areas() -> tuple[Area, ...]:
    """All files in the order of their names. A mistake in one does not keep the others from being played."""
    return tuple(read(path) for path in sorted(FOLDER.glob("*.yaml")))


def scenarios() -> list[Scenario]:
    return [scenario for area in areas() for scenario in area.scenarios]


def cases() -> list[Case]:
    """Every scenario in every version that it is for."""
    return [Case(scenario, version) for scenario in scenarios() for version in scenario.versions]


def read(path: Path) -> Area:
    try:
        with path.open(encoding="utf-8") as file:
            told = yaml.load(file, Loader)
        return Area(path.name, tuple(_scenario(entry, told["area"]) for entry in told["scenarios"]))
    except (yaml.YAMLError, ValueError, TypeError, KeyError) as error:
        return Area(path.name, mistake=f"{type(error).__name__}: {error}")


_FIELDS: Final = frozenset(item.name for item in fields(Scenario))


def _scenario(entry: dict[str, Any], area: str) -> Scenario:
    where = str(entry.get("id", entry))
    if unknown := entry.keys() - _FIELDS:
        raise ValueError(f"{where}: unknown key {', '.join(sorted(unknown))}")
    scenario = Scenario(**{**entry, "version": str(entry["version"]), "area": area})
    if scenario.version not in VERSIONS or scenario.link not in LINKS or scenario.kind not in KINDS:
        raise ValueError(f"{where}: version, link or kind is none that we know")
    if not scenario.steps and not scenario.cannot:
        raise ValueError(f"{where}: neither steps nor a reason why it cannot be run")
    return scenario

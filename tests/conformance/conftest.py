"""One daemon for each worker and each set of settings; scenarios have stations and tokens of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from tests.conformance.house import House, complaints

Houses = Callable[[Mapping[str, Any]], House]


@pytest.fixture(scope="session")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Houses]:
    """The running daemon that has these settings; started when it is asked for first."""
    built: dict[tuple[tuple[str, str], ...], House] = {}

    def house(settings: Mapping[str, Any]) -> House:
        key = tuple(sorted((name, str(value)) for name, value in settings.items()))
        if key not in built:
            built[key] = House(tmp_path_factory.mktemp("c"), dict(key))
            built[key].start()
        return built[key]

    yield house
    for one in built.values():
        one.stop()
        if one.pki is not None:
            one.pki.close()
    said = [line for one in built.values() for line in complaints(one.log())]
    assert not said, f"the daemon complained: {said[:3]}"

"""The fuzzer's target for atheris: ``python -m tests.fuzz.target_frames -max_total_time=600 CORPUS``.

Coverage of our own code guides it: the bytes are choices (a mutated frame) or, when they begin with an even byte,
the text itself.
"""

from __future__ import annotations

import asyncio
import sys

import atheris

with atheris.instrument_imports(include=["cms.ocpp", "cms.domain", "cms.operations"]):
    from tests.fuzz.bench import BY_VERSION, Bench

_VERSIONS = tuple(BY_VERSION)


class Bytes:
    """Choices that the fuzzer makes; when its bytes are used up, always the first."""

    def __init__(self, content: bytes) -> None:
        self._provider = atheris.FuzzedDataProvider(content)

    def randrange(self, stop: int, /) -> int:
        chosen: int = self._provider.ConsumeIntInRange(0, stop - 1)
        return chosen


def main() -> None:
    """Run until told otherwise; libFuzzer's flags are on the command line."""
    runner = asyncio.Runner()
    bench = runner.run(Bench().open())

    def one(content: bytes) -> None:
        if content[:1] and content[0] % 2 == 0:
            said = content[1:].decode("utf-8", "replace")
            runner.run(bench.say(_VERSIONS[content[0] // 2 % 3], said))
        else:
            runner.run(bench.try_one(Bytes(content[1:])))
        if bench.figures.inputs % 10_000 == 0:
            print(bench.figures)

    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

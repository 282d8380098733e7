"""A long run of the fuzzer from a seed: ``python -m tests.fuzz.long --inputs 1000000 --seed 7``."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import random
import resource
import time
from pathlib import Path

from tests.fuzz.bench import Bench, Wrong


async def run(inputs: int, seed: int, report_every_s: float, keep: Path | None, long_one_in: int) -> int:
    """Try so many inputs; the number of those that went wrong, which are kept word for word."""
    bench = await Bench(long_one_in).open()
    # As the daemon does: a full collection would be taken for a slow text.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    choices = random.Random(seed)
    begin_s = last_s = time.monotonic()
    wrong: dict[str, int] = {}
    for number in range(inputs):
        over = bench.figures.over
        try:
            await bench.try_one(choices)
            if bench.figures.over > over and await bench.slow_again(*bench.last):
                version, said = bench.last
                raise Wrong(f"{version}: {said!r}\nheld the loop for longer than it may, each of four times")
        except Wrong as found:
            _remember(wrong, str(found), keep)
        if time.monotonic() - last_s > report_every_s or number == inputs - 1:
            last_s = time.monotonic()
            peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            rate = bench.figures.inputs / (last_s - begin_s)
            print(
                f"seed {seed}: {bench.figures}; {rate:.0f} a second, {peak_mib} MiB, {len(wrong)} kinds of wrong"
            )
    slowest = bench.figures.slowest
    print(f"the slowest: {slowest[:500]!r} ({len(slowest)} characters)")
    for kind, count in wrong.items():
        print(f"{count} times: {kind}")
    await bench.close()
    return len(wrong)


def _remember(wrong: dict[str, int], words: str, keep: Path | None) -> None:
    """Once per last line, which names the exception; the first of a kind is printed and kept."""
    kind = words.rstrip().rpartition("\n")[2][:200]
    if kind not in wrong:
        print(f"WRONG {words}")
        if keep is not None:
            with keep.open("a") as file:
                file.write(json.dumps(words) + "\n")
    wrong[kind] = wrong.get(kind, 0) + 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=float, default=60.0, help="seconds between reports")
    parser.add_argument("--long-one-in", type=int, default=0, help="blow up one text in so many; 0: none")
    parser.add_argument("--keep", type=Path, help="a file to which what went wrong is added")
    told = parser.parse_args()
    wrong = asyncio.run(run(told.inputs, told.seed, told.every, told.keep, told.long_one_in))
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()

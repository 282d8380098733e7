"""Whatever text a station sends is answered, ends its conversation, or is dropped and counted.

Everything behind the socket is real: link, schemas, translations, decisions, record. ``FUZZ_EXAMPLES=100000``
makes it thorough; ``python -m tests.fuzz.long`` is faster without shrinking (docs/fuzzing.md).
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.bench import BY_VERSION, Bench

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "300"))


class Floor:
    """A bench and the loop it lives on, for tests that are no coroutines (hypothesis repeats them)."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.bench = self.runner.run(Bench().open())

    def say(self, version: str, said: str) -> str:
        return self.runner.run(self.bench.say(version, said))

    def close(self) -> None:
        self.runner.run(self.bench.close())
        self.runner.close()


@pytest.fixture(scope="module")
def floor() -> Iterator[Floor]:
    made = Floor()
    yield made
    print(made.bench.figures)
    made.close()


_settings = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


@_settings
@given(choices=st.randoms(use_true_random=False))
def test_a_frame_with_something_wrong_gets_a_reply_a_close_code_or_a_counted_drop(
    floor: Floor, choices: random.Random
) -> None:
    floor.runner.run(floor.bench.try_afresh(choices))


@_settings
@given(version=st.sampled_from(list(BY_VERSION)), said=st.text(max_size=200))
def test_any_text_gets_a_reply_a_close_code_or_a_counted_drop(floor: Floor, version: str, said: str) -> None:
    floor.say(version, said)


def test_a_seeded_run_finds_nothing(floor: Floor) -> None:
    choices = random.Random(20260504)
    for _ in range(3 * EXAMPLES):
        floor.runner.run(floor.bench.try_one(choices))


def test_the_coverage_guided_target_runs(tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="atheris is not installed: pip install 'charging-cms[fuzz]'")
    command = [sys.executable, "-m", "tests.fuzz.target_frames", "-runs=300", str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]

"""Every screen as a picture, at the sizes that people have; the walks past them are in ``gallery``.

After a change that was meant: pytest tests/tui/test_pictures.py --snapshot-update, and look at the diff.
"""

from __future__ import annotations

from typing import Any

import pytest
from pytest_textual_snapshot import SVGImageExtension

from tests.tui.gallery import WALKS, sizes_of, walked


@pytest.mark.parametrize(
    ("walk", "size"),
    [(walk, size) for walk in WALKS for size in sizes_of(walk)],
    ids=lambda value: value if isinstance(value, str) else f"{value[0]}x{value[1]}",
)
async def test_the_screens_look_as_they_did(walk: str, size: tuple[int, int], snapshot: Any) -> None:
    pictures = snapshot.use_extension(SVGImageExtension)
    other = [name async for name, svg, _ in walked(walk, size) if pictures(name=name) != svg]
    assert other == [], "these look otherwise: --snapshot-update writes them as they are now"

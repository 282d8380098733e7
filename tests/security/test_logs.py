"""T12: whatever a station says, a line of the log is one event; and no secret stands in it."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator

import pytest
import structlog

from cms.logs import set_up
from tests.security.strings import HOSTILE

#: What a terminal obeys, or what hides text: none of it may reach the stream, but for the end of a line.
_OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


@pytest.fixture
def untouched() -> Iterator[None]:
    """The logging of the other tests, as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def told(style: str) -> tuple[str, int]:
    """Everything hostile through every way into the log: the text, and how many events there were."""
    stream = io.StringIO()
    set_up("debug", style, stream)
    ours, theirs = structlog.get_logger("cms.test"), logging.getLogger("somebody.else")
    count = 0
    for text in HOSTILE:
        ours.info(text)
        ours.info("station.refused", station=text, reason=text, data={text: [text]}, kinds=(text,))
        theirs.warning("GET %s from %r", text, text)
        theirs.error(text)
        try:
            raise ValueError(text)
        except ValueError as error:
            ours.error("request.failed", exc_info=error)
            theirs.exception("failed for %s", text)
        count += 6
    return stream.getvalue(), count


def test_a_line_is_an_event_whatever_stands_in_it(untouched: None) -> None:
    log, count = told("json")
    lines = log.splitlines()
    assert len(lines) == count
    for line in lines:
        event = json.loads(line)
        assert event["level"] in ("info", "warning", "error")
    assert not _OBEYED.search(log)


def test_the_text_itself_is_there_to_be_found(untouched: None) -> None:
    log, _ = told("json")
    stations = [event["station"] for event in map(json.loads, log.splitlines()) if "station" in event]
    assert stations == list(HOSTILE)


def test_a_terminal_that_shows_the_log_obeys_nothing(untouched: None) -> None:
    log, _ = told("human")
    found = _OBEYED.search(log)
    assert found is None, repr(log[max(0, found.start() - 80) : found.end() + 20])

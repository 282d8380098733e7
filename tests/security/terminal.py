"""What a program may send to a terminal: an automaton over its bytes with an allow-list of sequences.

Everything that is not on the list is a finding: other escape sequences, strings (OSC, DCS, APC, PM, SOS), C1 in
either spelling, control and format characters, bytes that are no UTF-8. Parameters must be spelt as the driver
spells them, without leading zeros: by that the automaton tells them from what hostile text says.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

_NUMBER = r"(?:0|[1-9]\d*)"
_NUMBERS = rf"(?:{_NUMBER}(?:[;:]{_NUMBER})*)?"


def _whole(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


@dataclass(frozen=True, slots=True)
class Allowed:
    """``csi``: what may stand between CSI and its final byte, by final byte. ``controls``: C0 that may come.

    ``osc``: what an operating system command may say; nothing at all unless a pattern is given.
    """

    csi: Mapping[str, re.Pattern[str]]
    controls: frozenset[str] = frozenset("\r\n")
    osc: re.Pattern[str] | None = None


#: Modes that Textual's driver sets: cursor, mouse, paste, focus, alternate screen, synchronised output, in-band resize.
_MODES = r"\?(?:7|25|1000|1002|1003|1004|1006|1015|1016|1049|2004|2026|2027|2048)"

#: A line of a command: bold headings, colours of a QR code.
COMMAND = Allowed({"m": _whole(_NUMBERS)})
#: A table that is drawn again and again (--watch): the cursor home, the screen cleared.
WATCHED = Allowed({"m": _whole(_NUMBERS), "H": _whole(""), "J": _whole("2")})
#: The console: SGR, cursor, erasing, modes, the keyboard protocol, and where the cursor is.
CONSOLE = Allowed(
    {
        "m": _whole(_NUMBERS),
        "H": _whole(rf"(?:{_NUMBER}(?:;{_NUMBER})?)?"),
        "C": _whole(_NUMBER),
        "X": _whole(_NUMBER),
        "K": _whole(""),
        "J": _whole("2?"),
        "h": _whole(_MODES),
        "l": _whole(_MODES),
        "p": _whole(rf"{_MODES}\$"),
        "n": _whole("6"),
        "u": _whole(r"(?:>(?:1|25)|<|\?)"),
    },
    osc=_whole("22;(?:default|pointer|text|grab|grabbing|not-allowed)"),  # the shape of the mouse pointer
)

_PLAIN = re.compile(r"[\x20-\x7e]+")
#: So much of what came before is told with a finding.
_BEFORE = 40
#: No string that is on a list is longer.
_LONGEST_OSC = 40
_HOSTILE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(slots=True)
class Screening:
    """Screens one stream of bytes, piece by piece; ``findings`` say what was sent that must not be."""

    allowed: Allowed
    findings: list[str] = field(default_factory=list)
    sequences: int = 0
    """How many allowed sequences came: none at all would mean that nothing was drawn."""
    _rest: bytes = b""
    _state: str = "ground"
    _sequence: str = ""
    _before: str = ""
    _context: str = ""
    _at: int = 0

    def feed(self, sent: bytes) -> None:
        """Look at what was sent; a character that is cut at the end waits for the rest."""
        raw = self._rest + sent
        whole = raw.decode("utf-8", "surrogateescape")
        kept = _cut_character(raw)
        self._rest = raw[len(raw) - kept :]
        begins = len(self._before)
        self._context = self._before + whole[: len(whole) - kept]
        self._at = begins
        while self._at < len(self._context):
            if self._state == "ground" and (run := _PLAIN.match(self._context, self._at)):
                self._at = run.end()
                continue
            self._take(self._context[self._at])
            self._at += 1
        self._before = self._context[-_BEFORE:]

    def end(self) -> list[str]:
        """All findings; what was left open is one too."""
        if self._rest or self._state != "ground":
            self._find(f"ended inside {self._sequence or self._rest!r}")
        return self.findings

    def _find(self, what: str) -> None:
        self.findings.append(f"{what} after {self._context[max(0, self._at - _BEFORE) : self._at]!r}")

    def _take(self, character: str) -> None:
        if self._state == "ground":
            self._take_text(character)
        elif self._state == "escape":
            self._take_escape(character)
        elif self._state == "csi":
            self._take_csi(character)
        else:
            self._take_osc(character)

    def _take_text(self, character: str) -> None:
        if character == "\x1b":
            self._state, self._sequence = "escape", "ESC"
        elif obeys_nothing(character) or character in self.allowed.controls:
            return
        else:
            self._find(f"{_named(character)} in text")

    def _take_escape(self, character: str) -> None:
        if character == "[":
            self._state, self._sequence = "csi", ""
            return
        if character == "]" and self.allowed.osc is not None:
            self._state, self._sequence = "osc", ""
            return
        self._state = "ground"
        self._find(f"ESC {_named(character)}")

    def _take_osc(self, character: str) -> None:
        """Until BEL; what is not on the list is found as soon as that is certain."""
        assert self.allowed.osc is not None
        if character == "\a":
            self._state = "ground"
            if not self.allowed.osc.fullmatch(self._sequence):
                self._find(f"OSC {self._sequence!r}")
        elif not "\x20" <= character <= "\x7e" or len(self._sequence) > _LONGEST_OSC:
            self._state = "ground"
            self._find(f"OSC {self._sequence!r} and on")
        else:
            self._sequence += character

    def _take_csi(self, character: str) -> None:
        if not "\x20" <= character <= "\x7e":
            self._state = "ground"
            self._find(f"CSI {self._sequence!r} broken by {_named(character)}")
        elif character < "@":
            self._sequence += character
        else:
            self._state = "ground"
            pattern = self.allowed.csi.get(character)
            if pattern is None or not pattern.fullmatch(self._sequence):
                self._find(f"CSI {self._sequence}{character}")
            else:
                self.sequences += 1


def _cut_character(raw: bytes) -> int:
    """How many bytes at the end begin a character whose rest is still to come."""
    for back in range(1, min(3, len(raw)) + 1):
        byte = raw[-back]
        if byte & 0xC0 == 0x80:
            continue
        needs = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
        return back if needs > back else 0
    return 0


def _named(character: str) -> str:
    return f"U+{ord(character):04X} ({unicodedata.category(character)})"


def screened(sent: bytes, allowed: Allowed) -> list[str]:
    """The findings in a stream that is whole."""
    screening = Screening(allowed)
    screening.feed(sent)
    return screening.end()


def obeys_nothing(text: str) -> bool:
    """Whether the text has only characters that a terminal draws."""
    return text.isprintable() or not any(unicodedata.category(character) in _HOSTILE for character in text)

"""Which keys were pressed, from the bytes that a terminal sends."""

from __future__ import annotations

import codecs
import re

_SEQUENCE = re.compile(r"\x1b(?:\[[\d;]*[ -/]*[@-~]|O.)")
_BEGUN = re.compile(r"\x1b(?:\[[\d;]*[ -/]*|O)?\Z")

_NAMES = {
    "\r": "Enter", "\n": "Enter", "\t": "Tab", "\x1b": "Escape", "\x7f": "Backspace", "\b": "Backspace",
    "\x0c": "Ctrl-L", "\x15": "Ctrl-U", "\x04": "Ctrl-D",
}  # fmt: skip
_ENDS = {"A": "Up", "B": "Down", "C": "Right", "D": "Left", "H": "Home", "F": "End", "Z": "Shift-Tab", "M": "Enter"}
_NUMBERS = {"1": "Home", "4": "End", "5": "PageUp", "6": "PageDown", "7": "Home", "8": "End"}


class Keyboard:
    """Turns bytes into keys. A sequence may come in pieces, as it does over a slow line."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("ignore")
        self._rest = ""

    @property
    def is_in_sequence(self) -> bool:
        """Whether what came last may be the beginning of a sequence. If nothing follows soon, it was Escape."""
        return bool(self._rest)

    def keys(self, sent: bytes) -> list[str]:
        """Return the keys: names, such as ``Up`` or ``Enter``, and single letters. Unknown ones are left out."""
        text, at, found = self._rest + self._decoder.decode(sent), 0, []
        while at < len(text):
            sequence = _SEQUENCE.match(text, at)
            if sequence is None and _BEGUN.match(text, at):
                break
            found.append(_named(sequence[0]) if sequence else _NAMES.get(text[at], text[at]))
            at = sequence.end() if sequence else at + 1
        self._rest = text[at:]
        return [key for key in found if len(key) > 1 or (key and key.isprintable())]

    def nothing_followed(self) -> list[str]:
        """Return Escape, if that is what came last."""
        begun, self._rest = self._rest, ""
        return ["Escape"] if begun else []


def _named(sequence: str) -> str:
    """The name of the key that sends a sequence; empty for one that is not known."""
    if sequence.endswith("~"):
        return _NUMBERS.get(sequence[2:-1].partition(";")[0], "")
    return _ENDS.get(sequence[-1], "")

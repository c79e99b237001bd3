"""Lines as pieces of text, each with the role it plays; which colours a role has is for `palette` to say."""

from __future__ import annotations

from gigq.cleaning import clean
from gigq.cli.columns import Pieces, beginning, columns, cut, width_of
from gigq.drawing.looks import LOOKS
from gigq.status import Phase

TITLE, MUTED, WARNING, CHOSEN, HEADING, ACCENT, KEY = (
    "title", "muted", "warning", "chosen", "heading", "accent", "key",
)  # fmt: skip
UPSIDE_DOWN = "upside down"
"""The role of failures that hang from their line: drawn with the colours of ground and text exchanged."""


class Look:
    """How what is shown is written.

    Attributes:
        is_unicode: whether signs beyond ASCII may be shown.
        ellipsis: what stands for what was cut.
        dash: what stands for what is not known.
    """

    def __init__(self, *, is_unicode: bool) -> None:
        self.is_unicode = is_unicode
        self.ellipsis = "…" if is_unicode else "..."
        self.dash = "-"
        self.dot = "·" if is_unicode else "|"
        self.marker = "▸" if is_unicode else ">"

    def sign(self, phase: Phase) -> str:
        """Return the sign of a phase, which never stands without its word or its column."""
        return LOOKS[phase].sign if self.is_unicode else LOOKS[phase].plain

    def text(self, text: str) -> str:
        """Return a text of ours for this terminal."""
        return text if self.is_unicode else _ascii(text)

    def piece(self, text: object, role: str = "") -> tuple[str, str]:
        """Return a text that may come from a job as a piece: nothing in it can do anything on a terminal."""
        shown = clean(str(text))
        return (shown if self.is_unicode or shown.isascii() else _ascii(shown)), role


def between(left: Pieces, right: Pieces, width: int, look: Look) -> Pieces:
    """Return a line with one part at its beginning and one at its end, or without the second if it does not fit."""
    room = width - width_of(right) - 2
    if room < min(width_of(left), 12):
        return cut(left, width, ellipsis=look.ellipsis)
    shown = cut(left, room, ellipsis=look.ellipsis)
    return [*shown, (" " * (width - width_of(shown) - width_of(right)), ""), *right]


def wrapped(text: str, width: int) -> list[str]:
    """Return a safe text as lines of at most `width` columns, broken between words where there is such a place."""
    lines, width = [""], max(1, width)
    for word in text.split(" "):
        while columns(word) > width:
            room = max(1, width - columns(lines[-1]) - bool(lines[-1]))
            head = word[: max(1, room // (1 if word.isascii() else 2))]
            lines[-1] = f"{lines[-1]} {head}" if lines[-1] else head
            lines.append("")
            word = word[len(head) :]
        if columns(lines[-1]) + columns(word) + bool(lines[-1]) > width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return [line for line in lines if line] or [""]


def folded(line: Pieces, width: int) -> list[Pieces]:
    """Return a line as lines of at most `width` columns, broken anywhere."""
    lines: list[Pieces] = [[]]
    room = width = max(2, width)
    for text, role in line:
        while columns(text) > room:
            part = beginning(text, room)
            lines[-1].append((part, role))
            lines.append([])
            text, room = text[len(part) :], width
        lines[-1].append((text, role))
        room -= columns(text)
    return lines


def _ascii(text: str) -> str:
    return text.replace("…", "...").encode("ascii", "backslashreplace").decode()

"""Words in pictures: when something ended, names that fit, and how wide they are."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from gigq.durations import span
from gigq.status import Phase

WORD_SIZE = 12.0
"""The size of all letters but those of names and titles, in pixels."""

_WIDTHS = {
    letter: width
    for letters, width in (
        ("ijl'|", 0.28), ("IJ,.:; /", 0.34), ("frt-()[]!`\"\\{}", 0.42), ("_cszk*", 0.56), ("xvyEFLTYZP", 0.62),
        ("wmMW@%", 0.96), ("AGHNOQUDCKRVX&", 0.76), ("#+<=>~^", 0.84),
    )
    for letter in letters
}  # fmt: skip
"""Widths of ASCII letters that differ from most, in units of the font's size."""


def ended(phase: Phase, seconds: float) -> str:
    """Return how long a job ran that has ended, such as ``in 2.1 s`` of one that completed."""
    return f"{'in' if phase is Phase.COMPLETED else 'after'} {span(seconds)}"


def jobs(number: int) -> str:
    """Return ``1 job``, ``2 jobs``."""
    return f"{number:,} job{'' if number == 1 else 's'}"


_ENDS = 1000
"""Characters at the beginning and at the end of a text that may be shown."""


def shortened(text: str, width: float, width_of: Callable[[str], float], *, ellipsis: str = "…") -> str:
    """Return text that is no wider than `width`: of one that is, beginning and end stay, with an ellipsis between them.

    The names of jobs often differ in their last letters only. No letter is parted from its accents, and no emoji of
    several characters is cut.
    """
    if width_of(text) <= width:
        return text
    # No picture is as wide as that, and to part a name of a million characters into letters takes seconds.
    letters = clusters(text if len(text) <= 2 * _ENDS else text[:_ENDS] + text[-_ENDS:])
    head, tail, room = "", "", width - width_of(ellipsis)
    first, last = 0, len(letters) - 1
    while first <= last:
        take_first = width_of(head) <= width_of(tail)
        letter = letters[first if take_first else last]
        if width_of(head) + width_of(tail) + width_of(letter) > room:
            break
        if take_first:
            head, first = head + letter, first + 1
        else:
            tail, last = letter + tail, last - 1
    return f"{head.rstrip()}{ellipsis}{tail.lstrip()}"


def clusters(text: str) -> list[str]:
    """Return the letters of a text as people see them: each with its accents, an emoji with all its parts."""
    found: list[str] = []
    for character in text:
        if found and (_continues(character) or found[-1].endswith("\u200d") or _is_half_flag(found[-1], character)):
            found[-1] += character
        else:
            found.append(character)
    return found


def _continues(character: str) -> bool:
    """Whether it belongs to the character before it: an accent, a joiner, a selector, or a skin colour."""
    return not character.isascii() and (
        unicodedata.category(character) in ("Mn", "Me", "Mc", "Cf") or "\U0001f3fb" <= character <= "\U0001f3ff"
    )


def _is_half_flag(before: str, character: str) -> bool:
    """Whether two letters are those of one flag."""
    return len(before) == 1 and all("\U0001f1e6" <= each <= "\U0001f1ff" for each in (before, character))


def columns(text: str) -> int:
    """Return the columns that a text takes on a terminal: two for an East Asian letter, none for an accent."""
    return len(text) if text.isascii() else sum(map(_columns_of, text))


def _columns_of(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def ems(text: str) -> float:
    """Return about how wide a text is in a sans-serif font, in units of its size.

    Rather too wide than too narrow: it fits in DejaVu Sans and Verdana, which are the widest of the common ones.
    """
    if text.isascii():
        return sum([_WIDTHS.get(letter, 0.64) for letter in text])
    return sum([_ems_of(letter[0]) for letter in clusters(text)])


def _ems_of(character: str) -> float:
    if character.isascii():
        return _WIDTHS.get(character, 0.64)
    wide = _columns_of(character)
    return 0.7 * wide if wide != 1 else 0.75

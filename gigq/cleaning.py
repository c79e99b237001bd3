"""Text that is safe on a terminal: one line, without control characters."""

from __future__ import annotations

import re

_UNSAFE = (
    "["
    "\x00-\x1f\x7f-\x9f"  # control characters, C0 and C1: they move the cursor, set titles, type for the user
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction marks, overrides, isolates: they reorder text
    "\u2028\u2029"  # line and paragraph separators
    "\ud800-\udfff"  # lone surrogates, which no encoding can hold
    "]"
)


def clean(text: str) -> str:
    r"""Return text as one line that is safe on a terminal: control characters become visible, such as ``\x1b``."""
    if text.isprintable():  # most texts are, and then there is nothing to compile at a start
        return text
    return re.sub(_UNSAFE, lambda found: found[0].encode("unicode_escape").decode(), text)

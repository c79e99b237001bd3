"""Tracebacks for people: the frames of one's own code, and one line for each row of others."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator

_FRAME = re.compile(r'  File "(?P<file>.*)", line \d+')
_PACKAGES = re.compile(r"[/\\](?:site|dist)-packages[/\\](?P<package>[^/\\.]+)")


def folded(traceback: str) -> Iterator[str]:
    """Yield the lines of a traceback, with one line in the place of each row of frames of libraries.

    If all frames are of libraries, all are shown: then one of them is what somebody looks for.
    """
    blocks = list(_blocks(traceback.rstrip("\n").split("\n")))
    if not any(_is_frame(block) and _library_of(block[0]) is None for block in blocks):
        yield from (line for block in blocks for line in block)
        return
    row: list[str] = []
    for block in [*blocks, [""]]:
        library = _library_of(block[0]) if _is_frame(block) else None
        if library is not None:
            row.append(library)
            continue
        if row:
            names = ", ".join(dict.fromkeys(row))
            yield f"  ({len(row)} frame{'' if len(row) == 1 else 's'} of {names}; --full shows them)"
            row = []
        yield from block if block != [""] else ()


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    """Yield each frame with the lines of code below it, and each other line alone."""
    block: list[str] = []
    for line in lines:
        if block and _is_frame(block) and line.startswith("    "):
            block.append(line)
            continue
        if block:
            yield block
        block = [line]
    if block:
        yield block


def _is_frame(block: list[str]) -> bool:
    return _FRAME.match(block[0]) is not None


def _library_of(line: str) -> str | None:
    """Return the name of the library that a frame is of; None for one's own code."""
    found = _FRAME.match(line)
    file = found["file"] if found else ""
    if package := _PACKAGES.search(file):
        return package["package"]
    if file.startswith("<frozen ") or _STANDARD.match(file):
        return "Python"
    return None


_STANDARD = re.compile(
    rf"(?:{re.escape(os.path.dirname(os.__file__))}|{re.escape(sys.base_prefix)}|.*[/\\]lib[/\\]python3\.\d+)[/\\]"
)
"""Where Python keeps its own library: here, and where the worker may have been."""

"""Tracebacks for people: the frames of their own code, and in one line each what libraries have done in between."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

_FRAME = re.compile(r'(?P<indent>[ |]*)File "(?P<file>[^"]*)", line \d+')
_INSTALLED = re.compile(r"[/\\](?:site|dist)-packages[/\\](?P<name>[^/\\]+)")
_STANDARD = re.compile(r"[/\\]lib(?:64)?[/\\](?:python|pypy)3[^/\\]*[/\\](?P<name>[^/\\]+)", re.IGNORECASE)
_FROZEN = re.compile(r"<frozen (?P<name>[^>.]*)")
_OURS = str(Path(__file__).parent)


def folded(text: str) -> list[str]:
    """Return the lines of a traceback, with one line for each run of frames that are not of the user's own code.

    A frame is a library's if its file is in Python's own library, in a folder such as ``site-packages``, or in gigq.
    A part of a traceback that has no other frames stays as it is: there would be nothing left to see.
    """
    parts = list(_parts(text.splitlines()))
    found: list[str] = []
    for own, run in _runs(parts):
        if own or not any(library == "" for library, lines in parts if _FRAME.match(lines[0])):
            found += [line for _, lines in run for line in lines]
        else:
            found.append(_fold(run))
    return found


_Part = tuple[str, list[str]]
"""A frame and the lines that belong to it, or other lines; and the library that the frame is of, empty for none."""


def _parts(lines: Sequence[str]) -> Iterator[_Part]:
    part: _Part | None = None
    for line in lines:
        frame = _FRAME.match(line)
        if part and not frame and _belongs(line, part[1][0]):
            part[1].append(line)
            continue
        if part:
            yield part
        part = (_library_of(frame["file"]), [line]) if frame else ("", [line])
    if part:
        yield part


def _belongs(line: str, first: str) -> bool:
    """Whether a line shows the code of a frame, or says how often that is repeated."""
    frame = _FRAME.match(first)
    if frame is None:
        return False
    return line.startswith((f"{frame['indent']}  ", f"{frame['indent']}[Previous line repeated"))


def _runs(parts: Sequence[_Part]) -> Iterator[tuple[bool, list[_Part]]]:
    """Yield runs of parts that are of libraries, or of something else."""
    run: list[_Part] = []
    for part in parts:
        if run and (part[0] == "") != (run[-1][0] == ""):
            yield run[-1][0] == "", run
            run = []
        run.append(part)
    if run:
        yield run[-1][0] == "", run


def _fold(run: Sequence[_Part]) -> str:
    frame = _FRAME.match(run[0][1][0])
    names = ", ".join(dict.fromkeys(library for library, _ in run))
    return f"{frame['indent'] if frame else ''}… {len(run)} {'frame' if len(run) == 1 else 'frames'} in {names}"


def _library_of(file: str) -> str:
    """Return the name of the library that a file is of; empty for the user's own code."""
    if file.startswith(_OURS):
        return "gigq"
    for pattern in (_INSTALLED, _STANDARD, _FROZEN):
        if (found := pattern.search(file)) and found["name"]:
            return found["name"].removesuffix(".py")
    return ""

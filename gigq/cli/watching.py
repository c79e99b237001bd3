"""Lines that follow a queue: drawn again over themselves on a terminal when they change, and otherwise line by line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from gigq.cli import output
from gigq.cli.styled import Line, shown

if TYPE_CHECKING:
    from gigq.cli.args import Args
    from gigq.cli.terminal import Terminal
    from gigq.queue.job_queue import JobQueue

T = TypeVar("T")

_PAUSE = 0.5
"""Seconds between two looks whether the file has changed, which costs microseconds and no query."""


def watch(
    queue: JobQueue,
    args: Args,
    *,
    read: Callable[[], T],
    draw: Callable[[T], Sequence[Line]],
    tell: Callable[[T], object],
) -> None:
    """Follow a queue until Ctrl-C, or until nobody reads it any more.

    Args:
        read: reads the file; called only when it has changed.
        draw: returns the lines of what was read, for a terminal; called twice a second, for ages grow.
        tell: writes what is new in it, where nothing can be drawn over.
    """
    screen, seen = _Screen(), None
    while True:
        changes = queue.changes()
        if changes != seen:
            seen, found = changes, read()
            is_new = True
        args.out.measure()
        if args.out.form.is_for_people and args.terminal.is_live:
            screen.show(draw(found), args.terminal)
        elif is_new:
            tell(found)
            output.flush()
        is_new = False
        queue.clock.sleep(_PAUSE)


class _Screen:
    """The lines that are drawn on a terminal, and drawn over."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._size = (0, 0)

    def show(self, lines: Sequence[Line], terminal: Terminal) -> None:
        """Draw lines over those that were drawn before, unless they are the same."""
        texts = _fitting([shown(line, terminal) for line in lines], terminal.height - 1)
        size = (terminal.width, terminal.height)
        if (texts, size) == (self._lines, self._size):
            return
        # After a change of size nobody knows where the old lines are.
        start = f"\x1b[{len(self._lines)}A\r" if self._lines and size == self._size else "\x1b[H\x1b[2J"
        if not self._size[0]:
            start = ""
        self._lines, self._size = texts, size
        sys.stdout.write(start + "".join(f"{text}\x1b[K\n" for text in texts) + "\x1b[J")
        sys.stdout.flush()


def _fitting(texts: list[str], height: int) -> list[str]:
    if len(texts) <= height:
        return texts
    left = len(texts) - height + 1
    return [*texts[: height - 1], f"({left:,} more lines do not fit)"]

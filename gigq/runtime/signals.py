"""The signals that stop a worker: what they do while it runs, in its own process and in forks of it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

STOPPING: tuple[int, ...] = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""The signals that stop a worker. Windows has no SIGHUP."""


def heeded(*, even_ignored: Collection[int] = ()) -> list[int]:
    """Return those of `STOPPING` that this process does not ignore: `nohup` makes one ignore SIGHUP.

    Args:
        even_ignored: those that count even if they are ignored.
    """
    return [each for each in STOPPING if each in even_ignored or signal.getsignal(each) is not signal.SIG_IGN]


_REPLACED: list[dict[int, Any]] = []
"""What the signals did before each of the blocks of `handling` that this process is in, the outermost first."""


@contextmanager
def handling(numbers: Collection[int], handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Handle these signals while the block runs.

    Only in the main thread, for Python allows it nowhere else; and not in forks of this process, where a signal does
    what it did before the block. A handler that was not made in Python is left alone: it could not be put back.
    """
    is_main = threading.current_thread() is threading.main_thread()
    found = {number: signal.getsignal(number) for number in numbers if is_main}
    before = {number: handler for number, handler in found.items() if handler is not None}
    _REPLACED.append(before)
    try:
        for number in before:
            signal.signal(number, handle)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if before in _REPLACED:  # a fork has none
            _REPLACED.remove(before)


def _restore() -> None:
    """Have the signals do in a fork what they did before.

    At once, and not by a handler that looks where it is: Python calls that only between two steps of a function, so a
    signal that comes just before a wait would wait, too.
    """
    while _REPLACED:
        for number, handler in _REPLACED.pop().items():
            signal.signal(number, handler)


if hasattr(os, "register_at_fork"):  # pragma: no branch: Windows has no fork
    os.register_at_fork(after_in_child=_restore)

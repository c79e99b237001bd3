"""The signals that stop a worker: what they do while it runs, in its own process and in forks of it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from types import FrameType

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


@contextmanager
def handling(numbers: Collection[int], handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Handle these signals while the block runs.

    Only in the main thread, for Python allows it nowhere else; and not in forks of this process, where a signal does
    what it did before the block. A handler that was not made in Python is left alone: it could not be put back.
    """
    is_main = threading.current_thread() is threading.main_thread()
    found = {number: signal.getsignal(number) for number in numbers if is_main}
    before = {number: handler for number, handler in found.items() if handler is not None}
    process = os.getpid()

    def handle_here(number: int, frame: FrameType | None) -> None:
        if os.getpid() == process:
            handle(number, frame)
        else:
            signal.signal(number, before[number])
            signal.raise_signal(number)

    try:
        for number in before:
            signal.signal(number, handle_here)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

"""Signals that end this process: what has to be tidied up is tidied up first, and then it ends as it would have."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from gigq.runtime.signals import handling, heeded


class Ended(BaseException):
    """A signal has told the process to end.

    Attributes:
        number: that of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def tidied_up() -> Iterator[None]:
    """End the block, and then the process, by a signal that would have ended it at once. Ctrl-C does so anyway."""
    try:
        with handling([each for each in heeded() if each != signal.SIGINT], _end):
            yield
    except Ended as ended:
        end_by(ended.number)


def end_by(number: int) -> None:
    """End this process by a signal, as it would have ended if nobody had caught it."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _end(number: int, frame: FrameType | None) -> None:
    raise Ended(number)

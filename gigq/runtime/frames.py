"""Where another thread of this process is, and which exception it handles."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

T = TypeVar("T")

_LOCK = threading.Lock()


def frame_of(thread_id: int) -> FrameType | None:
    """Return the frame that a thread is in; None if there is no such thread."""
    return _looked(sys._current_frames).get(thread_id)


def exception_of(thread_id: int) -> BaseException | None:
    """Return the exception that a thread handles; None if it handles none."""
    handled = _looked(sys._current_exceptions).get(thread_id)
    return handled[1] if isinstance(handled, tuple) else handled  # a tuple in Python 3.11


def _looked(look: Callable[[], T]) -> T:
    """Look at all threads, without a collection of garbage meanwhile.

    Until Python 3.11.8 and 3.12.2 the interpreter holds a lock of its own as it makes the answer, which may start a
    collection; what that calls, such as a warning that a file was not closed, may let another thread go on, which
    waits for that lock with the GIL in hand: the process hangs (https://github.com/python/cpython/issues/106883).
    """
    with _LOCK:
        is_enabled = gc.isenabled()
        gc.disable()
        try:
            return look()
        finally:
            if is_enabled:
                gc.enable()

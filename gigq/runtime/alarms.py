"""Keep apart the alarms of jobs and those of their callers: an alarm that a job leaves behind ends with it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gigq.clock import SystemClock
from gigq.logs import logger
from gigq.runtime.signals import handling

log = logger("worker")

_SIGALRM: int | None = getattr(signal, "SIGALRM", None)
"""The signal of an alarm. Windows has none."""

_IN_C = object()
"""Stands for a handler that was not made in Python, which cannot be put back."""

_LEAST = 1e-6


def handler() -> Any:
    """Return what handles an alarm now, for `reset`. Outside the main thread, which alone can handle one: nothing."""
    if _SIGALRM is None or threading.get_ident() != threading.main_thread().ident:
        return None
    found = signal.getsignal(_SIGALRM)
    return _IN_C if found is None else found


def reset(before: Any) -> None:
    """Stop the alarm, and put back its handler. It may ring meanwhile, and raise here: then call this again."""
    if before is None or _SIGALRM is None:
        return
    signal.setitimer(signal.ITIMER_REAL, 0)
    # Other timers are left alone: each more would cost every job half a microsecond, and jobs hardly use them.
    if before is not _IN_C and signal.getsignal(_SIGALRM) is not before:
        signal.signal(_SIGALRM, before)


@contextmanager
def postponed() -> Iterator[None]:
    """Stop the caller's own alarm while the block runs, and let it ring after the rest of its time, or at once."""
    if _SIGALRM is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    clock = SystemClock()
    began_at = clock.monotonic()
    seconds, interval = signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        yield
    finally:
        if seconds:
            left = seconds - (clock.monotonic() - began_at)
            signal.setitimer(signal.ITIMER_REAL, max(left, _LEAST), interval)


@contextmanager
def harmless() -> Iterator[None]:
    """Have an alarm that nothing handles do nothing while the block runs, instead of ending this process.

    A job in a thread can set one, and cannot handle it.
    """
    is_unhandled = _SIGALRM is not None and signal.getsignal(_SIGALRM) is signal.SIG_DFL
    with handling([_SIGALRM] if is_unhandled and _SIGALRM else [], _ignore):
        yield


def _ignore(number: int, frame: object) -> None:
    log.warning("an alarm has rung that a job in a thread has set; it does nothing")

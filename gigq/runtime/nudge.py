"""Raise an exception in the main thread by a signal, which also ends a sleep or a wait there."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from gigq.runtime.call_state import CallState
from gigq.runtime.interrupt import interrupt
from gigq.runtime.signals import handling

# Not SIGALRM, which jobs and test tools use themselves. Programs hardly use this one, and where nothing handles it, it
# does nothing.
_SIGNAL: int | None = getattr(signal, "SIGURG", None) if hasattr(signal, "pthread_kill") else None


class Nudge:
    """Raises exceptions in a function that runs in the main thread. Works without signals where there are none."""

    def __init__(self, state: CallState) -> None:
        self._state = state
        self._thread_id = threading.main_thread().ident or 0
        self._before: Any = None
        self._handler: Any = None
        self._is_unheard = False
        self._reason: type[BaseException] | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Handle the signal while the block runs, and afterwards put the blocked signals back to what they were."""
        if _SIGNAL is None:
            yield
            return
        self._before = signal.getsignal(_SIGNAL)
        blocked = signal.pthread_sigmask(signal.SIG_UNBLOCK, [_SIGNAL])
        try:
            with handling([_SIGNAL], self._hear):
                self._handler = signal.getsignal(_SIGNAL)
                yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    def strike(self, reason: type[BaseException]) -> None:
        """Raise an exception in the main thread: by the signal, unless it does not get there."""
        is_heard = self._handler is not None and not self._is_unheard
        if _SIGNAL is not None and is_heard and signal.getsignal(_SIGNAL) is self._handler:
            self._is_unheard, self._reason = True, reason
            signal.pthread_kill(self._thread_id, _SIGNAL)
        else:  # the function has put another handler in place, or blocks the signal, or is in C code
            interrupt(self._thread_id, reason)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if not self._is_unheard:  # it is not from here
            if callable(self._before):
                self._before(number, frame)
            return
        self._is_unheard = False
        if self._state.is_running and self._reason is not None:
            raise self._reason

"""Flush what jobs have printed when they end, so that it is seen although the process goes on."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress


def flush() -> None:
    """Flush standard output and error."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # a job may have closed it or put anything in its place, and a reader may be gone
            stream.flush()


class Flusher:
    """Flushes for several threads. Where nobody reads the output, at most one of them waits for a reader."""

    def __init__(self) -> None:
        self._is_wanted = False
        self._busy = threading.Lock()

    def flush(self) -> None:
        """Flush, or leave it to the thread that is just doing so."""
        self._is_wanted = True
        while self._is_wanted and self._busy.acquire(blocking=False):
            try:
                self._is_wanted = False
                flush()
            finally:
                self._busy.release()

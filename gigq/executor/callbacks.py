"""The thread that calls what was added to futures by `add_done_callback`, as the worker's loop must not wait for it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any

from gigq.logs import logger
from gigq.runtime.forks import end_fork

log = logger("executor")

Callback = Callable[[Future[Any]], object]


class Callbacks:
    """Calls callbacks: at once in the thread that asks, but for the loop's, whose callbacks have a thread of their own.

    Attributes:
        loop: the ident of the loop's thread, once it is known.
    """

    def __init__(self) -> None:
        self.loop: int | None = None
        self._waiting: SimpleQueue[tuple[Callback, Future[Any]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    @property
    def is_here(self) -> bool:
        """Whether the calling thread is the one that calls callbacks."""
        return threading.current_thread() is self._thread

    def expect(self) -> None:
        """Start the thread, now that there is a callback: while the interpreter ends, none can be started any more."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="gigq-callbacks", daemon=True)
                self._thread.start()

    def call(self, callback: Callback, future: Future[Any]) -> None:
        """Call a callback, or have it called. What it raises here, the future logs."""
        if threading.get_ident() == self.loop:
            self._waiting.put((callback, future))
        else:
            callback(future)

    def finish(self) -> None:
        """Wait until the last one has returned. For the loop's thread, when it ends."""
        self._waiting.put(None)
        if self._thread is not None:
            self._thread.join()

    def _serve(self) -> None:
        while (each := self._waiting.get()) is not None:
            self._try(*each)

    def _try(self, callback: Callback, future: Future[Any]) -> None:
        process = os.getpid()
        try:
            callback(future)
        except (Exception, SystemExit):
            log.exception("a callback of %r has raised", future)
        finally:
            if os.getpid() != process:
                end_fork()

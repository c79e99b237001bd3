"""The end of the interpreter, which finds executors that nobody has shut down."""

from __future__ import annotations

import threading
from weakref import WeakSet

from gigq.executor.run import Run


class Exits:
    """Has runs finish once the main thread has ended. One thread waits for that, however many executors there are."""

    def __init__(self) -> None:
        self._runs: WeakSet[Run] = WeakSet()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def watch(self, run: Run) -> None:
        """Have this run finish then."""
        with self._lock:
            self._runs.add(run)
            if self._thread is None or not self._thread.is_alive():  # after a fork it is not
                self._thread = threading.Thread(target=self._wait, name="gigq-exit", daemon=True)
                self._thread.start()

    def _wait(self) -> None:
        # The interpreter waits for the threads of the runs, which are no daemons, and this one is.
        threading.main_thread().join()
        with self._lock:
            runs = list(self._runs)
        for run in runs:
            run.finish()


# The end belongs to the process.
EXITS = Exits()

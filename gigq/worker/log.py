"""The log of a worker: its loop hands each line to a thread, and never waits for the handlers that write it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from logging import LogRecord

from gigq.clock import Clock
from gigq.logs import diverted, hand_over, logger
from gigq.worker.relay import Relay

log = logger("worker")

_TIMEOUT = 2.0


class WorkerLog:
    """Writes what threads of a worker log, which may not wait for a handler, in a thread of its own.

    A handler blocks when it writes to a pipe that nobody reads, or to a terminal that was stopped by Ctrl-S.

    Args:
        worker_id: the worker's name, which each line has as a field.
        clock: where time comes from.
        timeout: how long to wait for the handlers in the end: so many seconds for the last lines, and a quarter of
            them for the number of those that had to be dropped.
    """

    def __init__(self, worker_id: str, *, clock: Clock, timeout: float = _TIMEOUT) -> None:
        self._worker_id = worker_id
        self._relay = Relay[LogRecord](hand_over, note_dropped=self._warn_of_drops, name="gigq-log", clock=clock)
        self._timeout = timeout
        self._stuck_at: int | None = None

    @contextmanager
    def carrying(self) -> Iterator[None]:
        """While the block runs, what this thread logs with loggers of gigq is written by the other thread.

        At its end, wait until everything is written, but not for long: what is left then is dropped.
        """
        try:
            with diverted(self._send):
                yield
        finally:
            self._finish()

    def close(self) -> None:
        """End the other thread when it has nothing left to do."""
        self._relay.close()

    def _send(self, record: LogRecord) -> None:
        vars(record).setdefault("worker_id", self._worker_id)
        self._relay.send((record,))

    def _finish(self) -> None:
        # A handler that has blocked for long, and has not written a line since, is not waited for again.
        timeout = 0.0 if self._stuck_at == self._relay.received else self._timeout
        if self._relay.finish(timeout):
            self._relay.drop()
            self._relay.finish(timeout / 4)
            self._stuck_at = self._relay.received

    def _warn_of_drops(self, number: int) -> None:
        lines = "1 line was" if number == 1 else f"{number} lines were"
        ours = {"worker_id": self._worker_id}
        log.warning("the log is not read fast enough: %s dropped, the oldest first", lines, extra=ours)

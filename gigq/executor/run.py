"""One run of an executor: a worker in a thread of this process, which serves a queue that nobody else serves."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import Any

from gigq.clock import Clock
from gigq.errors import StoreError
from gigq.executor.board import Board
from gigq.executor.callbacks import Callbacks
from gigq.logs import logger
from gigq.queue.job_queue import JobQueue
from gigq.store import runs
from gigq.worker.employment import Employment
from gigq.worker.worker import Worker

log = logger("executor")

_SECONDS_BETWEEN_LOOKS = 0.05
_FOREVER = 1e8
"""Seconds. A pool waits for what runs, however long that takes."""


class RunWorker(Worker):
    """A worker that works for one program.

    Args:
        source: as for `Worker`.
        employment: for whom.
        options: as for `Worker`.
    """

    def __init__(self, source: JobQueue, employment: Employment, **options: Any) -> None:
        self._employment = employment
        super().__init__(source, shutdown_timeout=_FOREVER, **options)

    def wake(self) -> None:
        """Have the loop look at what there is. Safe to call from any thread."""
        self._orders.wake()

    def stop_now(self) -> None:
        """Stop, and give back what runs."""
        self._orders.stop(now=True)


class Run:
    """A worker and its thread. Safe to use from any thread.

    The thread is no daemon: the interpreter waits for it, and so it ends when the run has finished.

    Args:
        board: the employer of the worker.
        worker: is started when the run is.
        callbacks: those of the futures.
    """

    def __init__(self, board: Board, worker: RunWorker, callbacks: Callbacks) -> None:
        self.board = board
        self.pid = os.getpid()
        self._worker = worker
        self._callbacks = callbacks
        self._thread = threading.Thread(target=self._work, name="gigq-executor")
        board.stop = worker.stop

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended yet."""
        return self._thread.is_alive()

    @property
    def is_here(self) -> bool:
        """Whether the calling thread belongs to the run, and must not wait for it."""
        return threading.current_thread() is self._thread or self._callbacks.is_here

    def start(self) -> None:
        """Start the worker, and return when it is registered.

        Raises:
            StoreError: it could not be.
        """
        self._thread.start()
        self.board.is_registered.wait()
        if self.board.error is not None:
            self._thread.join()
            raise self.board.error()

    def finish(self) -> None:
        """Have the worker end when all has ended that was asked for."""
        self.board.finish()
        self._worker.wake()

    def leave(self) -> None:
        """Have the worker end when what runs has ended."""
        self.board.leave()

    def leave_now(self) -> None:
        """Have the worker end at once: what runs is given back."""
        try:
            self.board.leave()
        finally:  # also where one more interrupt comes
            self._worker.stop_now()

    def join(self) -> None:
        """Wait until it has ended."""
        self._thread.join()

    def _work(self) -> None:
        self._callbacks.loop = threading.get_ident()
        error: Exception | None = None
        try:
            with self._worker:
                self._worker.start()
        except Exception as found:
            error = found
        self._end(error)

    def _end(self, error: Exception | None) -> None:
        if error is not None:
            if self.board.outstanding():  # of which nobody may ask for the results any more
                log.error("the executor has ended before its calls: %s: %s", type(error).__name__, error)
            self.board.break_off(lambda: _again(error))
        elif not self.board.has_finished:
            self.board.break_off(lambda: self.board.broken("the worker of this executor was told to stop"))
        self.board.let_go()
        self._callbacks.finish()


def take_name(queue: JobQueue, name: str, run: Run, clock: Clock) -> None:
    """Return once no other executor of this name is alive.

    Raises:
        RuntimeError: another one is; the run has ended.
        StoreError: the file cannot be read.
    """
    seen: dict[int, int] = {}
    while others := _others(queue, name, run):
        for other in others:
            if seen.setdefault(other.seq, other.heartbeat) != other.heartbeat:
                run.leave()
                run.join()
                raise RuntimeError(
                    f"the executor {name!r} is in use by process {other.pid}; wait for it, or choose another name"
                )
        clock.sleep(_SECONDS_BETWEEN_LOOKS)  # the run's own worker removes those of dead processes


def _others(queue: JobQueue, name: str, run: Run) -> list[runs.Rival]:
    worker = run.board.worker
    with queue.database.read() as tx:
        return [each for each in runs.rivals(tx, name) if worker is not None and each.seq < worker.seq]


def _again(error: Exception) -> Exception:
    """Return an error like this one: each future raises its own, or their tracebacks would grow into each other."""
    if isinstance(error, StoreError):
        with suppress(TypeError):
            return type(error)(*error.args)
    return error

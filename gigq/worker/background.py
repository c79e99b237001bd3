"""A worker in a thread of its own, for as long as a block lasts."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from types import TracebackType
from typing import Generic, TypeVar

from gigq.clock import Clock
from gigq.job_ids import Jobs, ids_of
from gigq.logs import logger
from gigq.progress_line import ProgressLine
from gigq.queue import waiting
from gigq.store.engine.database import Database
from gigq.worker.serving import Orders

log = logger("worker")

T = TypeVar("T")

Over = Callable[[], str | None]
"""Says why the worker runs no more jobs; None while it does. Raises the error that the worker ended with."""


class Background(Generic[T]):
    """The context manager of `Worker.running`, to be used once, by one thread.

    In a fork of this process there is no such thread: to leave the block there does nothing.

    Args:
        worker: what the block is given.
        serve: runs the worker, and calls its argument when it can be told to stop.
        orders: by which it is told.
        wait: is called at the end of a block that has not raised.
        rest: is called when the worker has ended.
    """

    def __init__(
        self,
        worker: T,
        *,
        serve: Callable[[Callable[[], object]], None],
        orders: Orders,
        wait: Callable[[Over], object],
        rest: Callable[[], object],
    ) -> None:
        self._worker = worker
        self._serve = serve
        self._orders = orders
        self._wait = wait
        self._rest = rest
        self._process = os.getpid()
        self._error: Exception | None = None
        self._has_begun, self._has_ended = threading.Event(), threading.Event()
        # A daemon, because Python would wait for another thread before it comes to what is registered with atexit.
        self._thread = threading.Thread(target=self._run, name="gigq-worker", daemon=True)

    def __enter__(self) -> T:
        if self._thread.ident is not None:
            raise RuntimeError("this block was entered before; call running() again for another one")
        with ExitStack() as undo:
            undo.callback(self._end)  # where Ctrl-C comes before the block
            atexit.register(self._end)  # where a thread is still in its block when the process ends
            self._thread.start()
            self._has_begun.wait()
            if self._error is not None:
                raise self._error
            undo.pop_all()
        return self._worker

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with ExitStack() as last:
            if not self._is_forked:
                last.callback(self._rest)
                last.callback(self._thread.join, 1)  # it has told its end, and leaves its connections when it is gone
            last.callback(self._end)
            if error is None and not self._is_forked:
                self._wait(self._over)
        if self._error is None or self._is_forked:
            return
        if error is None:
            raise self._error
        error.add_note(f"The worker had ended with an error, too: {self._said()}")

    @property
    def _is_forked(self) -> bool:
        return os.getpid() != self._process

    def _run(self) -> None:
        try:
            self._serve(self._has_begun.set)
        except Exception as error:
            self._error = error
            if self._has_begun.is_set():  # or else it is raised at once
                log.error("the worker has ended: %s", self._said())
        finally:
            self._has_ended.set()
            self._has_begun.set()

    def _said(self) -> str:
        return f"{type(self._error).__name__}: {self._error}"

    def _over(self) -> str | None:
        if not self._has_ended.is_set():
            return None
        if self._error is not None:
            raise self._error
        return "when the worker stopped"

    def _end(self) -> None:
        """Stop the worker, and wait until it has. What ends that wait, such as Ctrl-C, stops its jobs as well."""
        if self._is_forked:
            return
        with ExitStack() as last:
            last.callback(atexit.unregister, self._end)
            last.callback(self._stop, now=True)
            self._stop(now=False)

    def _stop(self, *, now: bool) -> None:
        if self._thread.ident is not None and not self._has_ended.is_set():
            self._orders.stop(now=now)
            self._has_ended.wait()


def waits(database: Database, clock: Clock, until: Jobs | None, *, progress: bool) -> Callable[[Over], object]:
    """Return a function that waits until these jobs have ended, or the worker has.

    Args:
        until: the jobs. A list is read when they are waited for.
        progress: show on a terminal how many have ended.

    Raises:
        ValueError: there is nothing to show progress of.
        TypeError: `until` is neither a job nor a list of jobs.
    """
    if until is None:
        if progress:
            raise ValueError("progress needs until=…, the jobs to count")
        return lambda over: None
    found = ids_of(until, "until")
    jobs = until if isinstance(until, list) else found

    def wait(over: Over) -> None:
        ids = ids_of(jobs, "until")
        with ProgressLine(clock=clock) if progress else nullcontext() as line:

            def told(ended: int, failed: int) -> None:
                if line:
                    line.show(ended, len(set(ids)), failed=failed)

            waiting.wait(database, clock, ids, waiting.nothing, is_over=over, told=told)

    return wait

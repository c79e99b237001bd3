"""`Worker`: runs the jobs of a queue until it is told to stop."""

from __future__ import annotations

import math
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from types import FrameType, TracebackType
from typing import Self

from gigq.clock import Clock, Duration, SystemClock
from gigq.codec import RESULT_LIMIT
from gigq.errors import StoreError
from gigq.paths import Function
from gigq.runtime.call import caller
from gigq.runtime.functions import Functions
from gigq.runtime.inline import InlineRunner
from gigq.runtime.process.runner import ProcessRunner
from gigq.runtime.runner import Runner
from gigq.runtime.threads import ThreadRunner
from gigq.store.engine.connections import Durability
from gigq.store.engine.database import Database
from gigq.store.schema import open_queue
from gigq.worker.events import LISTENER_TIMEOUT, Event, Listener
from gigq.worker.heartbeat import beating
from gigq.worker.loop import Loop
from gigq.worker.options import Mode, WorkerOptions

_LONGEST_PAUSE = 0.004
"""Seconds between two tries for the write lock. Longer than other writers', for those keep someone waiting."""


class Worker:
    """Runs the jobs of one queue file.

    `start` and `process_one` belong to the thread that calls them; `stop` may be called from any. Use it as a
    context manager, or call `close`.

    Args:
        db_path: the file, as `JobQueue` takes it; created if missing.
        worker_id: a name for people; two workers may bear the same.
        polling_interval: the longest wait, in seconds, before the queue is looked at again.
        concurrency: how many jobs may run at a time.
        mode: whether jobs run in threads of this process or in child processes, one for each slot. Unix only.
        queues: names of the queues to serve; None for all.
        handlers: functions by the name that jobs call them by; what is not here is imported.
        allow: modules from which may be imported: ``"myapp"`` itself, ``"myapp."`` what is inside it. None: all.
        lease: seconds of silence after which other workers hold this one for dead.
        shutdown_timeout: seconds that running jobs get when the worker is told to stop.
        burst: return from `start` when nothing is left to run, now or within ten seconds.
        max_jobs: how many jobs a child process runs before a new one takes its place; None for no end of them.
        prune_after: seconds after which completed and cancelled jobs are deleted, a few hundred at a time; None: never.
        result_limit: the most bytes that a result may have as JSON.
        capture_logs: keep what a job logs, and in process mode also what it prints, with its execution.
        on_event: called with an `Event` for all that becomes of jobs here, in a thread of its own, one after the other.
            It may be slow, or raise: the worker does not notice. When 10,000 wait, the oldest are dropped.
        durability: as for `JobQueue`.
        clock: where time comes from; for tests.

    Raises:
        ValueError: an argument that cannot be.
        NotImportable: a handler that cannot be called as jobs are, or in process mode has no import path.
        NotAQueue, StoreError: as `JobQueue`.

    Example:
        >>> from calendar import isleap
        >>> from tempfile import TemporaryDirectory
        >>> from gigq import JobQueue, Worker
        >>> with TemporaryDirectory() as folder, JobQueue(f"{folder}/jobs.db") as queue:
        ...     job_id = queue.enqueue(isleap, 2028)
        ...     with Worker(f"{folder}/jobs.db", concurrency=4, burst=True) as worker:
        ...         worker.start()
        ...     queue.get_result(job_id)
        True
    """

    def __init__(
        self,
        db_path: str | os.PathLike[str],
        worker_id: str | None = None,
        polling_interval: Duration = 5,
        concurrency: int = 1,
        *,
        mode: Mode = "thread",
        queues: Sequence[str] | None = None,
        handlers: Mapping[str, Function] | None = None,
        allow: Sequence[str] | None = None,
        lease: Duration = 15.0,
        shutdown_timeout: Duration = 30.0,
        burst: bool = False,
        max_jobs: int | None = None,
        prune_after: Duration | None = None,
        result_limit: int = RESULT_LIMIT,
        capture_logs: bool = False,
        on_event: Callable[[Event], object] | None = None,
        durability: Durability = "full",
        clock: Clock | None = None,
    ) -> None:
        name = worker_id or f"{socket.gethostname()}-{os.getpid()}-{os.urandom(2).hex()}"
        self._options = WorkerOptions.of(
            worker_id=name, polling_interval=polling_interval, concurrency=concurrency, mode=mode, queues=queues,
            handlers=tuple(handlers or ()), lease=lease, shutdown_timeout=shutdown_timeout, burst=burst, max_jobs=max_jobs,
            prune_after=prune_after, result_limit=result_limit, capture_logs=capture_logs,
        )  # fmt: skip
        self._clock = clock or SystemClock()
        self._functions = Functions(handlers=dict(handlers or {}), allow=None if allow is None else tuple(allow))
        self._call = caller(self._functions, clock=self._clock, result_limit=result_limit, keeps_logs=capture_logs)
        self._new_runner = self._runners()
        self._listener = None if on_event is None else Listener(on_event, clock=self._clock)
        self._database = _open(db_path, durability, self._clock)
        self._inline = InlineRunner(self._call)
        self._inline_loop: Loop | None = None  # of process_one
        self._loop: Loop | None = None  # of start
        self._inline_lock, self._start_lock = threading.Lock(), threading.Lock()
        self._is_stopping = self._stops_now = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._database.path!r}, {self.worker_id!r})"

    @property
    def worker_id(self) -> str:
        """The worker's name."""
        return self._options.worker_id

    def start(self) -> None:
        """Run jobs until `stop` is called, the queue asks it to, or in the main thread SIGTERM or SIGINT arrives.

        Then no more jobs are claimed, and the running ones get `shutdown_timeout` to end; what has not ended is given
        back with its attempt, and its function is interrupted by `JobCancelled`. A second signal gives back at once.

        Raises:
            QueueGone: the file was deleted or replaced.
            NotAQueue: a newer gigq has upgraded the file.
            StoreError: what had ended could not be written when the worker stopped; those jobs will run again.
        """
        with self._start_lock, self._signals():
            loop = self._loop = self._new_loop(self._new_runner(), listens=True)
            try:
                self._run(loop)
            finally:
                self._loop = None
                loop.close()
                if self._listener:
                    self._listener.finish(LISTENER_TIMEOUT)
                self._is_stopping = self._stops_now = False

    def stop(self) -> None:
        """Tell `start` to return, and do not wait for it. Before a `start`, it makes that one return at once."""
        self._is_stopping = True
        loop = self._loop
        if loop is not None:
            loop.wake()

    def process_one(self) -> bool:
        """Claim the best job, run it in this thread (whatever the mode), and settle it. False if no job is ready.

        In the main thread a job is stopped at its deadline even while it sleeps or waits; in another one, at its
        next step of Python. SIGINT or SIGTERM interrupt it there: the job is given back with its attempt, and then the
        signal does what it does otherwise, such as raise `KeyboardInterrupt`.

        Raises:
            StoreError: the queue could not be read or written. A result that could not be written is kept, and
                written by the next call.
        """
        with self._inline_lock:
            runner = self._inline
            loop = self._inline_loop = self._inline_loop or self._new_loop(runner)
            with beating(loop):
                started = loop.turn()
            if started:
                loop.turn(claim=False)
            if runner.signal is not None:
                number, runner.signal = runner.signal, None
                signal.raise_signal(number)
            return bool(started)

    def close(self) -> None:
        """Stop, wait until `start` has returned, take the worker's name out of the file, and close all connections.

        Raises:
            StoreError: the result of a job that `process_one` has run could not be written. All is closed even so.
        """
        self.stop()
        with ExitStack() as last, self._inline_lock, self._start_lock:
            last.callback(self._database.close)
            if self._listener:
                last.callback(self._listener.close, LISTENER_TIMEOUT)
            if self._inline_loop is not None:
                loop, self._inline_loop = self._inline_loop, None
                last.callback(loop.close)
                loop.leave()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _new_loop(self, runner: Runner, *, listens: bool = False) -> Loop:
        return Loop(self._database, runner, self._options, clock=self._clock, listens=listens, listener=self._listener)

    def _runners(self) -> Callable[[], Runner]:
        """Return what makes the runner of each `start`. Handlers that no other process can import are refused here."""
        options, functions = self._options, self._functions
        if options.mode == "thread":
            return partial(ThreadRunner, self._call, slots=options.concurrency, clock=self._clock)
        return partial(
            ProcessRunner,
            slots=options.concurrency,
            clock=self._clock,
            handlers=functions.handlers,
            allow=functions.allow,
            result_limit=options.result_limit,
            jobs_per_child=options.max_jobs,
            keeps_logs=options.capture_logs,
        )

    def _run(self, loop: Loop) -> None:
        while not self._is_to_stop(loop):
            self._turn(loop, claim=True)
        deadline = self._clock.monotonic() + self._options.shutdown_timeout
        while not self._may_leave(loop, deadline):
            self._turn(loop, claim=False, deadline=deadline)
        loop.leave()

    def _turn(self, loop: Loop, *, claim: bool, deadline: float = math.inf) -> None:
        """Do what is to be done now, and wait until there is more."""
        try:
            loop.turn(claim=claim)
        except StoreError as error:
            loop.pause_after_error(error)
            return
        if not (self._is_to_stop(loop) if claim else self._may_leave(loop, deadline)):
            loop.wait(at_most=deadline - self._clock.monotonic())

    def _is_to_stop(self, loop: Loop) -> bool:
        """Whether no more jobs are to be claimed."""
        return self._is_stopping or loop.stop is not None or (self._options.burst and loop.is_done)

    def _may_leave(self, loop: Loop, deadline: float) -> bool:
        """Whether a worker that was told to stop need not wait for running jobs any more, or there are none."""
        return not loop.is_busy or self._stops_now or loop.stop == "now" or self._clock.monotonic() >= deadline

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Stop at SIGTERM and SIGINT while the block runs."""
        if threading.current_thread() is not threading.main_thread():
            yield  # only the main thread may say what a signal does
            return
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stops_now = self._is_stopping
        self.stop()


def _open(path: str | os.PathLike[str], durability: Durability, clock: Clock) -> Database:
    return open_queue(
        path, initialize=True, timeout=30.0, durability=durability, clock=clock, longest_pause=_LONGEST_PAUSE
    )

"""`Worker`: runs the jobs of a queue until it is told to stop."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Self

from gigq.checks import Default, Texts
from gigq.clock import Clock, Duration, to_clock
from gigq.codec import RESULT_LIMIT
from gigq.job_ids import Jobs
from gigq.lazy import LazyModule
from gigq.main_guard import IMPORTS
from gigq.paths import Function
from gigq.queue.job_queue import JobQueue
from gigq.runtime.alarms import harmless, postponed
from gigq.runtime.context import current_job
from gigq.runtime.functions import Functions
from gigq.runtime.runner import Runner
from gigq.runtime.signals import handling, heeded
from gigq.store.engine.connections import Durability
from gigq.store.engine.joined import joined_by
from gigq.worker.employment import Employment
from gigq.worker.events import LISTENER_TIMEOUT, Event, Listener
from gigq.worker.heartbeat import run_one
from gigq.worker.log import WorkerLog
from gigq.worker.loop import Loop
from gigq.worker.opening import opened
from gigq.worker.options import Mode, WorkerOptions, new_name
from gigq.worker.runners import Runners, refuse_unfit
from gigq.worker.serving import STOPPED_BY, Orders, serve
from gigq.worker.tally import Tally

if TYPE_CHECKING:
    from gigq.worker import background
else:
    background = LazyModule("gigq.worker.background")


class Worker:
    """Runs the jobs of one queue.

    `start` and `process_one` belong to the thread that calls them; `stop` may be called from any thread. Use it as a
    context manager, or call `close`.

    Args:
        db_path: the file, as for `JobQueue`, created if it is missing; or a `JobQueue`, whose file it is.
        worker_id: a name for people; two workers may have the same one. By default the host, the process ID and four
            random digits.
        polling_interval: the longest time between two looks at the queue, in seconds.
        concurrency: how many jobs may run at a time.
        mode: ``"thread"`` runs jobs in threads of this process; ``"process"`` runs each in a child process, which can
            be stopped at any time. Unix only.
        queues: the names of the queues to serve, one or several; None for all but those with a ``#`` in their names.
        handlers: functions by the names that jobs use for them; any other name is imported.
        allow: the modules that may be imported from, one or several: ``"myapp"`` itself, ``"myapp."`` everything inside
            it; None for all.
        lease: how long another worker may be silent before this one considers it dead, in seconds.
        shutdown_timeout: how long running jobs may go on after the worker is told to stop, in seconds.
        burst: return from `start` when no job can run, now or within ten seconds.
        max_jobs: with ``mode="process"``, replace a child process after this many jobs; None for never.
        prune_after: delete completed and cancelled jobs this long after they ended, in seconds; None for never.
        result_limit: the most bytes that a result may have as JSON.
        default: makes of an object in a result that JSON lacks, such as a date, one that it has, as the function of
            that name does for `json.dumps`.
        capture_logs: keep what a job logs, and in process mode also what it prints, with its execution: once a second
            while it runs, and when it ends.
        on_event: a function that is called with each `Event`, in a thread of its own, one at a time. It may be slow,
            or raise: the worker does not wait for it. When 10,000 events are waiting, the oldest are dropped.
        durability: as for `JobQueue`.
        clock: where time comes from; for tests.

    Raises:
        ValueError: an option has a value that it cannot have, such as process mode in a frozen application, or the
            queue is in memory: see `gigq.testing.drain`.
        TypeError: the handlers are not a dict, or `default` is not a function.
        NotImportable: a handler cannot be called as jobs are. In process mode `start` raises it if a handler, or
            `default`, has no import path.
        NotAQueue, StoreError: as for `JobQueue`.

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

    _employment: Employment | None = None  # for programs of ours that make a worker for themselves
    _tally: Tally | None = None
    _inline_loop: Loop | None = None  # of process_one

    def __init__(
        self,
        db_path: str | os.PathLike[str] | JobQueue,
        worker_id: str | None = None,
        polling_interval: Duration = 5,
        concurrency: int = 1,
        *,
        mode: Mode = "thread",
        queues: Texts | None = None,
        handlers: Mapping[str, Function] | None = None,
        allow: Texts | None = None,
        lease: Duration = 15.0,
        shutdown_timeout: Duration = 30.0,
        burst: bool = False,
        max_jobs: int | None = None,
        prune_after: Duration | None = None,
        result_limit: int = RESULT_LIMIT,
        default: Default | None = None,
        capture_logs: bool = False,
        on_event: Callable[[Event], object] | None = None,
        durability: Durability = "full",
        clock: Clock | None = None,
    ) -> None:
        IMPORTS.refuse("a worker was made")
        functions = Functions.of(handlers, allow=allow)
        self._options = WorkerOptions.of(
            worker_id=new_name() if worker_id is None else worker_id, polling_interval=polling_interval,
            concurrency=concurrency, mode=mode, queues=queues, handlers=tuple(functions.handlers), lease=lease,
            shutdown_timeout=shutdown_timeout, burst=burst, max_jobs=max_jobs, prune_after=prune_after, default=default,
            result_limit=result_limit, capture_logs=capture_logs, employment=self._employment, tally=self._tally,
        )  # fmt: skip
        self._clock = to_clock(clock)
        refuse_unfit(self._options)
        self._listener = None if on_event is None else Listener(on_event, clock=self._clock)
        self._log = WorkerLog(self.worker_id, clock=self._clock)
        self._database = opened(db_path, durability, self._clock)
        self._runners = Runners(self._options, functions, self._database, clock=self._clock)
        self._inline_lock, self._start_lock, self._orders = threading.Lock(), threading.Lock(), Orders()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._database.path!r}, {self.worker_id!r})"

    @property
    def worker_id(self) -> str:
        """The worker's name."""
        return self._options.worker_id

    @property
    def db_path(self) -> str:
        """The path of the file."""
        return self._database.path

    @property
    def concurrency(self) -> int:
        """How many jobs may run at a time, as it was told when it was made; `JobQueue.scale` may have changed it."""
        return self._options.concurrency

    @property
    def polling_interval(self) -> float:
        """The longest time between two looks at the queue, in seconds."""
        return self._options.polling_interval

    @property
    def stopped_by(self) -> int | None:
        """The number of the signal that made the last `start` return; None if it returned for another reason."""
        return self._orders.signal

    @property
    def current_job_id(self) -> str | None:
        """The id of the job that the calling thread is running; None outside of a job."""
        return current_job().id

    def start(self) -> None:
        """Run jobs until told to stop: by `stop`, by `JobQueue.stop_workers`, or by SIGTERM, SIGINT or SIGHUP.

        Then no more jobs are claimed, and the running ones may go on for `shutdown_timeout` seconds. Those that have
        not ended by then are given back, which does not count as an attempt, and their functions are interrupted by
        `JobCancelled`; a second signal does that at once. Signals are only handled in the main thread, and
        SIGHUP not where it is ignored, as under `nohup`.

        Raises:
            RuntimeError: the worker is running already.
            QueueGone: the file was deleted or replaced.
            NotAQueue: a newer gigq has upgraded the file.
            StoreError: results could not be written when the worker stopped; those jobs will run again. Or the worker
                was closed before.
        """
        self._serve()

    def running(self, *, until: Jobs | None = None, progress: bool = False) -> AbstractContextManager[Self]:
        """Run jobs in the background while a block lasts: as `start` does, but in a thread of its own.

        At the end of the block the worker stops, as `stop` makes it, and what has not begun stays in the queue. With
        `until` it first waits until those jobs have ended, however they ended. A block that raises, as by Ctrl-C, waits
        only for the running jobs, and a second Ctrl-C ends that too. The block changes nothing about signals.

        Args:
            until: the jobs to wait for, one or several. A list may be filled in the block: it is read at the end.
            progress: with `until`, show on a terminal how many of them have ended.

        Raises:
            RuntimeError: the worker is running already, or this thread has a transaction open on the file.
            JobNotFinished: the worker was stopped from elsewhere before all of these jobs had ended.
            JobNotFound: one of these jobs does not exist.
            StoreError: as `start`. An exception of the block comes first, with a note of this one.

        Example:
            >>> from calendar import isleap
            >>> from tempfile import TemporaryDirectory
            >>> from gigq import JobQueue, Worker
            >>> with TemporaryDirectory() as folder, JobQueue(f"{folder}/jobs.db") as queue:
            ...     ids = [queue.enqueue(isleap, year) for year in (2027, 2028)]
            ...     with Worker(f"{folder}/jobs.db", concurrency=4).running(until=ids):
            ...         pass
            ...     [queue.get_result(job_id) for job_id in ids]
            [False, True]
        """
        self._must_be_usable("a worker was started")
        wait = background.waits(self._database, self._clock, until, progress=progress)
        rest = self._database.rest
        return background.Background(self, serve=self._serve, orders=self._orders, wait=wait, rest=rest)

    def _serve(self, begin: Callable[[], object] | None = None) -> None:
        """Run jobs until told to stop, and call `begin` once the worker is in the file."""
        self._must_be_usable("a worker was started")
        self._orders.must_be_idle(self.worker_id)
        orders, signals = self._orders, heeded(even_ignored=STOPPED_BY)
        with self._log.carrying(), ExitStack() as last:
            if begin:  # or it would leave its threads behind where it was made for one block alone
                last.callback(self._log.close)
            if self._listener:  # without the lock, for it may be closing the worker
                last.callback(self._listener.close if begin else self._listener.finish, LISTENER_TIMEOUT)
            with self._start_lock, handling(signals, orders.stop_by_signal), harmless():
                loop = self._new_loop(self._runners.new(), listens=True)
                with orders.to(loop):
                    serve(loop, orders, self._options, self._clock, begin=begin)

    def stop(self) -> None:
        """Make `start` return, without waiting for it. If it has not been called yet, it will return at once."""
        self._orders.stop()

    def process_one(self) -> bool:
        """Claim the next job, run it in this thread whatever the mode, and settle it. False if no job is ready.

        A job whose function cannot be found here is given back, and the next one is run instead.

        In the main thread a job is stopped at its deadline even while it sleeps or waits; in another thread, at its
        next step of Python. In the main thread SIGINT, SIGTERM and SIGHUP interrupt the job: it is given back, which
        does not count as an attempt, and then the signal has its usual effect, such as `KeyboardInterrupt`.

        Raises:
            StoreError: the queue could not be read or written. A result that could not be written is kept, and the
                next call writes it.
        """
        self._must_be_usable("a job was run")
        with self._inline_lock, self._log.carrying(), postponed():
            runner = self._runners.inline
            loop = self._inline_loop = self._inline_loop or self._new_loop(runner)
            has_run = run_one(loop, self._log)
            if runner.signal is not None:
                number, runner.signal = runner.signal, None
                signal.raise_signal(number)
            return has_run

    def close(self) -> None:
        """Stop, wait until `start` has returned, remove the worker from the file, and close all connections.

        Raises:
            StoreError: the result of a job that `process_one` ran could not be written. Everything is closed even so.
        """
        if self._orders.is_forked:
            self._database.close()
            return
        self.stop()
        with self._log.carrying(), ExitStack() as last, self._inline_lock, self._start_lock:
            last.callback(self._log.close)
            last.callback(self._database.close)
            if self._listener:
                last.callback(self._listener.close, LISTENER_TIMEOUT)
            if self._inline_loop is not None:
                loop, self._inline_loop = self._inline_loop, None
                last.callback(loop.close)
                loop.leave()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _new_loop(self, runner: Runner, *, listens: bool = False) -> Loop:
        return Loop(self._database, runner, self._options, clock=self._clock, listens=listens, listener=self._listener)

    def _must_be_usable(self, act: str) -> None:
        self._database.must_be_open("this worker is closed; make another one with Worker(…)")
        IMPORTS.refuse(act)
        if joined_by(self._database):
            raise RuntimeError(f"this thread has a transaction open on {self._database.path!r}; run jobs after it")
        self._orders.must_be_usable()

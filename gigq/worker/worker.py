"""The worker as people hold it: what it is asked to be, how it starts, and how it is told to stop."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from types import FrameType, TracebackType
from typing import Literal, Self

from gigq.clock import Clock, Duration, SystemClock, to_seconds
from gigq.codec import RESULT_LIMIT
from gigq.errors import StoreError
from gigq.logs import logger
from gigq.paths import Function
from gigq.runtime.call import caller
from gigq.runtime.functions import Functions
from gigq.runtime.inline import InlineRunner
from gigq.runtime.process.runner import ProcessRunner
from gigq.runtime.runner import Runner
from gigq.runtime.threads import ThreadRunner
from gigq.store.engine.connections import Durability
from gigq.store.schema import open_queue
from gigq.worker.events import LISTENER_TIMEOUT, Event, Listener
from gigq.worker.loop import Loop
from gigq.worker.options import WorkerOptions

log = logger("worker")

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
        mode: Literal["thread", "process"] = "thread",
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
        self._options = WorkerOptions(
            worker_id=worker_id or f"{socket.gethostname()}-{os.getpid()}-{os.urandom(2).hex()}",
            mode=mode,
            concurrency=concurrency,
            queues=queues,
            handlers=tuple(handlers or ()),
            lease=to_seconds(lease),
            polling_interval=to_seconds(polling_interval),
            shutdown_timeout=to_seconds(shutdown_timeout),
            burst=burst,
            prune_after=None if prune_after is None else to_seconds(prune_after),
        )
        self._clock = clock = clock or SystemClock()
        functions = Functions(handlers=dict(handlers or {}), allow=None if allow is None else tuple(allow))
        self._listener = None if on_event is None else Listener(on_event, clock=clock)
        self._call = caller(functions, clock=clock, result_limit=result_limit, keeps_logs=capture_logs)
        self._new_runner = self._runners(
            functions, mode, max_jobs=max_jobs, result_limit=result_limit, keeps_logs=capture_logs
        )
        self._database = open_queue(
            db_path, initialize=True, timeout=30.0, durability=durability, clock=clock, longest_pause=_LONGEST_PAUSE
        )
        self._here = threading.Lock()
        self._running = threading.Lock()
        self._inline_runner = InlineRunner(self._call)
        self._inline: Loop | None = None  # of process_one
        self._loop: Loop | None = None  # of start
        self._is_stopping = self._is_hurried = False

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
        with self._running, self._signals():
            loop = self._loop = self._new_loop(self._new_runner(), listens=True)
            try:
                self._run(loop)
            finally:
                self._loop = None
                loop.close()
                if self._listener:
                    self._listener.finish(LISTENER_TIMEOUT)
                self._is_stopping = self._is_hurried = False

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
        with self._here:
            runner = self._inline_runner
            loop = self._inline = self._inline or self._new_loop(runner)
            with _heart(loop):
                started = loop.turn()
            if started:
                loop.turn(claim=False)
            if runner.signal is not None:
                number, runner.signal = runner.signal, None
                signal.raise_signal(number)
            return bool(started)

    def close(self) -> None:
        """Stop, wait until `start` has returned, take the worker's name out of the file, and close all connections."""
        self.stop()
        with self._here, self._running:
            if self._inline is not None:
                self._inline.leave()
                self._inline.close()
                self._inline = None
        if self._listener:
            self._listener.close(LISTENER_TIMEOUT)
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _new_loop(self, runner: Runner, *, listens: bool = False) -> Loop:
        return Loop(self._database, runner, self._options, clock=self._clock, listens=listens, listener=self._listener)

    def _runners(
        self, functions: Functions, mode: str, *, max_jobs: int | None, result_limit: int, keeps_logs: bool
    ) -> Callable[[], Runner]:
        """What makes the runner of each `start`."""
        slots, clock = self._options.concurrency, self._clock
        if mode == "thread" and max_jobs is None:
            return partial(ThreadRunner, self._call, slots=slots, clock=clock)
        if mode == "process":
            return partial(
                ProcessRunner,
                slots=slots,
                clock=clock,
                handlers=functions.handlers,
                allow=functions.allow,
                result_limit=result_limit,
                jobs_per_child=max_jobs,
                keeps_logs=keeps_logs,
            )
        raise ValueError(
            f'mode is {mode!r} and max_jobs {max_jobs!r}; max_jobs goes with mode="process", else "thread"'
        )

    def _run(self, loop: Loop) -> None:
        self._work(loop, lambda: self._is_to_stop(loop), claim=True)
        patience = self._clock.monotonic() + self._options.shutdown_timeout
        self._work(loop, lambda: self._is_enough(loop, patience), claim=False)
        loop.leave()

    def _work(self, loop: Loop, is_over: Callable[[], bool], *, claim: bool) -> None:
        while not is_over():
            try:
                loop.turn(claim=claim)
            except StoreError as error:
                loop.pause_after_error(error)
            else:
                if not is_over():
                    loop.wait()

    def _is_to_stop(self, loop: Loop) -> bool:
        """Whether no more jobs are to be claimed."""
        return self._is_stopping or loop.stop is not None or (self._options.burst and loop.is_done)

    def _is_enough(self, loop: Loop, patience: float) -> bool:
        """Whether a worker that was told to stop may leave: nothing runs, or it need not wait for that any more."""
        return not loop.is_busy or self._is_hurried or loop.stop == "now" or self._clock.monotonic() >= patience

    @contextmanager
    def _signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield  # only the main thread may say what a signal does
            return
        before = {number: signal.signal(number, self._follow) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _follow(self, number: int, frame: FrameType | None) -> None:
        self._is_hurried = self._is_stopping
        self.stop()


@contextmanager
def _heart(loop: Loop) -> Iterator[None]:
    """Keep the worker's heart beating, from a thread of its own, while a job has this one."""
    has_ended = threading.Event()

    def beat() -> None:
        while not has_ended.wait(loop.beat_interval):
            try:
                loop.beat()
            except StoreError as error:
                log.warning("a heartbeat could not be written: %s", error)

    thread = threading.Thread(target=beat, name="gigq-heart", daemon=True)
    thread.start()
    try:
        yield
    finally:
        has_ended.set()
        thread.join()

"""`QueueExecutor`: a pool of Python whose work outlives its process."""

from __future__ import annotations

import os
import threading
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Literal, ParamSpec, TypeVar, Unpack, cast

from gigq import checks
from gigq.clock import SystemClock, to_seconds
from gigq.executor.building import Parts, build
from gigq.executor.exiting import EXITS
from gigq.executor.mapping import checked_buffersize, results_of
from gigq.executor.options import ExecutorOptions
from gigq.executor.progress import Progress
from gigq.executor.run import take_name
from gigq.main_guard import IMPORTS
from gigq.queue.job_queue import JobQueue
from gigq.runtime.context import current_execution
from gigq.store import runs
from gigq.store.engine.joined import joined_by
from gigq.worker.options import Mode

P = ParamSpec("P")
T = TypeVar("T")

_SHUT = "cannot schedule new futures after shutdown"
_AT_ONCE = 1000
"""Jobs that are looked at in one transaction by `forget`."""


class QueueExecutor(Executor):
    """A pool for `concurrent.futures`, whose calls are jobs in a queue's file.

    With a `name` it resumes: run the script again, and calls that have completed return their results from the file,
    those that have failed are tried again, and those that the script no longer asks for are not made. A call that was
    running when the process died begins again, from the top of its function.

    A call is known by its function's import path, its arguments and `version`; equal ones are counted. Arguments and
    results are what JSON can hold, and come back as JSON holds them, also in the first run: a tuple is a list. A
    function that raises is called once, as in any pool, unless an option of `Job` says otherwise: with `max_attempts`,
    `retry_on` or `no_retry_on` it is tried again as a job is.

    Safe to share between threads, but not across a fork.

    Args:
        db_path: the file, as for `JobQueue`, created if it is missing; or a `JobQueue`, whose file, `params_limit` and
            `default` it uses.
        max_workers: how many calls may run at a time; by default as many as `ThreadPoolExecutor` or, in process mode,
            `ProcessPoolExecutor` allows.
        name: what to resume. One process at a time may use it. None keeps nothing: jobs are deleted when they end.
        mode: ``"thread"`` or ``"process"``, as for `Worker`.
        version: another one makes all calls again; it may be any text.
        progress: show how far it is in a line on standard error, if that is a terminal.
        thread_name_prefix: how the names of the threads begin.
        initializer: a function to call in each thread or process before its first call.
        initargs: its arguments; in process mode what JSON can hold.
        max_tasks_per_child: in process mode, replace a child process after this many calls; None for never.
        options: those of `Job` that calls can share, such as ``timeout``, ``priority`` or ``tags``. By default there is
            no timeout, and a call that a dying process takes along is made up to three times.

    Raises:
        RuntimeError: another process uses this name now.
        ValueError, TypeError: an option has a value that it cannot have, or the queue is in memory.
        NotImportable: the initializer cannot be found by child processes.
        NotAQueue, StoreError: as for `JobQueue`.

    Example:
        >>> from calendar import isleap
        >>> from tempfile import TemporaryDirectory
        >>> from gigq import QueueExecutor
        >>> with TemporaryDirectory() as folder:
        ...     with QueueExecutor(f"{folder}/jobs.db", name="leap years") as executor:
        ...         print(list(executor.map(isleap, range(2026, 2030))))
        ...     with QueueExecutor(f"{folder}/jobs.db", name="leap years") as executor:  # nothing is called again
        ...         print(executor.submit(isleap, 2028).result())
        [False, False, True, False]
        True
    """

    def __init__(
        self,
        db_path: str | os.PathLike[str] | JobQueue,
        max_workers: int | None = None,
        *,
        name: str | None = None,
        mode: Mode = "thread",
        version: str = "",
        progress: bool = False,
        thread_name_prefix: str = "",
        initializer: Callable[..., object] | None = None,
        initargs: Sequence[Any] = (),
        max_tasks_per_child: int | None = None,
        **options: Unpack[ExecutorOptions],
    ) -> None:
        IMPORTS.refuse("an executor was made")
        self._clock = SystemClock()
        self._parts: Parts = build(
            db_path, max_workers, name=name, mode=mode, version=version, thread_name_prefix=thread_name_prefix,
            initializer=initializer, initargs=initargs, max_tasks_per_child=max_tasks_per_child, options=options,
            clock=self._clock,
        )  # fmt: skip
        self._name = name
        self._run = run = self._parts.run
        self._is_shut = False
        self._told: set[str] = set()
        self._lock = threading.Lock()
        EXITS.watch(run)
        with ExitStack() as undo:  # also where an interrupt comes first: the interpreter would wait for the run
            undo.callback(self._parts.queue.close)
            undo.callback(run.leave)
            self._refuse_inside_a_transaction()
            run.start()
            if name is not None:
                take_name(self._parts.queue, name, run, self._clock)
            undo.pop_all()
        self._finalizer = weakref.finalize(self, _finish, run, self._parts.queue)
        self._finalizer.atexit = False  # the run is told by `EXITS`, and is awaited by the interpreter
        self._progress = Progress(name or "", run, self._clock) if progress else None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._parts.queue.db_path!r}, name={self._name!r})"

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Ask for a call, and return its future. It is stored within moments, together with others.

        Raises:
            NotImportable: the function has no import path: a lambda, a function in a function, a method, one that was
                typed at a prompt.
            NotSerializable: JSON cannot hold the arguments; the message says which.
            RuntimeError: the executor was shut down, or the interpreter ends; this is a fork of its process; this
                thread has a transaction open on the file; or it cannot go on (`BrokenExecutor`, with the reason).
        """
        self._must_be_usable()
        self._refuse_inside_a_transaction()
        parts = self._parts
        job = parts.calls.job(fn, args, kwargs)
        item = parts.new_item(job.id, job.function)
        with self._lock:  # a call that came in before the shutdown is made, as in a pool
            if self._is_shut or parts.run.board.is_finishing:
                raise RuntimeError(_SHUT)
            parts.intake.put(item, job)
        parts.intake.wait_for_room()
        if parts.intake.is_closed:
            parts.run.board.refuse(item)
        return cast("Future[T]", item)

    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
    ) -> Iterator[T]:
        """Call a function with each group of arguments, as `map` does, and return an iterator of the results, in order.

        An exception of a call is raised where its result would come. That, or closing the iterator, cancels the calls
        that have not begun.

        Args:
            fn: the function.
            iterables: its arguments; the shortest one counts.
            timeout: seconds from now after which the iterator raises TimeoutError; None for never.
            chunksize: changes nothing: each call is a job of its own, and they are stored hundreds at a time.
            buffersize: how many calls to ask for ahead of the results that were taken; None for all at once, which
                takes 2 kB of memory for each.
        """
        checks.whole(chunksize, "chunksize", least=1)
        return results_of(
            lambda args: self.submit(fn, *args),
            zip(*iterables, strict=False),
            timeout=None if timeout is None else float(to_seconds(timeout, "timeout")),
            buffersize=checked_buffersize(buffersize),
            tell=self._tell_if_quiet,
            clock=self._clock,
        )

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls, and end when all that were asked for have ended.

        Args:
            wait: whether to return only then. An interrupt (Ctrl-C) during that ends it: what runs is given back, and a
                later run of the same name makes those calls again.
            cancel_futures: whether to cancel the calls that have not begun.

        Raises:
            RuntimeError: it was asked to wait by one of its own calls or callbacks.
        """
        self._end_by(self._run.finish, wait=wait, cancels=cancel_futures)

    def forget(self) -> int:
        """Delete what earlier runs of this name have left in the file, results too, and return how many jobs.

        What this run has asked for and is not done yet stays. One transaction for every 1,000 jobs.

        Raises:
            ValueError: the executor has no name.
            StoreError: not all could be deleted.
        """
        if self._name is None:
            raise ValueError("this executor has no name, and so there is nothing to forget")
        spared = {item.job_id for item in self._run.board.outstanding()}
        deleted = 0
        after: int | None = 0
        while after is not None:
            with self._parts.queue.database.write() as tx:
                some, after = runs.forget(tx, self._name, after=after, limit=_AT_ONCE, spared=spared)
            deleted += some
        if not spared:
            self._parts.calls.forget()
        return deleted

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        """Shut down, and wait. Left by KeyboardInterrupt or SystemExit: wait only for what runs, and leave the rest.

        Without a name, there is nobody who could make the rest: it is cancelled.
        """
        is_left = kind is not None and issubclass(kind, KeyboardInterrupt | SystemExit)
        is_kept = is_left and self._name is not None
        self._end_by(self._run.leave if is_kept else self._run.finish, wait=True, cancels=is_left and not is_kept)
        return False

    def _must_be_usable(self) -> None:
        run = self._run
        if run.pid != os.getpid():
            raise RuntimeError(f"this executor belongs to process {run.pid}, of which this is a fork; make one here")
        if run.board.error is not None:
            error = run.board.error()
            if isinstance(error, BrokenExecutor):
                raise error
            raise BrokenExecutor(f"the executor cannot go on: {error}") from error

    def _refuse_inside_a_transaction(self) -> None:
        database = self._parts.queue.database
        if joined_by(database):
            raise RuntimeError(f"this thread has a transaction open on {database.path!r}; ask for calls after it")

    def _end_by(self, end: Callable[[], object], *, wait: bool, cancels: bool) -> None:
        with self._lock:
            self._is_shut = True
        if self._run.pid != os.getpid():  # a fork has none of the threads
            return
        try:
            if cancels:
                self._cancel_all()
            end()
            if wait:
                self._join()
        except KeyboardInterrupt:
            self._run.leave_now()
            raise

    def _cancel_all(self) -> None:
        for item in (*self._parts.intake.items(), *self._run.board.outstanding()):
            item.cancel()

    def _join(self) -> None:
        if self._run.is_here or ((execution := current_execution()) and self._run.board.runs(execution[1])):
            raise RuntimeError("an executor cannot wait for its own calls to end in one of them; use wait=False")
        try:
            self._run.join()
        finally:
            if self._progress is not None:
                self._progress.end()
        self._parts.queue.close()
        self._tell(stacklevel=5)

    def _tell_if_quiet(self) -> None:
        """Tell of results of older code once the calls that were asked for so far have been looked up."""
        if self._run.board.outdated and not self._parts.intake:
            self._tell(stacklevel=4)

    def _tell(self, *, stacklevel: int) -> None:
        for function, number in list(self._run.board.outdated.items()):
            if function in self._told:
                continue
            self._told.add(function)
            name = function.partition(":")[2]
            results = "1 result" if number == 1 else f"{number} results"
            warnings.warn(
                f"{results} of {name!r} {'was' if number == 1 else 'were'} made by older code; "
                "another version=… makes them again",
                stacklevel=stacklevel,
            )


def _finish(run: Any, queue: JobQueue) -> None:
    run.finish()
    queue.close()



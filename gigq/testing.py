"""Tools to test code that submits jobs: run the jobs here and now, under a clock that the test moves."""

from __future__ import annotations

from collections.abc import Mapping

from gigq import checks
from gigq.checks import Default
from gigq.clock import ManualClock
from gigq.codec import RESULT_LIMIT
from gigq.main_guard import IMPORTS
from gigq.paths import Function
from gigq.queue.durable import opener
from gigq.queue.job_queue import JobQueue
from gigq.runtime.alarms import postponed
from gigq.runtime.call import caller
from gigq.runtime.functions import Functions
from gigq.runtime.inline import InlineRunner
from gigq.store.engine.joined import joined_by
from gigq.worker.loop import Loop
from gigq.worker.options import WorkerOptions

__all__ = ["ManualClock", "drain"]


def drain(queue: JobQueue, *, handlers: Mapping[str, Function] | None = None, default: Default | None = None) -> int:
    """Run all ready jobs in this thread, one after the other, and return how many executions that were.

    Jobs that become ready meanwhile run too. A retry that has to wait does not: move the clock, and drain again. Nor
    does a job whose function is not found here; it stays as it was.

    Args:
        queue: the queue, which may be one in memory.
        handlers: functions by the names that jobs call them by, as for `Worker`.
        default: converts what JSON lacks in a result, as for `Worker`; by default that of the queue.

    Raises:
        TypeError: not a queue, or handlers that are no dict.
        RuntimeError: this thread has a transaction open on the queue's file.

    Example:
        >>> from calendar import isleap
        >>> from gigq import JobQueue
        >>> from gigq.testing import drain
        >>> with JobQueue(":memory:") as queue:
        ...     job_id = queue.enqueue(isleap, year=2028)
        ...     drain(queue), queue.get_result(job_id)
        (1, True)
    """
    IMPORTS.refuse("jobs were run")
    if not isinstance(queue, JobQueue):
        raise TypeError(f"queue is {checks.shown(queue)}; it must be a JobQueue")
    if joined_by(queue.database):
        raise RuntimeError(f"this thread has a transaction open on {queue.database.path!r}; run jobs after it")
    functions = Functions.of(handlers)
    options = WorkerOptions(worker_id="drain", mode="inline", handlers=tuple(functions.handlers))
    convert = checks.optional(default, "default", checks.function) or queue.default
    call = caller(
        functions, clock=queue.clock, result_limit=RESULT_LIMIT, default=convert, opened=opener(queue.database)
    )
    runner = InlineRunner(call)
    loop = Loop(queue.database, runner, options, clock=queue.clock)
    executions = 0
    with postponed():
        while started := loop.turn():
            executions += started
        loop.leave()
    return executions - loop.lacks.count

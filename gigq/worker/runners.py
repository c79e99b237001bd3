"""The runner of a worker: threads of its process, or child processes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from gigq.clock import Clock
from gigq.runtime.functions import Functions
from gigq.runtime.process.launching import refuse_here
from gigq.runtime.process.runner import ProcessRunner
from gigq.runtime.runner import Call, Runner
from gigq.runtime.threads import ThreadRunner
from gigq.worker.options import WorkerOptions


def runners(options: WorkerOptions, functions: Functions, call: Call, *, clock: Clock) -> Callable[[], Runner]:
    """Return a function that makes the runner for each start of a worker.

    Raises:
        ValueError: no child processes can be started here.
    """
    if options.mode == "thread":
        return partial(ThreadRunner, call, slots=options.concurrency, clock=clock)
    refuse_here()
    return partial(
        ProcessRunner,
        slots=options.concurrency,
        clock=clock,
        handlers=functions.handlers,
        allow=functions.allow,
        result_limit=options.result_limit,
        default=options.default,
        jobs_per_child=options.max_jobs,
        keeps_logs=options.capture_logs,
    )

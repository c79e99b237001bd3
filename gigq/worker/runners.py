"""The runners of a worker: threads of its process, child processes, or the thread that calls `process_one`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from gigq.clock import Clock
from gigq.paths import path_of
from gigq.queue.durable import opened_at, opener
from gigq.runtime.call import caller
from gigq.runtime.functions import Functions
from gigq.runtime.inline import InlineRunner
from gigq.runtime.process.launching import refuse_here
from gigq.runtime.process.runner import ProcessRunner
from gigq.runtime.process.wire import QueueFile
from gigq.runtime.runner import Runner
from gigq.runtime.threads import ThreadRunner
from gigq.store.engine.database import Database
from gigq.worker.options import WorkerOptions

_OPENER = path_of(opened_at)


class Runners:
    """Makes the runners of one worker.

    Args:
        options: what the worker was asked to be.
        functions: what its jobs may call.
        database: its file. Child processes get the path, and open it when a job asks for that.
        clock: where time comes from.

    Attributes:
        inline: for single jobs.
    """

    def __init__(self, options: WorkerOptions, functions: Functions, database: Database, *, clock: Clock) -> None:
        employed = options.employment
        call = caller(
            functions,
            clock=clock,
            result_limit=options.result_limit,
            default=options.default,
            keeps_logs=options.capture_logs,
            opened=opener(database),
            watch=None if employed is None else employed.watch,
        )
        self.inline = InlineRunner(call)
        self._new: Callable[[], Runner]
        if options.mode == "thread":
            name = None if employed is None else employed.thread_name
            self._new = partial(
                ThreadRunner, call, slots=options.concurrency, clock=clock, name=name, hires_all=employed is not None
            )
        else:
            self._new = partial(
                ProcessRunner,
                slots=options.concurrency,
                clock=clock,
                handlers=functions.handlers,
                allow=functions.allow,
                result_limit=options.result_limit,
                default=options.default,
                jobs_per_child=options.max_jobs,
                keeps_logs=options.capture_logs,
                watch=None if employed is None else employed.setup,
                file=QueueFile(_OPENER, database.file, database.durability),
            )

    def new(self) -> Runner:
        """Return a new runner for each start of the worker."""
        return self._new()


def refuse_unfit(options: WorkerOptions) -> None:
    """Refuse a worker that could start no runner.

    Raises:
        ValueError: no child processes can be started here.
        RuntimeError: nor can they on Windows, and inside a job.
    """
    if options.mode == "process":
        refuse_here()

"""The parts of an executor, put together from what its caller has said."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from gigq import checks
from gigq.clock import Clock
from gigq.codec import PARAMS_LIMIT, encode
from gigq.executor.board import Board
from gigq.executor.callbacks import Callbacks
from gigq.executor.calls import Calls
from gigq.executor.intake import Intake
from gigq.executor.items import Item
from gigq.executor.ledger import Ledger
from gigq.executor.options import checked_name, job_options, new_queue_name, slots
from gigq.executor.run import Run, RunWorker
from gigq.paths import path_of
from gigq.queue.job_queue import JobQueue
from gigq.runtime.watch import Setup
from gigq.worker.employment import Employment


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What an executor is made of.

    Attributes:
        queue: the file, for the program's own threads.
        calls: makes jobs of calls.
        intake: hands them to the worker.
        new_item: makes the future of a call, of the id and the path of its job.
        run: the worker.
    """

    queue: JobQueue
    calls: Calls
    intake: Intake
    new_item: Callable[[str, str], Item]
    run: Run


def build(
    source: str | os.PathLike[str] | JobQueue,
    max_workers: int | None,
    *,
    name: str | None,
    mode: str,
    version: str,
    thread_name_prefix: str,
    initializer: Callable[..., object] | None,
    initargs: Sequence[Any],
    max_tasks_per_child: int | None,
    options: Mapping[str, Any],
    clock: Clock,
) -> Parts:
    """Check the options of an executor, open its file, and return its parts; nothing is started."""
    name, version = checked_name(name), checks.any_text(version, "version")
    _check_mode(mode, max_tasks_per_child)
    run_queue = new_queue_name(name, clock)
    calls_of = partial(Calls, None if name is None else (name, version), job_options(options, queue=run_queue))
    concurrency = slots(max_workers, mode)
    setup, remote = _setups(mode, initializer, initargs)
    prefix = checks.any_text(thread_name_prefix, "thread_name_prefix") or "QueueExecutor"
    # A run without a name is never resumed, and so need not survive a loss of power.
    durability = "normal" if name is None else "full"
    worker_options = {
        "queues": [run_queue], "concurrency": concurrency, "mode": mode, "max_jobs": max_tasks_per_child,
        "durability": durability, "clock": clock,
    }  # fmt: skip
    queue = _opened(source)
    calls = calls_of(limit=_limit_of(source), default=queue.default)
    intake, callbacks = Intake(), Callbacks()
    board = Board(
        intake=intake, ledger=Ledger(name, queue=run_queue), calls=calls, setup=setup, is_exact=mode == "thread",
        broken=partial(_broken, mode), clock=clock,
    )  # fmt: skip
    employment = Employment(employer=board, watch=board, setup=remote, thread_name=prefix)
    worker = _worker(queue, employment, worker_options)
    intake.wake = worker.wake
    new_item = partial(Item, callbacks=callbacks, withdraw=intake.withdraw)
    return Parts(queue=queue, calls=calls, intake=intake, new_item=new_item, run=Run(board, worker, callbacks))


def _check_mode(mode: str, max_tasks_per_child: int | None) -> None:
    checks.one_of(mode, "mode", choices=("thread", "process"))
    if max_tasks_per_child is not None and mode != "process":
        raise ValueError(f'max_tasks_per_child is {max_tasks_per_child!r:.80}; it goes with mode="process"')
    checks.optional(max_tasks_per_child, "max_tasks_per_child", partial(checks.whole, least=1, or_else=", or None"))


def _setups(
    mode: str, initializer: Callable[..., object] | None, initargs: Sequence[Any]
) -> tuple[Setup, tuple[str, str]]:
    """Return what prepares the threads of this process, and the path and arguments of what prepares child processes."""
    checks.optional(initializer, "initializer", checks.function)
    if initializer is None or mode == "thread":
        return Setup(initializer, initargs), ("", "[]")
    return Setup(None), (path_of(initializer), _text_of(initargs))


def _worker(queue: JobQueue, employment: Employment, options: Mapping[str, Any]) -> RunWorker:
    try:
        return RunWorker(queue, employment, default=queue.default, **options)
    except Exception:
        queue.close()
        raise


def _opened(source: str | os.PathLike[str] | JobQueue) -> JobQueue:
    if isinstance(source, JobQueue):
        return JobQueue(source.db_path, default=source.default)
    return JobQueue(source)


def _limit_of(source: object) -> int:
    return source.params_limit if isinstance(source, JobQueue) else PARAMS_LIMIT


def _text_of(initargs: Sequence[Any]) -> str:
    return encode(list(initargs), name="initargs", limit=PARAMS_LIMIT)


def _broken(mode: str, reason: str) -> BrokenExecutor:
    if mode == "thread":
        from concurrent.futures.thread import BrokenThreadPool  # only where one is needed, as the other one

        return BrokenThreadPool(reason)
    from concurrent.futures.process import BrokenProcessPool

    return BrokenProcessPool(reason)

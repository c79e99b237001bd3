"""The time that a workflow will still take, estimated from how long its functions took lately."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections import defaultdict
from collections.abc import Collection, Iterable
from statistics import median
from typing import NamedTuple

from gigq.liveness import WorkerKey
from gigq.store.engine.transaction import Transaction
from gigq.store.usual import SAMPLE, STEP, between, step_back
from gigq.store.worker_health import health

_MOST = 10_000
"""Executions of the whole file that are looked at: some 30 ms. There is no index over the functions of finished jobs,
because every job would pay for it."""


class _Unfinished(NamedTuple):
    """The unfinished jobs of a workflow that call one function.

    Attributes:
        number: how many there are, running ones included.
        elapsed: how long each of the running ones has been running, in seconds.
    """

    number: int
    elapsed: list[float]


def time_left(tx: Transaction, workflow: int, *, gone: Collection[WorkerKey]) -> float | None:
    """Return the seconds until the unfinished jobs of a workflow have run, if nothing else takes the slots.

    For each job the median duration of its function, less what it has been running; all of them divided by the slots of
    the live workers, but no less than the longest. None if one of the functions has not completed lately, or if no live
    worker serves the queues of the jobs. It reads the jobs of the workflow, and 10,000 executions at the most.

    Args:
        workflow: its seq.
        gone: the workers whose process has certainly ended.
    """
    slots = _slots(tx, workflow, gone)
    unfinished = _unfinished(tx, workflow)
    usual = _durations(tx, workflow, unfinished)
    if not slots or usual.keys() != unfinished.keys():
        return None
    left = [each for function, jobs in unfinished.items() for each in _left(jobs, usual[function])]
    return max(sum(left) / slots, max(left, default=0.0))


def _left(jobs: _Unfinished, duration: float) -> Iterable[float]:
    running = [max(0.0, duration - each) for each in jobs.elapsed]
    return running + [duration] * (jobs.number - len(running))


def _slots(tx: Transaction, workflow: int, gone: Collection[WorkerKey]) -> int:
    queues = [
        queue
        for (queue,) in tx.execute(
            """
            SELECT DISTINCT queue
              FROM jobs INDEXED BY jobs_of_workflow
             WHERE workflow_seq = ?
               AND status IN ('pending', 'running')
            """,
            (workflow,),
        )
    ]
    live = [each for each in health(tx, gone=gone) if each.is_alive and not each.is_stopping]
    return sum(each.concurrency for each in live if any(map(each.serves, queues)))


def _unfinished(tx: Transaction, workflow: int) -> dict[str, _Unfinished]:
    """Return the unfinished jobs of a workflow by their functions."""
    numbers = tx.execute(
        """
        SELECT function, count(*)
          FROM jobs INDEXED BY jobs_of_workflow
         WHERE workflow_seq = ?
           AND status IN ('pending', 'running')
         GROUP BY function
        """,
        (workflow,),
    )
    found = {function: _Unfinished(number, []) for function, number in numbers}
    started = tx.execute(
        """
        SELECT function, started_at
          FROM jobs INDEXED BY jobs_of_workflow
         WHERE workflow_seq = ?
           AND status = 'running'
           AND started_at IS NOT NULL
        """,
        (workflow,),
    )
    for function, started_at in started:
        found[function].elapsed.append(between(started_at, tx.stamp))
    return found


def _durations(tx: Transaction, workflow: int, functions: Collection[str]) -> dict[str, float]:
    """Return the median duration of those of these functions that have completed lately."""
    found: dict[str, list[float]] = defaultdict(list)
    before: int = (tx.value("SELECT max(id) FROM executions") or 0) + 1
    oldest = max(1, before - _MOST)
    while before > oldest and (wanted := {each for each in functions if len(found[each]) < SAMPLE}):
        for function, seconds in step_back(tx, before):
            if function in wanted and len(found[function]) < SAMPLE:
                found[function].append(seconds)
        before -= STEP
    for function, seconds in _own(tx, workflow, before):
        if len(found[function]) < SAMPLE:
            found[function].append(seconds)
    return {function: median(found[function]) for function in functions if found[function]}


def _own(tx: Transaction, workflow: int, before: int) -> list[tuple[str, float]]:
    """Return those of the workflow itself that are older, the newest first: a long one is not found otherwise."""
    rows = tx.execute(
        """
        SELECT jobs.function, executions.started_at, executions.completed_at
          FROM jobs INDEXED BY jobs_of_workflow
          JOIN executions ON executions.job_seq = jobs.seq
         WHERE jobs.workflow_seq = :workflow
           AND jobs.status = 'completed'
           AND executions.id < :before
           AND executions.status = 'completed'
           AND executions.started_at IS NOT NULL
         ORDER BY executions.id DESC
        """,
        {"workflow": workflow, "before": before},
    )
    return [(function, between(started_at, completed_at)) for function, started_at, completed_at in rows]

"""The jobs that wait inside their functions for other jobs, so that `why` can say who blocks whom."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Sequence
from typing import NamedTuple

from gigq.store.engine.lists import listed
from gigq.store.engine.transaction import Transaction
from gigq.store.tables import OPEN

_MOST_NOTED = 100
"""Jobs for which one execution waits that are noted."""


class Wait(NamedTuple):
    """One job that waits for another.

    Attributes:
        id, name, status: of the other job in question.
        worker_seq: the row of the worker that runs the job which waits.
    """

    id: str
    name: str
    status: str
    worker_seq: int


def note(tx: Transaction, execution: int, *, waiter: str, jobs: Sequence[str]) -> bool:
    """Note that an execution waits for jobs; return whether it is one of this file.

    Args:
        waiter: the id of its job. The number of an execution may also be that of another one in another file.
    """
    known = tx.value(
        f"""
        SELECT 1
          FROM executions
         WHERE id = :execution
           AND {OPEN}
           AND job_seq = (SELECT seq FROM jobs WHERE id = :waiter)
        """,
        {"execution": execution, "waiter": waiter},
    )
    if known is None:
        return False
    # What was left behind by executions that were killed while they waited.
    tx.execute(
        f"""
        DELETE FROM job_waits
         WHERE execution = :execution
            OR NOT EXISTS (SELECT 1 FROM executions WHERE id = job_waits.execution AND {OPEN})
        """,
        {"execution": execution},
    )
    ids, values = listed(list(jobs)[:_MOST_NOTED])
    tx.execute(
        f"INSERT INTO job_waits (execution, job) SELECT ?, seq FROM jobs WHERE id IN {ids}", (execution, *values)
    )
    return True


def forget(tx: Transaction, execution: int) -> None:
    """Take note that an execution waits no longer."""
    tx.execute("DELETE FROM job_waits WHERE execution = ?", (execution,))


def waiting_for(tx: Transaction, job_id: str, *, most: int) -> list[Wait]:
    """Return the jobs that run and wait for this one, at most so many."""
    found = tx.execute(
        f"""
        SELECT waiters.id, waiters.name, waiters.status, executions.worker_seq
          FROM job_waits
          JOIN executions ON executions.id = job_waits.execution AND executions.{OPEN}
          JOIN jobs AS waiters ON waiters.seq = executions.job_seq
         WHERE job_waits.job = (SELECT seq FROM jobs WHERE id = :id)
         ORDER BY job_waits.execution
         LIMIT :most
        """,
        {"id": job_id, "most": most},
    )
    return [Wait(*row) for row in found]


def waited_for_by(tx: Transaction, job_id: str) -> list[Wait]:
    """Return the unfinished jobs for which this running one waits."""
    found = tx.execute(
        f"""
        SELECT others.id, others.name, others.status, executions.worker_seq
          FROM executions
          JOIN job_waits ON job_waits.execution = executions.id
          JOIN jobs AS others ON others.seq = job_waits.job AND others.completed_at IS NULL
         WHERE executions.job_seq = (SELECT seq FROM jobs WHERE id = :id)
           AND executions.{OPEN}
         ORDER BY job_waits.job
        """,
        {"id": job_id},
    )
    return [Wait(*row) for row in found]

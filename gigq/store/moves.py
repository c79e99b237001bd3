"""Every change of a job's status: no other module writes that column of a stored job.

Each statement takes its condition on the old status from `Move.sources`. Only the condition of `cancel` ever decides
anything; for the other moves the caller has found the job in such a status, under the lock of the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from gigq.liveness import WorkerKey
from gigq.reports import Report
from gigq.status import FINISHED, JobStatus, Move
from gigq.store.engine.lists import assigned, listed, portions, tabled
from gigq.store.engine.transaction import Transaction


@cache
def may(move: Move, *, without: JobStatus | None = None) -> str:
    """Return the SQL of whether a job's status is one from which this move may start.

    Args:
        without: a status from which the move is made by another statement.
    """
    sources = [f"status = '{status}'" for status in move.sources if status is not without]
    return f"({' OR '.join(sources)})"


def claim(tx: Transaction, jobs: Sequence[int], *, worker: WorkerKey, start: str | None) -> None:
    """Give jobs to a worker, and count the attempt. At most as many as one statement takes, as `portions` cuts them.

    Args:
        start: when their functions are called, or None for jobs that are claimed ahead.
    """
    seqs, values = listed(jobs)
    assignments, common = assigned(started_at=start, updated_at=tx.stamp, worker_id=worker.id)
    tx.execute(
        f"""
        UPDATE jobs
           SET status = 'running', attempts = attempts + 1, progress = NULL, {assignments}
         WHERE seq IN {seqs}
           AND {may(Move.CLAIM)}
        """,
        (*common, *values),
    )


def complete(tx: Transaction, completed: Sequence[tuple[int, str | None, str | None]]) -> None:
    """Complete jobs, at most as many as one statement takes.

    Args:
        completed: for each job its seq, its result as JSON, and its `start`, as for `end`.
    """
    table, values = tabled(completed)
    assignments, common = assigned(updated_at=tx.stamp, completed_at=tx.stamp)
    tx.execute(
        f"""
        UPDATE jobs
           SET status = 'completed', result = column2, error = NULL, started_at = coalesce(column3, started_at),
               {assignments}
          FROM {table}
         WHERE seq = column1
           AND {may(Move.COMPLETE)}
        """,
        (*common, *values),
    )


def end(
    tx: Transaction, job: int, move: Move, *, report: Report, attempts: int, run_at: str | None
) -> None:
    """Make the move that follows from the end of a job's execution, unless it is COMPLETE.

    Args:
        report: how the execution ended. A released job keeps the error of an earlier attempt: it has not failed.
        attempts: how many of its attempts count after this one.
        run_at: when it may be claimed again, or None.
    """
    tx.execute(
        f"""
        UPDATE jobs
           SET status = :status, attempts = :attempts, run_at = :run_at,
               error = CASE WHEN :is_released THEN error ELSE :error END,
               updated_at = :now, completed_at = :completed_at,
               started_at = CASE WHEN :has_begun THEN coalesce(:start, started_at) END,
               has_begun = max(has_begun, NOT :is_released, :has_begun AND coalesce(:start, started_at) IS NOT NULL),
               releases = releases + :is_released,
               ready_at = CASE WHEN :is_released THEN ready_at ELSE :now END
         WHERE seq = :job
           AND {may(move, without=JobStatus.PENDING)}
        """,
        {
            "job": job,
            "status": move.target.value,
            "attempts": attempts,
            "run_at": run_at,
            "is_released": move is Move.RELEASE,
            "error": report.error,
            "now": tx.stamp,
            "completed_at": tx.stamp if move.target in FINISHED else None,
            "start": report.started_at,
            "has_begun": report.has_begun,
        },
    )


def cancel(tx: Transaction, jobs: Sequence[int], *, error: str, failed_parent: int | None = None) -> int:
    """Cancel those of these jobs that are pending, and return how many. A running job is cancelled by its execution.

    Args:
        error: why they are cancelled.
        failed_parent: the job whose bad end is the reason.
    """
    cancelled = 0
    for portion in portions(jobs):
        seqs, values = listed(portion)
        assignments, common = assigned(
            error=error, failed_parent=failed_parent, updated_at=tx.stamp, completed_at=tx.stamp
        )
        cancelled += tx.execute(
            f"""
            UPDATE jobs
               SET status = 'cancelled', run_at = NULL, {assignments}
             WHERE seq IN {seqs}
               AND {may(Move.CANCEL, without=JobStatus.RUNNING)}
            """,
            (*common, *values),
        ).rowcount
    return cancelled


def requeue(tx: Transaction, job: int, *, run_at: str | None, move: Move = Move.REQUEUE) -> None:
    """Make a job that has ended pending again, as if it had just been submitted.

    If it would have expired by now it no longer does, or it would only be cancelled again.

    Args:
        move: REQUEUE for a job that ended badly, RERUN for the last job of a workflow if that has completed.
        run_at: when it may be claimed, or None.
    """
    tx.execute(
        f"""
        UPDATE jobs
           SET status = 'pending', attempts = 0, run_at = :run_at, failed_parent = NULL, result = NULL, error = NULL,
               updated_at = :now, ready_at = :now, started_at = NULL, completed_at = NULL, worker_id = NULL,
               expires_at = CASE WHEN expires_at > :now THEN expires_at END,
               blockers = (SELECT count(*)
                             FROM job_dependencies JOIN jobs AS parents ON parents.seq = job_dependencies.parent
                            WHERE job_dependencies.child = :job
                              AND parents.status IN ('pending', 'running'))
         WHERE seq = :job
           AND {may(move)}
        """,
        {"job": job, "run_at": run_at, "now": tx.stamp},
    )

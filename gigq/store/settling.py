"""The one door through which every execution ends, and with it its job's stay with a worker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gigq.clock import later, to_text
from gigq.errors import LeaseLost
from gigq.reports import Report
from gigq.retry import RetryRule
from gigq.status import FINISHED, ExecutionStatus, JobStatus, Move, move_after
from gigq.store.dependencies import ended_badly, parent_done, parent_ended_badly, parents_among
from gigq.store.engine.database import Transaction
from gigq.store.engine.lists import listed, portions, tabled
from gigq.store.limits import is_waited_for
from gigq.store.progress import write_logs, write_progress


class _Ended(NamedTuple):
    """An execution that is open as long as this transaction has the lock, its job, and how it ended."""

    execution: int
    job: int
    report: Report


class _Job(NamedTuple):
    id: str
    name: str
    attempts: int
    max_attempts: int
    retry: RetryRule


_DELETED = _Job("", "", 1, 1, RetryRule(delay=0.0, backoff=1.0, max_delay=0.0, jitter=0.0))
"""What somebody has deleted by hand, and not what belongs to it: the execution ends, and nothing else is written."""


def settle(tx: Transaction, execution_id: int, report: Report) -> Move:
    """End an execution, at most once, and make the one move of its job that follows from how it ended.

    Args:
        execution_id: an execution that is still open.
        report: how it ended.

    Raises:
        LeaseLost: someone else has ended it before. Nothing was written; the transaction goes on.
    """
    (move,) = settle_all(tx, [(execution_id, report)])
    if move is None:
        raise LeaseLost(f"execution {execution_id} was ended by someone else; the report ({report.status}) is refused")
    return move


def settle_all(tx: Transaction, reports: Sequence[tuple[int, Report]]) -> list[Move | None]:
    """Settle many executions as `settle` does, each named once, and return their jobs' moves; None where refused."""
    moves: list[Move | None] = []
    for portion in portions(reports):
        moves += _settle_some(tx, portion)
    return moves


def _settle_some(tx: Transaction, reports: Sequence[tuple[int, Report]]) -> list[Move | None]:
    jobs = _open_jobs(tx, [execution for execution, _ in reports])
    ended = [_Ended(execution, jobs[execution], report) for execution, report in reports if execution in jobs]
    completed = [each for each in ended if each.report.status is ExecutionStatus.COMPLETED]
    moves = dict.fromkeys((each.execution for each in completed), Move.COMPLETE)
    _write_outputs(tx, ended)
    if completed:
        _complete(tx, completed)
    for each in ended:
        if each.execution not in moves:
            moves[each.execution] = _end(tx, each)
    tx.has_news |= is_waited_for(tx)
    return [moves.get(execution) for execution, _ in reports]


def _open_jobs(tx: Transaction, executions: Sequence[int]) -> dict[int, int]:
    """Those of these executions that are still open, and their jobs: the open row is the lease."""
    ids, values = listed(executions)
    return dict(tx.execute(f"SELECT id, job_seq FROM executions WHERE id IN {ids} AND status = 'running'", values))


def _write_outputs(tx: Transaction, ended: Sequence[_Ended]) -> None:
    """Write what the functions have left behind: before their executions are closed, and most leave nothing."""
    progress = {each.execution: each.report.progress for each in ended if each.report.progress is not None}
    logs = {each.execution: each.report.log for each in ended if each.report.log is not None}
    if progress:
        write_progress(tx, progress)
    if logs:
        write_logs(tx, logs)


def _complete(tx: Transaction, completed: Sequence[_Ended]) -> None:
    """What most executions come to, with one statement for each table."""
    starts = [each.report.started_at and to_text(each.report.started_at) for each in completed]
    table, values = tabled([(each.execution, start) for each, start in zip(completed, starts, strict=True)])
    tx.execute(
        f"""
        UPDATE executions
           SET status = 'completed', completed_at = ?, started_at = coalesce(column2, started_at)
          FROM {table}
         WHERE id = column1
        """,
        (tx.stamp, *values),
    )
    table, values = tabled(
        [(each.job, each.report.result, start) for each, start in zip(completed, starts, strict=True)]
    )
    tx.execute(
        f"""
        UPDATE jobs
           SET status = 'completed', result = column2, error = NULL, updated_at = ?, completed_at = ?,
               started_at = coalesce(column3, started_at)
          FROM {table}
         WHERE seq = column1
        """,
        (tx.stamp, tx.stamp, *values),
    )
    for parent in parents_among(tx, [each.job for each in completed]):
        parent_done(tx, parent)


def _end(tx: Transaction, ended: _Ended) -> Move:
    """What else an execution can come to."""
    job, report = _job(tx, ended.job), ended.report
    move = move_after(report.status, is_final=report.is_final, attempts_left=job.max_attempts - job.attempts)
    start = report.started_at and to_text(report.started_at)
    tx.execute(
        """
        UPDATE executions
           SET status = ?, completed_at = ?, error = ?, error_type = ?, traceback = ?,
               started_at = coalesce(?, started_at)
         WHERE id = ?
        """,
        (report.status.value, tx.stamp, report.error, report.error_type, report.traceback, start, ended.execution),
    )
    wait = _wait(tx, job, report, move)
    tx.execute(
        """
        UPDATE jobs
           SET status = ?, attempts = ?, run_at = ?,
               error = CASE WHEN ? THEN error ELSE ? END,   -- a released one did not fail; an earlier attempt may have
               updated_at = ?, completed_at = ?, started_at = coalesce(?, started_at)
         WHERE seq = ?
        """,
        (
            move.target.value,
            job.attempts - (move is Move.RELEASE),
            to_text(later(tx.now, wait)) if wait > 0 else None,
            move is Move.RELEASE,
            report.error,
            tx.stamp,
            tx.stamp if move.target in FINISHED else None,
            start,
            ended.job,
        ),
    )
    if move.target in FINISHED and parents_among(tx, [ended.job]):
        parent_ended_badly(tx, ended.job, ended_badly(job.id, job.name, move.target))
    tx.has_news |= move.target is JobStatus.PENDING
    return move


def _job(tx: Transaction, seq: int) -> _Job:
    found = tx.execute(
        """
        SELECT id, name, attempts, max_attempts, retry_delay, retry_backoff, retry_max_delay, retry_jitter
          FROM jobs
         WHERE seq = ?
        """,
        (seq,),
    ).fetchone()
    if found is None:
        return _DELETED
    job_id, name, attempts, most, delay, backoff, max_delay, jitter = found
    retry = RetryRule(delay=delay, backoff=backoff, max_delay=max_delay, jitter=jitter)
    return _Job(job_id, name, attempts, most, retry)


def _wait(tx: Transaction, job: _Job, report: Report, move: Move) -> float:
    """Seconds until the job may run again."""
    if move is Move.RETRY:
        return job.retry.wait(job.attempts, chance=tx.random())
    return report.delay if move is Move.RELEASE else 0.0

"""The end of an execution, and the one move of its job that follows from it."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gigq.clock import later, to_text
from gigq.errors import LeaseLost
from gigq.reports import Report
from gigq.retry import RetryRule
from gigq.status import FINISHED, ExecutionStatus, JobStatus, Move, move_after
from gigq.store import missing, moves
from gigq.store.dependencies import ended_badly, parent_done, parent_ended_badly, parents_among
from gigq.store.engine.lists import listed, portions, tabled
from gigq.store.engine.transaction import Transaction
from gigq.store.limits import is_waited_for
from gigq.store.progress import write_cursors, write_logs, write_progress
from gigq.store.tables import OPEN

_COMPLETED = ExecutionStatus.COMPLETED
"""A name of its own: to look a member up in its enum takes as long as to compare it."""


_LAST_RELEASES = 20
"""The last releases of a job that are kept, besides its first. A job that polls for a week may be given back 60,000
times."""


class _Job(NamedTuple):
    id: str
    name: str
    attempts: int
    max_attempts: int
    releases: int
    retry: RetryRule


_DELETED = _Job("", "", 1, 1, 0, RetryRule(delay=0.0, backoff=1.0, max_delay=0.0, jitter=0.0))
"""Used for a job whose row somebody deleted, but not its execution. Only the execution is written."""


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
    """Settle executions, each named once, as `settle` does, and return the moves of their jobs; None where refused."""
    settled: list[Move | None] = []
    for portion in portions(reports):
        settled += _settle_some(tx, portion)
    return settled


def _settle_some(tx: Transaction, reports: Sequence[tuple[int, Report]]) -> list[Move | None]:
    unsettled = [execution for execution, report in reports if not report.is_settled]
    jobs = _open_jobs(tx, unsettled) if unsettled else dict[int, int]()
    ended = [each for each in reports if each[0] in jobs]
    _write_outputs(tx, ended)
    completed = [each for each in ended if each[1].status is _COMPLETED]
    made: dict[int, Move] = dict.fromkeys(jobs, Move.COMPLETE)
    if completed:
        _complete(tx, completed, jobs)
    if len(completed) < len(ended):
        made |= {each: _end(tx, each, jobs[each], report) for each, report in ended if report.status is not _COMPLETED}
    tx.has_news |= is_waited_for(tx)
    return [Move.COMPLETE if report.is_settled else made.get(execution) for execution, report in reports]


def _open_jobs(tx: Transaction, executions: Sequence[int]) -> dict[int, int]:
    """Return the jobs of those of these executions that are still open: the open row is the lease."""
    ids, values = listed(executions)
    return dict(tx.execute(f"SELECT id, job_seq FROM executions WHERE id IN {ids} AND {OPEN}", values).fetchall())


def _write_outputs(tx: Transaction, ended: Sequence[tuple[int, Report]]) -> None:
    """Write the progress, cursors and logs that are left to write. Before the executions are closed; few leave any."""
    progress = {execution: report.progress for execution, report in ended if report.progress is not None}
    logs = {execution: report.log for execution, report in ended if report.log is not None}
    cursors = {execution: report.cursor for execution, report in ended if report.cursor is not None}
    if progress:
        write_progress(tx, progress)
    if cursors:
        write_cursors(tx, cursors)
    if logs:
        write_logs(tx, logs)


def _complete(tx: Transaction, completed: Sequence[tuple[int, Report]], jobs: Mapping[int, int]) -> None:
    """Complete executions and their jobs, with one statement for each table."""
    table, values = tabled([(execution, report.started_at) for execution, report in completed])
    tx.execute(
        f"""
        UPDATE executions
           SET status = 'completed', completed_at = ?, started_at = coalesce(column2, started_at)
          FROM {table}
         WHERE id = column1
        """,
        (tx.stamp, *values),
    )
    moves.complete(tx, [(jobs[execution], report.result, report.started_at) for execution, report in completed])
    for parent in parents_among(tx, [jobs[execution] for execution, _ in completed]):
        parent_done(tx, parent)


def _end(tx: Transaction, execution: int, seq: int, report: Report) -> Move:
    """End an execution that has not completed, and return the move that its job makes."""
    job = _job(tx, seq)
    if report.is_missing:
        report = missing.judged(tx, seq, report)
    move = move_after(report.status, is_final=report.is_final, attempts_left=job.max_attempts - job.attempts)
    _close(tx, execution, report)
    wait = _wait(tx, job, report, move)
    run_at = to_text(later(tx.now, wait)) if wait > 0 else None
    attempts = max(0, job.attempts - (move is Move.RELEASE))  # somebody may have set it back to 0 by hand
    moves.end(tx, seq, move, report=report, attempts=attempts, run_at=run_at)
    if move is Move.RELEASE and job.releases > _LAST_RELEASES:
        _drop_releases(tx, seq)
    if move.target in FINISHED and parents_among(tx, [seq]):
        parent_ended_badly(tx, seq, ended_badly(job.id, job.name, move.target))
    tx.has_news |= move.target is JobStatus.PENDING
    return move


def _close(tx: Transaction, execution: int, report: Report) -> None:
    tx.execute(
        """
        UPDATE executions
           SET status = :status, completed_at = :now, error = :error, error_type = :error_type, traceback = :traceback,
               started_at = CASE WHEN :has_begun THEN coalesce(:start, started_at) END
         WHERE id = :execution
        """,
        {
            "execution": execution,
            "status": report.status.value,
            "now": tx.stamp,
            "error": report.error,
            "error_type": report.error_type,
            "traceback": report.traceback,
            "start": report.started_at,
            "has_begun": report.has_begun,
        },
    )


def _drop_releases(tx: Transaction, seq: int) -> None:
    """Delete the executions in which a job was given back, but for the first and the last 20."""
    tx.execute(
        """
        DELETE FROM executions
         WHERE id IN (SELECT id
                        FROM (SELECT id
                                FROM executions
                               WHERE job_seq = :job AND status = 'released'
                               ORDER BY id DESC
                               LIMIT -1 OFFSET :last)
                       ORDER BY id
                       LIMIT -1 OFFSET 1)
        """,
        {"job": seq, "last": _LAST_RELEASES},
    )


def _job(tx: Transaction, seq: int) -> _Job:
    found = tx.execute(
        """
        SELECT id, name, attempts, max_attempts, releases, retry_delay, retry_backoff, retry_max_delay, retry_jitter
          FROM jobs
         WHERE seq = :seq
        """,
        {"seq": seq},
    ).fetchone()
    if found is None:
        return _DELETED
    job_id, name, attempts, most, releases, delay, backoff, max_delay, jitter = found
    retry = RetryRule(delay=delay, backoff=backoff, max_delay=max_delay, jitter=jitter)
    return _Job(job_id, name, attempts, most, releases, retry)


def _wait(tx: Transaction, job: _Job, report: Report, move: Move) -> float:
    """Return the seconds until the job may run again."""
    if move is Move.RETRY:
        return job.retry.wait(job.attempts, chance=tx.random())
    return report.delay if move is Move.RELEASE else 0.0

"""The one door through which every execution ends, and with it its job's stay with a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from gigq.clock import later, to_text
from gigq.errors import LeaseLost
from gigq.records import Report
from gigq.retry import RetryRule
from gigq.status import FINISHED, JobStatus, Move, move_after
from gigq.store.children import ended_badly, parent_done, parent_ended_badly, parents_among
from gigq.store.database import Transaction

_MOST_AT_ONCE = 500
"""Values of one statement: SQLite takes at least 999."""


class _Job(NamedTuple):
    seq: int
    id: str
    name: str
    attempts: int
    max_attempts: int
    retry: RetryRule


class _Settled(NamedTuple):
    """An execution that was still open, its job, how it ended, and what becomes of the job."""

    execution_id: int
    job: _Job
    report: Report
    move: Move


def settle(tx: Transaction, execution_id: int, report: Report, *, chance: float) -> Move:
    """End an execution, at most once, and make the one move of its job that follows from how it ended.

    Args:
        execution_id: an execution that is still open.
        report: how it ended.
        chance: a random number from 0 to 1, for the jitter of a retry.

    Raises:
        LeaseLost: someone else has ended it before. Nothing was written; the transaction goes on.
    """
    (move,) = settle_all(tx, [(execution_id, report)], chance=lambda: chance)
    if move is None:
        raise LeaseLost(f"execution {execution_id} was ended by someone else; the report ({report.status}) is refused")
    return move


def settle_all(
    tx: Transaction, reports: Sequence[tuple[int, Report]], *, chance: Callable[[], float]
) -> list[Move | None]:
    """Settle many executions as `settle` does, each named once, and return their jobs' moves; None where refused."""
    moves: list[Move | None] = []
    for start in range(0, len(reports), _MOST_AT_ONCE):
        moves += _settle_some(tx, reports[start : start + _MOST_AT_ONCE], chance=chance)
    return moves


def _settle_some(
    tx: Transaction, reports: Sequence[tuple[int, Report]], *, chance: Callable[[], float]
) -> list[Move | None]:
    jobs = _open_jobs(tx, [execution for execution, _ in reports])
    moves = [_move(jobs.get(execution), report) for execution, report in reports]
    settled = [
        _Settled(execution, jobs[execution], report, move)
        for (execution, report), move in zip(reports, moves, strict=True)
        if move is not None
    ]
    _close(tx, settled)
    _apply(tx, settled, chance=chance)
    _tell_children(tx, settled)
    tx.has_news |= any(each.move.target is JobStatus.PENDING for each in settled)
    return moves


def _move(job: _Job | None, report: Report) -> Move | None:
    if job is None:
        return None
    return move_after(report.status, is_final=report.is_final, attempts_left=job.max_attempts - job.attempts)


def _open_jobs(tx: Transaction, executions: Sequence[int]) -> dict[int, _Job]:
    """The jobs of those of these executions that are still open: the open row is the lease."""
    marks = ", ".join("?" * len(executions))
    rows = tx.execute(
        f"""
        SELECT executions.id, jobs.seq, jobs.id, name, attempts, max_attempts,
               retry_delay, retry_backoff, retry_max_delay, retry_jitter
          FROM executions JOIN jobs ON jobs.seq = executions.job_seq
         WHERE executions.id IN ({marks})
           AND executions.status = 'running'
        """,
        executions,
    )
    return {
        execution: _Job(seq, job_id, name, attempts, most, RetryRule(delay=a, backoff=b, max_delay=c, jitter=d))
        for execution, seq, job_id, name, attempts, most, a, b, c, d in rows
    }


def _close(tx: Transaction, settled: Iterable[_Settled]) -> None:
    tx.executemany(
        """
        UPDATE executions
           SET status = ?, completed_at = ?, error = ?, error_type = ?, traceback = ?,
               started_at = coalesce(?, started_at)
         WHERE id = ?
           AND status = 'running'
        """,
        [
            (
                report.status.value,
                tx.stamp,
                report.error,
                report.error_type,
                report.traceback,
                report.started_at and to_text(report.started_at),
                execution,
            )
            for execution, _, report, _ in settled
        ],
    )


def _apply(tx: Transaction, settled: Iterable[_Settled], *, chance: Callable[[], float]) -> None:
    tx.executemany(
        """
        UPDATE jobs
           SET status = ?, attempts = ?, run_at = ?, result = ?,
               error = CASE WHEN ? THEN error ELSE ? END,   -- a released one did not fail; an earlier attempt may have
               updated_at = ?, completed_at = ?, started_at = coalesce(?, started_at)
         WHERE seq = ?
        """,
        [_values(tx, each, wait=_wait(each, chance=chance)) for each in settled],
    )


def _values(tx: Transaction, settled: _Settled, *, wait: float) -> tuple[Any, ...]:
    _, job, report, move = settled
    return (
        move.target.value,
        job.attempts - (move is Move.RELEASE),
        to_text(later(tx.now, wait)) if wait > 0 else None,
        report.result,
        move is Move.RELEASE,
        report.error,
        tx.stamp,
        tx.stamp if move.target in FINISHED else None,
        report.started_at and to_text(report.started_at),
        job.seq,
    )


def _wait(settled: _Settled, *, chance: Callable[[], float]) -> float:
    """Seconds until the job may run again."""
    _, job, report, move = settled
    if move is Move.RETRY:
        return job.retry.wait(job.attempts, chance=chance())
    return report.delay if move is Move.RELEASE else 0.0


def _tell_children(tx: Transaction, settled: Iterable[_Settled]) -> None:
    ended = {each.job.seq: each for each in settled if each.move.target in FINISHED}
    for seq in parents_among(tx, list(ended)):
        job, move = ended[seq].job, ended[seq].move
        if move is Move.COMPLETE:
            parent_done(tx, seq)
        else:
            parent_ended_badly(tx, seq, ended_badly(job.id, job.name, move.target))

"""What a replay needs of a file: the call of a job without a claim, a copy to write in, and no other writes."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager

from gigq.claims import Claim
from gigq.errors import JobNotFound
from gigq.store import claiming
from gigq.store.engine.joined import OpenFile, Spent, taking_part
from gigq.store.engine.transaction import Transaction
from gigq.store.tables import OPEN

_COLUMNS = claiming.columns(attempt="max(1, jobs.attempts)")


def call_of(tx: Transaction, job_id: str) -> Claim:
    """Return the call of a job's last attempt, whatever became of it. It has no execution: its number is 0.

    Raises:
        JobNotFound: no job has this id.
    """
    row = tx.execute(f"SELECT {_COLUMNS} FROM jobs WHERE id = ?", (job_id,)).fetchone()
    if row is None:
        raise JobNotFound(job_id)
    (claim,) = claiming.with_relations(tx, [Claim(0, False, *row)])
    return claim


class _Untouched(Spent):
    """Stands for a file that this thread may read, and not write, by whatever object that has it open."""

    keeps_out = False

    def __init__(self, database: OpenFile) -> None:
        super().__init__(database, lambda: True)

    def why_not(self, database: OpenFile, connection: sqlite3.Connection | None = None) -> str | None:
        return "a job is replayed in this thread, which changes nothing in {path!r}; requeue the job to run it for good"


def untouched(database: OpenFile) -> AbstractContextManager[object]:
    """Refuse what this thread would write to a file by any queue or worker while the block runs, with RuntimeError."""
    return taking_part(_Untouched(database))


def begin_in_copy(tx: Transaction, claim: Claim, *, forgets_steps: bool) -> Claim:
    """Open an execution of a job in a copy of its file, which no worker serves, and return the claim.

    Args:
        forgets_steps: whether no step of it is remembered.
    """
    if forgets_steps:
        tx.execute("DELETE FROM job_steps WHERE job_seq = ?", (claim.job_seq,))
    execution = tx.value(f"SELECT id FROM executions WHERE job_seq = ? AND {OPEN}", (claim.job_seq,))
    if execution is None:
        execution = tx.execute(
            """
            INSERT INTO executions (job_seq, attempt, worker_id, worker_seq, status, started_at)
            VALUES (:job, :attempt, 'replay', 0, 'running', :now)
            """,
            {"job": claim.job_seq, "attempt": claim.attempt, "now": tx.stamp},
        ).lastrowid
    return claim._replace(execution_id=int(execution or 0))

"""Jobs that a running job has submitted: what waits for that one waits for them too, and for what they submit."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from gigq.store.engine.lists import listed, portions
from gigq.store.engine.transaction import Transaction

FOUND = 2**32
"""Of `job_dependencies.position`: a parent that the child has not named has this position plus its own `seq`."""


def found_by(tx: Transaction, jobs: Sequence[int]) -> list[sqlite3.Row]:
    """Return what these jobs have submitted, and what that has submitted, without what was detached."""
    seqs, values = listed(jobs)
    return tx.rows(
        f"""
        WITH RECURSIVE found (seq) AS (
             SELECT seq FROM jobs WHERE submitted_by IN {seqs} AND is_detached = 0
              UNION
             SELECT jobs.seq FROM found JOIN jobs ON jobs.submitted_by = found.seq WHERE jobs.is_detached = 0)
        SELECT seq, id, name, status, failed_parent
          FROM jobs
         WHERE seq IN (SELECT seq FROM found)
         ORDER BY seq
        """,
        values,
    )


def path_to(tx: Transaction, job: int) -> set[int]:
    """Return a job, the one that has submitted it, the one that has submitted that, and so on."""
    found = tx.execute(
        """
        WITH RECURSIVE path (seq) AS (
             SELECT :job
              UNION
             SELECT jobs.submitted_by
               FROM path JOIN jobs ON jobs.seq = path.seq
              WHERE jobs.submitted_by IS NOT NULL AND jobs.is_detached = 0)
        SELECT seq FROM path
        """,
        {"job": job},
    )
    return {seq for (seq,) in found}


def wait_for(tx: Transaction, child: int, parents: Sequence[int]) -> None:
    """Let a job wait for these too, which it has not named."""
    for portion in portions(parents):
        seqs, values = listed(portion)
        missing = f"""
              FROM jobs AS found
             WHERE found.seq IN {seqs}
               AND NOT EXISTS (SELECT 1 FROM job_dependencies WHERE child = ? AND parent = found.seq)"""
        tx.execute(
            f"""
            UPDATE jobs
               SET blockers = blockers + (SELECT count(*) {missing} AND found.status IN ('pending', 'running'))
             WHERE seq = ?
               AND status IN ('pending', 'running')
            """,
            (*values, child, child),
        )
        tx.execute(
            f"INSERT INTO job_dependencies (child, parent, position) SELECT ?, found.seq, ? + found.seq {missing}",
            (child, FOUND, *values, child),
        )

"""The rules that hold for every file at every moment, and a check of them."""

from __future__ import annotations

from gigq.store.engine.transaction import Transaction

# Each statement selects the ids of the rows that break its rule.
_RULES = {
    "a running job has exactly one open execution": """
        SELECT id FROM jobs
         WHERE (status = 'running') <>
               (SELECT count(*) FROM executions WHERE job_seq = jobs.seq AND status = 'running')
    """,
    "an open execution belongs to a known worker": """
        SELECT id FROM executions
         WHERE status = 'running' AND worker_seq NOT IN (SELECT seq FROM job_workers)
    """,
    "the attempts of a job are those of its last execution that counts, unless it has been requeued since": """
        SELECT jobs.id
          FROM jobs
          LEFT JOIN executions ON executions.id = (SELECT max(id)
                                                     FROM executions
                                                    WHERE job_seq = jobs.seq AND status <> 'released')
         WHERE jobs.attempts > 0 AND jobs.attempts IS NOT executions.attempt
    """,
    "blockers of an unfinished job are its unfinished parents": """
        SELECT id FROM jobs
         WHERE status IN ('pending', 'running')
           AND blockers <> (SELECT count(*)
                              FROM job_dependencies JOIN jobs AS parents ON parents.seq = job_dependencies.parent
                             WHERE job_dependencies.child = jobs.seq AND parents.status IN ('pending', 'running'))
    """,
    "an unfinished job has no failed parent that blocks it": """
        SELECT jobs.id
          FROM jobs
          JOIN job_dependencies ON job_dependencies.child = jobs.seq
          JOIN jobs AS parents ON parents.seq = job_dependencies.parent
         WHERE jobs.status IN ('pending', 'running') AND jobs.on_parent_failure = 'cancel'
           AND parents.status IN ('failed', 'timeout', 'cancelled')
    """,
    "only a pending job has a run_at": """
        SELECT id FROM jobs WHERE status <> 'pending' AND run_at IS NOT NULL
    """,
    "a completed job has a result and no error": """
        SELECT id FROM jobs
         WHERE (status = 'completed') <> (result IS NOT NULL) OR (status = 'completed' AND error IS NOT NULL)
    """,
    "a parent was submitted before its child": """
        SELECT child FROM job_dependencies WHERE parent >= child
    """,
}


def check(tx: Transaction) -> list[str]:
    """Return a sentence for each problem with the file; none for a sound file."""
    problems = [f"SQLite: {row[0]}" for row in tx.execute("PRAGMA integrity_check") if row[0] != "ok"]
    problems += [
        f"SQLite: {row[0]} row {row[1]} refers to no {row[2]}" for row in tx.execute("PRAGMA foreign_key_check")
    ]
    for rule, statement in _RULES.items():
        problems += [f"not true of {broken}: {rule}" for (broken,) in tx.execute(statement)]
    return problems

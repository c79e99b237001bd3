"""Read jobs, and count those of each status. `paging` finds them."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from gigq.codec import RESULT_LIMIT, encode, encode_texts
from gigq.records import ExecutionRecord, JobRecord
from gigq.status import ExecutionStatus, JobStatus
from gigq.store.engine.lists import listed, portions
from gigq.store.engine.transaction import Transaction
from gigq.store.rows import execution_record, job_record
from gigq.store.tables import OPEN, SUBMITTER, phase_of

_COLUMNS = {
    True: "*",
    False: """
    id, job_seq, attempt, status, worker_id, started_at, completed_at, error, error_type, traceback, NULL AS log""",
}
"""The columns of executions with their logs and without. Lists are without: logs may be long."""


def jobs_at(tx: Transaction, seqs: Sequence[int]) -> list[JobRecord]:
    """Return the jobs with these numbers, in this order, without the logs and tracebacks of their executions."""
    rows = tx.rows(
        f"""
        SELECT jobs.*, {phase_of(":now")} AS phase, {SUBMITTER} AS submitter
          FROM json_each(:seqs) AS wanted CROSS JOIN jobs ON jobs.seq = wanted.value
        """,
        {"seqs": encode(list(seqs), name="seqs", limit=RESULT_LIMIT), "now": tx.stamp},
    )
    found = {row["seq"]: row for row in rows}
    ordered = [found[seq] for seq in seqs if seq in found]
    return [record for portion in portions(ordered) for record in _records(tx, portion, has_logs=False)]


def job(tx: Transaction, job_id: str) -> JobRecord | None:
    """Return one job, or None."""
    rows = tx.rows(
        f"SELECT *, {phase_of(':now')} AS phase, {SUBMITTER} AS submitter FROM jobs WHERE id = :id",
        {"id": job_id, "now": tx.stamp},
    )
    return next(_records(tx, rows), None)


def newest(tx: Transaction) -> int:
    """Return the number of the newest job; 0 without one."""
    return tx.value("SELECT max(seq) FROM jobs") or 0


def statuses(tx: Transaction) -> dict[str, int]:
    """Return how many jobs there are of each status. It reads indexes alone: the rows are many and long."""
    found: dict[str, int] = dict(
        tx.execute(
            """
            SELECT status, count(*)
              FROM jobs INDEXED BY jobs_finished
             WHERE completed_at IS NOT NULL
             GROUP BY status
            """
        ).fetchall()
    )
    found["running"] = tx.value(f"SELECT count(*) FROM executions INDEXED BY executions_open WHERE {OPEN}")
    found["pending"] = tx.value("SELECT count(*) FROM jobs") - sum(found.values())
    return {status.value: found.get(status, 0) for status in JobStatus}


def statuses_in(tx: Transaction, queue: str) -> dict[str, int]:
    """Return how many jobs of a queue there are of each status."""
    found = dict(tx.execute("SELECT status, count(*) FROM jobs WHERE queue = ? GROUP BY status", (queue,)).fetchall())
    return {status.value: found.get(status, 0) for status in JobStatus}


def jobs_of(tx: Transaction, job_ids: Sequence[str]) -> dict[str, JobRecord]:
    """Return those of these jobs that exist, by their ids."""
    rows = tx.rows(
        f"""
        SELECT jobs.*, {phase_of(":now")} AS phase, {SUBMITTER} AS submitter
          FROM (SELECT DISTINCT value FROM json_each(:ids)) AS wanted CROSS JOIN jobs ON jobs.id = wanted.value
        """,
        {"ids": encode_texts(job_ids), "now": tx.stamp},
    )
    return {record.id: record for portion in portions(rows) for record in _records(tx, portion)}


class ExecutionEnd(NamedTuple):
    """The end of an execution that its worker no longer owns, and what became of its job."""

    execution_id: int
    job_id: str
    name: str
    queue: str
    attempt: int
    ended: ExecutionStatus
    status: JobStatus
    error: str | None


def ends_of(tx: Transaction, executions: Collection[int]) -> list[ExecutionEnd]:
    """Return how these executions ended, leaving out those whose jobs were deleted."""
    rows = [
        tx.execute(
            """
            SELECT executions.id, jobs.id, jobs.name, jobs.queue, executions.attempt, executions.status, jobs.status,
                   executions.error
              FROM executions JOIN jobs ON jobs.seq = executions.job_seq
             WHERE executions.id = :execution
            """,
            {"execution": execution},
        ).fetchone()
        for execution in executions
    ]
    found = [ExecutionEnd(*row) for row in rows if row]
    return [end._replace(ended=ExecutionStatus(end.ended), status=JobStatus(end.status)) for end in found]


def completed_among(tx: Transaction, executions: Collection[int]) -> set[int]:
    """Return those of these executions that have completed."""
    done: set[int] = set()
    for portion in portions([*executions]):
        ids, values = listed(portion)
        rows = tx.execute(f"SELECT id FROM executions WHERE id IN {ids} AND status = 'completed'", values)
        done.update(execution for (execution,) in rows)
    return done


def next_attempts(tx: Transaction, executions: Collection[int]) -> dict[int, str]:
    """Return when the pending jobs of these executions may run, leaving out those that may run now."""
    rows = [
        tx.execute(
            """
            SELECT executions.id, jobs.run_at
              FROM executions JOIN jobs ON jobs.seq = executions.job_seq
             WHERE executions.id = :execution
               AND jobs.run_at > :now
            """,
            {"execution": execution, "now": tx.stamp},
        ).fetchone()
        for execution in executions
    ]
    return dict(row for row in rows if row)


def _records(tx: Transaction, rows: Sequence[sqlite3.Row], *, has_logs: bool = True) -> Iterator[JobRecord]:
    if not rows:
        return
    ids = {row["seq"]: row["id"] for row in rows}
    seqs = list(ids)
    executions, parents, tags = _executions(tx, ids, has_logs=has_logs), parents_of(tx, seqs), tags_of(tx, seqs)
    workflows = _workflows(tx, {row["workflow_seq"] for row in rows} - {None})
    for row in rows:
        seq, workflow = row["seq"], workflows.get(row["workflow_seq"])
        yield job_record(row, executions=executions[seq], parents=parents[seq], tags=tags[seq], workflow=workflow)


def _workflows(tx: Transaction, seqs: Collection[int]) -> dict[int, dict[str, str]]:
    """Return the id and the name of each of these workflows. Most jobs belong to none."""
    if not seqs:
        return {}
    these, values = listed(list(seqs))
    found = tx.execute(f"SELECT seq, id, name FROM job_workflows WHERE seq IN {these}", values)
    return {seq: {"id": workflow_id, "name": name} for seq, workflow_id, name in found}


def _executions(tx: Transaction, ids: Mapping[int, str], *, has_logs: bool) -> dict[int, list[ExecutionRecord]]:
    """Return the executions of jobs, whose public ids are given by their seqs."""
    found: dict[int, list[ExecutionRecord]] = defaultdict(list)
    seqs, values = listed(list(ids))
    for row in tx.rows(f"SELECT {_COLUMNS[has_logs]} FROM executions WHERE job_seq IN {seqs} ORDER BY id", values):
        seq = row["job_seq"]
        found[seq].append(execution_record(row, job_id=ids[seq]))
    return found


def parents_of(tx: Transaction, jobs: Sequence[int]) -> dict[int, list[str]]:
    """Return the ids of the parents of each of these jobs, in the order given; of as many as `portions` cuts."""
    seqs, values = listed(jobs)
    found = tx.execute(
        f"""
        SELECT child, jobs.id
          FROM job_dependencies JOIN jobs ON jobs.seq = parent
         WHERE child IN {seqs}
         ORDER BY child, position
        """,
        values,
    )
    return _grouped(found)


def tags_of(tx: Transaction, jobs: Sequence[int]) -> dict[int, list[str]]:
    """Return the tags of each of these jobs; of as many as `portions` cuts."""
    seqs, values = listed(jobs)
    return _grouped(
        tx.execute(f"SELECT job_seq, tag FROM job_tags WHERE job_seq IN {seqs} ORDER BY job_seq, tag", values)
    )


def _grouped(rows: sqlite3.Cursor) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for seq, text in rows:
        found[seq].append(text)
    return found

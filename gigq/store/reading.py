"""Find, count and read jobs."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from gigq.clock import to_text
from gigq.codec import encode_texts
from gigq.filters import Filters
from gigq.records import ExecutionRecord, JobRecord
from gigq.status import ExecutionStatus, JobStatus
from gigq.store.engine.lists import listed, portions
from gigq.store.engine.searching import search_for
from gigq.store.engine.transaction import Transaction
from gigq.store.rows import execution_record, job_record
from gigq.store.tables import OPEN, SUBMITTER, phase_of

_ORDERS = {"submitted": "seq DESC", "ended": "completed_at DESC, seq DESC"}

# First in the names alone: that takes less time where most jobs pass.
_IS_FOUND = """
    (instr(lower(name), :search)
     OR gigq_finds(
          CAST(:search AS BLOB),
          CAST(:separator AS BLOB),
          CAST(
              id || :separator || name || :separator || description || :separator || function || :separator
              || coalesce(error, '') || :separator || args || :separator || params AS BLOB)))"""


def jobs(
    tx: Transaction,
    filters: Filters,
    *,
    limit: int | None = None,
    offset: int = 0,
    order: Literal["submitted", "ended"] = "submitted",
) -> Iterator[JobRecord]:
    """Yield the jobs that pass the filters: first those that were submitted, or that ended, last."""
    where, values = _where(tx, filters)
    rows = tx.rows(
        f"""
        SELECT *, {phase_of(":now")} AS phase, {SUBMITTER} AS submitter
          FROM jobs
         WHERE {where}
         ORDER BY {_ORDERS[order]}
         LIMIT :limit OFFSET :offset
        """,
        {**values, "limit": -1 if limit is None else limit, "offset": offset},
    )
    for portion in portions(rows):
        yield from _records(tx, portion)


def job(tx: Transaction, job_id: str) -> JobRecord | None:
    """Return one job, or None."""
    rows = tx.rows(
        f"SELECT *, {phase_of(':now')} AS phase, {SUBMITTER} AS submitter FROM jobs WHERE id = :id",
        {"id": job_id, "now": tx.stamp},
    )
    return next(_records(tx, rows), None)


def ids(tx: Transaction, filters: Filters) -> list[str]:
    """Return the ids of the jobs that pass the filters, the oldest first."""
    where, values = _where(tx, filters)
    return [job_id for (job_id,) in tx.execute(f"SELECT id FROM jobs WHERE {where} ORDER BY seq", values)]


def seqs(tx: Transaction, filters: Filters, *, bound: int) -> list[int]:
    """Return the numbers of the jobs up to this one that pass the filters, the oldest first."""
    where, values = _where(tx, filters)
    rows = tx.execute(f"SELECT seq FROM jobs WHERE {where} AND seq <= :bound ORDER BY seq", {**values, "bound": bound})
    return [seq for (seq,) in rows]


def newest(tx: Transaction) -> int:
    """Return the number of the newest job; 0 without one."""
    return tx.value("SELECT max(seq) FROM jobs") or 0


def count(tx: Transaction, filters: Filters) -> int:
    """Return how many jobs pass the filters."""
    where, values = _where(tx, filters)
    return int(tx.value(f"SELECT count(*) FROM jobs WHERE {where}", values))


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


def ids_like(tx: Transaction, handle: str, *, limit: int) -> list[str]:
    """Return up to `limit` ids that begin with a text, or end with it if it has four characters: the newest first."""
    found = tx.execute(
        """
        SELECT id
          FROM jobs
         WHERE id >= :handle AND id < :end
            OR length(:handle) > 3 AND substr(id, -length(:handle)) = :handle
         ORDER BY id = :handle DESC, seq DESC
         LIMIT :limit
        """,
        {"handle": handle, "end": handle + "\U0010ffff", "limit": limit},
    )
    return [job_id for (job_id,) in found]


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


def _where(tx: Transaction, filters: Filters) -> tuple[str, dict[str, Any]]:
    """Return the SQL of a condition, of fixed texts and names alone, and the values of the names."""
    conditions, values = ["1"], {"now": tx.stamp}
    for condition, names in _conditions(filters):
        conditions.append(condition)
        values.update(names)
    return " AND ".join(conditions), values


def _conditions(filters: Filters) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the condition of each filter that was given, and the values of its names."""
    if filters.statuses is not None:
        these, values = _named("status", filters.statuses)
        yield f"status IN {these}", values
    if filters.phases is not None:
        these, values = _named("phase", filters.phases)
        yield f"{phase_of(':now')} IN {these}", values
    if filters.tags:
        these, values = _named("tag", filters.tags)
        tagged = f"SELECT job_seq FROM job_tags WHERE tag IN {these} GROUP BY job_seq HAVING count(*) = :tags"
        yield f"seq IN ({tagged})", values | {"tags": len(filters.tags)}
    for column in ("queue", "name", "priority", "worker_id"):
        value = getattr(filters, column)
        if value is not None:
            yield f"{column} = :{column}", {column: value}
    if filters.workflow is not None:
        # By their seqs: in the order of the index SQLite would sort all of these jobs for the first few.
        yield (
            "seq IN (SELECT seq FROM jobs WHERE workflow_seq = (SELECT seq FROM job_workflows WHERE id = :workflow))",
            {"workflow": filters.workflow},
        )
    if filters.since is not None:
        yield "created_at >= :since", {"since": to_text(filters.since)}
    if filters.until is not None:
        yield "created_at < :until", {"until": to_text(filters.until)}
    if filters.search is not None:
        yield _IS_FOUND, search_for(filters.search)


def _named(name: str, values: Collection[Any]) -> tuple[str, dict[str, Any]]:
    """Return the SQL of a list of named values, ``(:name0, :name1)``, and these."""
    names = [f"{name}{number}" for number in range(len(values))]
    return f"({', '.join(f':{each}' for each in names)})", dict(zip(names, values, strict=True))


def _records(tx: Transaction, rows: Sequence[sqlite3.Row]) -> Iterator[JobRecord]:
    if not rows:
        return
    ids = {row["seq"]: row["id"] for row in rows}
    seqs = list(ids)
    executions, parents, tags = _executions(tx, ids), parents_of(tx, seqs), tags_of(tx, seqs)
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


def _executions(tx: Transaction, ids: Mapping[int, str]) -> dict[int, list[ExecutionRecord]]:
    """Return the executions of jobs, whose public ids are given by their seqs."""
    found: dict[int, list[ExecutionRecord]] = defaultdict(list)
    seqs, values = listed(list(ids))
    for row in tx.rows(f"SELECT * FROM executions WHERE job_seq IN {seqs} ORDER BY id", values):
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

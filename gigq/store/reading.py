"""How jobs are found, counted and read."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from gigq.clock import to_text
from gigq.filters import Filters
from gigq.records import ExecutionRecord, JobRecord
from gigq.status import ExecutionStatus, JobStatus
from gigq.store.engine.database import Transaction
from gigq.store.rows import execution_record, job_record
from gigq.store.tables import phase_of

_TAGGED = "seq IN (SELECT job_seq FROM job_tags WHERE tag IN ({}) GROUP BY job_seq HAVING count(*) = {})"
_CHUNK = 500
"""Jobs whose executions, tags and parents are fetched by one statement each: SQLite takes at least 999 values."""


def jobs(
    tx: Transaction,
    filters: Filters,
    *,
    limit: int | None = None,
    offset: int = 0,
    order: Literal["submitted", "ended"] = "submitted",
) -> Iterator[JobRecord]:
    """Yield the jobs that pass, those first that were submitted last, or that ended last."""
    where, values = _where(tx, filters)
    column = {"submitted": "seq", "ended": "completed_at"}[order]
    rows = tx.rows(
        f"""
        SELECT *, {phase_of(":now")} AS phase
          FROM jobs
         WHERE {where}
         ORDER BY {column} DESC, seq DESC
         LIMIT :limit OFFSET :offset
        """,
        {**values, "limit": -1 if limit is None else limit, "offset": offset},
    )
    for start in range(0, len(rows), _CHUNK):
        yield from _records(tx, rows[start : start + _CHUNK])


def job(tx: Transaction, job_id: str) -> JobRecord | None:
    """Return one job, or None."""
    rows = tx.rows(f"SELECT *, {phase_of(':now')} AS phase FROM jobs WHERE id = :id", {"id": job_id, "now": tx.stamp})
    return next(_records(tx, rows), None)


def ids(tx: Transaction, filters: Filters) -> list[str]:
    """Return the ids of the jobs that pass, the oldest first."""
    where, values = _where(tx, filters)
    return [job_id for (job_id,) in tx.execute(f"SELECT id FROM jobs WHERE {where} ORDER BY seq", values)]


def count(tx: Transaction, filters: Filters) -> int:
    """Return how many jobs pass."""
    where, values = _where(tx, filters)
    return int(tx.value(f"SELECT count(*) FROM jobs WHERE {where}", values))


def statuses(tx: Transaction) -> dict[str, int]:
    """Return how many jobs there are of each status. From indexes alone: the rows are many and long."""
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
    found["running"] = tx.value("SELECT count(*) FROM executions INDEXED BY executions_open WHERE status = 'running'")
    found["pending"] = tx.value("SELECT count(*) FROM jobs") - sum(found.values())
    return {status.value: found.get(status, 0) for status in JobStatus}


def statuses_of(tx: Transaction, job_ids: Sequence[str]) -> dict[str, str]:
    """Return the statuses of those of these jobs that there are."""
    found: dict[str, str] = {}
    for chunk in _chunks(job_ids):
        found.update(tx.execute(f"SELECT id, status FROM jobs WHERE id IN ({_marks(chunk)})", chunk).fetchall())
    return found


def ids_like(tx: Transaction, prefix: str, *, limit: int) -> list[str]:
    """Return up to `limit` ids that begin so."""
    found = tx.execute(
        "SELECT id FROM jobs WHERE id >= ? AND id < ? ORDER BY id LIMIT ?", (prefix, prefix + "\U0010ffff", limit)
    )
    return [job_id for (job_id,) in found]


class ExecutionEnd(NamedTuple):
    """How an execution stands that its worker no longer owns, and what became of its job."""

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
             WHERE executions.id = ?
            """,
            (execution,),
        ).fetchone()
        for execution in executions
    ]
    found = [ExecutionEnd(*row) for row in rows if row]
    return [end._replace(ended=ExecutionStatus(end.ended), status=JobStatus(end.status)) for end in found]


def _where(tx: Transaction, filters: Filters) -> tuple[str, dict[str, Any]]:
    conditions, values = ["1"], {"now": tx.stamp}
    for name, condition, value in _conditions(filters):
        if isinstance(value, tuple):
            names = [f"{name}{index}" for index in range(len(value))]
            condition = condition.format(", ".join(f":{each}" for each in names), len(value))
            values.update(zip(names, value, strict=True))
        else:
            values[name] = value
        conditions.append(condition)
    return " AND ".join(conditions), values


def _conditions(filters: Filters) -> Iterator[tuple[str, str, Any]]:
    """The name, condition and value of each filter that was given; a tuple of values stands for a list of marks."""
    if filters.statuses is not None:
        yield "status", "status IN ({})", tuple(filters.statuses)
    if filters.phases is not None:
        yield "phase", f"{phase_of(':now')} IN ({{}})", tuple(filters.phases)
    if filters.tags:
        yield "tag", _TAGGED, tuple(filters.tags)
    for name in ("queue", "name", "priority", "worker_id"):
        value = getattr(filters, name)
        if value is not None:
            yield name, f"{name} = :{name}", value
    if filters.since is not None:
        yield "since", "created_at >= :since", to_text(filters.since)
    if filters.until is not None:
        yield "until", "created_at < :until", to_text(filters.until)
    if filters.search is not None:
        columns = ("id", "name", "description", "function", "args", "params", "error")
        yield (
            "search",
            f"({' OR '.join(f'instr(lower({column}), lower(:search))' for column in columns)})",
            filters.search,
        )


def _records(tx: Transaction, rows: Sequence[sqlite3.Row]) -> Iterator[JobRecord]:
    if not rows:
        return
    ids = {row["seq"]: row["id"] for row in rows}
    seqs = list(ids)
    executions, parents, tags = _executions(tx, ids), _parents(tx, seqs), _tags(tx, seqs)
    for row in rows:
        seq = row["seq"]
        yield job_record(row, executions=executions[seq], parents=parents[seq], tags=tags[seq])


def _executions(tx: Transaction, ids: Mapping[int, str]) -> dict[int, list[ExecutionRecord]]:
    """The executions of jobs, whose public ids are given by their numbers."""
    found: dict[int, list[ExecutionRecord]] = defaultdict(list)
    for row in tx.rows(f"SELECT * FROM executions WHERE job_seq IN ({_marks(ids)}) ORDER BY id", list(ids)):
        seq = row["job_seq"]
        found[seq].append(execution_record(row, job_id=ids[seq]))
    return found


def _parents(tx: Transaction, seqs: Sequence[int]) -> dict[int, list[str]]:
    return _grouped(
        tx,
        f"""
        SELECT child, jobs.id
          FROM job_dependencies JOIN jobs ON jobs.seq = parent
         WHERE child IN ({_marks(seqs)})
         ORDER BY child, position
        """,
        seqs,
    )


def _tags(tx: Transaction, seqs: Sequence[int]) -> dict[int, list[str]]:
    return _grouped(
        tx, f"SELECT job_seq, tag FROM job_tags WHERE job_seq IN ({_marks(seqs)}) ORDER BY job_seq, tag", seqs
    )


def _grouped(tx: Transaction, sql: str, values: Sequence[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for seq, text in tx.execute(sql, values):
        found[seq].append(text)
    return found


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    return (values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK))


def _marks(values: Collection[Any]) -> str:
    return ", ".join("?" * len(values))

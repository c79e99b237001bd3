"""The repair of what others have done to a file by hand, in one transaction, and a sentence for each thing done."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeAlias

from gigq.reports import Report
from gigq.store import checking, control
from gigq.store.checking import (
    BLOCKED_FOR_EVER,
    EMPTY_WORKFLOWS,
    FOREIGN_LAST_JOB,
    FOREIGN_STEPS,
    NOT_WAITED_FOR,
    OF_NO_WORKFLOW,
    OPEN_WITHOUT_WORKER,
    PARTS,
    RUNNING_WITHOUT_EXECUTION,
    SUBMITTED_BY_LATER,
    UNFINISHED_PARENTS,
    WRONG_ATTEMPTS,
    in_circles_of,
    kind_of,
)
from gigq.store.dependencies import cancel_blocked
from gigq.store.engine.transaction import Transaction
from gigq.store.found import FOUND
from gigq.store.settling import settle

_LOST = "lost: a repair of the file found no execution of it"
_NO_WORKER = "lost: a repair of the file found no such worker"

_Act = Callable[[Transaction], int]
_Acts: TypeAlias = tuple[tuple[str, _Act], ...]
"""What to do in this order, and how to say it: the number, and the plural of what it counts."""


def repair(tx: Transaction) -> list[str]:
    """Mend what can be mended, and return what was done. Running jobs of registered workers go on.

    What is left belongs to no job, so it is deleted; a job whose execution or worker is gone is settled as lost, and
    one whose parent is gone waits for it no longer.
    """
    if any(kind_of(name) == "table" for name in checking.missing_parts(tx)):
        return []  # what it held cannot be made again
    # Or else no statement could write a row of jobs that refers to two jobs which are gone: with each write of a row
    # SQLite looks at all that it refers to in its own table.
    tx.execute("PRAGMA defer_foreign_keys = ON")
    done = _act(tx, _BEFORE_INDEXES) + _create_missing(tx) + _rebuild_indexes(tx) + _act(tx, _ACTS)
    tx.has_news |= bool(done)
    return done


def _act(tx: Transaction, acts: _Acts) -> list[str]:
    done = [(words, number) for words, act in acts if (number := act(tx))]
    return [words.format(number, "" if number == 1 else "s") for words, number in done]


def _create_missing(tx: Transaction) -> list[str]:
    missing = checking.missing_parts(tx)
    for name in missing:
        tx.execute(PARTS[name])
    return [f"Created the {kind_of(name)} {name} again" for name in missing]


def _rebuild_indexes(tx: Transaction) -> list[str]:
    if not any("index" in problem for problem in checking.sqlite_problems(tx)):
        return []
    tx.execute("REINDEX")
    return ["Rebuilt the indexes"]


def _statement(sql: str) -> _Act:
    return lambda tx: tx.execute(sql).rowcount


def _settle_orphaned(tx: Transaction) -> int:
    """Settle as lost the executions whose workers are not in the file, and so will never report."""
    found = tx.execute(OPEN_WITHOUT_WORKER).fetchall()
    for (execution,) in found:
        settle(tx, execution, Report.lost(_NO_WORKER))
    return len(found)


def _settle_without_execution(tx: Transaction) -> int:
    """Settle as lost the running jobs that have no execution: each gets one, so that it ends like any other."""
    found = tx.execute(RUNNING_WITHOUT_EXECUTION).fetchall()
    for (job_id,) in found:
        tx.execute("UPDATE jobs SET attempts = max(attempts, 1) WHERE id = ?", (job_id,))
        opened = tx.execute(
            """
            INSERT INTO executions (job_seq, attempt, worker_id, worker_seq, status)
            SELECT seq, attempts, coalesce(worker_id, ''), 0, 'running' FROM jobs WHERE id = ?
            """,
            (job_id,),
        )
        settle(tx, opened.lastrowid or 0, Report.lost(_LOST))
    return len(found)


def _open_circles(tx: Transaction) -> int:
    """Delete dependencies on later jobs that are part of circles: each circle has one. First those that were named."""
    deleted = 0
    for most in (FOUND - 1, sys.maxsize):
        circles = in_circles_of(tx)
        sql = "SELECT child, parent FROM job_dependencies WHERE parent >= child AND position <= ?"
        later = tx.execute(sql, (most,))
        closing: list[tuple[int, int]] = [edge for edge in later if circles.issuperset(edge)]
        tx.executemany("DELETE FROM job_dependencies WHERE child = ? AND parent = ?", closing)
        deleted += len(closing)
    return deleted


def _cancel_blocked(tx: Transaction) -> int:
    """Cancel the jobs that can never run because a parent has ended badly, and what depends on them."""
    blocked = tx.execute(f"SELECT seq, id FROM jobs WHERE id IN ({BLOCKED_FOR_EVER}) ORDER BY seq").fetchall()
    for seq, job_id in blocked:
        cancel_blocked(tx, seq)
        control.cancel(tx, job_id, running=True)  # if it is not pending
    return len(blocked)


_BEFORE_INDEXES: _Acts = (
    ("Closed {} open execution{} of jobs that have a later one", _statement("""
        UPDATE executions
           SET status = 'lost', error = 'its job was taken from it by hand',
               completed_at = (SELECT updated_at FROM jobs WHERE seq = job_seq)
         WHERE status = 'running'
           AND id NOT IN (SELECT max(id) FROM executions NOT INDEXED WHERE status = 'running' GROUP BY job_seq)
           AND job_seq IN (SELECT seq FROM jobs)""")),
    ("Cleared the unique key of {} job{}, which another unfinished job has", _statement("""
        UPDATE jobs
           SET unique_key = NULL
         WHERE seq IN (SELECT seq
                         FROM (SELECT seq, row_number() OVER (PARTITION BY unique_key
                                                              ORDER BY status <> 'running', seq) AS number
                                 FROM jobs NOT INDEXED
                                WHERE unique_key IS NOT NULL AND completed_at IS NULL)
                        WHERE number > 1)""")),
)  # fmt: skip
"""What no unique index allows: it could not be made again."""

_ACTS: _Acts = (
    ("Deleted {} execution{} of jobs that are gone", _statement("""
        DELETE FROM executions WHERE job_seq NOT IN (SELECT seq FROM jobs)""")),
    ("Deleted {} tag{} of jobs that are gone", _statement("""
        DELETE FROM job_tags WHERE job_seq NOT IN (SELECT seq FROM jobs)""")),
    ("Deleted {} step{} of jobs that are gone", _statement("""
        DELETE FROM job_steps WHERE job_seq NOT IN (SELECT seq FROM jobs)""")),
    ("Deleted {} dependency row{} of jobs that are gone; their children wait for them no longer", _statement("""
        DELETE FROM job_dependencies
         WHERE child NOT IN (SELECT seq FROM jobs) OR parent NOT IN (SELECT seq FROM jobs)""")),
    ("Deleted {} dependency row{} that closed a circle", _open_circles),
    ("Cleared the workflow of {} job{}, which is gone", _statement(f"""
        UPDATE jobs SET workflow_seq = NULL WHERE {OF_NO_WORKFLOW}""")),
    ("Deleted {} workflow{} without jobs", _statement(f"""
        DELETE FROM job_workflows WHERE id IN ({EMPTY_WORKFLOWS})""")),
    ("Cleared the last job of {} workflow{}, which is not one of its own", _statement(f"""
        UPDATE job_workflows SET last_job = NULL WHERE {FOREIGN_LAST_JOB}""")),
    ("Added {} dependency row{} of the last job of a workflow", _statement(f"""
        INSERT INTO job_dependencies (child, parent, position)
        SELECT last.seq, other.seq, other.seq FROM {NOT_WAITED_FOR}""")),
    ("Cleared the submitter of {} job{}, which is gone or came later", _statement(f"""
        UPDATE jobs SET submitted_by = NULL
         WHERE {SUBMITTED_BY_LATER}
            OR (submitted_by IS NOT NULL AND submitted_by NOT IN (SELECT seq FROM jobs))""")),
    ("Cleared the execution of {} step{}, which is one of another job", _statement(f"""
        UPDATE job_steps SET execution_id = 0 WHERE {FOREIGN_STEPS}""")),
    ("Cleared {} reference{} to a failed parent that is gone", _statement("""
        UPDATE jobs SET failed_parent = NULL
         WHERE failed_parent IS NOT NULL AND failed_parent NOT IN (SELECT seq FROM jobs)""")),
    ("Closed {} open execution{} of jobs that are not running", _statement("""
        UPDATE executions
           SET status = 'lost', error = 'its job was taken from it by hand',
               completed_at = (SELECT coalesce(completed_at, updated_at) FROM jobs WHERE seq = job_seq)
         WHERE status = 'running'
           AND job_seq IN (SELECT seq FROM jobs WHERE status <> 'running')""")),
    ("Corrected the attempts of {} job{}", _statement(f"""
        UPDATE jobs
           SET attempts = CASE WHEN last.attempt + last.is_pending <= max_attempts THEN last.attempt ELSE 0 END
          FROM (SELECT jobs.seq, jobs.status = 'pending' AS is_pending, coalesce((SELECT attempt
                                             FROM executions
                                            WHERE job_seq = jobs.seq AND status <> 'released'
                                            ORDER BY id DESC
                                            LIMIT 1), 0) AS attempt
                  FROM jobs) AS last
         WHERE last.seq = jobs.seq
           AND jobs.id IN ({WRONG_ATTEMPTS})""")),
    # Before anything ends, as from then on each end counts itself off its children.
    ("Corrected for how many parents {} job{} must wait", _statement(f"""
        UPDATE jobs
           SET blockers = ({UNFINISHED_PARENTS})
         WHERE status IN ('pending', 'running') AND blockers <> ({UNFINISHED_PARENTS})""")),
    ("Settled {} execution{} of unknown workers as lost", _settle_orphaned),
    ("Settled {} running job{} without an open execution as lost", _settle_without_execution),
    ("Cleared the run_at of {} job{} not pending", _statement("""
        UPDATE jobs SET run_at = NULL WHERE status <> 'pending' AND run_at IS NOT NULL""")),
    ("Set the result of {} completed job{} without one to null", _statement("""
        UPDATE jobs SET result = 'null' WHERE status = 'completed' AND result IS NULL""")),
    ("Cleared the result of {} job{} not completed", _statement("""
        UPDATE jobs SET result = NULL WHERE status <> 'completed' AND result IS NOT NULL""")),
    ("Cleared the error of {} completed job{}", _statement("""
        UPDATE jobs SET error = NULL WHERE status = 'completed' AND error IS NOT NULL""")),
    ("Cancelled {} job{} that needed a parent that has ended badly", _cancel_blocked),
)  # fmt: skip

"""The rules that hold for every file at every moment, and a check of them."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from gigq.clock import from_text
from gigq.codec import decode
from gigq.errors import StoreError
from gigq.store import schedules
from gigq.store.engine.lists import listed
from gigq.store.engine.transaction import Transaction
from gigq.store.graphs import in_circles
from gigq.store.indexes import INDEXES
from gigq.store.rows import action_record, execution_record, job_record, step_record
from gigq.store.tables import TABLES, VERSION, phase_of
from gigq.store.views import VIEWS

PARTS = TABLES | INDEXES | VIEWS
"""The statements that create what belongs to a queue, by its name."""

_SHOWN = 3
"""How many of the rows that break a rule are named."""


class Rule(NamedTuple):
    """What is wrong with one row, and with several; and the statement that selects the ids of such rows."""

    one: str
    several: str
    broken: str


RUNNING_WITHOUT_EXECUTION = """
    SELECT id FROM jobs
     WHERE status = 'running'
       AND NOT EXISTS (SELECT 1 FROM executions WHERE job_seq = jobs.seq AND status = 'running')"""
OPEN_WITHOUT_WORKER = """
    SELECT id FROM executions
     WHERE status = 'running' AND worker_seq NOT IN (SELECT seq FROM job_workers)"""
WRONG_ATTEMPTS = """
    SELECT jobs.id
      FROM jobs
      LEFT JOIN executions ON executions.id = (SELECT max(id)
                                                 FROM executions
                                                WHERE job_seq = jobs.seq AND status <> 'released')
     WHERE (jobs.attempts > 0 OR executions.status = 'running') AND jobs.attempts IS NOT executions.attempt"""
UNFINISHED_PARENTS = """
    SELECT count(*)
      FROM job_dependencies JOIN jobs AS parents ON parents.seq = job_dependencies.parent
     WHERE job_dependencies.child = jobs.seq AND parents.status IN ('pending', 'running')"""
BLOCKED_FOR_EVER = """
    SELECT DISTINCT jobs.id
      FROM jobs
      JOIN job_dependencies ON job_dependencies.child = jobs.seq
      JOIN jobs AS parents ON parents.seq = job_dependencies.parent
     WHERE jobs.status IN ('pending', 'running') AND jobs.on_parent_failure = 'cancel'
       AND parents.status IN ('failed', 'timeout', 'cancelled')"""
EMPTY_WORKFLOWS = """
    SELECT id FROM job_workflows WHERE seq NOT IN (SELECT workflow_seq FROM jobs WHERE workflow_seq IS NOT NULL)"""
OF_NO_WORKFLOW = "workflow_seq IS NOT NULL AND workflow_seq NOT IN (SELECT seq FROM job_workflows)"
FOREIGN_LAST_JOB = """
           last_job IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM jobs WHERE seq = last_job AND workflow_seq = job_workflows.seq)"""
FOREIGN_STEPS = """
           job_steps.execution_id IN (SELECT id FROM executions WHERE executions.job_seq <> job_steps.job_seq)"""
SUBMITTED_BY_LATER = "submitted_by >= seq"
# It does not wait for what it has submitted itself when it ran before.
NOT_WAITED_FOR = """
           job_workflows
      JOIN jobs AS last ON last.seq = job_workflows.last_job AND last.workflow_seq = job_workflows.seq
      JOIN jobs AS other ON other.workflow_seq = job_workflows.seq AND other.seq <> last.seq
     WHERE last.status = 'pending' AND other.status IN ('pending', 'running')
       AND NOT EXISTS (SELECT 1 FROM job_dependencies WHERE child = last.seq AND parent = other.seq)
       AND other.seq NOT IN (
           WITH RECURSIVE its_own (seq) AS (
                SELECT jobs.seq FROM job_workflows JOIN jobs ON jobs.submitted_by = job_workflows.last_job
                 UNION
                SELECT jobs.seq FROM its_own JOIN jobs ON jobs.submitted_by = its_own.seq)
           SELECT seq FROM its_own)"""

_RULES = (
    Rule("job is running without an open execution", "jobs are running without an open execution",
         RUNNING_WITHOUT_EXECUTION),
    Rule("job has an open execution and is not running", "jobs have an open execution and are not running", """
    SELECT id FROM jobs
     WHERE status <> 'running'
       AND EXISTS (SELECT 1 FROM executions WHERE job_seq = jobs.seq AND status = 'running')"""),
    Rule("job has several open executions", "jobs have several open executions", """
    SELECT id FROM jobs WHERE (SELECT count(*) FROM executions WHERE job_seq = jobs.seq AND status = 'running') > 1"""),
    Rule("open execution belongs to no worker", "open executions belong to no worker", OPEN_WITHOUT_WORKER),
    Rule("job has more or fewer attempts than its executions", "jobs have more or fewer attempts than their executions",
         WRONG_ATTEMPTS),
    Rule("job waits for more or fewer parents than are unfinished",
         "jobs wait for more or fewer parents than are unfinished", f"""
    SELECT id FROM jobs WHERE status IN ('pending', 'running') AND blockers <> ({UNFINISHED_PARENTS})"""),
    Rule("unfinished job needs a parent that has ended badly", "unfinished jobs need a parent that has ended badly",
         BLOCKED_FOR_EVER),
    Rule("job has a run_at and is not pending", "jobs have a run_at and are not pending", """
    SELECT id FROM jobs WHERE status <> 'pending' AND run_at IS NOT NULL"""),
    Rule("job has completed without a result, or has one and has not completed",
         "jobs have completed without a result, or have one and have not completed", """
    SELECT id FROM jobs WHERE (status = 'completed') <> (result IS NOT NULL)"""),
    Rule("job has completed and has an error", "jobs have completed and have an error", """
    SELECT id FROM jobs WHERE status = 'completed' AND error IS NOT NULL"""),
)

_RULES_OF_VERSION_2 = (
    Rule("step was completed by an execution of another job", "steps were completed by executions of other jobs", f"""
    SELECT name FROM job_steps WHERE {FOREIGN_STEPS}"""),
    Rule("job was submitted by itself or by a later one", "jobs were submitted by themselves or by later ones", f"""
    SELECT id FROM jobs WHERE {SUBMITTED_BY_LATER}"""),
    Rule("workflow has no jobs", "workflows have no jobs", EMPTY_WORKFLOWS),
    Rule("job belongs to a workflow that is gone", "jobs belong to workflows that are gone", f"""
    SELECT id FROM jobs WHERE {OF_NO_WORKFLOW}"""),
    Rule("workflow has a last job that does not belong to it", "workflows have last jobs that do not belong to them",
         f"""
    SELECT id FROM job_workflows WHERE {FOREIGN_LAST_JOB}"""),
    Rule("last job of a workflow does not wait for an unfinished job of it",
         "last jobs of workflows do not wait for unfinished jobs of them", f"""
    SELECT DISTINCT last.id FROM {NOT_WAITED_FOR}"""),
)  # fmt: skip


def check(tx: Transaction) -> list[str]:
    """Return a sentence for each kind of problem with the file, with its first rows; none for a sound file."""
    missing = _missing(tx)
    if any(name in TABLES for name in missing_parts(tx)):
        return missing
    return missing + sqlite_problems(tx) + _orphans(tx) + _broken_rules(tx) + _circles(tx) + _unreadable(tx)


def damage(tx: Transaction) -> list[str]:
    """Return a sentence for each part that is missing, or that SQLite cannot read: the quick part of `check`."""
    return _missing(tx) + sqlite_problems(tx)


def _missing(tx: Transaction) -> list[str]:
    return [f"the {kind_of(name)} {name} is missing" for name in missing_parts(tx)]


def missing_parts(tx: Transaction) -> list[str]:
    """Return the names of the tables, indexes and views that somebody has dropped. An older file has others."""
    if not _is_current(tx):
        return []
    there = {name for (name,) in tx.execute("SELECT name FROM sqlite_master")}
    return [name for name in PARTS if name not in there]


def _is_current(tx: Transaction) -> bool:
    return bool(tx.value("SELECT max(version) FROM job_schema") == VERSION)


def kind_of(part: str) -> str:
    """Return what a part of a queue is."""
    return "table" if part in TABLES else "index" if part in INDEXES else "view"


def sqlite_problems(tx: Transaction) -> list[str]:
    """Return what SQLite itself finds wrong with the file, the same thing in several rows once."""
    kinds: dict[str, list[str]] = {}
    for (found,) in tx.execute("PRAGMA integrity_check"):
        if found != "ok":
            kinds.setdefault(re.sub(r"\d+", "N", found), []).append(found)
    return [f"SQLite: {found[0]}{_times(len(found))}" for found in kinds.values()]


def _orphans(tx: Transaction) -> list[str]:
    # A dependency may refer to two jobs that are gone; it is one row even so.
    found: dict[tuple[str, str], Counter[int]] = {}
    for table, _, referred, key in tx.execute("PRAGMA foreign_key_check"):
        found.setdefault((table, referred), Counter())[key] += 1
    numbers = {tables: max(by_key.values()) for tables, by_key in sorted(found.items())}
    return [
        f"{_number(rows, 'row')} of {table} {'refers' if rows == 1 else 'refer'} to {referred} that are gone"
        for (table, referred), rows in numbers.items()
    ]


def _broken_rules(tx: Transaction) -> list[str]:
    problems = []
    for rule in (*_RULES, *(_RULES_OF_VERSION_2 if _is_current(tx) else ())):
        ids = [str(broken) for (broken,) in tx.execute(rule.broken)]
        if ids:
            problems.append(f"{len(ids)} {rule.one if len(ids) == 1 else rule.several}: {_listed(ids)}")
    return problems


def _circles(tx: Transaction) -> list[str]:
    jobs = sorted(in_circles_of(tx))
    if not jobs:
        return []
    seqs, values = listed(jobs[: _SHOWN + 1])
    ids = [job_id for (job_id,) in tx.execute(f"SELECT id FROM jobs WHERE seq IN {seqs} ORDER BY seq", values)]
    what = "job depends on itself" if len(jobs) == 1 else "jobs depend on each other in circles"
    return [f"{len(jobs)} {what}: {_listed(ids)}"]


def in_circles_of(tx: Transaction) -> set[int]:
    """Return the jobs that depend on each other in circles."""
    # A circle has a job that depends on a later one, which most files lack.
    if tx.value("SELECT 1 FROM job_dependencies WHERE parent >= child LIMIT 1") is None:
        return set()
    return in_circles(tx.execute("SELECT child, parent FROM job_dependencies"))


def _unreadable(tx: Transaction) -> list[str]:
    """Return what others have written that no look at it could read: the first value, and how many there are."""
    if not _is_current(tx):
        return []
    looks = (_unreadable_jobs, _unreadable_executions, _unreadable_steps, _unreadable_actions, _unreadable_rules)
    found = ([*look(tx)] for look in looks)
    return [f"{first}{f'; {len(more)} more like it' if more else ''}" for first, *more in filter(None, found)]


def _unreadable_jobs(tx: Transaction) -> Iterator[str]:
    rows = tx.execute(f"SELECT *, {phase_of(':now')} AS phase, NULL AS submitter FROM jobs", {"now": tx.stamp})
    return _refused(rows, lambda row: job_record(row, executions=(), parents=(), tags=()))


def _unreadable_executions(tx: Transaction) -> Iterator[str]:
    rows = tx.execute("SELECT executions.*, jobs.id AS job_id FROM executions JOIN jobs ON jobs.seq = job_seq")
    return _refused(rows, lambda row: execution_record(row, job_id=row["job_id"]))


def _unreadable_steps(tx: Transaction) -> Iterator[str]:
    rows = tx.execute(
        """
        SELECT job_steps.*, NULL AS attempt, jobs.id AS job_id
          FROM job_steps JOIN jobs ON jobs.seq = job_steps.job_seq
        """
    )
    return _refused(rows, lambda row: step_record(row, job_id=row["job_id"]))


def _unreadable_actions(tx: Transaction) -> Iterator[str]:
    return _refused(tx.execute("SELECT *, seq AS id FROM job_actions"), action_record)


def _refused(rows: sqlite3.Cursor, read: Callable[[sqlite3.Row], object]) -> Iterator[str]:
    rows.row_factory = sqlite3.Row
    for row in rows:  # one by one: results may have megabytes
        try:
            read(row)
        except StoreError as error:
            yield str(error)


def _unreadable_rules(tx: Transaction) -> Iterator[str]:
    for table, look in (("job_workers", _read_workers), ("job_schedules", schedules.records)):
        try:
            look(tx)
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            yield f"{table} holds what gigq never wrote ({type(error).__name__}: {error}); mend it in the file"


def _read_workers(tx: Transaction) -> None:
    for seen_at, *texts in tx.execute("SELECT seen_at, handlers, missing, coalesce(queues, '[]') FROM job_workers"):
        from_text(seen_at)
        for text in texts:
            decode(text)


def _listed(ids: Iterable[str]) -> str:
    first = list(ids)
    return ", ".join([*first[:_SHOWN], *(["…"] if len(first) > _SHOWN else [])])


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _times(number: int) -> str:
    return "" if number == 1 else f", and {_number(number - 1, 'more problem')} of this kind"

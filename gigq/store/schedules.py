"""The schedules in the file: their rules, their ticks, and the jobs that ticks submit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from sqlite3 import IntegrityError, ProgrammingError, Row

from gigq.clock import from_text, to_text
from gigq.codec import decode, encode
from gigq.cron import Cron, Interval, Rule, missed, zone_named
from gigq.new_job import NewJob
from gigq.queue_records import ScheduleRecord
from gigq.store.engine.transaction import Transaction
from gigq.store.submitting import submit

MOST_MADE_UP = 100
"""The most ticks that `missed="all"` makes up for at once, the latest ones: a day of minutes would flood the queue."""

_ON_TIME = timedelta(seconds=60)
"""A tick that a worker sees no later than this was not missed: all workers may have been busy."""

_JOB_LENGTH = 100_000_000

_OF_ONE_JOB = ("id", "run_at", "delay", "expires_at", "dependencies")
"""The fields of a job that differ from tick to tick."""


def add(tx: Transaction, schedule: ScheduleRecord, job: NewJob) -> None:
    """Add a schedule, or change the one of this name; while its rule stays the same, so does its next tick."""
    given = {name: value for name, value in job._asdict().items() if name not in _OF_ONE_JOB}
    values = {
        "name": schedule.name, "cron": schedule.cron, "every": schedule.every, "timezone": schedule.timezone,
        "missed": schedule.missed, "overlap": schedule.overlap, "job": encode(given, name="job", limit=_JOB_LENGTH),
        "next_at": schedule.next_at and to_text(schedule.next_at), "now": tx.stamp,
    }  # fmt: skip
    tx.has_news = True
    tx.execute(
        """
        INSERT INTO job_schedules (name, cron, every, timezone, missed, overlap, job, next_at, created_at, updated_at)
        VALUES (:name, :cron, :every, :timezone, :missed, :overlap, :job, :next_at, :now, :now)
            ON CONFLICT (name) DO UPDATE
           SET next_at = CASE WHEN cron IS excluded.cron AND every IS excluded.every AND timezone = excluded.timezone
                              THEN next_at ELSE excluded.next_at END,
               cron = excluded.cron, every = excluded.every, timezone = excluded.timezone, missed = excluded.missed,
               overlap = excluded.overlap, job = excluded.job, updated_at = excluded.updated_at
        """,
        values,
    )


def records(tx: Transaction) -> list[ScheduleRecord]:
    """Return the schedules in alphabetical order."""
    return [_record(row) for row in tx.rows("SELECT * FROM job_schedules ORDER BY name")]


def record(tx: Transaction, name: str) -> ScheduleRecord | None:
    """Return one schedule, or None."""
    rows = tx.rows("SELECT * FROM job_schedules WHERE name = ?", (name,))
    return _record(rows[0]) if rows else None


def remove(tx: Transaction, name: str) -> bool:
    """Delete a schedule; the jobs that it has submitted stay. False if there is none of this name."""
    return tx.execute("DELETE FROM job_schedules WHERE name = ?", (name,)).rowcount > 0


def pause(tx: Transaction, name: str) -> bool:
    """Pause a schedule, so that its ticks submit nothing. False if there is none of this name."""
    return tx.execute("UPDATE job_schedules SET is_paused = 1 WHERE name = ?", (name,)).rowcount > 0


def resume(tx: Transaction, name: str) -> bool:
    """Resume a paused schedule with its next tick from now. False if there is none of this name."""
    schedule = record(tx, name)
    if schedule is None:
        return False
    if schedule.is_paused:
        tx.has_news = True
        tick = rule_of(schedule).after(tx.now, zone_named(schedule.timezone))
        tx.execute("UPDATE job_schedules SET is_paused = 0, next_at = ? WHERE name = ?", (tick and to_text(tick), name))
    return True


def run(tx: Transaction, name: str, *, job_id: str) -> str | None:
    """Submit the job of a schedule now, paused or not, and return its id; its ticks stay. None if there is none."""
    rows = tx.rows("SELECT * FROM job_schedules WHERE name = ?", (name,))
    return _submit(tx, rows[0], tx.now, job_id=job_id) if rows else None


def tick(tx: Transaction, *, new_id: Callable[[], str]) -> list[str]:
    """Submit the jobs of all ticks that are due, and return the names of schedules that cannot be read.

    Those are paused, as somebody has edited the file; but not where only the time zone is unknown, which another
    machine may know. Each tick submits once, however many workers ask, because it moves the schedule on in the same
    transaction.
    """
    unread = []
    for row in tx.rows("SELECT * FROM job_schedules WHERE is_paused = 0 AND next_at <= ?", (tx.stamp,)):
        try:
            zone = zone_named(row["timezone"])
        except ValueError:
            unread.append(row["name"])
            continue
        if not _ticked(tx, row, zone, new_id=new_id):
            unread.append(row["name"])
            pause(tx, row["name"])
    return unread


def next_tick(tx: Transaction, *, after: str = "") -> str | None:
    """Return when the next tick comes after an instant, or the first one that has not been made."""
    found: str | None = tx.value("SELECT min(next_at) FROM job_schedules WHERE is_paused = 0 AND next_at > ?", (after,))
    return found


def rule_of(schedule: ScheduleRecord) -> Rule:
    """Return the rule by which a schedule ticks; an interval goes on from its next tick.

    Raises:
        ValueError: the cron line or the interval is not valid.
    """
    if schedule.cron is not None:
        return Cron.parse(schedule.cron)
    return Interval(seconds=schedule.every or 0, anchor=schedule.next_at or schedule.created_at)


def _ticked(tx: Transaction, row: Row, zone: tzinfo, *, new_id: Callable[[], str]) -> bool:
    """Do the ticks of a schedule; write nothing, and return False, if its row cannot be read or its job not stored."""
    is_done = True
    tx.execute("SAVEPOINT tick")
    try:
        _tick(tx, row, zone, new_id=new_id)
    except (ValueError, TypeError, KeyError, RecursionError, IntegrityError, ProgrammingError):
        tx.execute("ROLLBACK TO tick")
        is_done = False
    tx.execute("RELEASE tick")  # not in a `finally`: after a full disk there is no savepoint left
    return is_done


def _tick(tx: Transaction, row: Row, zone: tzinfo, *, new_id: Callable[[], str]) -> None:
    schedule = _record(row)
    rule = rule_of(schedule)
    following = rule.after(tx.now, zone)
    for instant in _wanted(tx, schedule, rule, zone):
        if schedule.overlap or not _is_unfinished(tx, schedule.name):
            _submit(tx, row, instant, job_id=new_id())
    tx.execute("UPDATE job_schedules SET next_at = ? WHERE name = ?", (following and to_text(following), schedule.name))


def _wanted(tx: Transaction, schedule: ScheduleRecord, rule: Rule, zone: tzinfo) -> list[datetime]:
    """Return those of the ticks that are due for which a job is submitted."""
    since = (schedule.next_at or tx.now) - timedelta(microseconds=1)
    limit = MOST_MADE_UP if schedule.missed == "all" else 1
    latest = missed(rule, since, until=tx.now, zone=zone, limit=limit)
    return [each for each in latest if schedule.missed != "skip" or tx.now - each <= _ON_TIME]


def _is_unfinished(tx: Transaction, name: str) -> bool:
    """Whether the last job of a schedule is unfinished."""
    return (
        tx.value(
            """
            SELECT 1
              FROM job_schedules JOIN jobs ON jobs.id = job_schedules.last_job
             WHERE job_schedules.name = ?
               AND jobs.completed_at IS NULL
            """,
            (name,),
        )
        is not None
    )


def _submit(tx: Transaction, row: Row, instant: datetime, *, job_id: str) -> str:
    """Submit the job of a tick, and return its id, or that of the unfinished job that has its unique key."""
    given = decode(row["job"])
    metadata = {"schedule": row["name"], "tick": to_text(instant)} | decode(given["metadata"])
    job = NewJob(
        **given | {"tags": tuple(given["tags"]), "metadata": encode(metadata, name="metadata", limit=_JOB_LENGTH)},
        id=job_id,
        run_at=None,
        delay=None,
        expires_at=None,
        dependencies=(),
    )
    (job_id,) = submit(tx, [job])
    tx.execute(
        "UPDATE job_schedules SET last_at = ?, last_job = ? WHERE name = ?", (to_text(instant), job_id, row["name"])
    )
    return job_id


def _record(row: Row) -> ScheduleRecord:
    job = decode(row["job"])
    return ScheduleRecord(
        name=row["name"],
        cron=row["cron"],
        every=row["every"],
        timezone=row["timezone"],
        missed=row["missed"],
        overlap=bool(row["overlap"]),
        is_paused=bool(row["is_paused"]),
        next_at=row["next_at"] and from_text(row["next_at"]),
        last_at=row["last_at"] and from_text(row["last_at"]),
        last_job=row["last_job"],
        created_at=from_text(row["created_at"]),
        function=job["function"],
        queue=job["queue"],
    )

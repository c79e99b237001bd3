"""Write `version-N.sqlite3`, a queue as this version of gigq leaves it: `python tests/store/files/make.py`.

Run it until version N is released, and never after that: from then on the file shows what people have. The files of
older versions stay as they are.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

TESTS = Path(__file__).parents[2]
sys.path[:0] = [str(TESTS), str(TESTS.parent)]

# ruff: noqa: E402
from store.verbs import SOMEWHERE, File

from gigq import Job, JobQueue, ManualClock
from gigq.claims import Claim
from gigq.reports import Progress
from gigq.status import ExecutionStatus
from gigq.store import manual, workers
from gigq.store.progress import write_logs, write_progress
from gigq.store.tables import VERSION

THEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
"""When the file was made; everything in it happens within minutes."""

PATH = Path(__file__).with_name(f"version-{VERSION}.sqlite3")


def job(name: str, function: str = "functions:nothing", **options: object) -> Job:
    """A job whose id is its name, so that the file is the same each time it is made."""
    return Job(name, function, id=name, **options)  # type: ignore[arg-type]


def fill(file: File) -> None:
    """Put some of everything into an empty queue."""
    _ended(file)
    _rules(file)
    _pending(file)
    _held(file)


def _ended(file: File) -> None:
    """Jobs with every final status, and executions with every way to end."""
    file.queue.submit(job("completed", "functions:add", params={"a": 1, "b": 2}, tags=["sum", "ümlaut"]))
    end(file, "completed", ExecutionStatus.COMPLETED, result="3", progress=Progress(1, 2, "half"), log="a line\n")
    file.queue.submit(job("failed", "functions:fail", metadata={"why": "to fail"}))
    raised = {"error": "ValueError: no", "error_type": "ValueError", "traceback": "Traceback …\nValueError: no\n"}
    end(file, "failed", ExecutionStatus.FAILED, is_final=True, **raised)
    file.queue.submit(job("cancelled with its parent", dependencies=["failed"]))
    file.queue.submit(job("completed all the same", dependencies=["failed"], on_parent_failure="run"))
    end(file, "completed all the same", ExecutionStatus.COMPLETED)
    file.queue.submit(job("timeout", max_attempts=1, timeout=5))
    end(file, "timeout", ExecutionStatus.TIMEOUT, error="timed out after 5 seconds", error_type="JobTimeout")
    file.queue.submit(job("cancelled"))
    end(file, "cancelled", ExecutionStatus.CANCELLED, error="cancelled while it ran")
    file.queue.submit(job("tried four times", max_attempts=3))
    for status in (ExecutionStatus.RELEASED, ExecutionStatus.LOST, ExecutionStatus.FAILED, ExecutionStatus.COMPLETED):
        is_good = status is ExecutionStatus.COMPLETED
        end(file, "tried four times", status, error=None if is_good else "not yet")


def _rules(file: File) -> None:
    """What people set: limits, a pause and schedules."""
    file.queue.configure("limited", max_running=2, rate_limit=10, rate_period=60)
    with file.queue.acting_as("ann", "cli"):
        file.queue.pause("paused")
    file.queue.schedules.add("nightly", "functions:nothing", cron="0 3 * * *", timezone="Europe/Berlin", tags=["s"])
    file.queue.schedules.add("hourly", "functions:add", every=3600, params={"a": 1}, overlap=False, missed="all")
    file.queue.schedules.pause("hourly")


def _pending(file: File) -> None:
    """Jobs that wait, each for another reason."""
    file.queue.submit(job("retrying", retry_delay=60, retry_backoff=2, retry_on=["OSError"], priority=300))
    end(file, "retrying", ExecutionStatus.FAILED, error="OSError: no")
    file.queue.submit_many(
        [
            job("parent", "functions:add", args=[1], params={"b": 2}, priority=-1),
            job("waiting", "functions:collect", dependencies=["parent", "completed"], pass_parent_results=True),
            job("ready", priority="low", unique_key="only one", description="in its turn"),
            job("limited", queue="limited"),
            job("paused", queue="paused"),
            job("scheduled", run_at="2026-03-02T00:00:00+00:00", expires_at="2100-01-01T00:00:00+00:00"),
            job("expiring", delay=3600, expires_at="2026-03-01T13:30:00+00:00"),
        ]
    )


def _held(file: File) -> None:
    """Jobs that a worker, and a program without one, still hold when the file is closed."""
    claims = []
    for name in ("running", "limited and running", "reserved"):
        is_limited = name.startswith("limited")
        file.queue.submit(job(name, priority=200, queue="limited" if is_limited else "default"))
        is_ahead = name == "reserved"
        room = {"ahead": 1, "returned": ["functions:nothing"]} if is_ahead else {}
        claims += file.claim(0 if is_ahead else 1, **room)
    with file.write() as tx:
        workers.renew(tx, file.worker, completed=4, failed=3)
        write_progress(tx, {claims[0].execution_id: Progress(3, 10)})
        write_logs(tx, {claims[0].execution_id: "it began\n"})
        by_hand = manual.register(tx, "by hand", SOMEWHERE)
    file.queue.submit(job("held", priority=200, timeout=30))
    (held,) = file.claim(worker=by_hand)
    assert [*(claim.job_id for claim in claims), held.job_id] == ["running", "limited and running", "reserved", "held"]


def end(file: File, name: str, status: ExecutionStatus, **report: object) -> None:
    """Claim the next job, which must be this one, and settle it a second later."""
    claim: Claim
    (claim,) = file.claim()
    assert claim.job_id == name
    file.clock.advance(1)
    file.settle(claim, status, **report)


def main() -> None:
    PATH.unlink(missing_ok=True)
    with closing(sqlite3.connect(PATH)) as connection:
        # Most tables and indexes hold a few rows: with the usual pages of 4 KB the file would be twice as large.
        for pragma in ("page_size = 1024", "auto_vacuum = INCREMENTAL", "journal_mode = WAL"):
            connection.execute(f"PRAGMA {pragma}")
    clock = ManualClock(THEN)
    with JobQueue(PATH, clock=clock) as queue:
        fill(File(queue, clock))
    os.chmod(PATH, 0o644)


if __name__ == "__main__":
    main()

"""The functions that no worker has found for a time, and what becomes of their jobs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from gigq.codec import decode, encode
from gigq.liveness import WorkerKey
from gigq.reports import Report
from gigq.store.engine.transaction import Transaction
from gigq.store.limits import instant_of
from gigq.store.tables import READY

LONGEST = timedelta(hours=24)
"""How long a job waits for a worker that finds its function. Then it fails."""

_MOST_NOTED = 100
"""Missing functions of one worker that the file names."""


def judged(tx: Transaction, job: int, report: Report) -> Report:
    """Return the report of an execution whose function its worker did not find.

    The job is given back, unless no worker has found the function for `LONGEST`, and the job has waited as long.
    """
    row = tx.execute("SELECT function, coalesce(ready_at, created_at) FROM jobs WHERE seq = ?", (job,)).fetchone()
    if row is None:
        return report
    function, ready_at = row
    tx.execute("INSERT OR IGNORE INTO job_missing_functions (function, since) VALUES (?, ?)", (function, tx.stamp))
    ends_at = waits_until(tx, function, instant_of(ready_at))
    if ends_at is None or ends_at > tx.now:
        return report
    failed = Report.failed(
        f"no worker has found its function for 24 hours; {report.error}",
        error_type=report.error_type,
        traceback=report.traceback,
        is_final=True,
    )
    return failed._replace(started_at=report.started_at, has_begun=False)


def waits_until(tx: Transaction, function: str, ready_at: datetime | None) -> datetime | None:
    """Return when a job that became ready then fails if no worker finds its function; None if it is not missing."""
    since = tx.value("SELECT since FROM job_missing_functions WHERE function = ?", (function,))
    if since is None:
        return None
    # Somebody may have edited either, or set the clock back.
    return max(min(instant_of(since) or tx.now, tx.now), min(ready_at or tx.now, tx.now)) + LONGEST


def note_found(tx: Transaction, functions: Collection[str]) -> None:
    """Take note that a worker has these functions."""
    known = tx.execute("SELECT function FROM job_missing_functions").fetchall()  # none, most often
    for (function,) in known:
        if function in functions:
            tx.execute("DELETE FROM job_missing_functions WHERE function = ?", (function,))


def forget_the_unwanted(tx: Transaction) -> None:
    """Forget functions that no ready job calls."""
    tx.execute(
        f"""
        DELETE FROM job_missing_functions
         WHERE NOT EXISTS (
               SELECT 1
                 FROM jobs INDEXED BY jobs_ready_by_function
                WHERE {READY}
                  AND jobs.function = job_missing_functions.function)
        """
    )


def note_missing(tx: Transaction, worker: WorkerKey, reasons: Mapping[str, str]) -> None:
    """Write which functions a worker does not find, and why."""
    noted = dict(list(reasons.items())[:_MOST_NOTED])
    text = encode(noted, name="missing", limit=100_000_000)
    tx.execute("UPDATE job_workers SET missing = ? WHERE seq = ?", (text, worker.seq))


def handlers_elsewhere(tx: Transaction, worker: WorkerKey, own: Collection[str]) -> set[str]:
    """Return the names of handlers that other workers have and this one has not, and that nobody can import."""
    rows = tx.execute("SELECT handlers FROM job_workers WHERE handlers <> '[]' AND seq <> ?", (worker.seq,))
    names = {name for (text,) in rows.fetchall() for name in _names_in(text) if not {":", "."} & set(name)}
    return names.difference(own)


def _names_in(text: str) -> list[str]:
    """Return the names in a list; none where somebody has written something else."""
    try:
        found = decode(text)
    except (ValueError, TypeError, RecursionError):
        return []
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []

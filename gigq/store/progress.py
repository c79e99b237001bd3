"""Progress, cursors and logs of running functions, written into the file."""

from __future__ import annotations

from collections.abc import Mapping

from gigq.codec import encode
from gigq.reports import Progress
from gigq.store.engine.transaction import Transaction
from gigq.store.tables import OPEN

_LIMIT = 10_000
"""Bytes of a progress as JSON: far more than its numbers and its message can take."""

_JOB = f"(SELECT job_seq FROM executions WHERE id = :execution AND {OPEN})"
"""The job of an execution, as long as that is open."""


def write_progress(tx: Transaction, progress: Mapping[int, Progress]) -> None:
    """Write how far the jobs of these executions are; nothing for an execution that is no longer open."""
    tx.executemany(
        f"""
        UPDATE jobs
           SET progress = :progress, updated_at = :now
         WHERE seq = {_JOB}
        """,
        [
            {
                "progress": encode(each.as_dict(), name="progress", limit=_LIMIT),
                "now": tx.stamp,
                "execution": execution,
            }
            for execution, each in progress.items()
        ],
    )


def write_cursors(tx: Transaction, cursors: Mapping[int, str]) -> None:
    """Write the places in long loops at which the jobs of these executions are; nothing for one that is not open."""
    tx.executemany(
        f"""
        UPDATE jobs
           SET cursor = :cursor, updated_at = :now
         WHERE seq = {_JOB}
        """,
        [{"cursor": cursor, "now": tx.stamp, "execution": execution} for execution, cursor in cursors.items()],
    )


def write_running_logs(tx: Transaction, logs: Mapping[int, str]) -> None:
    """Write what these executions have logged so far; nothing for one that is no longer open: its log is complete."""
    tx.executemany(
        f"UPDATE executions SET log = ? WHERE id = ? AND {OPEN}", [(log, execution) for execution, log in logs.items()]
    )


def write_logs(tx: Transaction, logs: Mapping[int, str]) -> None:
    """Write the logs of executions, closed ones too: a log does not change how an execution ended."""
    tx.executemany("UPDATE executions SET log = ? WHERE id = ?", [(log, execution) for execution, log in logs.items()])

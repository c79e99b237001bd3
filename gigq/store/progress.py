"""What running functions write into the file: their progress and their logs."""

from __future__ import annotations

from collections.abc import Mapping

from gigq.codec import encode
from gigq.reports import Progress
from gigq.store.engine.database import Transaction

_LIMIT = 10_000
"""Bytes of a progress as JSON: far more than its numbers and its message can take."""


def write_progress(tx: Transaction, progress: Mapping[int, Progress]) -> None:
    """Write how far the jobs of these executions are; nothing for an execution that is no longer open."""
    tx.executemany(
        """
        UPDATE jobs
           SET progress = ?, updated_at = ?
         WHERE seq = (SELECT job_seq FROM executions WHERE id = ? AND status = 'running')
        """,
        [
            (encode(each.as_dict(), name="progress", limit=_LIMIT), tx.stamp, execution)
            for execution, each in progress.items()
        ],
    )


def write_logs(tx: Transaction, logs: Mapping[int, str]) -> None:
    """Write the logs of executions, closed ones too: a log does not change how an execution ended."""
    tx.executemany("UPDATE executions SET log = ? WHERE id = ?", [(log, execution) for execution, log in logs.items()])

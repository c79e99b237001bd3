"""What people did to the queue: read here, written by `acting`."""

from __future__ import annotations

from gigq.history_records import ActionRecord
from gigq.store.engine.transaction import Transaction
from gigq.store.rows import action_record


def records(tx: Transaction, *, limit: int | None) -> list[ActionRecord]:
    """Return the last actions of people, the newest first. Raises as `rows.job_record`."""
    rows = tx.rows(
        """
        SELECT seq AS id, at, ended_at, actor, face, verb, filter, options, bound, done, changed, skipped
          FROM job_actions
         ORDER BY seq DESC
         LIMIT ?
        """,
        (-1 if limit is None else limit,),
    )
    return [action_record(row) for row in rows]

"""A look at a queue that takes a moment however many jobs there are."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from gigq.queue_records import QueueRecord
from gigq.status import FINISHED, Phase
from gigq.store import metrics, queues, reading
from gigq.store.engine.transaction import Transaction
from gigq.store.tables import READY

MOST = 10_001
"""Up to how many jobs of a phase are counted where there are very many jobs."""
FEW = 100_000
"""Jobs of which all are counted."""


class Overview(NamedTuple):
    """What is in the file at one instant.

    Attributes:
        are_all_counted: whether all jobs are counted. Otherwise there are at most `MOST` of a phase, none of those that
            wait for parents, for no index has these, and paused ones and retries are among the ready and the scheduled.
        queues: the queues that hold unfinished jobs; none if very many jobs are unfinished.
    """

    at: datetime
    are_all_counted: bool
    phases: dict[Phase, int]
    queues: Sequence[QueueRecord]


def overview(tx: Transaction) -> Overview:
    """Return what is in the file."""
    are_few = tx.value("SELECT count(*) FROM (SELECT 1 FROM jobs LIMIT :most)", {"most": FEW + 1}) <= FEW
    bounded = {} if are_few else _up_to_most(tx)
    are_many_unfinished = MOST in (bounded.get("ready"), bounded.get("scheduled"))
    records = [] if are_many_unfinished else queues.records(tx)
    phases = metrics.phases(tx, records, reading.statuses(tx)) if are_few else bounded
    return Overview(
        at=tx.now,
        are_all_counted=are_few,
        phases={Phase(phase): number for phase, number in phases.items()},
        queues=records,
    )


def _up_to_most(tx: Transaction) -> dict[str, int]:
    found = metrics.running_phases(tx)
    found["ready"] = tx.value(
        f"SELECT count(*) FROM (SELECT 1 FROM jobs INDEXED BY jobs_ready WHERE {READY} LIMIT :most)", {"most": MOST}
    )
    found["scheduled"] = tx.value(
        """
        SELECT count(*)
          FROM (SELECT 1 FROM jobs INDEXED BY jobs_due WHERE status = 'pending' AND run_at IS NOT NULL LIMIT :most)
        """,
        {"most": MOST},
    )
    for status in FINISHED:
        found[status] = tx.value(
            """
            SELECT count(*)
              FROM (SELECT 1
                      FROM jobs INDEXED BY jobs_finished
                     WHERE status = :status AND completed_at IS NOT NULL
                     LIMIT :most)
            """,
            {"status": status, "most": MOST},
        )
    return found

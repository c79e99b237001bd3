"""The head of a queue: its first ready jobs of each priority, and how long they have waited. It counts nothing."""

from __future__ import annotations

from datetime import datetime

from gigq.clock import from_text
from gigq.store.engine.transaction import Transaction
from gigq.store.tables import READY

_DEPTH = 100
"""Jobs of each priority among which the one is searched that has waited longest. The first of them may have become
ready a moment ago, as a retry does, and jobs that were submitted later may have waited for hours."""

_FIRSTS = f"""
    WITH RECURSIVE firsts (priority, seq) AS (
         SELECT priority, seq
           FROM (SELECT priority, seq
                   FROM jobs INDEXED BY jobs_ready
                  WHERE {READY} AND queue = :queue
                  ORDER BY priority DESC, seq
                  LIMIT 1)
          UNION ALL
         SELECT next.priority, next.seq
           FROM firsts
           JOIN jobs AS next ON next.seq = (SELECT seq
                                              FROM jobs INDEXED BY jobs_ready
                                             WHERE {READY} AND queue = :queue AND priority < firsts.priority
                                             ORDER BY priority DESC, seq
                                             LIMIT 1)
          LIMIT 100)"""
"""The oldest ready job of each priority of a queue, one step in the index for each; most queues have one to four."""


def oldest_ready(tx: Transaction, queue: str) -> datetime | None:
    """Return when the ready job of a queue that was submitted first was submitted; None if none is ready."""
    oldest = tx.value(
        f"{_FIRSTS} SELECT min(jobs.created_at) FROM firsts CROSS JOIN jobs ON jobs.seq = firsts.seq",
        {"queue": queue},
    )
    return None if oldest is None else from_text(oldest)


def ready_since(tx: Transaction, queue: str, *, depth: int = _DEPTH) -> datetime | None:
    """Return since when a job of a queue has been ready, of those at its head; None if none is ready.

    Args:
        depth: how many jobs of each priority are looked at.
    """
    since = tx.value(
        f"""
        {_FIRSTS}
        SELECT min((SELECT min(coalesce(ready_at, created_at))
                      FROM (SELECT ready_at, created_at
                              FROM jobs INDEXED BY jobs_ready
                             WHERE {READY} AND queue = :queue AND priority = firsts.priority
                             ORDER BY seq
                             LIMIT :depth)))
          FROM firsts
        """,
        {"queue": queue, "depth": depth},
    )
    return None if since is None else from_text(since)

"""How long functions took lately, from the newest executions back."""

from __future__ import annotations

from collections import defaultdict
from statistics import median

from gigq.clock import from_text
from gigq.store.engine.transaction import Transaction

SAMPLE = 50
"""The durations of a function that are taken, the latest ones."""

STEP = 1_000
"""Executions that one statement covers on the way back from the newest."""

_MOST = 5_000
"""Executions of the whole file that are looked at for the durations of all functions: some 20 ms. There is no index
over the functions of finished jobs, because every job would pay for it."""


def usual_durations(tx: Transaction) -> dict[str, float]:
    """Return the median duration in seconds of each function that has completed lately: of its last 50 executions."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    newest: int = (tx.value("SELECT max(id) FROM executions") or 0) + 1
    for before in range(newest, max(0, newest - _MOST), -STEP):
        for function, seconds in step_back(tx, before):
            if len(found[function]) < SAMPLE:
                found[function].append(seconds)
    return {function: median(durations) for function, durations in found.items()}


def step_back(tx: Transaction, before: int) -> list[tuple[str, float]]:
    """Return the functions and the durations of the completed executions of one step, the newest first."""
    rows = tx.execute(
        """
        SELECT jobs.function, executions.started_at, executions.completed_at
          FROM executions CROSS JOIN jobs ON jobs.seq = executions.job_seq
         WHERE executions.id < :before
           AND executions.id >= :before - :step
           AND executions.status = 'completed'
           AND executions.started_at IS NOT NULL
         ORDER BY executions.id DESC
        """,
        {"before": before, "step": STEP},
    )
    return [(function, between(started_at, completed_at)) for function, started_at, completed_at in rows]


def between(start: str, end: str) -> float:
    """Return the seconds between two instants; none are negative because the clock was set back."""
    return max(0.0, (from_text(end) - from_text(start)).total_seconds())
